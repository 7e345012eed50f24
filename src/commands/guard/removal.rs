//! Removes what a command left behind among the objects of other programs.

use super::VERB;
use super::report::listed;
use crate::commands::explain;
use crate::commands::rm::{self, Removed};
use crate::explain::Failure;
use crate::ipc::attribution::leak::{Leak, Outcome, blind_spot, holders};
use crate::ipc::process::observed::Users;
use crate::ipc::{Object, Observed, ProcessName};
use crate::kernel::io::os_error::describe;
use crate::kernel::process::uses::Observer;
use crate::kernel::removal::{Spared, remove_unchanged, settle_some};
use crate::kernel::{CallError, Namespace};

/// The outcome of a leak, the reason, and its present users if they are the reason.
type Fate = (Outcome, Option<String>, Option<Users>);

/// Removes what the command left behind, if it is still the same object and no living process may use it, and
/// records the outcome of each. `strays` are the living processes of the command: each may use any object of
/// the command by its id, without a trace in the object.
pub(super) fn remove(namespace: &Namespace, leaks: &mut [Leak], strays: &[ProcessName]) {
    let mut rest = leaks;
    while !rest.is_empty() {
        let fates = settle_some(
            namespace,
            rest,
            |leak| Some(&leak.observed.object),
            |leak, observer| observer.map(|observer| settle(namespace, leak, observer, strays)),
        );
        let fates: Vec<Option<Fate>> = match fates {
            Ok(fates) => fates,
            Err(error) => {
                let why = format!("the processes cannot be inspected: {}", describe(&error));
                rest.iter_mut().for_each(|leak| leak.why = Some(why.clone()));
                return;
            }
        };
        let (done, later) = rest.split_at_mut(fates.len());
        for (leak, (outcome, why, users)) in done.iter_mut().zip(fates.into_iter().flatten()) {
            (leak.outcome, leak.why) = (outcome, why);
            leak.observed.users = users.or(leak.observed.users.take());
        }
        rest = later;
    }
}

/// Looks at a leak once more, and removes it with [`remove_unchanged`].
fn settle(namespace: &Namespace, leak: &Leak, observer: &Observer, strays: &[ProcessName]) -> Fate {
    let gone = (Outcome::Removed, None, None);
    let marked = (Outcome::Marked, None, None);
    let left = |why: String| (Outcome::Left, Some(why), None);
    let reference = leak.observed.reference();
    let now = match namespace.read(&reference) {
        // Another process removed it meanwhile.
        Err(error) if CallError::is_missing(&error) => return gone,
        Err(error) => return left(error.to_string()),
        Ok(now) if !leak.observed.object.is_same(&now) => return gone,
        Ok(now) => now,
    };
    if now.is_marked() {
        return marked;
    }
    let observed = observer.observe(now);
    if !holders(&observed).is_empty() {
        return (Outcome::Left, None, observed.users);
    }
    if !strays.is_empty() {
        return left(used_by_strays(strays));
    }
    if let Some(unseen) = attached_unseen(&observed).or_else(|| blind_spot(&observed)) {
        return left(unseen);
    }
    let selected = Observed { object: leak.observed.object.clone(), ..observed };
    match remove_unchanged(namespace, &selected, true) {
        Ok(()) => match rm::what_is_left(namespace, &reference) {
            Removed::Gone => gone,
            Removed::Marked(_) => marked,
        },
        Err(Spared::Missing) => gone,
        Err(Spared::Changed) => left("it was used after the command ended".to_owned()),
        Err(Spared::Unknown(why)) => left(why),
        Err(Spared::Failed(error)) => {
            let failures = [Failure::of_call(VERB, &reference, error)];
            left(explain(namespace, &failures).remove(0).what)
        }
    }
}

/// The reason that processes of the command may use an object without a trace in it.
fn used_by_strays(strays: &[ProcessName]) -> String {
    let names: Vec<_> = strays.iter().map(ProcessName::to_string).collect();
    let run = if strays.len() == 1 { "runs" } else { "run" };
    format!("{} of the command still {run} and may use it", listed(&names))
}

/// The reason that a process that was not found has a segment attached.
fn attached_unseen(observed: &Observed) -> Option<String> {
    match &observed.object {
        Object::Segment(segment) if segment.attached > 0 => {
            Some("a process that could not be inspected has it attached".to_owned())
        }
        Object::Segment(_)
        | Object::Queue(_)
        | Object::SemaphoreSet(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => None,
    }
}
