//! Missing calls (`ENOSYS`): the kernel was built without them, or something between the program and the
//! kernel hides them.

use super::facts::{Facts, Wanted};
use crate::kernel::CallName;
use crate::kernel::process::confinement::Confinement;

/// Asks for the facts that explain why a call is missing.
pub(super) fn want(wanted: &mut Wanted) {
    wanted.parts = true;
}

/// Why this call is missing.
pub(super) fn of_call(call: CallName, facts: &Facts) -> String {
    let part = part(call);
    let has_part = part.is_some_and(|part| facts.signs.contains(part.sign));
    hint(part, has_part, &facts.confinement)
}

/// Paths in `/proc` whose existence shows that the kernel has an optional part.
pub fn signs() -> impl Iterator<Item = &'static str> {
    [SYSTEM_V, POSIX_QUEUES].into_iter().map(|part| part.sign)
}

/// An optional part of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// Its name.
    name: &'static str,
    /// The configuration option that builds it in.
    option: &'static str,
    /// A path that exists if the kernel has it.
    sign: &'static str,
}

/// `msgget(2)` and the like.
const SYSTEM_V: Part =
    Part { name: "System V IPC", option: "CONFIG_SYSVIPC", sign: "/proc/sysvipc/msg" };

/// `mq_open(3)` and the like.
const POSIX_QUEUES: Part = Part {
    name: "POSIX message queues",
    option: "CONFIG_POSIX_MQUEUE",
    sign: "/proc/sys/fs/mqueue/queues_max",
};

/// The part that a call belongs to; `None` for calls that every kernel has.
fn part(call: CallName) -> Option<Part> {
    match call {
        CallName::Msgget
        | CallName::Msgsnd
        | CallName::Msgrcv
        | CallName::Msgctl
        | CallName::Shmget
        | CallName::Shmctl
        | CallName::Shmat
        | CallName::Shmdt
        | CallName::Semget
        | CallName::Semctl
        | CallName::Semop
        | CallName::Semtimedop => Some(SYSTEM_V),
        CallName::MqOpen
        | CallName::MqUnlink
        | CallName::MqTimedsend
        | CallName::MqTimedreceive
        | CallName::MqNotify
        | CallName::MqGetsetattr => Some(POSIX_QUEUES),
        // For the kernel these are files and memory.
        CallName::ShmOpen
        | CallName::ShmUnlink
        | CallName::SemOpen
        | CallName::SemPost
        | CallName::SemTrywait
        | CallName::SemTimedwait
        | CallName::SemUnlink
        | CallName::Ftok
        | CallName::Open
        | CallName::Openat
        | CallName::Unlink
        | CallName::Unlinkat
        | CallName::Truncate
        | CallName::Ftruncate
        | CallName::Fchmodat
        | CallName::Fchownat
        | CallName::Stat
        | CallName::Fstat
        | CallName::Mmap => None,
    }
}

/// Why a call is missing. `has_part` is whether the sign of its part exists.
fn hint(part: Option<Part>, has_part: bool, confinement: &Confinement) -> String {
    let filters = match confinement.filters {
        0 => "none".to_owned(),
        filters => filters.to_string(),
    };
    let hidden = format!(
        "a sandbox (gVisor, WSL 1, proot) or a seccomp filter (this process has {filters}) hides the call"
    );
    match part {
        None => format!("every kernel has this call, so {hidden}"),
        Some(Part { name, option, sign }) if has_part => {
            format!("this kernel has {name} ({option}; {sign} exists), so {hidden}")
        }
        Some(Part { name, option, sign }) => format!(
            "the kernel has no {name} ({sign} is missing): it was built without {option}, or {hidden}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_call_is_explained() {
        for (call, has_part, expected) in [
            (
                CallName::Msgget,
                false,
                "the kernel has no System V IPC (/proc/sysvipc/msg is missing): it was built without CONFIG_SYSVIPC, or a sandbox (gVisor, WSL 1, proot)",
            ),
            (
                CallName::Semctl,
                true,
                "this kernel has System V IPC (CONFIG_SYSVIPC; /proc/sysvipc/msg exists), so a sandbox",
            ),
            (CallName::Shmget, false, "without CONFIG_SYSVIPC"),
            (
                CallName::MqOpen,
                false,
                "the kernel has no POSIX message queues (/proc/sys/fs/mqueue/queues_max is missing): it was built without CONFIG_POSIX_MQUEUE",
            ),
            (
                CallName::MqTimedsend,
                true,
                "CONFIG_POSIX_MQUEUE; /proc/sys/fs/mqueue/queues_max exists",
            ),
            (CallName::ShmOpen, true, "every kernel has this call, so a sandbox"),
            (CallName::SemUnlink, false, "every kernel has this call, so a sandbox"),
        ] {
            let hint = hint(part(call), has_part, &Confinement::default());
            assert!(hint.contains(expected), "{call}: {hint}");
            assert!(hint.contains("seccomp filter (this process has none)"), "{hint}");
            assert!(!hint.contains("CHECKPOINT_RESTORE"), "{hint}");
        }
        let confinement = Confinement { filters: 2, label: None };
        assert!(hint(part(CallName::Msgget), true, &confinement).contains("(this process has 2)"));
    }
}
