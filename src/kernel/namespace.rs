//! An IPC namespace as a value: which one it is, and where its objects are. `ipc_namespaces(7)`.

pub mod create;
pub mod identity;
mod objects;

use std::path::{Path, PathBuf};

pub use identity::{Handle, Identity};
pub use objects::complete;

use super::posix::dev_shm::DevShm;
use super::posix::mq_mount::QueueMount;

/// An IPC namespace, with the POSIX objects of the same place. Everything that is read, changed or
/// removed goes through it; nothing else looks for `/proc/sysvipc`, `/dev/shm` or the files of queues.
#[derive(Debug)]
pub struct Namespace {
    handle: Handle,
    tables: PathBuf,
    shm: DevShm,
    queues: QueueMount,
}

impl Namespace {
    /// That of the calling process. Nothing is looked at before it is asked for.
    pub fn own() -> Namespace {
        let handle = Handle::own();
        Namespace {
            tables: "/proc/sysvipc".into(),
            shm: DevShm::at("/dev/shm"),
            queues: QueueMount::of(handle.clone()),
            handle,
        }
    }

    /// What names it, and keeps it from being mistaken for another one.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The directory of the System V tables, `proc_sysvipc(5)`. The kernel shows in it the namespace
    /// of whoever opens a file there.
    pub(super) fn tables(&self) -> &Path {
        &self.tables
    }

    /// Where POSIX shared memory and named semaphores are.
    pub fn shm(&self) -> &DevShm {
        &self.shm
    }

    /// Where the files of POSIX message queues are.
    pub(super) fn queues(&self) -> &QueueMount {
        &self.queues
    }
}
