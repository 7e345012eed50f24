//! The POSIX objects that a process holds: by a descriptor, or in its memory.

use std::fs;
use std::io;
use std::ops::Range;

use super::maps::mapped;
use super::scope::ScanScope;
use crate::ipc::Kind;
use crate::ipc::posix::FileIdentity;
use crate::ipc::process::role::Role;
use crate::kernel::io::file_identity::identity_at;
use crate::kernel::process::stat::is_gone_error;

/// The POSIX objects that a process holds.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// Those that it has open.
    open: Vec<(FileIdentity, Kind)>,
    /// Those that it has mapped, and where.
    mapped: Vec<(Range<u64>, FileIdentity, Kind)>,
}

impl Holds {
    /// Those among the descriptors in this directory of `/proc`.
    pub(super) fn open(directory: &str, scope: &ScanScope) -> io::Result<Holds> {
        if !scope.has_files() {
            return Ok(Holds::default());
        }
        let mut open = Vec::new();
        for entry in fs::read_dir(format!("{directory}/fd"))? {
            match identity_at(&entry?.path()) {
                Ok(file) => open.extend(scope.wanted(file)),
                // Closed meanwhile.
                Err(error) if is_gone_error(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Holds { open, mapped: Vec::new() })
    }

    /// The same, with those in the text of `/proc/PID/maps`.
    pub(super) fn with_mapped(self, maps: &[u8], scope: &ScanScope) -> Holds {
        let mapped = if scope.has_files() { mapped(maps, scope) } else { Vec::new() };
        Holds { mapped, ..self }
    }

    /// Whether one of its threads may sleep on one of them.
    pub(super) fn may_wait(&self) -> bool {
        self.open.iter().any(|(_, kind)| *kind == Kind::Pmsg)
            || self.mapped.iter().any(|(.., kind)| *kind == Kind::Psem)
    }

    /// The named semaphore that lies at this address.
    pub(super) fn semaphore_at(&self, address: u64) -> Option<FileIdentity> {
        let mut semaphores = self.mapped.iter().filter(|(.., kind)| *kind == Kind::Psem);
        semaphores.find(|(range, ..)| range.contains(&address)).map(|&(_, file, _)| file)
    }

    /// Each object, once or twice, with the strongest role first.
    pub(super) fn roles(&self) -> impl Iterator<Item = (FileIdentity, Role)> {
        let mapped = self.mapped.iter().map(|&(_, file, _)| (file, Role::Mapped));
        mapped.chain(self.open.iter().map(|&(file, _)| (file, Role::Open)))
    }
}
