//! Containers that are known by their control groups or their first process, where the path of a control group
//! alone tells nothing.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::disk::Disk;
use super::names::Names;
use super::{by_hand, machines};
use crate::ipc::Container;
use crate::ipc::container::Runtime;
use crate::kernel::process::stat::Stat;

/// What is kept about a container that runs.
#[derive(Debug)]
pub(super) struct State {
    pub(super) container: Container,
    /// Its first process.
    pub(super) pid: i32,
    /// When that started, in ticks since boot, if that is kept.
    pub(super) started: Option<i64>,
    /// The paths of its control groups.
    pub(super) groups: Vec<String>,
}

impl State {
    /// Whether its first process still is the one with this pid.
    fn is_alive(&self, disk: &Disk) -> bool {
        let stat = disk.read(Path::new(&format!("/proc/{}/stat", self.pid)));
        let started = stat.ok().and_then(Stat::parse).and_then(|stat| stat.started());
        started.is_some() && self.started.is_none_or(|kept| started == Some(kept))
    }

    /// Whether the process is one that the user can have put into a container who keeps this state.
    /// A user could keep a state that names any process.
    fn is_honest(&self, disk: &Disk) -> bool {
        let uid = self.container.user.filter(|&uid| uid != 0);
        uid.is_none_or(|uid| disk.namespace_owner(self.pid) == Some(uid))
    }
}

/// The containers with such a state.
#[derive(Debug)]
pub(super) struct States {
    states: Vec<State>,
    virtual_machines: Vec<String>,
    /// The container that alone has this control group.
    by_path: HashMap<String, Option<usize>>,
    /// The container that alone has this process namespace, by the link to the namespace.
    by_namespace: OnceCell<HashMap<PathBuf, Option<Rc<Container>>>>,
}

impl States {
    /// Reads all of them.
    pub(super) fn read(disk: &Disk) -> States {
        let machines = machines::read(disk);
        let mut states = by_hand::read(disk);
        states.extend(machines.containers);
        let mut by_path = HashMap::new();
        for (index, state) in states.iter().enumerate() {
            for group in state.groups.iter().filter(|group| group.len() > 1) {
                let owner = by_path.entry(group.clone()).or_insert(Some(index));
                if *owner != Some(index) {
                    *owner = None;
                }
            }
        }
        let virtual_machines = machines.virtual_machines;
        States { states, virtual_machines, by_path, by_namespace: OnceCell::new() }
    }

    /// Whether a container that a path shows is a virtual machine in fact.
    pub(super) fn is_virtual_machine(&self, container: &Container) -> bool {
        container.runtime == Runtime::Nspawn && self.virtual_machines.contains(&container.id)
    }

    /// The container that has this control group or one above it, and the rest of the path.
    pub(super) fn of_path<'a>(&self, path: &'a str) -> Option<(Container, &'a str)> {
        let mut end = path.len();
        loop {
            if let Some(Some(index)) = self.by_path.get(&path[..end]) {
                let container = &self.states[*index].container;
                let uid = container.user.filter(|&uid| uid != 0);
                let is_own = uid.is_none_or(|uid| Container::user_of(path) == Some(uid));
                // Without a name of its own, it is of an engine, whose paths are known.
                let is_known = is_own && container.name.is_some();
                return is_known.then(|| (container.clone(), &path[end..]));
            }
            end = path[..end].rfind('/')?;
        }
    }

    /// The container that has the process namespace of a process to itself.
    pub(super) fn of_process(&self, disk: &Disk, names: &Names, pid: i32) -> Option<Rc<Container>> {
        if self.states.is_empty() {
            return None;
        }
        let known = self.by_namespace.get_or_init(|| self.find_namespaces(disk, names));
        known.get(&process_namespace(disk, &pid.to_string())?)?.clone()
    }

    fn find_namespaces(
        &self,
        disk: &Disk,
        names: &Names,
    ) -> HashMap<PathBuf, Option<Rc<Container>>> {
        let own = process_namespace(disk, "self");
        let mut found: HashMap<PathBuf, Option<Rc<Container>>> = HashMap::new();
        for state in &self.states {
            let namespace = process_namespace(disk, &state.pid.to_string());
            let Some(namespace) = namespace.filter(|_| state.is_alive(disk)) else { continue };
            if Some(&namespace) == own.as_ref() || !state.is_honest(disk) {
                continue;
            }
            let mut container = state.container.clone();
            names.complete(disk, &mut container);
            let container = Some(Rc::new(container));
            // With a namespace that containers share, it is not known which one a process is in.
            found.entry(namespace).and_modify(|known| *known = None).or_insert(container);
        }
        found
    }
}

/// The link that identifies the process namespace of a process.
fn process_namespace(disk: &Disk, pid: &str) -> Option<PathBuf> {
    disk.target(Path::new(&format!("/proc/{pid}/ns/pid"))).ok()
}
