//! What the checks see of `/dev/shm` as a file system.

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
    /// By how many bytes the sizes of its files, deleted ones included, exceed the memory that they hold.
    /// Programs may touch that memory at any time.
    pub promised: u64,
    /// The deleted files, with the processes that hold them.
    pub removed: Vec<Observed>,
    /// How many more bytes are used by deleted files that could not be found.
    pub hidden: u64,
}

/// Looks at `/dev/shm`; `None` if there is none. Also returns whether all of it could be read; `warn` gets
/// what could not.
pub(super) fn survey(
    namespace: &Namespace,
    warn: &mut dyn FnMut(String),
) -> (Option<DevShm>, bool) {
    let space = match Space::read(namespace.shm()) {
        Ok(space) => space,
        Err(error) if error.kind() == ErrorKind::NotFound => return (None, true),
        Err(error) => {
            let error = os_error::describe(&error);
            warn(format!("cannot read /dev/shm: {error}"));
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
        Ok(found) => found,
        Err(error) => {
            let error = os_error::describe(&error);
            warn(format!("cannot look for deleted files: {error}"));
            is_whole = false;
            (Vec::new(), 0, 0)
        }
    };
    (
        Some(DevShm { space, promised: tree.promised().saturating_add(promised), removed, hidden }),
        is_whole,
    )
}

/// The bytes by which these files exceed the memory that they hold.
fn promised<'a>(files: impl Iterator<Item = &'a PosixMemory>) -> u64 {
    files.map(PosixMemory::promised).fold(0, u64::saturating_add)
}
