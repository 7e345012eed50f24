//! System V shared memory: `shmget(2)`, `shmctl(2)`.

use libc::{IPC_CREAT, IPC_EXCL, IPC_RMID};

use super::call::{CallError, Flags, call};
use crate::ipc::{Key, Mode};

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
