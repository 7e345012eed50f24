//! Sums over all objects of a kind in this IPC namespace, as the kernel keeps them: `MSG_INFO`,
//! `SHM_INFO`, `SEM_INFO`. Asking for them needs no permission and looks at no object, but for the
//! memory of segments.

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_ulong};

use super::call::{CallError, call};

const MSG_INFO: c_int = 12;
const SHM_INFO: c_int = 14;
const SEM_INFO: c_int = 19;

/// Message queues, `MSG_INFO` in `msgctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues {
    /// Queues.
    pub queues: i32,
    /// Messages on all of them.
    pub messages: i32,
    /// Bytes of payload on all of them.
    pub bytes: i32,
}

/// Shared memory, `SHM_INFO` in `shmctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Segments, those marked for destruction included.
    pub segments: i32,
    /// Pages that they may take.
    pub pages: u64,
    /// Pages in memory.
    pub resident: u64,
    /// Pages swapped out.
    pub swapped: u64,
    /// Unused since Linux 2.4.
    pub swap_attempts: u64,
    /// Unused since Linux 2.4.
    pub swap_successes: u64,
}

/// Semaphore sets, `SEM_INFO` in `semctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets {
    /// Sets.
    pub sets: i32,
    /// Semaphores in all of them.
    pub semaphores: i32,
}

/// `struct msginfo`, of which `MSG_INFO` uses some fields for other things than their names say.
#[repr(C)]
struct MsgInfo {
    pool: c_int,
    map: c_int,
    max: c_int,
    mnb: c_int,
    mni: c_int,
    ssz: c_int,
    tql: c_int,
    seg: u16,
}

/// `struct shm_info`.
#[repr(C)]
struct ShmInfo {
    used_ids: c_int,
    total: c_ulong,
    resident: c_ulong,
    swapped: c_ulong,
    swap_attempts: c_ulong,
    swap_successes: c_ulong,
}

/// `struct seminfo`, likewise.
#[repr(C)]
struct SemInfo {
    map: c_int,
    mni: c_int,
    mns: c_int,
    mnu: c_int,
    msl: c_int,
    opm: c_int,
    ume: c_int,
    usz: c_int,
    vmx: c_int,
    aem: c_int,
}

/// The sums over message queues.
pub fn queues() -> Result<Queues, CallError> {
    let mut info = MaybeUninit::<MsgInfo>::zeroed();
    // SAFETY: MSG_INFO fills a struct msginfo at the pointer, and keeps none.
    call("msgctl", format_args!("0, MSG_INFO"), || unsafe {
        libc::msgctl(0, MSG_INFO, info.as_mut_ptr().cast())
    })?;
    // SAFETY: zero is valid in every field, and the call has filled them since.
    let info = unsafe { info.assume_init() };
    Ok(Queues { queues: info.pool, messages: info.map, bytes: info.tql })
}

/// The sums over segments.
#[allow(clippy::useless_conversion, reason = "an unsigned long has 32 bits on some machines")]
pub fn segments() -> Result<Segments, CallError> {
    let mut info = MaybeUninit::<ShmInfo>::zeroed();
    // SAFETY: SHM_INFO fills a struct shm_info at the pointer, and keeps none.
    call("shmctl", format_args!("0, SHM_INFO"), || unsafe {
        libc::shmctl(0, SHM_INFO, info.as_mut_ptr().cast())
    })?;
    // SAFETY: zero is valid in every field, and the call has filled them since.
    let info = unsafe { info.assume_init() };
    Ok(Segments {
        segments: info.used_ids,
        pages: info.total.into(),
        resident: info.resident.into(),
        swapped: info.swapped.into(),
        swap_attempts: info.swap_attempts.into(),
        swap_successes: info.swap_successes.into(),
    })
}

/// The sums over semaphore sets.
pub fn sets() -> Result<Sets, CallError> {
    let mut info = MaybeUninit::<SemInfo>::zeroed();
    // SAFETY: the fourth argument is the `__buf` of union semun: SEM_INFO fills a struct seminfo
    // there, and keeps no pointer.
    call("semctl", format_args!("0, 0, SEM_INFO"), || unsafe {
        libc::semctl(0, 0, SEM_INFO, info.as_mut_ptr())
    })?;
    // SAFETY: zero is valid in every field, and the call has filled them since.
    let info = unsafe { info.assume_init() };
    Ok(Sets { sets: info.usz, semaphores: info.aem })
}
