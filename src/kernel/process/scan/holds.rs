//! The POSIX objects that a process has open or mapped.

use std::fs;
use std::io;
use std::ops::Range;

use super::maps::Mapping;
use super::scope::ScanScope;
use crate::ipc::Kind;
use crate::ipc::posix::FileIdentity;
use crate::ipc::process::role::Role;
use crate::kernel::io::file_identity::identity_at;
use crate::kernel::process::stat::is_gone_error;

/// The POSIX objects that a process has open or mapped.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// The open ones.
    open: Vec<(FileIdentity, Kind)>,
    /// The mapped ones, with their addresses.
    mapped: Vec<(Range<u64>, FileIdentity, Kind)>,
}

impl Holds {
    /// The objects among the descriptors in this directory of `/proc`.
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

    /// Adds a mapping, if it is of an object.
    pub(super) fn add(&mut self, mapping: &Mapping<'_>, scope: &ScanScope) {
        let Mapping { device, inode, .. } = *mapping;
        if let Some((file, kind)) = scope.wanted(FileIdentity { device, inode }) {
            self.mapped.push((mapping.range.clone(), file, kind));
        }
    }

    /// Whether a thread of the process may be waiting on one of them.
    pub(super) fn may_wait(&self) -> bool {
        self.open.iter().any(|(_, kind)| *kind == Kind::Pmsg)
            || self.mapped.iter().any(|(.., kind)| *kind == Kind::Psem)
    }

    /// The named semaphore at this address.
    pub(super) fn semaphore_at(&self, address: u64) -> Option<FileIdentity> {
        let mut semaphores = self.mapped.iter().filter(|(.., kind)| *kind == Kind::Psem);
        semaphores.find(|(range, ..)| range.contains(&address)).map(|&(_, file, _)| file)
    }

    /// Each object with its roles, one or two, the stronger role first.
    pub(super) fn roles(&self) -> impl Iterator<Item = (FileIdentity, Role)> {
        let mapped = self.mapped.iter().map(|&(_, file, _)| (file, Role::Mapped));
        mapped.chain(self.open.iter().map(|&(file, _)| (file, Role::Open)))
    }
}
