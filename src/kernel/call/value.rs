//! Calls as values.

use libc::{c_int, timespec};
use nix::errno::Errno;

use super::layout::{MsgInfo, SemInfo, SemidDs, ShmInfo, ShmLimits};
use super::name::CallName;

/// A call and its result. It shows itself as a line of `strace(1)`:
/// `msgsnd(0, {mtype=1, mtext="hello"}, 5, IPC_NOWAIT) = 0`.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The call, with what it has filled.
    pub call: Call<'a>,
    /// What it returned, or why it failed.
    pub result: Result<i64, Errno>,
}

/// A call with its arguments, as the kernel gets them; flags, commands and modes are the numbers of
/// the C headers. Messages of System V have their type in front, as `msgop(2)` lays them out.
///
/// Nothing here points to memory of another process: what a call was given or has filled is borrowed
/// from wherever it was read to.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the man pages document the arguments")]
pub enum Call<'a> {
    Msgget {
        key: i32,
        flags: c_int,
    },
    Msgsnd {
        id: i32,
        /// As much of the message as is shown, at least.
        message: &'a [u8],
        /// How many bytes follow the type.
        size: usize,
        flags: c_int,
    },
    Msgrcv {
        id: i32,
        /// As much of the message as is shown, at least; the call returns how many bytes follow the type.
        message: Filled<&'a [u8]>,
        /// How many bytes may follow the type.
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
    /// A function of the C library, which asks the kernel for the file of this path.
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
        /// As much of the message as is shown, at least.
        message: &'a [u8],
        size: usize,
        priority: u32,
        deadline: Option<timespec>,
    },
    MqTimedreceive {
        descriptor: c_int,
        /// As much of the message as is shown, at least; the call returns its size.
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
    /// A function of the C library, which makes the file of a semaphore in several steps.
    SemOpen {
        name: &'a [u8],
        flags: c_int,
        mode: u32,
        value: u32,
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
    /// Which call it is.
    pub fn name(&self) -> CallName {
        match self {
            Call::Msgget { .. } => CallName::Msgget,
            Call::Msgsnd { .. } => CallName::Msgsnd,
            Call::Msgrcv { .. } => CallName::Msgrcv,
            Call::Msgctl { .. } => CallName::Msgctl,
            Call::Shmget { .. } => CallName::Shmget,
            Call::Shmctl { .. } => CallName::Shmctl,
            Call::Semget { .. } => CallName::Semget,
            Call::Semctl { .. } => CallName::Semctl,
            Call::Ftok { .. } => CallName::Ftok,
            Call::MqOpen { .. } => CallName::MqOpen,
            Call::MqUnlink { .. } => CallName::MqUnlink,
            Call::MqTimedsend { .. } => CallName::MqTimedsend,
            Call::MqTimedreceive { .. } => CallName::MqTimedreceive,
            Call::MqGetsetattr { .. } => CallName::MqGetsetattr,
            Call::SemOpen { .. } => CallName::SemOpen,
            Call::Openat { .. } => CallName::Openat,
            Call::Unlinkat { .. } => CallName::Unlinkat,
            Call::Ftruncate { .. } => CallName::Ftruncate,
            Call::Fchmodat { .. } => CallName::Fchmodat,
            Call::Fchownat { .. } => CallName::Fchownat,
        }
    }
}

/// What a call fills. Where it has failed, only the address is of interest.
#[derive(Clone, Copy, Debug)]
pub struct Filled<T> {
    /// Where it lies in the memory of the caller.
    pub address: usize,
    /// What lies there after the call.
    pub content: T,
}

impl<'a, T: ?Sized> Filled<&'a T> {
    /// What lies in memory of this process.
    pub(in crate::kernel) fn here(content: &'a T) -> Filled<&'a T> {
        Filled { address: (&raw const *content).addr(), content }
    }
}

/// The last argument of `msgctl(2)`, `shmctl(2)` and `semctl(2)`.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// One that is shown as it is: of a command that takes none, mostly 0; `SETVAL`, `GETALL`, `SETALL`.
    Plain(usize),
    /// A structure that the call reads: `IPC_SET`.
    Read(Structure<'a>),
    /// A structure that the call fills.
    Filled(Filled<Structure<'a>>),
}

impl Argument<'_> {
    /// Of a command that takes none.
    pub(in crate::kernel) const NONE: Argument<'static> = Argument::Plain(0);
}

/// The structures to which such an argument can point.
#[derive(Clone, Copy, Debug)]
pub enum Structure<'a> {
    /// Of a queue.
    Msqid(&'a libc::msqid_ds),
    /// Of a segment.
    Shmid(&'a libc::shmid_ds),
    /// Of a set.
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
    /// As the argument of a call of this process, which has filled it.
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
