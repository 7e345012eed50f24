//! The facts behind `EACCES` and `EPERM`: what a call needs, and what there is of it.

use super::refused::{Needs, Refusal, confined};
use crate::ipc::{Caller, Reference};
use crate::kernel::object::{MOUNT_HINT, ReadError, snapshot};
use crate::kernel::posix::dev_shm;
use crate::kernel::process::confinement::Confinement;
use crate::kernel::{CallError, Errno, process};

/// What a call of this verb needs in order to be permitted, as far as its name tells.
pub(super) fn needs(verb: &str, error: CallError) -> Needs {
    match (error.name, error.errno) {
        ("msgget" | "shmget" | "semget", _) => Needs::Nothing,
        ("msgsnd", _) => Needs::Bits(2),
        ("msgrcv", _) => Needs::Bits(4),
        // Of the commands that are used, those that read ask the mode; the others, the owner.
        ("msgctl" | "shmctl" | "semctl", Errno::EACCES) => Needs::Bits(4),
        ("msgctl" | "shmctl" | "semctl", _) => Needs::Ownership,
        ("mq_open", _) if matches!(verb, "send" | "create") => Needs::Bits(2),
        ("mq_open", _) => Needs::Bits(4),
        // To open one that is there: making one needs nothing.
        ("shm_open" | "sem_open", _) => Needs::Bits(6),
        // The directory is sticky; the C library makes EACCES of EPERM.
        ("mq_unlink" | "shm_unlink" | "sem_unlink" | "chmod", _) => Needs::Ownership,
        ("fchownat", _) => Needs::Capability,
        _ => Needs::Unknown,
    }
}

/// What happened, and why.
pub(super) fn explain(
    needs: Needs,
    reference: &Reference,
    error: CallError,
) -> (String, Option<String>) {
    let kind = reference.kind;
    let owner_alone = match kind.is_posix() {
        true => "only its owner or a privileged process may do this",
        false => "only its owner, its creator or a privileged process may do this",
    };
    let refused = match error.errno {
        Errno::EACCES => "no permission",
        _ => "not permitted",
    };
    if matches!(needs, Needs::Bits(_)) && error.errno == Errno::EPERM {
        let hint =
            format!("a mode that forbids this gives EACCES: {}", confined(&Confinement::read()));
        return (refused.to_owned(), Some(hint));
    }
    let objects = match snapshot([kind]) {
        // What its owner may do all the same takes its file.
        Err(ReadError::Queues(_)) => {
            let what = if needs == Needs::Ownership { owner_alone } else { refused };
            let hint = format!("its mode and owner cannot be seen here; {MOUNT_HINT}");
            return (what.to_owned(), Some(hint));
        }
        Err(_) => return (refused.to_owned(), Some(confined(&Confinement::read()))),
        Ok(objects) => objects,
    };
    let object = objects.iter().find(|object| object.is_named(&reference.target));
    let caller = process::caller(kind);
    let (capability, is_capable) = capability(needs, kind.is_posix(), &caller);
    let names = match error.name {
        "shm_unlink" | "sem_unlink" => true,
        "shm_open" | "sem_open" => object.is_none(),
        _ => false,
    };
    let refusal = Refusal {
        needs,
        object,
        caller: &caller,
        capability,
        is_capable,
        is_mapped: match object {
            Some(object) if kind.is_posix() => {
                let permissions = object.permissions();
                process::are_mapped(permissions.uid, permissions.gid)
            }
            _ => true,
        },
        directory: names.then(dev_shm::directory_permissions).flatten(),
        confinement: &Confinement::read(),
    };
    let what = if refusal.is_of_strangers() { owner_alone } else { refused };
    (what.to_owned(), Some(refusal.hint()))
}

/// The capability that makes up for what is missing, and whether the caller has it.
fn capability(needs: Needs, is_posix: bool, caller: &Caller) -> (&'static str, bool) {
    match (needs, is_posix) {
        (Needs::Capability, _) => ("CAP_CHOWN", process::may_give_away()),
        (Needs::Ownership, true) => ("CAP_FOWNER", caller.overrides_ownership),
        (Needs::Ownership, false) => ("CAP_SYS_ADMIN", caller.overrides_ownership),
        (Needs::Nothing | Needs::Bits(_) | Needs::Unknown, true) => {
            ("CAP_DAC_OVERRIDE", caller.overrides_mode)
        }
        (Needs::Nothing | Needs::Bits(_) | Needs::Unknown, false) => {
            ("CAP_IPC_OWNER", caller.overrides_mode)
        }
    }
}
