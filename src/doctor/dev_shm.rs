//! What is to be seen of `/dev/shm` as a file system, before anything is said about it.

use std::io::ErrorKind;

use crate::ipc::{Observed, PosixMemory};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::posix::dev_shm::{Removed, Space, Tree};
use crate::kernel::process::uses::observe_all;

/// What was seen of `/dev/shm` as a file system.
pub(super) struct DevShm {
    /// How full it is.
    pub space: Space,
    /// How many bytes its files may still grow to without being made larger, those without a name
    /// included: sizes without what is in memory.
    pub promised: u64,
    /// The files without a name, with those that hold them.
    pub removed: Vec<Observed>,
    /// How many bytes more are of files without a name, which could not be found.
    pub hidden: u64,
}

/// Looks at `/dev/shm`; nothing where there is none. Also whether all of it could be looked at: what is in
/// the way is handed to `warn`.
pub(super) fn survey(
    namespace: &Namespace,
    warn: &mut dyn FnMut(String),
) -> (Option<DevShm>, bool) {
    let space = match Space::read(namespace.shm()) {
        Ok(space) => space,
        Err(error) if error.kind() == ErrorKind::NotFound => return (None, true),
        Err(error) => {
            let error = os_error::describe(&error);
            warn(format!("cannot look at /dev/shm: {error}"));
            return (None, false);
        }
    };
    let tree = Tree::read(namespace.shm());
    let mut is_whole = tree.unread.is_empty();
    tree.unread.iter().for_each(|unread| warn(unread.to_string()));
    let looked = Removed::find(&tree, &space).and_then(|removed| {
        let (hidden, promised) = (removed.hidden_bytes, promised(removed.memory()));
        Ok((observe_all(namespace, removed.objects)?, hidden, promised))
    });
    let (removed, hidden, promised) = match looked {
        Ok(told) => told,
        Err(error) => {
            let error = os_error::describe(&error);
            warn(format!("cannot look for removed files: {error}"));
            is_whole = false;
            (Vec::new(), 0, 0)
        }
    };
    (
        Some(DevShm { space, promised: tree.promised().saturating_add(promised), removed, hidden }),
        is_whole,
    )
}

/// What these files may still take.
fn promised<'a>(files: impl Iterator<Item = &'a PosixMemory>) -> u64 {
    files.map(PosixMemory::promised).fold(0, u64::saturating_add)
}
