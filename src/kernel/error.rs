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

/// Why the objects of a kind could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// `/proc` is missing or does not show them.
    #[error("cannot read {path}: {reason}")]
    Proc {
        /// The file to be read.
        path: Foreign,
        /// What is wrong with `/proc`.
        reason: BadProc,
    },
    /// The kernel does not support this kind.
    #[error("cannot read {0}: this kernel or sandbox has no System V IPC (CONFIG_SYSVIPC)")]
    Unsupported(Foreign),
    /// A file or directory could not be opened or read.
    #[error("cannot read {path}: {}", os_error::describe(.error))]
    Io {
        /// The path.
        path: Foreign,
        /// The error.
        error: io::Error,
    },
    /// A file has a line that does not match `proc_sysvipc(5)`.
    #[error("{path} has an unexpected line: {line:?}")]
    Malformed {
        /// The file.
        path: Foreign,
        /// The line.
        line: String,
    },
    /// The file system of POSIX message queues is not mounted, and mounting it failed.
    #[error(
        "cannot list POSIX message queues: their file system is not mounted here, and mounting it fails: {}",
        os_error::describe(.0)
    )]
    Queues(io::Error),
}

impl ReadError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ReadError::Queues(_) => Some(MOUNT_HINT),
            ReadError::Io { .. }
            | ReadError::Malformed { .. }
            | ReadError::Proc { .. }
            | ReadError::Unsupported(_) => None,
        }
    }

    /// The error for the directory of POSIX queues that cannot be reached.
    pub(super) fn of_queues(error: io::Error) -> ReadError {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(&reason) => ReadError::Proc {
                path: "the files of POSIX message queues".to_owned().into(),
                reason,
            },
            None => ReadError::Queues(error),
        }
    }

    /// The error for a file of `/proc/sysvipc` that could not be opened or read.
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

/// Why the state of an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// A call on the object failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The objects of its kind cannot be listed.
    #[error(transparent)]
    Read(#[from] ReadError),
}
