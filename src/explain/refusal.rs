//! The facts behind `EACCES` and `EPERM`: what a call needs, and what the caller has.

use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::refused::{Needs, Refusal, confined};
use crate::ipc::{Caller, Kind, Reference};
use crate::kernel::error::MOUNT_HINT;
use crate::kernel::{CallError, CallName, Errno};

/// Which permission a call of this verb needs, as far as its name shows.
pub(super) fn needs(verb: &str, error: CallError) -> Needs {
    match (error.name, error.errno) {
        (CallName::Msgget | CallName::Shmget | CallName::Semget, _) => Needs::Nothing,
        (CallName::Msgsnd, _) => Needs::Bits(2),
        (CallName::Msgrcv, _) => Needs::Bits(4),
        // The commands used that read check the mode; those that change check the owner.
        (CallName::Msgctl | CallName::Shmctl | CallName::Semctl, Errno::EACCES) => Needs::Bits(4),
        (CallName::Msgctl | CallName::Shmctl | CallName::Semctl, _) => Needs::Ownership,
        (CallName::MqOpen, _) if matches!(verb, "send" | "create") => Needs::Bits(2),
        (CallName::MqOpen, _) => Needs::Bits(4),
        // To open an existing one; creating one needs no permission on it.
        (CallName::ShmOpen | CallName::SemOpen, _) => Needs::Bits(6),
        // The directory is sticky; the C library turns EPERM into EACCES.
        (
            CallName::MqUnlink | CallName::ShmUnlink | CallName::SemUnlink | CallName::Fchmodat,
            _,
        ) => Needs::Ownership,
        (CallName::Fchownat, _) => Needs::Capability,
        _ => Needs::Unknown,
    }
}

/// Asks for the facts that explain a refusal.
pub(super) fn want(reference: &Reference, wanted: &mut Wanted) {
    wanted.object(reference);
    wanted.privileges = true;
    // If the queue cannot be opened by name, its file still shows owner and mode.
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
    let refusal = |what: &str, hint: String| {
        Explanation::new(what, Reason::NotPermitted).with_hint(Some(hint))
    };
    if matches!(needs, Needs::Bits(_)) && error.errno == Errno::EPERM {
        let confined = confined(&facts.confinement);
        return refusal(refused, format!("a mode that forbids this gives EACCES, so {confined}"));
    }
    // Mode and owner of a queue are those of its file.
    if kind == Kind::Pmsg && facts.queues_are_hidden {
        let what = if needs == Needs::Ownership { owner_alone } else { refused };
        return refusal(what, format!("its mode and owner cannot be seen here; {MOUNT_HINT}"));
    }
    let Some(caller) = facts.caller(kind).filter(|_| !facts.snapshot.unlisted.contains(&kind))
    else {
        return refusal(refused, confined(&facts.confinement));
    };
    let object = facts.find(reference);
    let (capability, is_capable) = capability(needs, kind.is_posix(), caller, facts);
    let names = match error.name {
        CallName::ShmUnlink | CallName::SemUnlink => true,
        CallName::ShmOpen | CallName::SemOpen => object.is_none(),
        _ => false,
    };
    let details = Refusal {
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
    refusal(if details.takes_ownership() { owner_alone } else { refused }, details.hint())
}

/// The capability that would allow the call anyway, and whether the caller has it.
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
