//! Calls as values.

use libc::{c_int, timespec};
use nix::errno::Errno;

use super::layout::{MsgInfo, SemInfo, SemidDs, ShmInfo, ShmLimits};
use super::name::CallName;

/// A call and its result. It is formatted as a line of `strace(1)`:
/// `msgsnd(0, {mtype=1, mtext="hello"}, 5, IPC_NOWAIT) = 0`.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The call, with the memory that it filled.
    pub call: Call<'a>,
    /// The return value, or the error.
    pub result: Result<i64, Errno>,
}

/// A call with its arguments as the kernel gets them; flags, commands and modes are numbers of the C
/// headers. System V messages start with their type, as in `msgop(2)`.
///
/// The memory that a call was given or filled is borrowed from wherever it was read. Nothing here
/// points into the memory of another process.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the man pages document the arguments")]
pub enum Call<'a> {
    Msgget {
        key: i32,
        flags: c_int,
    },
    Msgsnd {
        id: i32,
        /// At least the part of the message that is shown.
        message: &'a [u8],
        /// The number of bytes after the type.
        size: usize,
        flags: c_int,
    },
    Msgrcv {
        id: i32,
        /// At least the part of the message that is shown; the call returns the number of bytes after
        /// the type.
        message: Filled<&'a [u8]>,
        /// The maximum number of bytes after the type.
        size: usize,
        message_type: i64,
        flags: c_int,
    },
    Msgctl {
        id: i32,
        command: c_int,
        argument: Argument<'a>,
    },
    Shmget {
        key: i32,
        size: usize,
        flags: c_int,
    },
    Shmctl {
        id: i32,
        command: c_int,
        argument: Argument<'a>,
    },
    /// Returns the address, with which the number of the event is filled.
    Shmat {
        id: i32,
        flags: c_int,
    },
    Shmdt {
        address: usize,
    },
    Semget {
        key: i32,
        nsems: i32,
        flags: c_int,
    },
    Semctl {
        id: i32,
        number: i32,
        command: c_int,
        argument: Argument<'a>,
    },
    Semtimedop {
        id: i32,
        operations: &'a [libc::sembuf],
        timeout: Option<timespec>,
    },
    /// A C library function, which reads the file with this path.
    Ftok {
        path: &'a [u8],
        project: u8,
    },
    /// The kernel gets the name without its slash.
    MqOpen {
        name: &'a [u8],
        flags: c_int,
        mode: u32,
        attributes: Option<&'a libc::mq_attr>,
    },
    MqUnlink {
        name: &'a [u8],
    },
    MqTimedsend {
        descriptor: c_int,
        /// At least the part of the message that is shown.
        message: &'a [u8],
        size: usize,
        priority: u32,
        deadline: Option<timespec>,
    },
    MqTimedreceive {
        descriptor: c_int,
        /// At least the part of the message that is shown; the call returns its size.
        message: Filled<&'a [u8]>,
        size: usize,
        priority: Filled<&'a u32>,
        deadline: Option<timespec>,
    },
    MqGetsetattr {
        descriptor: c_int,
        new: Option<&'a libc::mq_attr>,
        old: Filled<&'a libc::mq_attr>,
    },
    /// A C library function, which creates the file of a semaphore in several steps.
    SemOpen {
        name: &'a [u8],
        flags: c_int,
        mode: u32,
        value: u32,
    },
    /// A C library function, which calls the kernel only to wake a waiting process.
    SemPost {
        address: usize,
    },
    /// A C library function, which does not call the kernel.
    SemTrywait {
        address: usize,
    },
    /// A C library function, which calls the kernel only to wait.
    SemTimedwait {
        address: usize,
        deadline: Option<timespec>,
    },
    Openat {
        directory: c_int,
        path: &'a [u8],
        flags: c_int,
        mode: u32,
    },
    Unlinkat {
        directory: c_int,
        path: &'a [u8],
        flags: c_int,
    },
    Ftruncate {
        descriptor: c_int,
        length: u64,
    },
    Fchmodat {
        directory: c_int,
        path: &'a [u8],
        mode: u32,
    },
    Fchownat {
        directory: c_int,
        path: &'a [u8],
        uid: u32,
        gid: u32,
        flags: c_int,
    },
}

impl Call<'_> {
    /// Its name.
    pub fn name(&self) -> CallName {
        match self {
            Call::Msgget { .. } => CallName::Msgget,
            Call::Msgsnd { .. } => CallName::Msgsnd,
            Call::Msgrcv { .. } => CallName::Msgrcv,
            Call::Msgctl { .. } => CallName::Msgctl,
            Call::Shmget { .. } => CallName::Shmget,
            Call::Shmctl { .. } => CallName::Shmctl,
            Call::Shmat { .. } => CallName::Shmat,
            Call::Shmdt { .. } => CallName::Shmdt,
            Call::Semget { .. } => CallName::Semget,
            Call::Semctl { .. } => CallName::Semctl,
            Call::Semtimedop { .. } => CallName::Semtimedop,
            Call::Ftok { .. } => CallName::Ftok,
            Call::MqOpen { .. } => CallName::MqOpen,
            Call::MqUnlink { .. } => CallName::MqUnlink,
            Call::MqTimedsend { .. } => CallName::MqTimedsend,
            Call::MqTimedreceive { .. } => CallName::MqTimedreceive,
            Call::MqGetsetattr { .. } => CallName::MqGetsetattr,
            Call::SemOpen { .. } => CallName::SemOpen,
            Call::SemPost { .. } => CallName::SemPost,
            Call::SemTrywait { .. } => CallName::SemTrywait,
            Call::SemTimedwait { .. } => CallName::SemTimedwait,
            Call::Openat { .. } => CallName::Openat,
            Call::Unlinkat { .. } => CallName::Unlinkat,
            Call::Ftruncate { .. } => CallName::Ftruncate,
            Call::Fchmodat { .. } => CallName::Fchmodat,
            Call::Fchownat { .. } => CallName::Fchownat,
        }
    }
}

/// Memory that a call fills. If the call failed, only the address matters.
#[derive(Clone, Copy, Debug)]
pub struct Filled<T> {
    /// Its address in the calling process.
    pub address: usize,
    /// Its content after the call.
    pub content: T,
}

impl<'a, T: ?Sized> Filled<&'a T> {
    /// Memory of this process.
    pub(in crate::kernel) fn here(content: &'a T) -> Filled<&'a T> {
        Filled { address: (&raw const *content).addr(), content }
    }
}

/// The last argument of `msgctl(2)`, `shmctl(2)` and `semctl(2)`.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A plain number: of a command without argument, mostly 0; of `SETVAL`, `GETALL`, `SETALL`.
    Plain(usize),
    /// A structure that the call reads: `IPC_SET`.
    Read(Structure<'a>),
    /// A structure that the call fills.
    Filled(Filled<Structure<'a>>),
}

impl Argument<'_> {
    /// The argument of a command that takes none.
    pub(in crate::kernel) const NONE: Argument<'static> = Argument::Plain(0);
}

/// A structure to which such an argument can point.
#[derive(Clone, Copy, Debug)]
pub enum Structure<'a> {
    /// The state of a queue.
    Msqid(&'a libc::msqid_ds),
    /// The state of a segment.
    Shmid(&'a libc::shmid_ds),
    /// The state of a set.
    Semid(&'a SemidDs),
    /// `MSG_INFO` and `IPC_INFO` of queues.
    Msginfo(&'a MsgInfo),
    /// `IPC_INFO` of segments.
    Shminfo(&'a ShmLimits),
    /// `SHM_INFO`.
    ShmUsage(&'a ShmInfo),
    /// `SEM_INFO` and `IPC_INFO` of sets.
    Seminfo(&'a SemInfo),
}

impl<'a> Structure<'a> {
    /// The structure as the argument of a call of this process that filled it.
    pub(in crate::kernel) fn filled(self) -> Argument<'a> {
        let address = match self {
            Structure::Msqid(status) => (&raw const *status).addr(),
            Structure::Shmid(status) => (&raw const *status).addr(),
            Structure::Semid(status) => (&raw const *status).addr(),
            Structure::Msginfo(info) => (&raw const *info).addr(),
            Structure::Shminfo(info) => (&raw const *info).addr(),
            Structure::ShmUsage(info) => (&raw const *info).addr(),
            Structure::Seminfo(info) => (&raw const *info).addr(),
        };
        Argument::Filled(Filled { address, content: self })
    }
}
