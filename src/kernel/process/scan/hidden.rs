//! Processes that a scan could not inspect, and which objects they may use.

use std::collections::HashSet;
use std::io::{self, ErrorKind};

use super::scope::ScanScope;
use crate::ipc::{Caller, Object};
use crate::kernel::io::os_error;
use crate::kernel::namespace::Identity;
use crate::kernel::process::credentials::caller_of;
use crate::kernel::process::mounts;
use crate::kernel::process::stat::{is_gone_error, is_kernel_thread};

/// A process that could not be inspected.
#[derive(Debug)]
pub struct Hidden {
    /// Its credentials, as far as they are known.
    pub identity: Option<Caller>,
    /// The error, if it was not a lack of permission.
    pub error: Option<String>,
    /// Its IPC namespace, if that is known.
    home: Option<Identity>,
    /// The devices of the file systems that it sees, if known.
    devices: Option<HashSet<u64>>,
}

impl Hidden {
    /// A process whose pid is not visible either.
    pub(super) fn nameless() -> Hidden {
        Hidden { identity: None, error: None, home: None, devices: None }
    }

    /// A process that could not be inspected, with the error. `None` for a kernel thread, which uses no
    /// IPC and cannot be inspected by any user.
    pub(super) fn of(pid: i32, scope: &ScanScope, error: &io::Error) -> Option<Hidden> {
        if is_kernel_thread(pid) {
            return None;
        }
        let is_denied = error.kind() == ErrorKind::PermissionDenied || is_gone_error(error);
        Some(Hidden {
            identity: caller_of(pid),
            error: (!is_denied).then(|| os_error::describe(error)),
            home: home_of(pid),
            devices: if scope.has_files() { mounts::devices_of(pid) } else { None },
        })
    }

    /// Whether it can reach this object of a namespace at all, whatever the mode.
    pub fn may_reach(&self, namespace: Option<Identity>, object: &Object) -> bool {
        match object {
            Object::PosixMemory(_) | Object::PosixSemaphore(_) => {
                let device = object.file().map_or(0, |file| file.identity.device);
                self.devices.as_ref().is_none_or(|devices| devices.contains(&device))
            }
            Object::Queue(_)
            | Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixQueue(_) => {
                let (home, namespace) = (self.home, namespace);
                home.zip(namespace).is_none_or(|(home, namespace)| home == namespace)
            }
        }
    }
}

/// The IPC namespace of a process that may not be inspected, if it is known all the same: that of process 1
/// of the machine, which not even root may inspect from a container.
pub(super) fn home_of(pid: i32) -> Option<Identity> {
    if pid == 1 { Identity::of_host() } else { None }
}
