//! An IPC namespace as a value: its identity, and where its objects are. `ipc_namespaces(7)`.

mod census;
pub mod create;
mod enter;
pub mod identity;
pub(in crate::kernel) mod ids;
mod objects;
mod place;
mod search;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use census::{Census, Member, Seen, Tally};
pub use enter::{Manner, Stay};
pub(in crate::kernel) use enter::{goes_by_child, inside, inside_mounting};
pub use identity::{Handle, Identity};
pub use objects::complete;
pub use place::{Place, Places};
pub use search::{NotFound, Where};

use nix::errno::Errno;

use crate::ipc::{Home, Kind};

use super::posix::dev_shm::DevShm;
use super::posix::mq_mount::QueueMount;

/// An IPC namespace with the POSIX objects that belong to it. Everything that is read, changed or
/// removed goes through it; no other code accesses `/proc/sysvipc`, `/dev/shm` or the files of queues.
///
/// Whatever is done with one that is not the calling process's own happens in the wrong namespace unless
/// it was entered.
#[derive(Debug)]
pub struct Namespace {
    handle: Handle,
    tables: PathBuf,
    shm: DevShm,
    queues: QueueMount,
    /// The kinds of objects that are looked for here.
    kinds: Vec<Kind>,
    /// Its name for people, unless it is taken for granted.
    home: Option<Arc<Home>>,
    /// Whether it has a `/dev/shm` that no process shows any more.
    is_shm_lost: bool,
}

impl Namespace {
    /// The namespace of the calling process. Nothing is read until it is needed.
    pub fn own() -> Namespace {
        let handle = Handle::own();
        Namespace {
            tables: "/proc/sysvipc".into(),
            shm: DevShm::own(),
            queues: QueueMount::of(handle.clone()),
            kinds: Kind::ALL.to_vec(),
            home: None,
            is_shm_lost: false,
            handle,
        }
    }

    /// Its name for people; `None` if only the calling process's own is in question.
    pub fn home(&self) -> Option<&Arc<Home>> {
        self.home.as_ref()
    }

    /// Moves the calling thread into it, until the returned value goes. `EPERM` if that is not
    /// permitted.
    pub fn enter(&self, manner: Manner) -> Result<Stay, Errno> {
        enter::enter(&self.handle, manner)
    }

    /// The file that identifies the namespace.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The directory of the System V tables, `proc_sysvipc(5)`. Its files show the namespace of the
    /// process that opens them.
    pub(super) fn tables(&self) -> &Path {
        &self.tables
    }

    /// The directory of POSIX shared memory and named semaphores.
    pub fn shm(&self) -> &DevShm {
        &self.shm
    }

    /// Whether it has a `/dev/shm` that cannot be opened any more, because the processes that saw it have
    /// ended. Its objects may still exist.
    pub fn has_lost_shm(&self) -> bool {
        self.is_shm_lost
    }

    /// The files of POSIX message queues.
    pub(super) fn queues(&self) -> &QueueMount {
        &self.queues
    }
}
