//! Operations on the semaphores of a set: `semop(2)`.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::time::{Duration, Instant};

use libc::{IPC_NOWAIT, SEM_UNDO, sembuf};
use nix::errno::Errno;

use crate::ipc::sysv::Operation;
use crate::kernel::call::{Call, CallError, call};
use crate::kernel::namespace::inside;
use crate::kernel::signals::wait::{self, Waited};

unsafe extern "C" {
    /// Not in the crate for every C library, but in each of them.
    fn semtimedop(
        id: c_int,
        operations: *mut sembuf,
        number: usize,
        timeout: *const libc::timespec,
    ) -> c_int;
}

/// Does all of these at once, or none: `EAGAIN` if one of them would have to wait. With `is_undone` they are
/// undone when this process ends, or the program that it executes.
///
/// `EFBIG` for a semaphore that the set has not, `E2BIG` for more than `kernel.sem`'s third number, `ERANGE` for
/// a value above 32,767, `EACCES` without write permission, or read permission to wait for zero.
pub fn operate(id: i32, operations: &[Operation], is_undone: bool) -> Result<(), CallError> {
    semop(id, &mut buffers(operations, IPC_NOWAIT | undo(is_undone)), None)
}

/// [`operate`] that waits until it can do all of them, the deadline passes, or a signal arrives. `EIDRM` if the
/// set is removed meanwhile.
pub fn operate_waiting(
    id: i32,
    operations: &[Operation],
    is_undone: bool,
    deadline: Option<Instant>,
) -> Waited<()> {
    let mut buffers = buffers(operations, undo(is_undone));
    wait::persist(deadline, || {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        semop(id, &mut buffers, left).map_err(|error| match error.errno {
            Errno::EAGAIN => CallError { errno: Errno::ETIMEDOUT, ..error },
            _ => error,
        })
    })
}

fn undo(is_undone: bool) -> c_int {
    if is_undone { SEM_UNDO } else { 0 }
}

fn buffers(operations: &[Operation], flags: c_int) -> Vec<sembuf> {
    let buffer = |one: &Operation| sembuf {
        sem_num: one.semaphore,
        sem_op: one.change,
        sem_flg: flags as i16,
    };
    operations.iter().map(buffer).collect()
}

fn semop(id: i32, buffers: &mut [sembuf], timeout: Option<Duration>) -> Result<(), CallError> {
    let timeout = timeout.map(|time| libc::timespec {
        // The most of 32-bit machines, 68 years, is as good as for ever.
        tv_sec: time.as_secs().min(i32::MAX as u64) as _,
        tv_nsec: time.subsec_nanos() as _,
    });
    let pointer = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the pointers are to this many operations, and to a time or null; the call only reads them.
    let done = inside(|| unsafe { semtimedop(id, buffers.as_mut_ptr(), buffers.len(), pointer) });
    call(done, || Call::Semtimedop {
        id,
        operations: (&*buffers).into(),
        number: buffers.len(),
        timeout: timeout.into(),
    })?;
    Ok(())
}
