//! The registry of checks. One is an entry in [`CHECKS`], which names the function that finds it, in the
//! file of its subject.

use std::fmt;

use super::draft::Draft;
use super::facts::{Facts, Needs, Seen};
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
    /// the one that comes first in [`CHECKS`] speaks.
    pub subject: Subject,
    /// Finds it. What no other check needs, it may look at by itself.
    pub(super) examine: Examine,
}

/// What finds something that is wrong.
#[derive(Debug)]
pub(super) enum Examine {
    /// A look at each object.
    Each(fn(&Seen, &Facts) -> Option<Draft>),
    /// A look at everything at once.
    All(fn(&Facts) -> Vec<Draft>),
}

impl Check {
    /// What it finds.
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
    /// As it is listed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20} {:<8} {}", self.name, self.severity.name(), self.help)
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

/// All checks, in the order in which they speak.
pub static CHECKS: &[Check] = &[
    Check {
        name: "deadlock",
        severity: Severity::Error,
        help: "processes wait in a circle, each for a semaphore that the next one operated on last",
        needs: Needs::REST,
        subject: Subject::System,
        examine: Examine::All(semaphores::deadlock),
    },
    Check {
        name: "stuck-semaphore",
        severity: Severity::Warning,
        help: "value 0, waiters, and perhaps nobody is left to release it",
        needs: Needs::REST,
        subject: Subject::Use,
        examine: Examine::Each(semaphores::stuck),
    },
    Check {
        name: "queue-full",
        severity: Severity::Error,
        help: "a queue without room (error: for a message that a process waits to send)",
        needs: Needs::REST,
        subject: Subject::Use,
        examine: Examine::Each(queues::full),
    },
    Check {
        name: "nobody-reads-type",
        severity: Severity::Warning,
        help: "messages are queued, and every receiver waits for other types",
        needs: Needs::REST,
        subject: Subject::Use,
        examine: Examine::Each(queues::nobody_reads_type),
    },
    Check {
        name: "ftok-failed",
        severity: Severity::Warning,
        help: "key 0xffffffff: a program used what ftok returns when it fails",
        needs: Needs::USERS,
        subject: Subject::Access,
        examine: Examine::Each(orphans::ftok_failed),
    },
    Check {
        name: "orphan",
        severity: Severity::Warning,
        help: "an object that nobody uses any more (note: it is new, or was never used)",
        needs: Needs::USERS,
        subject: Subject::Use,
        examine: Examine::Each(orphans::orphan),
    },
    Check {
        name: "dead-sender-backlog",
        severity: Severity::Warning,
        help: "messages on a queue whose every recorded process is gone",
        needs: Needs::USERS,
        subject: Subject::Use,
        examine: Examine::Each(orphans::backlog),
    },
    Check {
        name: "queue-near-full",
        severity: Severity::Warning,
        help: "a queue that is full to 80 % or more (see --threshold)",
        needs: Needs::REST,
        subject: Subject::Use,
        examine: Examine::Each(queues::near_full),
    },
    Check {
        name: "marked-attached",
        severity: Severity::Note,
        help: "memory of a segment that was removed but is still attached",
        needs: Needs::USERS,
        subject: Subject::Use,
        examine: Examine::Each(orphans::marked_attached),
    },
    Check {
        name: "world-writable",
        severity: Severity::Warning,
        help: "every user may write it",
        needs: Needs::USERS,
        subject: Subject::Access,
        examine: Examine::Each(permissions::world_writable),
    },
    Check {
        name: "locked-out",
        severity: Severity::Warning,
        help: "the mode does not let its own owner read or write it",
        needs: Needs::NONE,
        subject: Subject::Access,
        examine: Examine::Each(permissions::locked_out),
    },
    Check {
        name: "limit-near",
        severity: Severity::Error,
        help: "a limit that is used to 80 % or more (see --threshold); error: it is reached",
        needs: Needs::LIMITS,
        subject: Subject::System,
        examine: Examine::All(limits::limit_near),
    },
    Check {
        name: "pmsg-limit",
        severity: Severity::Error,
        help: "a user whose POSIX queues take 80 % or more of RLIMIT_MSGQUEUE (see --threshold)",
        needs: Needs::LIMITS,
        subject: Subject::System,
        examine: Examine::All(limits::pmsg_limit),
    },
    Check {
        name: "shm-full",
        severity: Severity::Error,
        help: "/dev/shm is used to 80 % or more (see --threshold), or promised beyond its size",
        needs: Needs::DEV_SHM,
        subject: Subject::System,
        examine: Examine::All(memory::shm_full),
    },
    Check {
        name: "shm-deleted",
        severity: Severity::Warning,
        help: "memory in /dev/shm without a name, which goes with those that hold it",
        needs: Needs::DEV_SHM,
        subject: Subject::System,
        examine: Examine::All(memory::shm_deleted),
    },
    Check {
        name: "rmid-forced",
        severity: Severity::Warning,
        help: "kernel.shm_rmid_forced is 1: segments that nobody has attached vanish",
        needs: Needs::NONE,
        subject: Subject::System,
        examine: Examine::All(memory::rmid_forced),
    },
    Check {
        name: "remove-ipc",
        severity: Severity::Warning,
        help: "systemd-logind removes the objects of users who log out",
        needs: Needs::NONE,
        subject: Subject::System,
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
