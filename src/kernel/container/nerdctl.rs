//! Names of nerdctl's containers: `HASH/names/NAMESPACE/NAME` in its data directory, files that hold an id.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::names::data_of;

/// The names of containers by id, by the home directory of the user who runs them without privileges.
#[derive(Debug, Default)]
pub(super) struct NameStores(RefCell<HashMap<Option<PathBuf>, HashMap<String, String>>>);

impl NameStores {
    /// The name of a container.
    pub(super) fn name(&self, disk: &Disk, home: Option<&Path>, id: &str) -> Option<String> {
        let mut known = self.0.borrow_mut();
        let names = known.entry(home.map(Path::to_owned)).or_insert_with(|| read(disk, home));
        names.get(id).cloned()
    }
}

fn read(disk: &Disk, home: Option<&Path>) -> HashMap<String, String> {
    let root = home.map_or("/var/lib/nerdctl".into(), |home| data_of(home).join("nerdctl"));
    let mut names = HashMap::new();
    for store in disk.names(&root).iter().map(|hash| root.join(hash).join("names")) {
        for directory in disk.names(&store).iter().map(|namespace| store.join(namespace)) {
            for name in disk.names(&directory) {
                let Ok(id) = disk.read(&directory.join(&name)) else { continue };
                names.insert(String::from_utf8_lossy(&id).trim().to_owned(), name);
            }
        }
    }
    names
}
