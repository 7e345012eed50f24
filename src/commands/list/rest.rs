//! What `list pshm` shows besides objects: memory in `/dev/shm` that is no POSIX object.

use super::VERB;
use crate::commands::Result;
use crate::commands::chosen::Chosen;
use crate::commands::print_error;
use crate::ipc::posix::MemoryStatus;
use crate::ipc::{Filter, Kind, Object, Observed, PosixMemory};
use crate::kernel::Namespace;
use crate::kernel::posix::dev_shm::{Removed, Space, Tree};
use crate::kernel::process::uses::observe_all;

/// The files in subdirectories, and the deleted files that processes still hold.
#[derive(Debug, Default)]
pub(super) struct Rest {
    objects: Vec<Object>,
}

impl Rest {
    /// Looks for them if the user asks for this kind without a narrower filter, because filters select only
    /// objects. Prints what cannot be read, and continues.
    pub(super) fn read(namespace: &Namespace, filter: &Filter) -> Rest {
        if !filter.kinds.contains(&Kind::Pshm) || filter.is_narrow() {
            return Rest::default();
        }
        // Without /dev/shm there are no files in it.
        let Ok(before) = Space::read(namespace.shm()) else { return Rest::default() };
        let tree = Tree::read(namespace.shm());
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
                print_error(format_args!("{VERB}: cannot look for deleted files: {error}"))
            }
        }
        Rest { objects }
    }

    /// Adds the columns that these files need: a status, and for deleted ones, which have no reference, the
    /// name and the processes that hold them. Columns that the user chose stay as they are.
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

    /// The files, with the processes that hold them if `looks`.
    pub(super) fn observed(self, namespace: &Namespace, looks: bool) -> Result<Vec<Observed>> {
        if !looks || self.objects.is_empty() {
            return Ok(self.objects.into_iter().map(Observed::from).collect());
        }
        Ok(observe_all(namespace, self.objects)?)
    }
}
