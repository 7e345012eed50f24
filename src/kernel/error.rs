//! Why objects could not be listed or read.

use std::io;
use std::path::Path;

use super::call::CallError;
use super::io::os_error;
use super::process::{self, BadProc};
use super::sysv::totals;
use crate::ipc::Foreign;

/// How to make the files of POSIX message queues visible.
pub const MOUNT_HINT: &str =
    "to reach their files, as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue";

/// The objects of a kind could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no `/proc` that would list them.
    #[error("cannot read {path}: {reason}")]
    Proc {
        /// What was to be read.
        path: Foreign,
        /// Why not.
        reason: BadProc,
    },
    /// The kernel has no such objects.
    #[error(
        "cannot read {0}: this kernel, or the sandbox that stands in for one, has no System V IPC (CONFIG_SYSVIPC)"
    )]
    Unsupported(Foreign),
    /// A file or directory could not be opened or read.
    #[error("cannot read {path}: {}", os_error::describe(.error))]
    Io {
        /// Which.
        path: Foreign,
        /// Why.
        error: io::Error,
    },
    /// It holds a line that is not as `proc_sysvipc(5)` says.
    #[error("{path} has a line that is not understood: {line:?}")]
    Malformed {
        /// The file.
        path: Foreign,
        /// The line.
        line: String,
    },
    /// The file system of the POSIX message queues is not mounted, and may not be.
    #[error(
        "cannot list POSIX message queues: their file system is not mounted here, and mounting it fails: {}",
        os_error::describe(.0)
    )]
    Queues(io::Error),
}

impl ReadError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ReadError::Queues(_) => Some(MOUNT_HINT),
            ReadError::Io { .. }
            | ReadError::Malformed { .. }
            | ReadError::Proc { .. }
            | ReadError::Unsupported(_) => None,
        }
    }

    /// The directory of the POSIX queues, which is not to be had.
    pub(super) fn of_queues(error: io::Error) -> ReadError {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(&reason) => ReadError::Proc {
                path: "the files of POSIX message queues".to_owned().into(),
                reason,
            },
            None => ReadError::Queues(error),
        }
    }

    /// A file of `/proc/sysvipc` that could not be opened or read.
    pub(super) fn of_table(path: &Path, error: io::Error) -> ReadError {
        let path = Foreign::from(path);
        match error.kind() {
            io::ErrorKind::NotFound => match process::check_proc() {
                Err(reason) => ReadError::Proc { path, reason },
                Ok(()) if totals::has_system_v() => {
                    ReadError::Proc { path, reason: BadProc::Partial }
                }
                Ok(()) => ReadError::Unsupported(path),
            },
            _ => ReadError::Io { path, error },
        }
    }
}

/// Why there is nothing to tell of an object.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// A call that names it failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The objects of its kind cannot be listed.
    #[error(transparent)]
    Read(#[from] ReadError),
}
