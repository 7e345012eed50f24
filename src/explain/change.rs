//! Why an object could not be changed (`IPC_SET`).

use super::call;
use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use crate::ipc::{CommandLine, Reference};
use crate::kernel::limits::Limit;
use crate::kernel::{CallError, Errno};

/// Asks for the facts that explain why owner and mode were not changed.
pub(super) fn want(reference: &Reference, error: CallError, wanted: &mut Wanted) {
    call::want(reference, error, wanted);
    if error.errno == Errno::EINVAL {
        wanted.object(reference);
    }
}

pub(super) fn explain(
    verb: &str,
    reference: &Reference,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    // EINVAL of an object that exists: the kernel cannot map the new owner.
    if error.errno == Errno::EINVAL && facts.find(reference).is_some() {
        let what = "this user or group is not mapped in your user namespace (EINVAL)";
        return Explanation::new(what, Reason::Failed);
    }
    call::explain(verb, reference, error, facts)
}

/// Asks for the facts that explain why the size of a queue was not changed.
pub(super) fn want_queue_bytes(reference: &Reference, error: CallError, wanted: &mut Wanted) {
    call::want(reference, error, wanted);
    wanted.limits = true;
}

pub(super) fn explain_queue_bytes(
    verb: &str,
    reference: &Reference,
    bytes: u64,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    let explained = call::explain(verb, reference, error, facts);
    let most = facts.limit(Limit::Msgmnb).unwrap_or(u64::MAX);
    match error.errno {
        Errno::EPERM if bytes > most && may_control(reference, facts) => Explanation {
            what: format!("{bytes} bytes are over msgmnb, {most} bytes (EPERM)"),
            hint: Some(format!(
                "only a process with CAP_SYS_RESOURCE may exceed msgmnb; to raise msgmnb, as root: {}",
                CommandLine::new("ipctool limits --set").setting("msgmnb", bytes)
            )),
            ..explained
        },
        _ => explained,
    }
}

/// Whether the caller is the owner, the creator or privileged.
fn may_control(reference: &Reference, facts: &Facts) -> bool {
    let caller = facts.caller(reference.kind);
    let object = facts.find(reference);
    object.zip(caller).is_some_and(|(object, caller)| object.permissions().access(caller).control)
}
