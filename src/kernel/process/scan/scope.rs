//! What a scan searches for: each kind of use costs another file of `/proc` per process.

use std::collections::HashMap;

use crate::ipc::posix::FileIdentity;
use crate::ipc::{Kind, Object, PosixMemory, PosixQueue, PosixSemaphore};
use crate::kernel::process::command::Length;

/// What to search for.
#[derive(Clone, Debug, Default)]
pub struct ScanScope {
    /// Attached segments: reads the maps of every process.
    pub attachments: bool,
    /// Waits on queues and sets: reads the system call of every thread.
    pub waiters: bool,
    /// Uses of these POSIX objects: reads the descriptors and maps of every process.
    files: HashMap<FileIdentity, Kind>,
    /// Whether any process has them open or mapped, visible or not: asks the kernel for a lease on
    /// each.
    pub leases: bool,
    /// How much to read of the command lines of the processes found.
    commands: Length,
}

impl ScanScope {
    /// The scope for the users of these objects. A segment that the kernel counts as unattached has
    /// none.
    pub fn around<'a>(objects: impl IntoIterator<Item = &'a Object>) -> ScanScope {
        let mut scope = ScanScope::default();
        for object in objects {
            match object {
                Object::Segment(segment) => scope.attachments |= segment.attached > 0,
                Object::Queue(_) | Object::SemaphoreSet(_) => scope.waiters = true,
                Object::PosixQueue(PosixQueue { file, .. })
                | Object::PosixMemory(PosixMemory { file, .. })
                | Object::PosixSemaphore(PosixSemaphore { file, .. }) => {
                    scope.files.insert(file.identity, object.kind());
                }
            }
        }
        scope
    }

    /// The same scope, and proof whether any process uses them.
    pub fn to_judge<'a>(objects: impl IntoIterator<Item = &'a Object>) -> ScanScope {
        ScanScope { leases: true, ..ScanScope::around(objects) }
    }

    /// The same scope with this length of command lines.
    pub fn with_commands(self, length: Length) -> ScanScope {
        ScanScope { commands: length, ..self }
    }

    /// How much to read of command lines.
    pub(in crate::kernel) fn commands(&self) -> Length {
        self.commands
    }

    /// Whether nothing is searched for.
    pub(in crate::kernel) fn is_empty(&self) -> bool {
        !self.attachments && !self.waiters && self.files.is_empty()
    }

    /// Whether POSIX objects are searched for.
    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether objects are searched for that processes map.
    pub(super) fn has_mapped_files(&self) -> bool {
        self.files.values().any(|kind| *kind != Kind::Pmsg)
    }

    /// The POSIX object with this device and inode, if it is searched for.
    pub(super) fn wanted(&self, identity: FileIdentity) -> Option<(FileIdentity, Kind)> {
        self.files.get(&identity).map(|&kind| (identity, kind))
    }
}
