//! A system call that failed on an existing object, or on one that should exist.

use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::refused::Needs;
use super::{content, missing, refusal, space, unsupported};
use crate::ipc::{Kind, Reference, Target};
use crate::kernel::limits::Limit;
use crate::kernel::{CallError, CallName, Errno};

/// Asks for the facts that explain the error.
pub(super) fn want(reference: &Reference, error: CallError, wanted: &mut Wanted) {
    match (error.errno, &reference.target) {
        (Errno::EACCES | Errno::EPERM, _) => refusal::want(reference, wanted),
        (Errno::EINVAL, target) => {
            if moves_messages(error) {
                wanted.object(reference);
                wanted.limits = true;
            }
            if let Target::Id(_) = target {
                wanted.kinds.insert(reference.kind);
            }
        }
        (Errno::ENOENT, Target::Key(_) | Target::Name(_)) => missing::want(reference, wanted),
        (Errno::EEXIST, Target::Id(_) | Target::Key(_)) => wanted.object(reference),
        (Errno::EAGAIN | Errno::ENOMSG, _) => wanted.object(reference),
        (Errno::ENOSYS, _) => unsupported::want(wanted),
        (Errno::ENOMEM, _) => wanted.memory = true,
        _ => {}
    }
}

/// The message and the hint.
pub(super) fn explain(
    verb: &str,
    reference: &Reference,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    if error.errno == Errno::EINVAL && moves_messages(error) && facts.find(reference).is_some() {
        let most = facts.limit(Limit::Msgmax).unwrap_or_default();
        let what = format!("the message is over msgmax, {most} bytes (EINVAL)");
        return Explanation::new(what, Reason::Failed)
            .with_hint("msgmax was lowered meanwhile; to see it: ipctool limits".to_owned());
    }
    explain_with_needs(refusal::needs(verb, error), reference, error, facts)
}

/// The same if the caller knows which permission the call needs.
pub(super) fn explain_with_needs(
    needs: Needs,
    reference: &Reference,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    let mut explained = match error.errno {
        Errno::EACCES | Errno::EPERM => refusal::explain(needs, reference, error, facts),
        _ => describe(reference, error).with_hint(hint(reference, error, facts)),
    };
    explained.what += &format!(" ({:?})", error.errno);
    explained
}

/// Why a peek at a message failed.
pub(super) fn explain_peek(
    verb: &str,
    reference: &Reference,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    if error.errno != Errno::ENOSYS || !facts.has_receiving {
        return explain(verb, reference, error, facts);
    }
    let what = "this kernel cannot show a message without taking it (ENOSYS)";
    Explanation::new(what, Reason::Failed).with_hint(COPYING.to_owned())
}

/// Why `MSG_COPY` is missing although `msgrcv(2)` works.
const COPYING: &str =
    "this kernel was built without CONFIG_CHECKPOINT_RESTORE, which MSG_COPY needs";

fn moves_messages(error: CallError) -> bool {
    matches!(error.name, CallName::Msgsnd | CallName::Msgrcv)
}

/// What happened, and which kind of failure it is.
fn describe(reference: &Reference, error: CallError) -> Explanation {
    let noun = reference.kind.noun();
    let waits = matches!(
        error.name,
        CallName::Msgsnd
            | CallName::Msgrcv
            | CallName::MqTimedsend
            | CallName::MqTimedreceive
            | CallName::Semtimedop
            | CallName::SemTimedwait
    );
    let is_posix = reference.kind.is_posix();
    let (what, reason) = match error.errno {
        Errno::ENOENT if is_posix => (format!("no such {noun}"), Reason::NothingThere),
        Errno::EAGAIN if error.name == CallName::MqTimedreceive => {
            ("no message".to_owned(), Reason::WouldBlock)
        }
        Errno::EAGAIN if error.name == CallName::SemTrywait => {
            ("it would have to wait".to_owned(), Reason::WouldBlock)
        }
        Errno::EOVERFLOW if error.name == CallName::SemPost => {
            (format!("its value would be above SEM_VALUE_MAX, {}", i32::MAX), Reason::Failed)
        }
        Errno::EEXIST if is_posix => (format!("a {noun} with this name exists"), Reason::Failed),
        Errno::EINVAL => (format!("no such {noun}"), Reason::NothingThere),
        Errno::EIDRM if waits => {
            (format!("the {noun} was removed during the wait"), Reason::NothingThere)
        }
        Errno::EIDRM => (format!("the {noun} was removed"), Reason::NothingThere),
        Errno::ENOENT => (format!("no {noun} has this key"), Reason::NothingThere),
        Errno::ENOMSG => ("no message".to_owned(), Reason::WouldBlock),
        Errno::EAGAIN => (format!("the {noun} is full"), Reason::WouldBlock),
        Errno::EEXIST => (format!("a {noun} with this key exists"), Reason::Failed),
        Errno::ENOSPC => (format!("no room for another {noun}"), Reason::Failed),
        Errno::ENOMEM => ("the kernel has no memory for it".to_owned(), Reason::Failed),
        errno => (format!("{} failed: {}", error.name, errno.desc()), Reason::Failed),
    };
    Explanation::new(what, reason)
}

/// What the state of the system adds to the error.
fn hint(reference: &Reference, error: CallError, facts: &Facts) -> Option<String> {
    let kind = reference.kind;
    match (error.errno, &reference.target) {
        (Errno::EINVAL, Target::Id(id)) => missing::id(kind, *id, facts),
        (Errno::ENOENT, Target::Key(key)) => {
            Some(missing::key(kind, *key) + &missing::elsewhere(reference, facts))
        }
        (Errno::ENOENT, Target::Name(name)) => {
            Some(missing::name(kind, name, facts) + &missing::elsewhere(reference, facts))
        }
        (Errno::EEXIST, Target::Name(_)) => Some("omit --exclusive to open it".to_owned()),
        (Errno::EEXIST, _) => {
            let object = facts.find(reference)?;
            Some(format!("it is {}; omit --exclusive to open it", object.reference()))
        }
        (Errno::EIDRM, _) => Some(
            match kind.is_posix() {
                true => "its name was removed, and now leads to another one or to none",
                false => {
                    "a process removed it (IPC_RMID); every process that waits on it gets this error"
                }
            }
            .to_owned(),
        ),
        (Errno::EAGAIN | Errno::ENOMSG, _) => content::of(reference, facts),
        (Errno::ENOSYS, _) => Some(unsupported::of_call(error.name, facts)),
        (Errno::ENOMEM, _) => facts.memory.as_ref().map(space::kernel_memory),
        (Errno::EROFS, _) if matches!(kind, Kind::Pshm | Kind::Psem) => {
            Some(space::dev_shm_is_read_only())
        }
        _ => None,
    }
}
