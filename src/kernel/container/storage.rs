//! Names of Podman's and CRI-O's containers: `containers.json` of containers/storage, one for each driver.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::Disk;
use super::names::data_of;

/// The names of containers by id, by the home directory of the user who runs them without privileges.
#[derive(Debug, Default)]
pub(super) struct Storage(RefCell<HashMap<Option<PathBuf>, HashMap<String, String>>>);

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    names: Vec<String>,
}

impl Storage {
    /// The name of a container.
    pub(super) fn name(&self, disk: &Disk, home: Option<&Path>, id: &str) -> Option<String> {
        let mut known = self.0.borrow_mut();
        let names = known.entry(home.map(Path::to_owned)).or_insert_with(|| read(disk, home));
        names.get(id).cloned()
    }
}

fn read(disk: &Disk, home: Option<&Path>) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for root in roots(disk, home) {
        for driver in disk.names(&root).iter().filter(|name| name.ends_with("-containers")) {
            // The second one has the containers that need not survive a crash, as with podman run --rm.
            for file in ["containers.json", "volatile-containers.json"] {
                let entries = disk.json::<Vec<Entry>>(&root.join(driver).join(file));
                for Entry { id, names: given } in entries.into_iter().flatten() {
                    names.extend(given.into_iter().next().map(|name| (id, name)));
                }
            }
        }
    }
    names
}

/// The directories where the containers may be.
fn roots(disk: &Disk, home: Option<&Path>) -> Vec<PathBuf> {
    let (settings, defaults) = match home {
        Some(home) => (
            vec![home.join(".config/containers/storage.conf")],
            vec![data_of(home).join("containers/storage")],
        ),
        None => (
            vec![
                "/etc/containers/storage.conf".into(),
                "/usr/share/containers/storage.conf".into(),
            ],
            vec!["/var/lib/containers/storage".into(), "/run/containers/storage".into()],
        ),
    };
    let settings = settings.iter().filter_map(|path: &PathBuf| disk.read(path).ok());
    let mut roots: Vec<_> = settings.filter_map(|text| graph_root(&text)).collect();
    roots.retain(|root| !defaults.contains(root));
    roots.extend(defaults);
    roots
}

/// The value of `graphroot` in such a file, `containers-storage.conf(5)`. It is a string of TOML on a line of its
/// own; one with escapes is not understood.
fn graph_root(text: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(text).ok()?.lines().find_map(|line| {
        let value = line.trim().strip_prefix("graphroot")?.trim_start().strip_prefix('=')?.trim();
        let (_, quoted) = value.split_at_checked(1)?;
        let path = match value.chars().next()? {
            quote @ ('"' | '\'') => quoted.split(quote).next()?,
            _ => return None,
        };
        (path.starts_with('/') && !path.contains('\\')).then(|| path.into())
    })
}
