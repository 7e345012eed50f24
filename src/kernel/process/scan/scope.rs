//! What a scan looks for: each kind of use costs another file of `/proc` for each process.

use std::collections::HashMap;

use crate::ipc::posix::FileIdentity;
use crate::ipc::{Kind, Object, PosixMemory, PosixQueue, PosixSemaphore};
use crate::kernel::process::command::Length;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct ScanScope {
    /// Who has segments attached: reads the maps of every process.
    pub attachments: bool,
    /// Who waits on queues and sets: reads the system call of every thread.
    pub waiters: bool,
    /// Who has these POSIX objects open or mapped: reads the descriptors and maps of every process.
    files: HashMap<FileIdentity, Kind>,
    /// Whether anybody anywhere has them open or mapped: asks the kernel for a lease on each.
    pub leases: bool,
    /// How much to read of the command lines of those who are found.
    commands: Length,
}

impl ScanScope {
    /// What shows the users of these objects: a segment that the kernel counts as unattached has none.
    pub fn around(objects: &[Object]) -> ScanScope {
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

    /// The same, and whether any process anywhere uses them.
    pub fn to_judge(objects: &[Object]) -> ScanScope {
        ScanScope { leases: true, ..ScanScope::around(objects) }
    }

    /// The same with so much of the command line of each process that is found.
    pub fn with_commands(self, length: Length) -> ScanScope {
        ScanScope { commands: length, ..self }
    }

    /// How much to read of command lines.
    pub(in crate::kernel) fn commands(&self) -> Length {
        self.commands
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        !self.attachments && !self.waiters && self.files.is_empty()
    }

    /// Whether POSIX objects are asked for.
    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether objects are asked for that processes map into their memory.
    pub(super) fn has_mapped_files(&self) -> bool {
        self.files.values().any(|kind| *kind != Kind::Pmsg)
    }

    /// The POSIX object of this device and inode.
    pub(super) fn wanted(&self, identity: FileIdentity) -> Option<(FileIdentity, Kind)> {
        self.files.get(&identity).map(|&kind| (identity, kind))
    }
}

#[cfg(test)]
impl ScanScope {
    /// One that asks for this file.
    pub(super) fn of_file(file: FileIdentity, kind: Kind) -> ScanScope {
        ScanScope { files: HashMap::from([(file, kind)]), ..ScanScope::default() }
    }
}
