//! System V semaphore sets.

use crate::ipc::{Permissions, Time};

/// A System V semaphore set, `struct semid_ds` in `semctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemaphoreSet {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was created or last changed by `IPC_SET` or `SETVAL`.
    pub changed: Option<Time>,
    /// How many semaphores it has.
    pub nsems: u64,
    /// When `semop(2)` last succeeded on it.
    pub last_op: Option<Time>,
}

/// One semaphore of a set, `semctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semaphore {
    /// Its number in the set, from 0.
    pub index: u32,
    /// `GETVAL`, 0 to 32,767.
    pub value: u32,
    /// `GETNCNT`: how many processes wait for it to increase.
    pub ncount: u32,
    /// `GETZCNT`: how many processes wait for it to be zero.
    pub zcount: u32,
    /// `GETPID`: the process that last operated on it; 0 for none.
    pub last_pid: i32,
}
