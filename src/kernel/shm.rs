//! System V shared memory: `shmget(2)`, `shmctl(2)`.

use std::mem::MaybeUninit;

use libc::{IPC_CREAT, IPC_EXCL, IPC_RMID, IPC_SET, IPC_STAT};

use super::call::{CallError, Flags, call};
use super::permissions::{self, Changed};
use crate::ipc::{Change, Key, Mode};

/// `SHM_STAT_ANY`, Linux 4.17: as `SHM_STAT`, without asking for read permission.
const SHM_STAT_ANY: i32 = 15;

/// The segment with this key.
pub fn find(key: Key) -> Result<i32, CallError> {
    get(key, 0, 0)
}

/// Makes a segment of `size` bytes, or opens the one with this key unless `exclusive`; that one
/// must be at least as large.
pub fn create(key: Key, size: u64, mode: Mode, exclusive: bool) -> Result<i32, CallError> {
    get(key, size, mode.bits() as i32 | IPC_CREAT | if exclusive { IPC_EXCL } else { 0 })
}

fn get(key: Key, size: u64, flags: i32) -> Result<i32, CallError> {
    // A size beyond the address space is beyond SHMMAX, too: the kernel says so.
    let bytes = usize::try_from(size).unwrap_or(usize::MAX);
    // SAFETY: takes and returns plain numbers.
    call("shmget", format_args!("{key}, {size}, {}", Flags(flags)), || unsafe {
        libc::shmget(key.0, bytes, flags)
    })
}

/// Removes a segment, or marks it for removal by the last process that detaches it.
pub fn remove(id: i32) -> Result<(), CallError> {
    // SAFETY: IPC_RMID does not look at the pointer.
    call("shmctl", format_args!("{id}, IPC_RMID"), || unsafe {
        libc::shmctl(id, IPC_RMID, std::ptr::null_mut())
    })?;
    Ok(())
}

/// Changes owner and mode of a segment, and nothing else.
pub fn change(id: i32, change: &Change) -> Result<Changed, CallError> {
    let mut status = status(id)?;
    let changed = permissions::apply(change, &mut status.shm_perm);
    // SAFETY: the pointer is to a shmid_ds, which the call only reads.
    call("shmctl", format_args!("{id}, IPC_SET"), || unsafe {
        libc::shmctl(id, IPC_SET, &mut status)
    })?;
    Ok(changed)
}

/// The state of a segment: from Linux 4.17 on without read permission.
fn status(id: i32) -> Result<libc::shmid_ds, CallError> {
    let mut status = MaybeUninit::<libc::shmid_ds>::zeroed();
    // The kernel looks at the slot of the id alone, and returns the id that it finds there.
    // SAFETY: the pointer is to a shmid_ds, which the call fills; it keeps no pointer.
    let found = call("shmctl", format_args!("{id}, SHM_STAT_ANY"), || unsafe {
        libc::shmctl(id, SHM_STAT_ANY, status.as_mut_ptr())
    });
    if found != Ok(id) {
        // Another object's slot, or an older kernel: ask for this id, which says what is wrong.
        // SAFETY: as above.
        call("shmctl", format_args!("{id}, IPC_STAT"), || unsafe {
            libc::shmctl(id, IPC_STAT, status.as_mut_ptr())
        })?;
    }
    // SAFETY: zeroed is a valid shmid_ds, and the call has filled it since.
    Ok(unsafe { status.assume_init() })
}
