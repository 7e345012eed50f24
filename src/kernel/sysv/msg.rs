//! System V message queues: `msgget(2)`, `msgctl(2)`, `msgop(2)`.
#![allow(unsafe_code)]

use std::time::Instant;

use libc::{IPC_CREAT, IPC_EXCL, IPC_NOWAIT, IPC_RMID, IPC_SET, IPC_STAT};
use nix::errno::Errno;

use super::permissions::{self, Changed};
use crate::ipc::message::{TYPE_SIZE, Wanted};
use crate::ipc::{Change, Key, Mode, Queue, Time};
use crate::kernel::call::{Argument, Call, CallError, CallName, Structure, call};
use crate::kernel::namespace::inside;
use crate::kernel::signals::wait::{self, Waited};

/// `MSG_STAT_ANY`, Linux 4.17: like `MSG_STAT`, but needs no read permission.
const MSG_STAT_ANY: i32 = 13;

/// The queue with this key.
pub fn find(key: Key) -> Result<i32, CallError> {
    get(key, 0)
}

/// Creates a queue or, unless `exclusive`, opens the existing one with this key.
pub fn create(key: Key, mode: Mode, exclusive: bool) -> Result<i32, CallError> {
    create_with_flags(key, mode.bits() as i32, exclusive)
}

/// [`create`] with flags of `msgget(2)`, which contain the mode in the low nine bits.
pub fn create_with_flags(key: Key, flags: i32, exclusive: bool) -> Result<i32, CallError> {
    get(key, flags | IPC_CREAT | if exclusive { IPC_EXCL } else { 0 })
}

fn get(key: Key, flags: i32) -> Result<i32, CallError> {
    // SAFETY: takes and returns plain numbers.
    call(inside(|| unsafe { libc::msgget(key.0, flags) }), || Call::Msgget { key: key.0, flags })
}

/// Removes a queue. Processes that wait on it get `EIDRM`.
pub fn remove(id: i32) -> Result<(), CallError> {
    // SAFETY: IPC_RMID does not look at the pointer.
    call(inside(|| unsafe { libc::msgctl(id, IPC_RMID, std::ptr::null_mut()) }), || {
        Call::Msgctl { id, command: IPC_RMID, argument: Argument::NONE }
    })?;
    Ok(())
}

/// `msg_qbytes` of a queue: the maximum number of bytes on it. Needs no permission since Linux 4.17,
/// read permission before.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
pub fn max_bytes(id: i32) -> Result<u64, CallError> {
    Ok(status(id)?.msg_qbytes.into())
}

/// Sets `msg_qbytes` of a queue and nothing else; returns the old value. `EPERM` above `kernel.msgmnb`
/// without `CAP_SYS_RESOURCE`, `EINVAL` above the range of the machine.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
pub fn set_max_bytes(id: i32, bytes: u64) -> Result<u64, CallError> {
    let too_many = |_| CallError { name: CallName::Msgctl, errno: Errno::EINVAL };
    let mut status = status(id)?;
    let before = std::mem::replace(&mut status.msg_qbytes, bytes.try_into().map_err(too_many)?);
    set(id, &mut status)?;
    Ok(before.into())
}

/// Changes owner and mode of a queue and nothing else.
pub fn change(id: i32, change: &Change) -> Result<Changed, CallError> {
    let mut status = status(id)?;
    let changed = permissions::apply(change, &mut status.msg_perm);
    set(id, &mut status)?;
    Ok(changed)
}

/// The current state of a queue.
pub fn read(id: i32) -> Result<Queue, CallError> {
    Ok(of_status(id, &status(id)?))
}

/// The queue at this index of the kernel's array. `EINVAL` if there is none, and before Linux 4.17.
pub fn at(index: i32) -> Result<Queue, CallError> {
    let (id, status) = stat(index, MSG_STAT_ANY)?;
    Ok(of_status(id, &status))
}

#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn of_status(id: i32, status: &libc::msqid_ds) -> Queue {
    Queue {
        id,
        permissions: permissions::of(&status.msg_perm),
        changed: Time::from_kernel(status.msg_ctime.into()),
        bytes: status.__msg_cbytes.into(),
        messages: status.msg_qnum.into(),
        max_bytes: Some(status.msg_qbytes.into()),
        last_send_pid: status.msg_lspid,
        last_send: Time::from_kernel(status.msg_stime.into()),
        last_recv_pid: status.msg_lrpid,
        last_recv: Time::from_kernel(status.msg_rtime.into()),
    }
}

/// Whether the caller may read a queue, by `IPC_STAT`, which requires exactly that. `EACCES` if not.
pub fn check_readable(id: i32) -> Result<(), CallError> {
    stat(id, IPC_STAT).map(drop)
}

/// The state of a queue. Needs no permission since Linux 4.17, read permission before.
fn status(id: i32) -> Result<libc::msqid_ds, CallError> {
    // This command uses only the slot of the id, and returns the id that is in that slot.
    match stat(id, MSG_STAT_ANY) {
        Ok((found, status)) if found == id => Ok(status),
        // The slot has another object, or the kernel is older: IPC_STAT of this id gives the right
        // error.
        _ => Ok(stat(id, IPC_STAT)?.1),
    }
}

/// The return value and the state that a command fills.
fn stat(id: i32, command: i32) -> Result<(i32, libc::msqid_ds), CallError> {
    // SAFETY: zero is a valid value of every field.
    let mut status: libc::msqid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a msqid_ds, which the call fills; it keeps no pointer.
    let found = call(inside(|| unsafe { libc::msgctl(id, command, &mut status) }), || {
        Call::Msgctl { id, command, argument: Structure::Msqid(&status).filled() }
    })?;
    Ok((found, status))
}

fn set(id: i32, status: &mut libc::msqid_ds) -> Result<(), CallError> {
    // SAFETY: the pointer is to a msqid_ds, which the call only reads.
    call(inside(|| unsafe { libc::msgctl(id, IPC_SET, status) }), || Call::Msgctl {
        id,
        command: IPC_SET,
        argument: Structure::Msqid(status).read(),
    })?;
    Ok(())
}

/// Sends a message, with its type at the start, if there is room for it now; otherwise `EAGAIN`.
#[inline]
pub fn send(id: i32, message: &[u8]) -> Result<(), CallError> {
    send_with(id, message, IPC_NOWAIT)
}

/// Sends a message; waits for room until the deadline, or without limit if there is none.
pub fn send_waiting(id: i32, message: &[u8], deadline: Option<Instant>) -> Waited<()> {
    wait::wait(deadline, || send_with(id, message, 0))
}

#[inline]
fn send_with(id: i32, message: &[u8], flags: i32) -> Result<(), CallError> {
    assert!(message.len() >= TYPE_SIZE);
    let size = message.len() - TYPE_SIZE;
    // SAFETY: the buffer holds the type and then `size` bytes, which the call only reads.
    let sent = inside(|| unsafe { libc::msgsnd(id, message.as_ptr().cast(), size, flags) });
    call(sent, || Call::Msgsnd { id, message: message.into(), size, flags })?;
    Ok(())
}

/// Receives a message into `buffer`, with its type at the start; returns the length of the payload.
/// `ENOMSG` if there is none. `E2BIG` if the next one is larger than the buffer; it stays on the queue.
#[inline]
pub fn receive(id: i32, wanted: Wanted, buffer: &mut [u8]) -> Result<usize, CallError> {
    receive_with(id, wanted, buffer, IPC_NOWAIT)
}

/// [`receive`] that waits for a message until the deadline, or without limit if there is none.
pub fn receive_waiting(
    id: i32,
    wanted: Wanted,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> Waited<usize> {
    wait::wait(deadline, || receive_with(id, wanted, buffer, 0))
}

#[inline]
fn receive_with(
    id: i32,
    wanted: Wanted,
    buffer: &mut [u8],
    mut flags: i32,
) -> Result<usize, CallError> {
    let message_type = match wanted {
        Wanted::Any => 0,
        Wanted::Type(message_type) => message_type,
        Wanted::UpTo(most) => -most,
        Wanted::Except(unwanted) => {
            flags |= libc::MSG_EXCEPT;
            unwanted
        }
    };
    take(id, message_type, buffer, flags)
}

/// Whether the kernel has `msgrcv(2)` at all. The id in this call belongs to no queue.
pub fn has_receiving() -> bool {
    let asked = receive(-1, Wanted::Any, &mut [0; TYPE_SIZE]);
    asked.map_err(|error| error.errno) != Err(Errno::ENOSYS)
}

/// Copies the message at this position, from 0, and leaves it on the queue. `ENOMSG` beyond the end,
/// `ENOSYS` if the kernel was built without `CONFIG_CHECKPOINT_RESTORE`.
pub fn peek(id: i32, place: i64, buffer: &mut [u8]) -> Result<usize, CallError> {
    take(id, place, buffer, libc::MSG_COPY | IPC_NOWAIT)
}

/// [`peek`] with a buffer that grows until the message fits.
pub fn peek_whole(id: i32, place: i64, buffer: &mut Vec<u8>) -> Result<usize, CallError> {
    loop {
        match peek(id, place, buffer) {
            Err(CallError { errno: Errno::E2BIG, .. }) => buffer.resize(2 * buffer.len(), 0),
            result => return result,
        }
    }
}

#[inline]
fn take(id: i32, message_type: i64, buffer: &mut [u8], flags: i32) -> Result<usize, CallError> {
    assert!(buffer.len() >= TYPE_SIZE);
    let size = buffer.len() - TYPE_SIZE;
    // SAFETY: the buffer has room for the type and `size` bytes of payload.
    let take = || unsafe {
        libc::msgrcv(id, buffer.as_mut_ptr().cast(), size, message_type as libc::c_long, flags)
    };
    let taken = inside(take);
    let taken = call(taken, || {
        let message = (&*buffer).into();
        Call::Msgrcv { id, message, size, message_type, flags }
    })?;
    Ok(taken as usize)
}
