//! The registry of checks. To add one, write its function in a file of its subject, with a [`Check`]
//! that names it, and name that in [`ALL`].

use std::fmt;

use super::draft::Draft;
use super::facts::Facts;
use super::{limits, logind, memory, orphans, permissions, queues, semaphores};
use crate::ipc::finding::Severity;

/// Something that can be wrong, and how to find it.
#[derive(Debug)]
pub struct Check {
    /// Its name, as `--only` and `--skip` take it.
    pub name: &'static str,
    /// The worst that it reports.
    pub severity: Severity,
    /// What it looks for, in a line.
    pub help: &'static str,
    /// What must be looked at before it can be answered, beyond the objects themselves.
    pub needs: Needs,
    /// What its findings are about: where two checks find something wrong with the use of one object,
    /// the one that comes first in [`ALL`] speaks.
    pub subject: Subject,
    /// Finds it. A function of the facts; what no other check needs, it may look at by itself.
    pub(super) examine: fn(&Facts) -> Vec<Draft>,
}

impl PartialEq for Check {
    fn eq(&self, other: &Check) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Check {
    /// As it is listed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20} {:<8} {}", self.name, self.severity.name(), self.help)
    }
}

/// What must be looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// All processes: who uses what.
    pub users: bool,
    /// The same twice, a tenth of a second apart: what has not moved.
    pub rest: bool,
    /// The limits and how much of each is used.
    pub limits: bool,
    /// The room in `/dev/shm`, and what lies there.
    pub dev_shm: bool,
}

impl Needs {
    /// Nothing beyond the objects.
    pub const NONE: Needs = Needs { users: false, rest: false, limits: false, dev_shm: false };
    /// Who uses what.
    pub const USERS: Needs = Needs { users: true, ..Needs::NONE };
    /// Who uses what, and has not moved since the first look.
    pub const REST: Needs = Needs { rest: true, ..Needs::USERS };
    /// Limits, and what could be removed to stay below them.
    pub const LIMITS: Needs = Needs { limits: true, ..Needs::USERS };

    /// The room in `/dev/shm`.
    pub const DEV_SHM: Needs = Needs { dev_shm: true, ..Needs::NONE };

    /// Both.
    pub(super) fn and(self, other: Needs) -> Needs {
        Needs {
            users: self.users || other.users,
            rest: self.rest || other.rest,
            limits: self.limits || other.limits,
            dev_shm: self.dev_shm || other.dev_shm,
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// How an object is used, or that it is not.
    Use,
    /// Who may use it, and under which key.
    Access,
    /// The system as a whole.
    System,
}

/// All checks.
pub static ALL: &[&Check] = &[
    &semaphores::DEADLOCK,
    &semaphores::STUCK_SEMAPHORE,
    &queues::QUEUE_FULL,
    &queues::NOBODY_READS_TYPE,
    &orphans::FTOK_FAILED,
    &orphans::ORPHAN,
    &orphans::DEAD_SENDER_BACKLOG,
    &queues::QUEUE_NEAR_FULL,
    &orphans::MARKED_ATTACHED,
    &permissions::WORLD_WRITABLE,
    &permissions::LOCKED_OUT,
    &limits::LIMIT_NEAR,
    &limits::PMSG_LIMIT,
    &memory::SHM_FULL,
    &memory::SHM_DELETED,
    &memory::RMID_FORCED,
    &logind::REMOVE_IPC,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_check_has_a_name_of_its_own_and_a_line_of_help() {
        let names: HashSet<_> = ALL.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), ALL.len());
        for check in ALL {
            assert!(check.name.len() <= 20 && !check.help.contains('\n'), "{}", check.name);
        }
    }
}
