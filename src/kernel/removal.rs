//! The last look at an object and its removal, as close together as the kernel allows.
//!
//! The kernel has no operation that removes an object only if nobody uses it. So what happens in the
//! instant between the last look and the removal is not seen: for a segment or a set that is the time
//! between two system calls, a microsecond or two. For a queue, on which only a look at all threads
//! shows who waits, the instant begins with that look. A file in `/dev/shm` cannot be opened meanwhile:
//! the lease on it is held until its name is gone. That a name is made anew for another file right
//! between the last look at it and its removal, is not seen; nor that a POSIX queue is opened there.

use std::io;
use std::time::{Duration, Instant};

use super::call::CallError;
use super::io::os_error::describe;
use super::namespace::Namespace;
use super::posix::lease::{Lease, Leases, Refused};
use super::process::scan::ScanScope;
use super::process::uses::Observer;
use super::sysv::sem;
use crate::ipc::{Kind, Object, Observed, Verdict};

/// So many objects are looked at once more, and removed, in one go.
const BATCH: usize = 512;

/// How long what a look at the processes showed may be acted upon, at least: as long as it took.
const FRESH: Duration = Duration::from_millis(1);

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

/// Settles the first of these, with one look at the processes around them: as many as that look is
/// good for, one at least. `object` is what to look around for each, nothing where the processes tell
/// nothing; `settle` gets no observer if that is so of all. Returns what `settle` did, in the order of
/// the items; the rest takes another look. An error where the processes cannot be looked at.
pub fn settle_some<T, Fate>(
    namespace: &Namespace,
    items: &[T],
    object: impl Fn(&T) -> Option<&Object>,
    mut settle: impl FnMut(&T, Option<&Observer<'_>>) -> Fate,
) -> io::Result<Vec<Fate>> {
    let batch = &items[..items.len().min(BATCH)];
    let objects: Vec<Object> = batch.iter().filter_map(object).cloned().collect();
    let begun = Instant::now();
    let observer = match objects.is_empty() {
        true => None,
        false => Some(Observer::new(namespace, &ScanScope::around(&objects))?),
    };
    let (looked, cost) = (Instant::now(), begun.elapsed().max(FRESH));
    let mut fates = Vec::new();
    for item in batch {
        if observer.is_some() && !fates.is_empty() && looked.elapsed() > cost {
            break;
        }
        fates.push(settle(item, observer.as_ref()));
    }
    Ok(fates)
}

/// Removes an object if it is as it was when it was selected; with `unused`, only if nobody uses it
/// either, as far as the kernel itself tells.
pub fn remove_unchanged(
    namespace: &Namespace,
    selected: &Observed,
    unused: bool,
) -> Result<(), Spared> {
    let lease = if unused { take_lease(namespace, &selected.object)? } else { None };
    let now = look_again(namespace, selected, lease.as_ref(), unused)?;
    let held = match now.object.kind() {
        // Whoever opens a queue keeps the directory of all of them locked while waiting for the lease,
        // and the removal would wait for that in turn.
        Kind::Pmsg => {
            drop(lease);
            None
        }
        Kind::Msg | Kind::Shm | Kind::Sem | Kind::Pshm | Kind::Psem => lease,
    };
    let removed = match now.object.file() {
        Some(file) => namespace.unlink_file(&now.object.reference(), file.identity),
        None => namespace.remove(&now.object.reference()),
    };
    drop(held);
    removed.map_err(spared)
}

/// The lease on the file of an object, if it is one of POSIX.
fn take_lease(namespace: &Namespace, object: &Object) -> Result<Option<Lease>, Spared> {
    match Leases::new(namespace).take(object) {
        None => Ok(None),
        Some(Ok(lease)) => Ok(Some(lease)),
        Some(Err(Refused::InUse)) => Err(Spared::Changed),
        Some(Err(Refused::Gone)) => Err(Spared::Missing),
        Some(Err(refused @ Refused::Unknown(_))) => Err(Spared::Unknown(refused.to_string())),
    }
}

/// The object as it is now, if it still is as it was, and with `unused`, unused.
fn look_again(
    namespace: &Namespace,
    selected: &Observed,
    lease: Option<&Lease>,
    unused: bool,
) -> Result<Observed, Spared> {
    let now = match lease {
        Some(lease) => {
            lease.read(&selected.object).map_err(|error| Spared::Unknown(describe(&error)))?
        }
        None => namespace.read(&selected.object.reference()).map_err(spared)?,
    };
    if !selected.object.is_unchanged(&now) {
        return Err(Spared::Changed);
    }
    let mut now = Observed::from(now);
    if let (Object::SemaphoreSet(set), Some(before)) = (&now.object, &selected.semaphores) {
        let semaphores = sem::semaphores(set.id, set.nsems).map_err(spared)?;
        if semaphores != *before {
            return Err(Spared::Changed);
        }
        now.semaphores = Some(semaphores);
    }
    match now.is_unused() {
        _ if !unused || !is_counted(&now.object) => Ok(now),
        Verdict::Yes => Ok(now),
        Verdict::No => Err(Spared::Changed),
        Verdict::Unknown(why) => Err(Spared::Unknown(why)),
    }
}

/// What a call that failed means for the removal. Without the right to look at an object there is none to
/// remove it either.
fn spared(error: CallError) -> Spared {
    if error.is_missing() { Spared::Missing } else { Spared::Failed(error) }
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
