//! Containers by what their runtimes recorded of them, their control groups or their first process, for
//! processes whose control groups have no telling paths.

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

/// What a runtime recorded of a container.
#[derive(Debug)]
pub(super) struct State {
    pub(super) container: Container,
    /// Its first process.
    pub(super) pid: i32,
    /// When that process started, in ticks since boot, if it is recorded.
    pub(super) started: Option<i64>,
    /// The paths of its control groups.
    pub(super) groups: Vec<String>,
}

impl State {
    /// The user who wrote this, unless that is root.
    fn writer(&self) -> Option<u32> {
        self.container.user.filter(|&uid| uid != 0)
    }

    /// Whether its first process still is the one with this pid, not another that has it now.
    fn is_alive(&self, disk: &Disk) -> bool {
        let stat = disk.read(Path::new(&format!("/proc/{}/stat", self.pid)));
        let started = stat.ok().and_then(Stat::parse).and_then(|stat| stat.started());
        started.is_some() && self.started.is_none_or(|recorded| started == Some(recorded))
    }

    /// Whether the user who wrote this can have started a container there. Any user can write any path or pid,
    /// for example that of a service.
    fn owns_group(&self, path: &str) -> bool {
        self.writer().is_none_or(|uid| Container::user_of(path) == Some(uid))
    }

    /// The same for its first process.
    fn owns_process(&self, disk: &Disk) -> bool {
        self.writer().is_none_or(|uid| disk.namespace_owner(self.pid) == Some(uid))
    }
}

/// What the runtimes recorded of their containers.
#[derive(Debug)]
pub(super) struct States {
    states: Vec<State>,
    virtual_machines: Vec<String>,
    /// The container that alone has this control group; `None` if several share it.
    by_path: HashMap<String, Option<usize>>,
    /// The container that alone has this process namespace; `None` if several share it.
    by_namespace: OnceCell<HashMap<PathBuf, Option<Rc<Container>>>>,
}

impl States {
    /// Reads all records.
    pub(super) fn read(disk: &Disk) -> States {
        let machines = machines::read(disk);
        let mut states = by_hand::read(disk);
        states.extend(machines.containers);
        let mut by_path = HashMap::new();
        for (index, state) in states.iter().enumerate() {
            let is_own = |group: &&String| group.len() > 1 && state.owns_group(group);
            for group in state.groups.iter().filter(is_own) {
                let owner = by_path.entry(group.clone()).or_insert(Some(index));
                if *owner != Some(index) {
                    *owner = None;
                }
            }
        }
        let virtual_machines = machines.virtual_machines;
        States { states, virtual_machines, by_path, by_namespace: OnceCell::new() }
    }

    /// Whether what looks like a container by its path is a virtual machine.
    pub(super) fn is_virtual_machine(&self, container: &Container) -> bool {
        container.runtime == Runtime::Nspawn && self.virtual_machines.contains(&container.id)
    }

    /// The container that has this control group or one above it, and the rest of the path.
    pub(super) fn of_path<'a>(&self, path: &'a str) -> Option<(Container, &'a str)> {
        let mut end = path.len();
        loop {
            if let Some(Some(index)) = self.by_path.get(&path[..end]) {
                let container = &self.states[*index].container;
                // Without a name, it is an engine's, and its path shows that.
                return container.name.is_some().then(|| (container.clone(), &path[end..]));
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
            if Some(&namespace) == own.as_ref() || !state.owns_process(disk) {
                continue;
            }
            let mut container = state.container.clone();
            names.complete(disk, &mut container);
            let container = Some(Rc::new(container));
            // A process in a namespace that containers share may be in any of them.
            found.entry(namespace).and_modify(|known| *known = None).or_insert(container);
        }
        found
    }
}

/// The link that identifies the process namespace of a process.
fn process_namespace(disk: &Disk, pid: &str) -> Option<PathBuf> {
    disk.target(Path::new(&format!("/proc/{pid}/ns/pid"))).ok()
}
