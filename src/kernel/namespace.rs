//! An IPC namespace as a value: its identity, and where its objects are. `ipc_namespaces(7)`.

mod census;
pub mod create;
pub mod identity;
mod objects;

use std::path::{Path, PathBuf};

pub use census::Census;
pub use identity::{Handle, Identity};
pub use objects::complete;

use super::posix::dev_shm::DevShm;
use super::posix::mq_mount::QueueMount;

/// An IPC namespace with the POSIX objects that belong to it. Everything that is read, changed or
/// removed goes through it; no other code accesses `/proc/sysvipc`, `/dev/shm` or the files of queues.
#[derive(Debug)]
pub struct Namespace {
    handle: Handle,
    tables: PathBuf,
    shm: DevShm,
    queues: QueueMount,
}

impl Namespace {
    /// The namespace of the calling process. Nothing is read until it is needed.
    pub fn own() -> Namespace {
        let handle = Handle::own();
        Namespace {
            tables: "/proc/sysvipc".into(),
            shm: DevShm::at("/dev/shm"),
            queues: QueueMount::of(handle.clone()),
            handle,
        }
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

    /// The files of POSIX message queues.
    pub(super) fn queues(&self) -> &QueueMount {
        &self.queues
    }
}
