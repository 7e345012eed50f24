//! What `list pshm` shows besides objects: memory in `/dev/shm` that no name of shared memory reaches.

use super::VERB;
use super::choice::Chosen;
use crate::commands::print_error;
use crate::ipc::posix::MemoryStatus;
use crate::ipc::{Filter, Kind, Object, Observed, PosixMemory};
use crate::kernel::posix::dev_shm::{Removed, Space, Tree};
use crate::kernel::process::uses::observe_all;

/// The files in subdirectories, and those that were removed and are still held.
#[derive(Debug, Default)]
pub(super) struct Rest {
    objects: Vec<Object>,
}

impl Rest {
    /// Looks for them, if somebody asks for this kind and for nothing narrower: no filter selects what
    /// is no object. What is in the way is told, and the list goes on.
    pub(super) fn read(filter: &Filter) -> Rest {
        if !filter.kinds.contains(&Kind::Pshm) || filter.is_narrow() {
            return Rest::default();
        }
        // Without the directory there is nothing in it.
        let Ok(before) = Space::read() else { return Rest::default() };
        let tree = Tree::read();
        tree.unread.iter().for_each(|unread| print_error(format_args!("{VERB}: {unread}")));
        let mut objects: Vec<_> = tree.below().collect();
        match Removed::find(&tree, &before) {
            Ok(removed) => {
                if let Some(gap) = removed.gap() {
                    print_error(format_args!("{VERB}: {gap}"));
                }
                objects.extend(removed.objects);
            }
            Err(error) => {
                print_error(format_args!("{VERB}: cannot look for removed files: {error}"))
            }
        }
        Rest { objects }
    }

    /// The columns besides the usual ones: these have a status, and those that were removed have no
    /// reference, but a name and processes that hold them. Whoever has chosen columns gets those.
    pub(super) fn columns(&self, chosen: Option<&Chosen>, is_chosen: bool) -> Option<Chosen> {
        if is_chosen || self.objects.is_empty() {
            return chosen.cloned();
        }
        let is_held = |memory: &PosixMemory| memory.status == MemoryStatus::Deleted;
        let mut names = vec!["status"];
        if self.objects.iter().filter_map(Object::memory).any(is_held) {
            names.extend(["name", "users"]);
        }
        let others = chosen.map_or(&[][..], |chosen| &chosen.names);
        names.extend(others.iter().filter(|name| **name != "users"));
        Some(Chosen { names, added: true })
    }

    /// All that is known of them; who holds them, where somebody wants to see that.
    pub(super) fn observed(self, looks: bool) -> anyhow::Result<Vec<Observed>> {
        if !looks || self.objects.is_empty() {
            return Ok(self.objects.into_iter().map(Observed::from).collect());
        }
        Ok(observe_all(self.objects)?)
    }
}
