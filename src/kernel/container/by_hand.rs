//! Containers that somebody started with a low-level runtime, such as `runc run NAME`: only the state that
//! the runtime keeps says which control groups and which process are theirs.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::env;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::Deserialize;

use super::disk::Disk;
use super::names::Names;
use crate::ipc::Container;
use crate::ipc::container::{Runtime, is_id};
use crate::kernel::process::stat::Stat;

/// What the runtimes keep about their containers.
#[derive(Debug, Default)]
pub(super) struct States {
    states: Vec<State>,
    /// The container that alone has this control group.
    by_path: HashMap<String, Option<usize>>,
    /// By the process namespace of the first process.
    by_namespace: OnceCell<HashMap<PathBuf, Rc<Container>>>,
}

#[derive(Debug)]
struct State {
    container: Container,
    /// Its first process.
    pid: i32,
    /// When that started, in ticks since boot.
    started: i64,
}

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

impl States {
    /// Reads what the runtimes keep for root and for the users who are logged in.
    pub(super) fn read(disk: &Disk) -> States {
        let mut states = States::default();
        for (place, user) in places(disk) {
            states.read_runc(disk, &place.join("runc"), user);
            states.read_crun(disk, &place.join("crun"), user);
            let containerd = place.join("containerd/runc");
            for namespace in disk.names(&containerd) {
                states.read_runc(disk, &containerd.join(namespace), user);
            }
            states.read_runc(disk, &place.join("docker/runtime-runc/moby"), user);
        }
        states
    }

    fn read_runc(&mut self, disk: &Disk, place: &Path, user: Option<u32>) {
        for id in disk.names(place) {
            let Some(state) = disk.json::<Runc>(&place.join(&id).join("state.json")) else {
                continue;
            };
            let Runc { id, init_process_pid: pid, init_process_start: started, cgroup_paths } =
                state;
            let groups = cgroup_paths.unwrap_or_default();
            let groups =
                groups.iter().filter_map(|(hierarchy, path)| in_hierarchy(hierarchy, path));
            self.add(id, user, (pid, started), groups);
        }
    }

    fn read_crun(&mut self, disk: &Disk, place: &Path, user: Option<u32>) {
        for id in disk.names(place) {
            let Some(state) = disk.json::<Crun>(&place.join(&id).join("status")) else { continue };
            let group = state.cgroup_path.as_deref().map(|path| path.trim_end_matches('/'));
            self.add(id, user, (state.pid, state.process_start_time), group.into_iter());
        }
    }

    fn add<'a>(
        &mut self,
        id: String,
        user: Option<u32>,
        (pid, started): (i32, i64),
        groups: impl Iterator<Item = &'a str>,
    ) {
        let index = self.states.len();
        for group in groups.filter(|group| group.len() > 1) {
            let owner = self.by_path.entry(group.to_owned()).or_insert(Some(index));
            if *owner != Some(index) {
                *owner = None;
            }
        }
        // An engine has another name for what it has given such an id.
        let name = (!is_id(&id)).then(|| id.clone());
        let container = Container { runtime: Runtime::Other, id, pod: None, name, user };
        self.states.push(State { container, pid, started });
    }

    /// The container that has this control group or one above it, and the rest of the path.
    pub(super) fn of_path<'a>(&self, path: &'a str) -> Option<(Container, &'a str)> {
        let mut end = path.len();
        loop {
            if let Some(Some(index)) = self.by_path.get(&path[..end]) {
                let container = self.states[*index].container.clone();
                return container.name.is_some().then(|| (container, &path[end..]));
            }
            end = path[..end].rfind('/')?;
        }
    }

    /// The container that has the process namespace of a process to itself.
    pub(super) fn of_process(&self, disk: &Disk, names: &Names, pid: i32) -> Option<Rc<Container>> {
        if self.states.is_empty() {
            return None;
        }
        let known = self.by_namespace.get_or_init(|| {
            let own = process_namespace(disk, "self");
            let living = self.states.iter().filter(|state| state.is_alive(disk));
            let namespace = |state: &State| {
                let namespace = process_namespace(disk, &state.pid.to_string())?;
                let mut container = state.container.clone();
                names.complete(disk, &mut container);
                Some((namespace, Rc::new(container)))
            };
            let pairs = living.filter_map(namespace);
            pairs.filter(|(namespace, _)| Some(namespace) != own.as_ref()).collect()
        });
        known.get(&process_namespace(disk, &pid.to_string())?).cloned()
    }
}

impl State {
    /// Whether its first process still is the one with this pid.
    fn is_alive(&self, disk: &Disk) -> bool {
        let stat = disk.read(&PathBuf::from(format!("/proc/{}/stat", self.pid)));
        let started = stat.ok().and_then(Stat::parse).and_then(|stat| stat.started());
        started == Some(self.started)
    }
}

/// The link that identifies the process namespace of a process.
fn process_namespace(disk: &Disk, pid: &str) -> Option<PathBuf> {
    disk.target(&PathBuf::from(format!("/proc/{pid}/ns/pid"))).ok()
}

/// Where runtimes keep their states: for root, and for users.
fn places(disk: &Disk) -> Vec<(PathBuf, Option<u32>)> {
    let mut places: Vec<(PathBuf, Option<u32>)> = vec![("/run".into(), None)];
    let users = Path::new("/run/user");
    for name in disk.names(users) {
        places.extend(name.parse().ok().map(|uid| (users.join(name), Some(uid))));
    }
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let is_new = |own: &PathBuf| places.iter().all(|(place, _)| place != own);
    if let Some(own) = own.filter(is_new) {
        places.push((own, Some(nix::unistd::getuid().as_raw())));
    }
    places
}

/// The path of a control group in its hierarchy, as `/proc/PID/cgroup` shows it, from the path of its
/// directory. The hierarchies of version 1 are mounted side by side, the one of version 2 alone or among them.
fn in_hierarchy<'a>(hierarchy: &str, directory: &'a str) -> Option<&'a str> {
    let path = directory.strip_prefix("/sys/fs/cgroup")?;
    let path = match hierarchy {
        "" => path.strip_prefix("/unified").unwrap_or(path),
        _ => &path[path.get(1..)?.find('/')? + 1..],
    };
    path.starts_with('/').then_some(path.trim_end_matches('/'))
}
