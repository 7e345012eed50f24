//! The registry of checks. A check is an entry in [`CHECKS`] and a function in the file of its subject.

use std::fmt;

use super::draft::Draft;
use super::facts::{Facts, Needs, Seen};
use super::{limits, logind, memory, orphans, permissions, queues, semaphores};
use crate::ipc::finding::Severity;

/// A problem that a system can have, and how to find it.
#[derive(Debug)]
pub struct Check {
    /// Its name, as `--only` and `--skip` take it.
    pub name: &'static str,
    /// The worst severity that it reports.
    pub severity: Severity,
    /// What it looks for, in one line.
    pub help: &'static str,
    /// What it has to look at beyond the objects themselves.
    pub needs: Needs,
    /// What its findings are about. If two checks find something wrong with the use of one object, only
    /// the one that comes first in [`CHECKS`] reports it.
    pub subject: Subject,
    /// Whether it finds as much without a look at the processes.
    pub is_quick: bool,
    /// Finds the problem. It may look by itself at what no other check needs.
    pub(super) examine: Examine,
}

/// The function of a check.
#[derive(Debug)]
pub(super) enum Examine {
    /// Called for each object.
    Each(fn(&Seen, &Facts) -> Option<Draft>),
    /// Called once for everything.
    All(fn(&Facts) -> Vec<Draft>),
}

impl Check {
    /// Runs it.
    pub(super) fn find(&self, facts: &Facts) -> Vec<Draft> {
        match self.examine {
            Examine::Each(examine) => {
                facts.objects.iter().filter_map(|seen| examine(seen, facts)).collect()
            }
            Examine::All(examine) => examine(facts),
        }
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Check) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Check {
    /// A line of `--list-checks`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20} {:<8} {}", self.name, self.severity.name(), self.help)
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// How an object is used, or that it is unused.
    Use,
    /// The permissions or the key of an object.
    Access,
    /// The system as a whole.
    System,
}

/// All checks. Of several about the use of one object, the first one reports.
pub static CHECKS: &[Check] = &[
    Check {
        name: "deadlock",
        severity: Severity::Error,
        help: "processes wait in a circle, each for a semaphore that the next one operated on last",
        needs: Needs::REST,
        subject: Subject::System,
        is_quick: false,
        examine: Examine::All(semaphores::deadlock),
    },
    Check {
        name: "stuck-semaphore",
        severity: Severity::Warning,
        help: "value 0, with waiters, and perhaps no process left to release it",
        needs: Needs::REST,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(semaphores::stuck),
    },
    Check {
        name: "queue-full",
        severity: Severity::Error,
        help: "a queue without room (error: for a message that a process is waiting to send)",
        needs: Needs::REST,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(queues::full),
    },
    Check {
        name: "nobody-reads-type",
        severity: Severity::Warning,
        help: "messages are queued, and every receiver waits for other types",
        needs: Needs::REST,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(queues::nobody_reads_type),
    },
    Check {
        name: "ftok-failed",
        severity: Severity::Warning,
        help: "key 0xffffffff: a program used what ftok returns on failure",
        needs: Needs::USERS,
        subject: Subject::Access,
        is_quick: false,
        examine: Examine::Each(orphans::ftok_failed),
    },
    Check {
        name: "orphan",
        severity: Severity::Warning,
        help: "an object that no process uses any more (note: it is new, or was never used)",
        needs: Needs::USERS,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(orphans::orphan),
    },
    Check {
        name: "dead-sender-backlog",
        severity: Severity::Warning,
        help: "messages on a queue whose recorded processes are all gone",
        needs: Needs::USERS,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(orphans::backlog),
    },
    Check {
        name: "queue-near-full",
        severity: Severity::Warning,
        help: "a queue that is at least 80 % full (see --threshold)",
        needs: Needs::REST,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(queues::near_full),
    },
    Check {
        name: "marked-attached",
        severity: Severity::Note,
        help: "a segment that is marked for destruction but still attached",
        needs: Needs::USERS,
        subject: Subject::Use,
        is_quick: false,
        examine: Examine::Each(orphans::marked_attached),
    },
    Check {
        name: "world-writable",
        severity: Severity::Warning,
        help: "the mode lets every user write to the object",
        needs: Needs::USERS,
        subject: Subject::Access,
        is_quick: false,
        examine: Examine::Each(permissions::world_writable),
    },
    Check {
        name: "locked-out",
        severity: Severity::Warning,
        help: "the mode does not let the owner read or write the object",
        needs: Needs::NONE,
        subject: Subject::Access,
        is_quick: true,
        examine: Examine::Each(permissions::locked_out),
    },
    Check {
        name: "limit-near",
        severity: Severity::Error,
        help: "a limit that is used to 80 % or more (see --threshold); error: it is reached",
        needs: Needs::LIMITS,
        subject: Subject::System,
        is_quick: true,
        examine: Examine::All(limits::limit_near),
    },
    Check {
        name: "pmsg-limit",
        severity: Severity::Error,
        help: "a user whose POSIX queues take 80 % or more of RLIMIT_MSGQUEUE (see --threshold)",
        needs: Needs::LIMITS,
        subject: Subject::System,
        is_quick: true,
        examine: Examine::All(limits::pmsg_limit),
    },
    Check {
        name: "shm-full",
        severity: Severity::Error,
        help: "/dev/shm is used to 80 % or more (see --threshold), or overcommitted",
        needs: Needs::DEV_SHM,
        subject: Subject::System,
        is_quick: true,
        examine: Examine::All(memory::shm_full),
    },
    Check {
        name: "shm-deleted",
        severity: Severity::Warning,
        help: "memory of deleted files in /dev/shm that processes still hold",
        needs: Needs::DEV_SHM,
        subject: Subject::System,
        is_quick: false,
        examine: Examine::All(memory::shm_deleted),
    },
    Check {
        name: "rmid-forced",
        severity: Severity::Warning,
        help: "kernel.shm_rmid_forced is 1: the kernel destroys segments that are not attached",
        needs: Needs::NONE,
        subject: Subject::System,
        is_quick: true,
        examine: Examine::All(memory::rmid_forced),
    },
    Check {
        name: "remove-ipc",
        severity: Severity::Warning,
        help: "systemd-logind removes the objects of users who log out",
        needs: Needs::NONE,
        subject: Subject::System,
        is_quick: true,
        examine: Examine::All(|facts| logind::remove_ipc(facts).into_iter().collect()),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_check_has_a_name_of_its_own_and_a_line_of_help() {
        let names: HashSet<_> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        for check in CHECKS {
            assert!(check.name.len() <= 20 && !check.help.contains('\n'), "{}", check.name);
        }
    }
}
