//! System V semaphore sets: `semget(2)`, `semctl(2)`.
#![allow(unsafe_code)]

pub mod operate;
mod values;

use libc::{IPC_CREAT, IPC_EXCL, IPC_RMID, IPC_SET, IPC_STAT};

use super::permissions::{self, Changed};
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Change, Key, Mode, SemaphoreSet, Time};
use crate::kernel::call::{Argument, Call, CallError, SemidDs, Structure, call};
use crate::kernel::namespace::inside;

/// `SEM_STAT_ANY`, Linux 4.17: like `SEM_STAT`, but needs no read permission.
const SEM_STAT_ANY: i32 = 20;

/// The set with this key.
pub fn find(key: Key) -> Result<i32, CallError> {
    get(key, 0, 0)
}

/// Creates a set of `nsems` semaphores with value 0 or, unless `exclusive`, opens the existing one with
/// this key, which must have at least as many.
pub fn create(key: Key, nsems: i32, mode: Mode, exclusive: bool) -> Result<i32, CallError> {
    create_with_flags(key, nsems, mode.bits() as i32, exclusive)
}

/// [`create`] with flags of `semget(2)`, which contain the mode in the low nine bits.
pub fn create_with_flags(
    key: Key,
    nsems: i32,
    flags: i32,
    exclusive: bool,
) -> Result<i32, CallError> {
    get(key, nsems, flags | IPC_CREAT | if exclusive { IPC_EXCL } else { 0 })
}

fn get(key: Key, nsems: i32, flags: i32) -> Result<i32, CallError> {
    // SAFETY: takes and returns plain numbers.
    let id = inside(|| unsafe { libc::semget(key.0, nsems, flags) });
    call(id, || Call::Semget { key: key.0, nsems, flags })
}

/// Removes a set. Processes that wait on it get `EIDRM`.
pub fn remove(id: i32) -> Result<(), CallError> {
    plain(id, 0, IPC_RMID).map(drop)
}

/// Sets one semaphore to this value, and clears what processes would undo to it. `ERANGE` above 32,767, `EINVAL`
/// for a semaphore that the set has not. Needs write permission.
pub fn set_value(id: i32, number: u16, value: i32) -> Result<(), CallError> {
    let number = number.into();
    // SAFETY: the fourth argument is the `val` of union semun: a plain number.
    call(inside(|| unsafe { libc::semctl(id, number, libc::SETVAL, value) }), || Call::Semctl {
        id,
        number,
        command: libc::SETVAL,
        argument: Argument::Plain(value as usize),
    })?;
    Ok(())
}

/// Sets all semaphores of a set of just as many. `ERANGE` for a value above 32,767.
pub fn set_values(id: i32, values: &[u16]) -> Result<(), CallError> {
    values::write(id, values)
}

/// The value of each of the `nsems` semaphores of a set, all at one moment. Needs read permission.
pub fn values(id: i32, nsems: u64) -> Result<Vec<u16>, CallError> {
    values::read(id, nsems.min(i32::MAX as u64) as usize)
}

/// The state of each of the `nsems` semaphores of a set. The values are read at one moment; the waiters
/// and the last process are read for one semaphore after the other. Needs read permission.
pub fn semaphores(id: i32, nsems: u64) -> Result<Vec<Semaphore>, CallError> {
    // The kernel allows no more per set.
    let nsems = nsems.min(i32::MAX as u64) as usize;
    let values = values::read(id, nsems)?;
    (0..)
        .zip(values)
        .map(|(number, value)| {
            Ok(Semaphore {
                index: number as u32,
                value: value.into(),
                ncount: plain(id, number, libc::GETNCNT)? as u32,
                zcount: plain(id, number, libc::GETZCNT)? as u32,
                last_pid: plain(id, number, libc::GETPID)?,
            })
        })
        .collect()
}

/// Changes owner and mode of a set and nothing else.
pub fn change(id: i32, change: &Change) -> Result<Changed, CallError> {
    let mut status = status(id)?;
    let changed = permissions::apply(change, &mut status.sem_perm);
    let pointer: *mut SemidDs = &mut status;
    // SAFETY: the fourth argument is the `buf` of union semun: a pointer to a semid_ds, which the
    // call only reads.
    call(inside(|| unsafe { libc::semctl(id, 0, IPC_SET, pointer) }), || Call::Semctl {
        id,
        number: 0,
        command: IPC_SET,
        argument: Structure::Semid(&status).read(),
    })?;
    Ok(changed)
}

/// The current state of a set.
pub fn read(id: i32) -> Result<SemaphoreSet, CallError> {
    Ok(of_status(id, &status(id)?))
}

/// The set at this index of the kernel's array. `EINVAL` if there is none, and before Linux 4.17.
pub fn at(index: i32) -> Result<SemaphoreSet, CallError> {
    let (id, status) = stat(index, SEM_STAT_ANY)?;
    Ok(of_status(id, &status))
}

#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn of_status(id: i32, status: &SemidDs) -> SemaphoreSet {
    SemaphoreSet {
        id,
        permissions: permissions::of(&status.sem_perm),
        changed: Time::from_kernel(status.sem_ctime.into()),
        nsems: status.sem_nsems.into(),
        last_op: Time::from_kernel(status.sem_otime.into()),
    }
}

/// Whether the caller may read a set, by `IPC_STAT`, which requires exactly that. `EACCES` if not.
pub fn check_readable(id: i32) -> Result<(), CallError> {
    stat(id, IPC_STAT).map(drop)
}

/// The state of a set. Needs no permission since Linux 4.17, read permission before.
fn status(id: i32) -> Result<SemidDs, CallError> {
    // This command uses only the slot of the id, and returns the id that is in that slot.
    match stat(id, SEM_STAT_ANY) {
        Ok((found, status)) if found == id => Ok(status),
        // The slot has another object, or the kernel is older: IPC_STAT of this id gives the right
        // error.
        _ => Ok(stat(id, IPC_STAT)?.1),
    }
}

/// The return value and the state that a command fills.
fn stat(id: i32, command: i32) -> Result<(i32, SemidDs), CallError> {
    // SAFETY: zero is a valid value of every field.
    let mut status: SemidDs = unsafe { std::mem::zeroed() };
    let pointer: *mut SemidDs = &mut status;
    // SAFETY: the fourth argument is the `buf` of union semun: a pointer to a semid_ds, which the
    // call fills; it keeps no pointer.
    let found = call(inside(|| unsafe { libc::semctl(id, 0, command, pointer) }), || {
        Call::Semctl { id, number: 0, command, argument: Structure::Semid(&status).filled() }
    })?;
    Ok((found, status))
}

/// Calls a command without a fourth argument.
fn plain(id: i32, number: i32, command: i32) -> Result<i32, CallError> {
    // SAFETY: takes and returns plain numbers.
    let returned = inside(|| unsafe { libc::semctl(id, number, command) });
    call(returned, || Call::Semctl { id, number, command, argument: Argument::NONE })
}
