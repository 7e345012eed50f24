//! Containers that were started with a low-level runtime, as with `runc run NAME`: only the state that the
//! runtime saves shows which control groups and which process are theirs.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::Disk;
use super::states::State;
use crate::ipc::Container;
use crate::ipc::container::{Runtime, is_id};
use crate::kernel::process;

/// `state.json` of runc.
#[derive(Deserialize)]
struct Runc {
    id: String,
    init_process_pid: i32,
    init_process_start: i64,
    #[serde(default)]
    cgroup_paths: Option<BTreeMap<String, String>>,
}

/// `status` of crun.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Crun {
    pid: i32,
    process_start_time: i64,
    #[serde(default)]
    cgroup_path: Option<String>,
}

/// The states that runtimes saved for root and for the users who are logged in.
pub(super) fn read(disk: &Disk) -> Vec<State> {
    let mut states = Vec::new();
    for (place, user) in places(disk) {
        let mut directories = vec![place.join("runc"), place.join("docker/runtime-runc/moby")];
        let containerd = place.join("containerd/runc");
        directories.extend(disk.names(&containerd).iter().map(|space| containerd.join(space)));
        for directory in directories {
            states.extend(read_runc(disk, &directory, user));
        }
        states.extend(read_crun(disk, &place.join("crun"), user));
    }
    states
}

fn read_runc(disk: &Disk, place: &Path, user: Option<u32>) -> Vec<State> {
    let read = |id: String| {
        let state: Runc = disk.json(&place.join(id).join("state.json"))?;
        let groups = state.cgroup_paths.unwrap_or_default();
        let groups = groups.iter().filter_map(|(hierarchy, path)| in_hierarchy(hierarchy, path));
        Some(State {
            container: container(state.id, user),
            pid: state.init_process_pid,
            started: Some(state.init_process_start),
            groups: groups.map(str::to_owned).collect(),
        })
    };
    disk.names(place).into_iter().filter_map(read).collect()
}

fn read_crun(disk: &Disk, place: &Path, user: Option<u32>) -> Vec<State> {
    let read = |id: String| {
        let state: Crun = disk.json(&place.join(&id).join("status"))?;
        let group = state.cgroup_path.map(|path| path.trim_end_matches('/').to_owned());
        Some(State {
            container: container(id, user),
            pid: state.pid,
            started: Some(state.process_start_time),
            groups: group.into_iter().collect(),
        })
    };
    disk.names(place).into_iter().filter_map(read).collect()
}

fn container(id: String, user: Option<u32>) -> Container {
    // An id like this is made by an engine, which saves the name elsewhere.
    let name = (!is_id(&id)).then(|| id.clone());
    Container { runtime: Runtime::Other, id, pod: None, name, user }
}

/// The directories of states: root's, and those of users.
fn places(disk: &Disk) -> Vec<(PathBuf, Option<u32>)> {
    let mut places: Vec<(PathBuf, Option<u32>)> = vec![("/run".into(), None)];
    let users = Path::new("/run/user");
    for name in disk.names(users) {
        places.extend(name.parse().ok().map(|uid| (users.join(name), Some(uid))));
    }
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let is_new = |own: &PathBuf| places.iter().all(|(place, _)| place != own);
    if let Some(own) = own.filter(is_new) {
        places.push((own, Some(process::uid())));
    }
    places
}

/// The path of a control group in its hierarchy, as `/proc/PID/cgroup` shows it, from the path of its
/// directory. Each hierarchy of version 1 is mounted under its name; that of version 2 is mounted at the top, or as
/// `unified` beside the others.
fn in_hierarchy<'a>(hierarchy: &str, directory: &'a str) -> Option<&'a str> {
    let path = directory.strip_prefix("/sys/fs/cgroup")?;
    let path = match hierarchy {
        "" => path.strip_prefix("/unified").unwrap_or(path),
        _ => &path[path.get(1..)?.find('/')? + 1..],
    };
    path.starts_with('/').then_some(path.trim_end_matches('/'))
}
