//! The containers of processes, with the names that their runtimes leave on disk.
//!
//! No program of a runtime is run: its files are enough, and can be read when its daemon hangs.

mod bundle;
mod by_hand;
mod disk;
mod docker;
mod machines;
mod names;
mod nerdctl;
mod proxmox;
mod states;
mod storage;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use disk::Disk;
use names::Names;
use states::States;

use crate::ipc::Container;
use crate::ipc::container::paths;

/// The containers of processes. Each file of a runtime is read once, when it is first needed, so a container
/// that starts later may lack its name.
#[derive(Debug)]
pub struct Containers {
    disk: Disk,
    names: Names,
    states: OnceCell<States>,
    /// By the text of the control groups.
    by_groups: RefCell<HashMap<Vec<u8>, Option<Rc<Container>>>>,
}

impl Default for Containers {
    fn default() -> Containers {
        Containers::new()
    }
}

impl Containers {
    /// Nothing is read yet.
    pub fn new() -> Containers {
        Containers::on(Disk::of_machine())
    }

    fn on(disk: Disk) -> Containers {
        let (names, states, by_groups) = Default::default();
        Containers { disk, names, states, by_groups }
    }

    /// The container of a process, with its name if that is found; `None` if it is in none. Fails if the
    /// control groups of the process cannot be read, for example because it is gone.
    pub fn of(&self, pid: i32) -> io::Result<Option<Rc<Container>>> {
        let groups = self.disk.read(&PathBuf::from(format!("/proc/{pid}/cgroup")))?;
        if let Some(known) = self.by_groups.borrow().get(&groups) {
            return Ok(known.clone().or_else(|| self.by_namespace(pid)));
        }
        let found = self.in_groups(&String::from_utf8_lossy(&groups)).map(Rc::new);
        self.by_groups.borrow_mut().insert(groups, found.clone());
        Ok(found.or_else(|| self.by_namespace(pid)))
    }

    fn in_groups(&self, groups: &str) -> Option<Container> {
        let by_hand = paths(groups).find_map(|path| self.states().of_path(path));
        let mut container = match by_hand {
            // A runtime inside a container records its containers on that container's disk, so all that can
            // be nested here is a container inside the one that was started by hand.
            Some((container, rest)) => Container::in_path(rest).unwrap_or(container),
            None => Container::in_groups(groups)?,
        };
        if self.states().is_virtual_machine(&container) {
            return None;
        }
        self.names.complete(&self.disk, &mut container);
        Some(container)
    }

    /// The container whose first process is in the same process namespace. This finds containers that have no
    /// control group of their own, as those of users without systemd.
    fn by_namespace(&self, pid: i32) -> Option<Rc<Container>> {
        self.states().of_process(&self.disk, &self.names, pid)
    }

    fn states(&self) -> &States {
        self.states.get_or_init(|| States::read(&self.disk))
    }
}

#[cfg(test)]
mod tests;
