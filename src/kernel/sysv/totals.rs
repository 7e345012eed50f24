//! Sums over all objects of a kind in this IPC namespace, as the kernel keeps them, and the limits
//! on them: `MSG_INFO`, `SHM_INFO`, `SEM_INFO` and `IPC_INFO`. Asking for them needs no permission
//! and no `/proc`, and looks at no object, but for the memory of segments.

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_ulong};

use crate::kernel::call::{CallError, call};

const IPC_INFO: c_int = 3;
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

/// The limits on message queues, `IPC_INFO` in `msgctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Queues.
    pub msgmni: i32,
    /// Bytes of one message.
    pub msgmax: i32,
    /// Bytes of one queue, unless that is changed.
    pub msgmnb: i32,
}

/// The limits on shared memory, `IPC_INFO` in `shmctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentLimits {
    /// Segments.
    pub shmmni: u64,
    /// Bytes of the largest segment.
    pub shmmax: u64,
    /// Bytes of the smallest segment.
    pub shmmin: u64,
    /// Pages of all segments.
    pub shmall: u64,
}

/// The limits on semaphore sets, `IPC_INFO` in `semctl(2)`. Negative where somebody has set them
/// so, which the kernel permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// Sets.
    pub semmni: i32,
    /// Semaphores of one set.
    pub semmsl: i32,
    /// Semaphores of all sets.
    pub semmns: i32,
    /// Operations of one `semop(2)`.
    pub semopm: i32,
    /// The value of a semaphore.
    pub semvmx: i32,
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

/// `struct shminfo`, as long as the kernel has it.
#[repr(C)]
struct ShmLimits {
    max: c_ulong,
    min: c_ulong,
    mni: c_ulong,
    seg: c_ulong,
    all: c_ulong,
    unused: [c_ulong; 4],
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

/// Whether this kernel has System V IPC at all.
pub fn has_system_v() -> bool {
    queues().is_ok()
}

/// The sums over message queues.
pub fn queues() -> Result<Queues, CallError> {
    let info = msginfo(MSG_INFO, "MSG_INFO")?;
    Ok(Queues { queues: info.pool, messages: info.map, bytes: info.tql })
}

/// The limits on message queues.
pub fn queue_limits() -> Result<QueueLimits, CallError> {
    let info = msginfo(IPC_INFO, "IPC_INFO")?;
    Ok(QueueLimits { msgmni: info.mni, msgmax: info.max, msgmnb: info.mnb })
}

fn msginfo(command: c_int, name: &str) -> Result<MsgInfo, CallError> {
    let mut info = MaybeUninit::<MsgInfo>::zeroed();
    // SAFETY: both commands fill a struct msginfo at the pointer, and keep none.
    call("msgctl", format_args!("0, {name}"), || unsafe {
        libc::msgctl(0, command, info.as_mut_ptr().cast())
    })?;
    // SAFETY: zero is valid in every field, and the call has filled them since.
    Ok(unsafe { info.assume_init() })
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

/// The limits on segments.
#[allow(clippy::useless_conversion, reason = "an unsigned long has 32 bits on some machines")]
pub fn segment_limits() -> Result<SegmentLimits, CallError> {
    let mut info = MaybeUninit::<ShmLimits>::zeroed();
    // SAFETY: IPC_INFO fills a struct shminfo at the pointer, and keeps none.
    call("shmctl", format_args!("0, IPC_INFO"), || unsafe {
        libc::shmctl(0, IPC_INFO, info.as_mut_ptr().cast())
    })?;
    // SAFETY: zero is valid in every field, and the call has filled them since.
    let info = unsafe { info.assume_init() };
    Ok(SegmentLimits {
        shmmni: info.mni.into(),
        shmmax: info.max.into(),
        shmmin: info.min.into(),
        shmall: info.all.into(),
    })
}

/// The sums over semaphore sets.
pub fn sets() -> Result<Sets, CallError> {
    let info = seminfo(SEM_INFO, "SEM_INFO")?;
    Ok(Sets { sets: info.usz, semaphores: info.aem })
}

/// The limits on semaphore sets.
pub fn set_limits() -> Result<SetLimits, CallError> {
    let info = seminfo(IPC_INFO, "IPC_INFO")?;
    Ok(SetLimits {
        semmni: info.mni,
        semmsl: info.msl,
        semmns: info.mns,
        semopm: info.opm,
        semvmx: info.vmx,
    })
}

fn seminfo(command: c_int, name: &str) -> Result<SemInfo, CallError> {
    let mut info = MaybeUninit::<SemInfo>::zeroed();
    // SAFETY: the fourth argument is the `__buf` of union semun: both commands fill a struct seminfo
    // there, and keep no pointer.
    call("semctl", format_args!("0, 0, {name}"), || unsafe {
        libc::semctl(0, 0, command, info.as_mut_ptr())
    })?;
    // SAFETY: zero is valid in every field, and the call has filled them since.
    Ok(unsafe { info.assume_init() })
}
