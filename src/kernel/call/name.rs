//! The names of calls.

use std::fmt;

/// The name of an IPC call: a system call, or the C library function that programs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallName {
    /// `msgget(2)`.
    Msgget,
    /// `msgsnd(2)`.
    Msgsnd,
    /// `msgrcv(2)`.
    Msgrcv,
    /// `msgctl(2)`.
    Msgctl,
    /// `shmget(2)`.
    Shmget,
    /// `shmctl(2)`.
    Shmctl,
    /// `shmat(2)`.
    Shmat,
    /// `shmdt(2)`.
    Shmdt,
    /// `semget(2)`.
    Semget,
    /// `semctl(2)`.
    Semctl,
    /// `semop(2)`, which is `semtimedop(2)` without a timeout.
    Semop,
    /// `semtimedop(2)`.
    Semtimedop,
    /// `ftok(3)`.
    Ftok,
    /// `mq_open(3)`.
    MqOpen,
    /// `mq_unlink(3)`.
    MqUnlink,
    /// `mq_send(3)` with a deadline.
    MqTimedsend,
    /// `mq_receive(3)` with a deadline.
    MqTimedreceive,
    /// `mq_notify(3)`.
    MqNotify,
    /// `mq_getattr(3)`, as the kernel's system call.
    MqGetsetattr,
    /// `shm_open(3)`, an `openat(2)`.
    ShmOpen,
    /// `shm_unlink(3)`, an `unlinkat(2)`.
    ShmUnlink,
    /// `sem_open(3)`.
    SemOpen,
    /// `sem_post(3)`.
    SemPost,
    /// `sem_trywait(3)`.
    SemTrywait,
    /// `sem_timedwait(3)`.
    SemTimedwait,
    /// `sem_unlink(3)`, an `unlinkat(2)`.
    SemUnlink,
    /// `open(2)`.
    Open,
    /// `openat(2)`.
    Openat,
    /// `unlink(2)`.
    Unlink,
    /// `unlinkat(2)`.
    Unlinkat,
    /// `truncate(2)`.
    Truncate,
    /// `ftruncate(2)`.
    Ftruncate,
    /// `fchmodat(2)`.
    Fchmodat,
    /// `fchownat(2)`.
    Fchownat,
    /// `stat(2)` in any of its forms.
    Stat,
    /// `fstat(2)`.
    Fstat,
    /// `mmap(2)` or `mprotect(2)`: room for what a call fills.
    Mmap,
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallName::Msgget => "msgget",
            CallName::Msgsnd => "msgsnd",
            CallName::Msgrcv => "msgrcv",
            CallName::Msgctl => "msgctl",
            CallName::Shmget => "shmget",
            CallName::Shmctl => "shmctl",
            CallName::Shmat => "shmat",
            CallName::Shmdt => "shmdt",
            CallName::Semget => "semget",
            CallName::Semctl => "semctl",
            CallName::Semop => "semop",
            CallName::Semtimedop => "semtimedop",
            CallName::Ftok => "ftok",
            CallName::MqOpen => "mq_open",
            CallName::MqUnlink => "mq_unlink",
            CallName::MqTimedsend => "mq_timedsend",
            CallName::MqTimedreceive => "mq_timedreceive",
            CallName::MqNotify => "mq_notify",
            CallName::MqGetsetattr => "mq_getsetattr",
            CallName::ShmOpen => "shm_open",
            CallName::ShmUnlink => "shm_unlink",
            CallName::SemOpen => "sem_open",
            CallName::SemPost => "sem_post",
            CallName::SemTrywait => "sem_trywait",
            CallName::SemTimedwait => "sem_timedwait",
            CallName::SemUnlink => "sem_unlink",
            CallName::Open => "open",
            CallName::Openat => "openat",
            CallName::Unlink => "unlink",
            CallName::Unlinkat => "unlinkat",
            CallName::Truncate => "truncate",
            CallName::Ftruncate => "ftruncate",
            CallName::Fchmodat => "fchmodat",
            CallName::Fchownat => "fchownat",
            CallName::Stat => "stat",
            CallName::Fstat => "fstat",
            CallName::Mmap => "mmap",
        })
    }
}
