//! The removal of what a command left behind among the objects of others.

use super::VERB;
use crate::commands::rm::{self, Removed};
use crate::explain::Failure;
use crate::ipc::leak::{Leak, Outcome, blind_spot, holders};
use crate::ipc::{Known, Object};
use crate::kernel::removal::{Spared, remove_unchanged};
use crate::kernel::scan::Look;
use crate::kernel::users::Observer;
use crate::kernel::{self, CallError};

/// So many leaks are removed after one look at all processes: who begins to wait on one of them
/// after that look is not seen, so it must not be long ago.
const BATCH: usize = 16;

/// Removes what the command left behind, if it is still that and no living process may use it, and
/// writes down what became of each.
pub(super) fn remove(leaks: &mut [Leak]) {
    for batch in leaks.chunks_mut(BATCH) {
        let objects: Vec<Object> = batch.iter().map(|leak| leak.known.object.clone()).collect();
        let observer = Observer::new(&Look::around(&objects));
        for leak in batch {
            (leak.outcome, leak.why) = match &observer {
                Ok(observer) => settle(leak, observer),
                Err(error) => {
                    (leak.outcome, Some(format!("the processes cannot be inspected: {error}")))
                }
            };
        }
    }
}

/// Looks at a leak once more, and removes it, [`remove_unchanged`].
fn settle(leak: &mut Leak, observer: &Observer) -> (Outcome, Option<String>) {
    let left = |why: String| (Outcome::Left, Some(why));
    let reference = leak.known.reference();
    let now = match kernel::object::read(&reference) {
        // Somebody was quicker.
        Err(error) if CallError::is_missing(&error) => return (Outcome::Removed, None),
        Err(error) => return left(error.to_string()),
        Ok(now) if !leak.known.is_same(&now) => return (Outcome::Removed, None),
        Ok(now) => now,
    };
    if now.is_marked() {
        return (Outcome::Marked, None);
    }
    let known = observer.know(now);
    if !holders(&known).is_empty() {
        leak.known.users = known.users;
        return (Outcome::Left, None);
    }
    if let Some(unseen) = attached_unseen(&known).or_else(|| blind_spot(&known)) {
        return left(unseen);
    }
    let selected = Known { object: leak.known.object.clone(), ..known };
    match remove_unchanged(&selected, true) {
        Ok(()) => match rm::what_is_left(&reference) {
            Removed::Gone => (Outcome::Removed, None),
            Removed::Marked(_) => (Outcome::Marked, None),
        },
        Err(Spared::Missing) => (Outcome::Removed, None),
        Err(Spared::Changed) => left("it was used after the command had ended".to_owned()),
        Err(Spared::Unknown(why)) => left(why),
        Err(Spared::Failed(error)) => left(Failure::of_call(VERB, &reference, error).what),
    }
}

/// That somebody has a segment attached who was not found, in words.
fn attached_unseen(known: &Known) -> Option<String> {
    match &known.object {
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
