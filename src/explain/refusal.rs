//! The facts behind `EACCES` and `EPERM`: what a call needs, and what there is of it.

use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::refused::{Needs, Refusal, confined};
use crate::ipc::{Caller, Kind, Reference};
use crate::kernel::error::MOUNT_HINT;
use crate::kernel::{CallError, Errno};

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

/// What explains a refusal.
pub(super) fn want(reference: &Reference, wanted: &mut Wanted) {
    wanted.object(reference);
    wanted.privileges = true;
    // Where it cannot be opened by name, its file tells who may.
    if reference.kind == Kind::Pmsg {
        wanted.kinds.insert(Kind::Pmsg);
    }
}

/// What happened, and why.
pub(super) fn explain(
    needs: Needs,
    reference: &Reference,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    let kind = reference.kind;
    let owner_alone = match kind.is_posix() {
        true => "only its owner or a privileged process may do this",
        false => "only its owner, its creator or a privileged process may do this",
    };
    let refused = match error.errno {
        Errno::EACCES => "no permission",
        _ => "not permitted",
    };
    let told = |what: &str, hint: String| {
        Explanation::new(what, Reason::NotPermitted).with_hint(Some(hint))
    };
    if matches!(needs, Needs::Bits(_)) && error.errno == Errno::EPERM {
        let confined = confined(&facts.confinement);
        return told(refused, format!("a mode that forbids this gives EACCES: {confined}"));
    }
    // What its owner may do all the same takes its file.
    if kind == Kind::Pmsg && facts.queues_are_hidden {
        let what = if needs == Needs::Ownership { owner_alone } else { refused };
        return told(what, format!("its mode and owner cannot be seen here; {MOUNT_HINT}"));
    }
    let Some(caller) = facts.caller(kind).filter(|_| !facts.snapshot.unlisted.contains(&kind))
    else {
        return told(refused, confined(&facts.confinement));
    };
    let object = facts.find(reference);
    let (capability, is_capable) = capability(needs, kind.is_posix(), caller, facts);
    let names = match error.name {
        "shm_unlink" | "sem_unlink" => true,
        "shm_open" | "sem_open" => object.is_none(),
        _ => false,
    };
    let refusal = Refusal {
        needs,
        object,
        caller,
        capability,
        is_capable,
        is_mapped: object.is_none_or(|object| {
            let permissions = object.permissions();
            !kind.is_posix()
                || !facts.privileges.unmapped.contains(&(permissions.uid, permissions.gid))
        }),
        directory: facts.directory.filter(|_| names),
        facts,
    };
    told(if refusal.is_of_strangers() { owner_alone } else { refused }, refusal.hint())
}

/// The capability that makes up for what is missing, and whether the caller has it.
fn capability(
    needs: Needs,
    is_posix: bool,
    caller: &Caller,
    facts: &Facts,
) -> (&'static str, bool) {
    match (needs, is_posix) {
        (Needs::Capability, _) => ("CAP_CHOWN", facts.privileges.may_give_away),
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
