//! Whose call is explained: one of this process, or of another one. `proc_pid_status(5)`, `proc_pid_limits(5)`.

use std::fs::{self, File};

use nix::sys::resource::Resource;

use super::confinement::Confinement;
use super::{credentials, proc_file};
use crate::ipc::{Caller, Kind};
use crate::kernel::namespace::Handle;

/// A process that made a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// This one.
    #[default]
    Own,
    /// Another one.
    Other {
        /// Its pid.
        pid: i32,
        /// How many seccomp filters it has only because it is traced.
        filters: u32,
    },
}

impl Subject {
    /// Its directory in `/proc`.
    fn directory(self) -> String {
        match self {
            Subject::Own => "/proc/self".to_owned(),
            Subject::Other { pid, .. } => format!("/proc/{pid}"),
        }
    }

    /// Its effective user id; that of this process if it is gone.
    pub fn uid(self) -> u32 {
        match self {
            Subject::Own => credentials::uid(),
            Subject::Other { pid, .. } => {
                credentials::caller_of(pid).map_or_else(credentials::uid, |caller| caller.uid)
            }
        }
    }

    /// Its credentials for objects of this kind in this namespace; `None` if it is gone.
    pub fn caller(self, namespace: &Handle, kind: Kind) -> Option<Caller> {
        let Subject::Other { pid, .. } = self else {
            return Some(credentials::caller(namespace, kind));
        };
        let caller = credentials::caller_of(pid)?;
        let capabilities = match kind.is_posix() || self.owns(namespace) {
            true => self.capabilities(),
            false => 0,
        };
        Some(caller.with(capabilities, kind))
    }

    fn capabilities(self) -> u64 {
        let status = proc_file::read_to_string(&format!("{}/status", self.directory()));
        credentials::capabilities_in(&status.unwrap_or_default(), "CapEff:")
    }

    /// Whether it may change the owner of its files: it has `CAP_CHOWN`.
    pub fn may_give_away(self) -> bool {
        const CAP_CHOWN: u32 = 0;
        self.capabilities() & (1 << CAP_CHOWN) != 0
    }

    /// Whether its capabilities apply to an IPC namespace: the user namespace that owns it is its own or a descendant of
    /// it, `user_namespaces(7)`.
    pub fn owns(self, namespace: &Handle) -> bool {
        credentials::owns_in(&self.directory(), namespace)
    }

    /// The soft and the hard limit on a resource, each `None` for unlimited; `None` if that is unknown.
    pub(in crate::kernel) fn rlimit(self, resource: Resource) -> Option<[Option<u64>; 2]> {
        match self {
            Subject::Own => super::rlimit::rlimit(resource),
            Subject::Other { pid, .. } => super::rlimit::rlimit_of(pid, resource),
        }
    }

    /// Whether it has as many descriptors open as it may.
    pub fn is_out_of_descriptors(self) -> bool {
        let Subject::Other { .. } = self else { return File::open("/").is_err() };
        let limit = self.rlimit(Resource::RLIMIT_NOFILE).and_then(|[soft, _]| soft);
        let open = fs::read_dir(format!("{}/fd", self.directory())).map(Iterator::count);
        matches!((limit, open), (Some(limit), Ok(open)) if open as u64 >= limit)
    }

    /// What confines it besides permissions.
    pub fn confinement(self) -> Confinement {
        let confinement = Confinement::of(&self.directory());
        let own = match self {
            Subject::Own => 0,
            Subject::Other { filters, .. } => filters,
        };
        Confinement { filters: confinement.filters.saturating_sub(own), ..confinement }
    }
}
