//! System V semaphore sets: `semget(2)`, `semctl(2)`.

use std::fmt;

use libc::{IPC_CREAT, IPC_EXCL, IPC_RMID};

use super::call::{CallError, Flags, call};
use crate::ipc::object::Semaphore;
use crate::ipc::{Key, Mode};

/// The set with this key.
pub fn find(key: Key) -> Result<i32, CallError> {
    get(key, 0, 0)
}

/// Makes a set of `nsems` semaphores, all 0, or opens the one with this key unless `exclusive`;
/// that one must have at least as many.
pub fn create(key: Key, nsems: i32, mode: Mode, exclusive: bool) -> Result<i32, CallError> {
    get(key, nsems, mode.bits() as i32 | IPC_CREAT | if exclusive { IPC_EXCL } else { 0 })
}

fn get(key: Key, nsems: i32, flags: i32) -> Result<i32, CallError> {
    // SAFETY: takes and returns plain numbers.
    call("semget", format_args!("{key}, {nsems}, {}", Flags(flags)), || unsafe {
        libc::semget(key.0, nsems, flags)
    })
}

/// Removes a set. Whoever waits on it gets `EIDRM`.
pub fn remove(id: i32) -> Result<(), CallError> {
    // SAFETY: IPC_RMID has no fourth argument.
    call("semctl", format_args!("{id}, 0, IPC_RMID"), || unsafe { libc::semctl(id, 0, IPC_RMID) })?;
    Ok(())
}

/// The state of each of the `nsems` semaphores of a set. Needs read permission.
pub fn semaphores(id: i32, nsems: u64) -> Result<Vec<Semaphore>, CallError> {
    let ask = |number: i32, command: i32, name: fmt::Arguments<'_>| {
        // SAFETY: these commands have no fourth argument.
        call("semctl", format_args!("{id}, {number}, {name}"), || unsafe {
            libc::semctl(id, number, command)
        })
    };
    (0..nsems as i32)
        .map(|number| {
            Ok(Semaphore {
                index: number as u32,
                value: ask(number, libc::GETVAL, format_args!("GETVAL"))? as u32,
                ncount: ask(number, libc::GETNCNT, format_args!("GETNCNT"))? as u32,
                zcount: ask(number, libc::GETZCNT, format_args!("GETZCNT"))? as u32,
                last_pid: ask(number, libc::GETPID, format_args!("GETPID"))?,
            })
        })
        .collect()
}
