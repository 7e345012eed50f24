//! Totals over all objects of a kind in this IPC namespace, as the kernel keeps them, and the limits on
//! them: `MSG_INFO`, `SHM_INFO`, `SEM_INFO` and `IPC_INFO`. They need no permission and no `/proc`.
//! Only the resident memory of segments takes the kernel a pass over the objects.
#![allow(unsafe_code)]

use std::os::raw::c_int;

use crate::kernel::call::{Call, CallError, MsgInfo, SemInfo, ShmInfo, ShmLimits, Structure, call};
use crate::kernel::namespace::inside;

const IPC_INFO: c_int = 3;
const MSG_INFO: c_int = 12;
const SHM_INFO: c_int = 14;
const SEM_INFO: c_int = 19;

/// Message queues, `MSG_INFO` in `msgctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues {
    /// The number of queues.
    pub queues: i32,
    /// Messages on all queues.
    pub messages: i32,
    /// Bytes of payload on all queues.
    pub bytes: i32,
    /// The highest index in use; 0 if none is.
    pub highest: i32,
}

/// Shared memory, `SHM_INFO` in `shmctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The number of segments, including those marked for destruction.
    pub segments: i32,
    /// Pages of all segments, allocated or not.
    pub pages: u64,
    /// Pages in memory.
    pub resident: u64,
    /// Pages swapped out.
    pub swapped: u64,
    /// Unused since Linux 2.4.
    pub swap_attempts: u64,
    /// Unused since Linux 2.4.
    pub swap_successes: u64,
    /// The highest index in use; 0 if none is.
    pub highest: i32,
}

/// Semaphore sets, `SEM_INFO` in `semctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets {
    /// The number of sets.
    pub sets: i32,
    /// Semaphores in all sets.
    pub semaphores: i32,
    /// The highest index in use; 0 if none is.
    pub highest: i32,
}

/// The limits on message queues, `IPC_INFO` in `msgctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// The maximum number of queues.
    pub msgmni: i32,
    /// The maximum size of a message in bytes.
    pub msgmax: i32,
    /// The default of the maximum bytes on a queue.
    pub msgmnb: i32,
}

/// The limits on shared memory, `IPC_INFO` in `shmctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentLimits {
    /// The maximum number of segments.
    pub shmmni: u64,
    /// The maximum size of a segment in bytes.
    pub shmmax: u64,
    /// The minimum size of a segment in bytes.
    pub shmmin: u64,
    /// The maximum number of pages in all segments.
    pub shmall: u64,
    /// The highest index in use; 0 if none is.
    pub highest: i32,
}

/// The limits on semaphore sets, `IPC_INFO` in `semctl(2)`. Negative if they were set so, which the
/// kernel permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// The maximum number of sets.
    pub semmni: i32,
    /// The maximum number of semaphores in a set.
    pub semmsl: i32,
    /// The maximum number of semaphores in all sets.
    pub semmns: i32,
    /// The maximum number of operations in one `semop(2)`.
    pub semopm: i32,
    /// The maximum value of a semaphore.
    pub semvmx: i32,
}

/// Whether this kernel supports System V IPC.
pub fn has_system_v() -> bool {
    queues().is_ok()
}

/// The totals of message queues.
pub fn queues() -> Result<Queues, CallError> {
    let (highest, info) = msginfo(MSG_INFO)?;
    Ok(Queues { queues: info.msgpool, messages: info.msgmap, bytes: info.msgtql, highest })
}

/// The limits on message queues.
pub fn queue_limits() -> Result<QueueLimits, CallError> {
    let (_, info) = msginfo(IPC_INFO)?;
    Ok(QueueLimits { msgmni: info.msgmni, msgmax: info.msgmax, msgmnb: info.msgmnb })
}

fn msginfo(command: c_int) -> Result<(c_int, MsgInfo), CallError> {
    // SAFETY: zero is valid in every field.
    let mut info: MsgInfo = unsafe { std::mem::zeroed() };
    // SAFETY: both commands fill a struct msginfo at the pointer and keep no pointer.
    let highest =
        call(inside(|| unsafe { libc::msgctl(0, command, (&raw mut info).cast()) }), || {
            Call::Msgctl { id: 0, command, argument: Structure::Msginfo(&info).filled() }
        })?;
    Ok((highest, info))
}

/// The totals of segments.
#[allow(clippy::useless_conversion, reason = "an unsigned long has 32 bits on some machines")]
pub fn segments() -> Result<Segments, CallError> {
    // SAFETY: zero is valid in every field.
    let mut info: ShmInfo = unsafe { std::mem::zeroed() };
    // SAFETY: SHM_INFO fills a struct shm_info at the pointer and keeps no pointer.
    let highest =
        call(inside(|| unsafe { libc::shmctl(0, SHM_INFO, (&raw mut info).cast()) }), || {
            Call::Shmctl { id: 0, command: SHM_INFO, argument: Structure::ShmUsage(&info).filled() }
        })?;
    Ok(Segments {
        segments: info.used_ids,
        pages: info.shm_tot.into(),
        resident: info.shm_rss.into(),
        swapped: info.shm_swp.into(),
        swap_attempts: info.swap_attempts.into(),
        swap_successes: info.swap_successes.into(),
        highest,
    })
}

/// The limits on segments.
#[allow(clippy::useless_conversion, reason = "an unsigned long has 32 bits on some machines")]
pub fn segment_limits() -> Result<SegmentLimits, CallError> {
    // SAFETY: zero is valid in every field.
    let mut info: ShmLimits = unsafe { std::mem::zeroed() };
    // SAFETY: IPC_INFO fills a struct shminfo at the pointer and keeps no pointer.
    let highest =
        call(inside(|| unsafe { libc::shmctl(0, IPC_INFO, (&raw mut info).cast()) }), || {
            Call::Shmctl { id: 0, command: IPC_INFO, argument: Structure::Shminfo(&info).filled() }
        })?;
    Ok(SegmentLimits {
        shmmni: info.shmmni.into(),
        shmmax: info.shmmax.into(),
        shmmin: info.shmmin.into(),
        shmall: info.shmall.into(),
        highest,
    })
}

/// The totals of semaphore sets.
pub fn sets() -> Result<Sets, CallError> {
    let (highest, info) = seminfo(SEM_INFO)?;
    Ok(Sets { sets: info.semusz, semaphores: info.semaem, highest })
}

/// The limits on semaphore sets.
pub fn set_limits() -> Result<SetLimits, CallError> {
    let (_, info) = seminfo(IPC_INFO)?;
    Ok(SetLimits {
        semmni: info.semmni,
        semmsl: info.semmsl,
        semmns: info.semmns,
        semopm: info.semopm,
        semvmx: info.semvmx,
    })
}

fn seminfo(command: c_int) -> Result<(c_int, SemInfo), CallError> {
    // SAFETY: zero is valid in every field.
    let mut info: SemInfo = unsafe { std::mem::zeroed() };
    // SAFETY: the fourth argument is the `__buf` of union semun: both commands fill a struct seminfo
    // there, and keep no pointer.
    let highest = call(inside(|| unsafe { libc::semctl(0, 0, command, &raw mut info) }), || {
        Call::Semctl { id: 0, number: 0, command, argument: Structure::Seminfo(&info).filled() }
    })?;
    Ok((highest, info))
}
