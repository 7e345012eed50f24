//! Removes an object right after a last check that it is unused.
//!
//! The kernel has no call that removes an object only if it is unused. So a use between the check and
//! the removal goes unnoticed. For a segment or a set that is the time between two system calls, a
//! microsecond or two. For a message queue, whose waiting threads only a scan of all threads shows, it
//! is the time since that scan started. A file in `/dev/shm` cannot be opened in between, because its
//! lease is held until its name is removed. If another file gets its name between the last check and
//! the removal, that goes unnoticed, and so does the opening of a POSIX queue.

use std::io;
use std::time::{Duration, Instant};

use super::call::CallError;
use super::io::os_error::describe;
use super::namespace::Namespace;
use super::posix::lease::{Lease, Leases, Refused};
use super::process::scan::ScanScope;
use super::process::uses::{Inspection, Observer};
use super::sysv::sem;
use crate::ipc::{Kind, Object, Observed, Verdict};

/// How many objects to check again and remove at a time.
const BATCH: usize = 512;

/// How long the result of an inspection of processes stays valid: as long as the inspection took, but
/// at least this long.
const FRESH: Duration = Duration::from_millis(1);

/// Why an object was not removed.
#[derive(Debug)]
pub enum Spared {
    /// It is gone.
    Missing,
    /// It changed since it was selected.
    Changed,
    /// Whether a process uses it now is unknown; with the reason.
    Unknown(String),
    /// It may not be removed or read.
    Failed(CallError),
}

/// Settles the first of these items with one inspection of the processes: as many as are settled while
/// its result is valid, but at least one. `object` returns the object whose users must be inspected, or
/// `None` if the processes do not matter; if that holds for all items, `settle` gets no observer.
/// Returns the results of `settle` in the order of the items; call it again for the rest. Fails if the
/// processes cannot be inspected.
pub fn settle_some<T, Fate>(
    namespace: &Namespace,
    items: &[T],
    object: impl Fn(&T) -> Option<&Object>,
    mut settle: impl FnMut(&T, Option<&Observer<'_>>) -> Fate,
) -> io::Result<Vec<Fate>> {
    let batch = &items[..items.len().min(BATCH)];
    let objects: Vec<Object> = batch.iter().filter_map(object).cloned().collect();
    let begun = Instant::now();
    let inspection = match objects.is_empty() {
        true => None,
        false => Some(Inspection::of(namespace, &ScanScope::around(&objects))?),
    };
    let observer = inspection.as_ref().map(|it| it.observer(namespace)).transpose()?;
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

/// Removes an object if it has not changed since it was selected. With `unused`, also only if no
/// process uses it, as far as the kernel itself reports that.
pub fn remove_unchanged(
    namespace: &Namespace,
    selected: &Observed,
    unused: bool,
) -> Result<(), Spared> {
    let lease = if unused { take_lease(namespace, &selected.object)? } else { None };
    let now = look_again(namespace, selected, lease.as_ref(), unused)?;
    let held = match now.object.kind() {
        // A process that opens a queue waits for the lease and meanwhile locks the directory of all
        // queues, so the removal would deadlock.
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

/// The lease on the file of a POSIX object; `None` for a System V object.
fn take_lease(namespace: &Namespace, object: &Object) -> Result<Option<Lease>, Spared> {
    match Leases::new(namespace).take(object) {
        None => Ok(None),
        Some(Ok(lease)) => Ok(Some(lease)),
        Some(Err(Refused::InUse)) => Err(Spared::Changed),
        Some(Err(Refused::Gone)) => Err(Spared::Missing),
        Some(Err(refused @ Refused::Unknown(_))) => Err(Spared::Unknown(refused.to_string())),
    }
}

/// The object, if it has not changed and, with `unused`, is still unused.
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

/// The meaning of a failed call for the removal. Without permission to read an object there is none to
/// remove it.
fn spared(error: CallError) -> Spared {
    if error.is_missing() { Spared::Missing } else { Spared::Failed(error) }
}

/// Whether the object itself counts its users.
fn is_counted(object: &Object) -> bool {
    match object {
        Object::Segment(_) | Object::SemaphoreSet(_) => true,
        // Only a scan of threads shows which ones wait on a queue; a file has its lease.
        Object::Queue(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => false,
    }
}
