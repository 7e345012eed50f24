//! Calls that are not there, `ENOSYS`: the kernel was built without them, or something between the
//! program and the kernel hides them.

use super::facts::{Facts, Wanted};
use crate::kernel::CallName;
use crate::kernel::process::confinement::Confinement;

/// What explains that a call is not there.
pub(super) fn want(wanted: &mut Wanted) {
    wanted.parts = true;
}

/// Why this call is not there.
pub(super) fn of_call(call: CallName, facts: &Facts) -> String {
    let part = part(call);
    let has_part = part.is_some_and(|part| facts.signs.contains(part.sign));
    hint(part, has_part, &facts.confinement)
}

/// What shows that the kernel has one of the parts that can be left out: paths in `/proc`.
pub fn signs() -> impl Iterator<Item = &'static str> {
    [SYSTEM_V, POSIX_QUEUES].into_iter().map(|part| part.sign)
}

/// A part of the kernel that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// What it is.
    name: &'static str,
    /// The option with which it is built in.
    option: &'static str,
    /// What is there if it is.
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

/// The part to which a call belongs; nothing for calls that every kernel has.
fn part(call: CallName) -> Option<Part> {
    match call {
        CallName::Msgget
        | CallName::Msgsnd
        | CallName::Msgrcv
        | CallName::Msgctl
        | CallName::Shmget
        | CallName::Shmctl
        | CallName::Semget
        | CallName::Semctl => Some(SYSTEM_V),
        CallName::MqOpen
        | CallName::MqUnlink
        | CallName::MqTimedsend
        | CallName::MqTimedreceive
        | CallName::MqGetsetattr => Some(POSIX_QUEUES),
        // Files and memory, for the kernel.
        CallName::ShmOpen
        | CallName::ShmUnlink
        | CallName::SemOpen
        | CallName::SemUnlink
        | CallName::Ftok
        | CallName::Openat
        | CallName::Unlinkat
        | CallName::Ftruncate
        | CallName::Fchmodat
        | CallName::Fchownat
        | CallName::Stat
        | CallName::Fstat
        | CallName::Mmap => None,
    }
}

/// Why a call is not there. `has_part` tells whether the kernel shows the sign of its part.
fn hint(part: Option<Part>, has_part: bool, confinement: &Confinement) -> String {
    let filters = match confinement.filters {
        0 => "none".to_owned(),
        filters => filters.to_string(),
    };
    let hidden = format!(
        "a sandbox (gVisor, WSL 1, proot) or a seccomp filter (this process has {filters}) hides the call"
    );
    match part {
        None => format!("every kernel has this: {hidden}"),
        Some(Part { name, option, sign }) if has_part => {
            format!("this kernel has {name} ({option}; {sign} is there): {hidden}")
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
    fn each_call_is_told_what_it_lacks() {
        for (call, has_part, expected) in [
            (
                CallName::Msgget,
                false,
                "the kernel has no System V IPC (/proc/sysvipc/msg is missing): it was built without CONFIG_SYSVIPC, or a sandbox (gVisor, WSL 1, proot)",
            ),
            (
                CallName::Semctl,
                true,
                "this kernel has System V IPC (CONFIG_SYSVIPC; /proc/sysvipc/msg is there): a sandbox",
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
                "CONFIG_POSIX_MQUEUE; /proc/sys/fs/mqueue/queues_max is there",
            ),
            (CallName::ShmOpen, true, "every kernel has this"),
            (CallName::SemUnlink, false, "every kernel has this"),
        ] {
            let told = hint(part(call), has_part, &Confinement::default());
            assert!(told.contains(expected), "{call}: {told}");
            assert!(told.contains("seccomp filter (this process has none)"), "{told}");
            assert!(!told.contains("CHECKPOINT_RESTORE"), "{told}");
        }
        let confinement = Confinement { filters: 2, label: None };
        assert!(hint(part(CallName::Msgget), true, &confinement).contains("(this process has 2)"));
    }
}
