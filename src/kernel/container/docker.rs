//! Names of Docker's containers: `containers/ID/config.v2.json` in its data root.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::Disk;
use super::names::data_of;

/// The data roots of Docker, by the home directory of the user who runs it without privileges.
#[derive(Debug, Default)]
pub(super) struct DataRoots(RefCell<HashMap<Option<PathBuf>, Vec<PathBuf>>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    name: String,
}

/// What an administrator configures.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Daemon {
    data_root: Option<PathBuf>,
    /// What it was called up to Docker 17.05.
    graph: Option<PathBuf>,
}

impl DataRoots {
    /// The name of a container.
    pub(super) fn name(&self, disk: &Disk, home: Option<&Path>, id: &str) -> Option<String> {
        let mut roots = self.0.borrow_mut();
        let roots = roots.entry(home.map(Path::to_owned)).or_insert_with(|| find(disk, home));
        let config = |root: &PathBuf| {
            disk.json::<Config>(&root.join("containers").join(id).join("config.v2.json"))
        };
        let name = roots.iter().find_map(config)?.name;
        Some(name.strip_prefix('/').unwrap_or(&name).to_owned())
    }
}

/// The directories where Docker may keep its data.
fn find(disk: &Disk, home: Option<&Path>) -> Vec<PathBuf> {
    let (settings, defaults) = match home {
        Some(home) => {
            (vec![home.join(".config/docker/daemon.json")], vec![data_of(home).join("docker")])
        }
        // The second ones are those of the snap.
        None => (
            vec![
                "/etc/docker/daemon.json".into(),
                "/var/snap/docker/current/config/daemon.json".into(),
            ],
            vec!["/var/lib/docker".into(), "/var/snap/docker/common/var-lib-docker".into()],
        ),
    };
    let settings = settings.iter().filter_map(|path| disk.json::<Daemon>(path));
    let mut roots: Vec<_> =
        settings.filter_map(|daemon| daemon.data_root.or(daemon.graph)).collect();
    roots.extend(defaults);
    // With userns-remap there is a root for each UID.GID.
    let remapped = |root: &PathBuf| {
        let names = disk.names(root).into_iter().filter(|name| is_remapped(name));
        names.map(|name| root.join(name)).collect::<Vec<_>>()
    };
    let remapped: Vec<_> = roots.iter().flat_map(remapped).collect();
    roots.extend(remapped);
    roots
}

fn is_remapped(name: &str) -> bool {
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    name.split_once('.').is_some_and(|(uid, gid)| is_number(uid) && is_number(gid))
}
