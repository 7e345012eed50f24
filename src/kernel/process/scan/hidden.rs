//! Processes that a scan could not inspect, and which objects they may use.

use std::collections::HashSet;
use std::io::{self, ErrorKind};

use super::scope::ScanScope;
use crate::ipc::{Caller, Object};
use crate::kernel::io::os_error;
use crate::kernel::process::credentials::caller_of;
use crate::kernel::process::mounts;
use crate::kernel::process::stat::{is_gone_error, is_kernel_thread};

/// A process that could not be inspected.
#[derive(Debug)]
pub struct Hidden {
    /// Who it is, as far as that is known.
    pub identity: Option<Caller>,
    /// What went wrong, if it was anything but a lack of permission.
    pub error: Option<String>,
    /// Whether it may be in the IPC namespace of this process.
    is_near: bool,
    /// The devices of the file systems that it sees, as far as that is known.
    devices: Option<HashSet<u64>>,
}

impl Hidden {
    /// A process of which not even the id can be seen.
    pub(super) fn nameless() -> Hidden {
        Hidden { identity: None, error: None, is_near: true, devices: None }
    }

    /// A process that could not be inspected, for this reason. Nothing for a thread of the kernel: it
    /// uses no IPC, and nobody may inspect it. `is_near` tells whether it may be in the IPC namespace of
    /// this process.
    pub(super) fn of(
        pid: i32,
        scope: &ScanScope,
        is_near: bool,
        error: &io::Error,
    ) -> Option<Hidden> {
        if is_kernel_thread(pid) {
            return None;
        }
        let is_denied = error.kind() == ErrorKind::PermissionDenied || is_gone_error(error);
        Some(Hidden {
            identity: caller_of(pid),
            error: (!is_denied).then(|| os_error::describe(error)),
            is_near,
            devices: if scope.has_files() { mounts::devices_of(pid) } else { None },
        })
    }

    /// Whether it may come to this object at all, whatever its mode.
    pub fn may_reach(&self, object: &Object) -> bool {
        match object {
            Object::PosixMemory(_) | Object::PosixSemaphore(_) => {
                let device = object.file().map_or(0, |file| file.identity.device);
                self.devices.as_ref().is_none_or(|devices| devices.contains(&device))
            }
            Object::Queue(_)
            | Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixQueue(_) => self.is_near,
        }
    }
}
