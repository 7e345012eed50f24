//! The last look at an object and its removal, as close together as the kernel allows.
//!
//! The kernel has no operation that removes an object only if nobody uses it. So what happens in the
//! instant between the last look and the removal is not seen: for a segment or a set that is the time
//! between two system calls, a microsecond or two. For a queue, on which only a look at all threads
//! shows who waits, the instant begins with that look. A file in memory cannot be opened meanwhile: the
//! lease on it is held until its name is gone.

use super::call::CallError;
use super::lease::{Leases, Refused};
use super::{object, sem};
use crate::ipc::{Known, Object, Verdict};

/// Why an object was left alone.
#[derive(Debug)]
pub enum Spared {
    /// It is gone already.
    Missing,
    /// Something has happened to it since it was selected.
    Changed,
    /// Whether somebody uses it now is not known.
    Unknown(String),
    /// It may not be removed, or not be looked at.
    Failed(CallError),
}

/// Removes an object if it is as it was when it was selected; with `unused`, only if nobody uses it
/// either, as far as the kernel itself tells.
pub fn remove_unchanged(selected: &Known, unused: bool) -> Result<(), Spared> {
    let leases = Leases::default();
    let lease = match unused.then(|| leases.take(&selected.object)).flatten() {
        None => None,
        Some(Ok(lease)) => Some(lease),
        Some(Err(Refused::InUse)) => return Err(Spared::Changed),
        Some(Err(Refused::Gone)) => return Err(Spared::Missing),
        Some(Err(refused @ Refused::Unknown(_))) => {
            return Err(Spared::Unknown(refused.to_string()));
        }
    };
    let now = match &lease {
        Some(lease) => lease.read(&selected.object).map_err(|_| Spared::Changed)?,
        None => match object::read(&selected.reference()) {
            Ok(now) => now,
            Err(error) if error.is_missing() => return Err(Spared::Missing),
            // Without the right to look there is none to remove either: that will tell.
            Err(error) => return Err(Spared::Failed(error)),
        },
    };
    if !selected.object.is_unchanged(&now) {
        return Err(Spared::Changed);
    }
    let mut now = Known::from(now);
    if let (Object::SemaphoreSet(set), Some(before)) = (&now.object, &selected.semaphores) {
        let semaphores = sem::semaphores(set.id, set.nsems).map_err(|error| {
            if error.is_missing() { Spared::Missing } else { Spared::Failed(error) }
        })?;
        if semaphores != *before {
            return Err(Spared::Changed);
        }
        now.semaphores = Some(semaphores);
    }
    if unused && is_counted(&now.object) {
        match now.is_unused() {
            Verdict::Yes => {}
            Verdict::No => return Err(Spared::Changed),
            Verdict::Unknown(why) => return Err(Spared::Unknown(why)),
        }
    }
    let reference = now.reference();
    if lease.is_some() {
        // The name may be that of another file by now. Opening it would break the lease.
        match object::file_identity(&reference) {
            Ok(named)
                if named.is_none_or(|named| now.file().is_some_and(|f| f.identity == named)) => {}
            Ok(_) => return Err(Spared::Missing),
            Err(error) if error.is_missing() => return Err(Spared::Missing),
            Err(error) => return Err(Spared::Failed(error)),
        }
    }
    match object::remove(&reference) {
        Ok(()) => Ok(()),
        Err(error) if error.is_missing() => Err(Spared::Missing),
        Err(error) => Err(Spared::Failed(error)),
    }
}

/// Whether the object itself counts who uses it.
fn is_counted(object: &Object) -> bool {
    match object {
        Object::Segment(_) | Object::SemaphoreSet(_) => true,
        // Who waits on a queue only the threads tell; a file has its lease.
        Object::Queue(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => false,
    }
}
