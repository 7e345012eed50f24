//! Why an object could not be changed, `IPC_SET`.

use super::{Failure, Reason, find, is_there};
use crate::ipc::{CommandLine, Reference};
use crate::kernel::limits::Limit;
use crate::kernel::{CallError, Errno, process};

/// `IPC_SET` for owner and mode that failed.
pub fn change_failed(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
    let failure = Failure::of_call(verb, reference, error);
    // The kernel does not know the new owner.
    if error.errno == Errno::EINVAL && is_there(reference) {
        let what = "this user or group is not mapped in your user namespace (EINVAL)".to_owned();
        return Failure { what, hint: None, reason: Reason::Failed, ..failure };
    }
    failure
}

/// `IPC_SET` for the size of a queue that failed.
pub fn queue_bytes_failed(
    verb: &'static str,
    reference: &Reference,
    bytes: u64,
    error: CallError,
) -> Failure {
    let failure = Failure::of_call(verb, reference, error);
    let most = Limit::Msgmnb.value().unwrap_or(u64::MAX);
    match error.errno {
        Errno::EPERM if bytes > most && may_control(reference) => {
            let what = format!("{bytes} bytes are over msgmnb, {most} bytes (EPERM)");
            Failure { what, ..failure }.with_hint(format!(
                "more than msgmnb takes CAP_SYS_RESOURCE; or a higher msgmnb, as root: {}",
                CommandLine::new("ipctool limits --set").setting("msgmnb", bytes)
            ))
        }
        _ => failure,
    }
}

/// Whether the caller is the owner, the creator or privileged.
fn may_control(reference: &Reference) -> bool {
    let caller = process::caller(reference.kind);
    find(reference).is_some_and(|object| object.permissions().access(&caller).control)
}
