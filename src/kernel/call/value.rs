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
    /// How it ended.
    pub outcome: Outcome,
    /// How many bytes of a message to show.
    pub shown: usize,
}

impl Event<'_> {
    /// How many bytes of a message strace shows unless it is asked for more.
    pub const SHOWN: usize = 32;
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this value.
    Returned(i64),
    /// It failed.
    Failed(Errno),
    /// A signal interrupted it, and the kernel may repeat it. The number is one of the kernel's own errors, such as
    /// `ERESTARTSYS`, which programs never see.
    Interrupted(i32),
    /// It has not ended yet, or never will, because its thread ended.
    Unfinished,
}

impl Outcome {
    /// The error, if it failed.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Outcome::Failed(errno) => Some(errno),
            Outcome::Returned(_) | Outcome::Interrupted(_) | Outcome::Unfinished => None,
        }
    }

    /// The value, if it succeeded.
    pub fn value(self) -> Option<i64> {
        match self {
            Outcome::Returned(value) => Some(value),
            Outcome::Failed(_) | Outcome::Interrupted(_) | Outcome::Unfinished => None,
        }
    }
}

impl From<Result<i64, Errno>> for Outcome {
    fn from(result: Result<i64, Errno>) -> Outcome {
        match result {
            Ok(value) => Outcome::Returned(value),
            Err(errno) => Outcome::Failed(errno),
        }
    }
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
        message: Pointed<&'a [u8]>,
        /// The number of bytes after the type.
        size: usize,
        flags: c_int,
    },
    Msgrcv {
        id: i32,
        /// At least the part of the message that is shown; the call returns the number of bytes after
        /// the type.
        message: Pointed<&'a [u8]>,
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
    /// Returns the address of the segment.
    Shmat {
        id: i32,
        address: usize,
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
    Semop {
        id: i32,
        operations: Pointed<&'a [libc::sembuf]>,
        /// The number of operations.
        number: usize,
    },
    Semtimedop {
        id: i32,
        operations: Pointed<&'a [libc::sembuf]>,
        /// The number of operations.
        number: usize,
        timeout: Pointed<timespec>,
    },
    /// A C library function, which reads the file with this path.
    Ftok {
        path: Pointed<&'a [u8]>,
        project: u8,
    },
    /// The kernel gets the name without its slash.
    MqOpen {
        name: Pointed<&'a [u8]>,
        flags: c_int,
        mode: u32,
        attributes: Pointed<&'a libc::mq_attr>,
    },
    MqUnlink {
        name: Pointed<&'a [u8]>,
    },
    MqTimedsend {
        descriptor: c_int,
        /// At least the part of the message that is shown.
        message: Pointed<&'a [u8]>,
        size: usize,
        priority: u32,
        deadline: Pointed<timespec>,
    },
    MqTimedreceive {
        descriptor: c_int,
        /// At least the part of the message that is shown; the call returns its size.
        message: Pointed<&'a [u8]>,
        size: usize,
        priority: Pointed<&'a u32>,
        deadline: Pointed<timespec>,
    },
    MqNotify {
        descriptor: c_int,
        event: Pointed<Notification>,
    },
    MqGetsetattr {
        descriptor: c_int,
        new: Pointed<&'a libc::mq_attr>,
        old: Pointed<&'a libc::mq_attr>,
    },
    /// A C library function, which opens a file of `/dev/shm`, or creates the file of a semaphore in several steps.
    SemOpen {
        name: Pointed<&'a [u8]>,
        /// `None` if the file does not show it: that of one that exists is opened in the same way with any.
        flags: Option<c_int>,
        mode: u32,
        value: u32,
    },
    /// A C library function, which removes a file of `/dev/shm`.
    SemUnlink {
        name: Pointed<&'a [u8]>,
    },
    /// A C library function, which opens a file of `/dev/shm`.
    ShmOpen {
        name: Pointed<&'a [u8]>,
        flags: c_int,
        mode: u32,
    },
    /// A C library function, which removes a file of `/dev/shm`.
    ShmUnlink {
        name: Pointed<&'a [u8]>,
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
        deadline: Pointed<timespec>,
    },
    Open {
        path: Pointed<&'a [u8]>,
        flags: c_int,
        mode: u32,
    },
    Openat {
        directory: c_int,
        path: Pointed<&'a [u8]>,
        flags: c_int,
        mode: u32,
    },
    Unlink {
        path: Pointed<&'a [u8]>,
    },
    Unlinkat {
        directory: c_int,
        path: Pointed<&'a [u8]>,
        flags: c_int,
    },
    Truncate {
        path: Pointed<&'a [u8]>,
        length: u64,
    },
    Ftruncate {
        descriptor: c_int,
        length: u64,
    },
    Fchmodat {
        directory: c_int,
        path: Pointed<&'a [u8]>,
        mode: u32,
    },
    Fchownat {
        directory: c_int,
        path: Pointed<&'a [u8]>,
        uid: u32,
        gid: u32,
        flags: c_int,
    },
    /// `stat(2)` in any of its forms, as `ftok(3)` calls it.
    Stat {
        path: Pointed<&'a [u8]>,
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
            Call::Semop { .. } => CallName::Semop,
            Call::Semtimedop { .. } => CallName::Semtimedop,
            Call::Ftok { .. } => CallName::Ftok,
            Call::MqOpen { .. } => CallName::MqOpen,
            Call::MqUnlink { .. } => CallName::MqUnlink,
            Call::MqTimedsend { .. } => CallName::MqTimedsend,
            Call::MqTimedreceive { .. } => CallName::MqTimedreceive,
            Call::MqNotify { .. } => CallName::MqNotify,
            Call::MqGetsetattr { .. } => CallName::MqGetsetattr,
            Call::SemOpen { .. } => CallName::SemOpen,
            Call::SemUnlink { .. } => CallName::SemUnlink,
            Call::ShmOpen { .. } => CallName::ShmOpen,
            Call::ShmUnlink { .. } => CallName::ShmUnlink,
            Call::SemPost { .. } => CallName::SemPost,
            Call::SemTrywait { .. } => CallName::SemTrywait,
            Call::SemTimedwait { .. } => CallName::SemTimedwait,
            Call::Open { .. } => CallName::Open,
            Call::Openat { .. } => CallName::Openat,
            Call::Unlink { .. } => CallName::Unlink,
            Call::Unlinkat { .. } => CallName::Unlinkat,
            Call::Truncate { .. } => CallName::Truncate,
            Call::Ftruncate { .. } => CallName::Ftruncate,
            Call::Fchmodat { .. } => CallName::Fchmodat,
            Call::Fchownat { .. } => CallName::Fchownat,
            Call::Stat { .. } => CallName::Stat,
        }
    }
}

/// Memory to which an argument points: what the call reads, or what it filled. What a call fills matters only if
/// the call succeeded.
#[derive(Clone, Copy, Debug)]
pub struct Pointed<T> {
    /// Its address in the calling process; 0 is the null pointer.
    pub address: usize,
    /// What is there; `None` if it cannot be read, and for the null pointer.
    pub content: Option<T>,
}

impl<T> Pointed<T> {
    /// The null pointer.
    pub const NULL: Pointed<T> = Pointed { address: 0, content: None };
}

impl<'a, T: ?Sized> From<&'a T> for Pointed<&'a T> {
    /// Memory of this process.
    fn from(content: &'a T) -> Pointed<&'a T> {
        Pointed { address: (&raw const *content).addr(), content: Some(content) }
    }
}

impl<'a, T> From<Option<&'a T>> for Pointed<&'a T> {
    /// Memory of this process, or the null pointer.
    fn from(content: Option<&'a T>) -> Pointed<&'a T> {
        content.map_or(Pointed::NULL, Pointed::from)
    }
}

impl From<Option<timespec>> for Pointed<timespec> {
    /// A time of this process, or the null pointer. A time that the call can read is shown without its address.
    fn from(content: Option<timespec>) -> Pointed<timespec> {
        Pointed { address: 0, content }
    }
}

/// What `mq_notify(3)` asks for, `sigevent(3type)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    /// `sigev_value`.
    pub value: usize,
    /// `sigev_signo`.
    pub signal: c_int,
    /// `sigev_notify`: `SIGEV_SIGNAL`, `SIGEV_NONE` or `SIGEV_THREAD`.
    pub method: c_int,
}

/// The last argument of `msgctl(2)`, `shmctl(2)` and `semctl(2)`.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A plain number: of a command without argument, mostly 0; of `SETVAL`, `GETALL`, `SETALL`.
    Plain(usize),
    /// A structure that the call reads: `IPC_SET`.
    Read(Pointed<Structure<'a>>),
    /// A structure that the call fills.
    Filled(Pointed<Structure<'a>>),
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
        Argument::Filled(self.here())
    }

    /// The structure as the argument of a call of this process that reads it.
    pub(in crate::kernel) fn read(self) -> Argument<'a> {
        Argument::Read(self.here())
    }

    fn here(self) -> Pointed<Structure<'a>> {
        let address = match self {
            Structure::Msqid(status) => (&raw const *status).addr(),
            Structure::Shmid(status) => (&raw const *status).addr(),
            Structure::Semid(status) => (&raw const *status).addr(),
            Structure::Msginfo(info) => (&raw const *info).addr(),
            Structure::Shminfo(info) => (&raw const *info).addr(),
            Structure::ShmUsage(info) => (&raw const *info).addr(),
            Structure::Seminfo(info) => (&raw const *info).addr(),
        };
        Pointed { address, content: Some(self) }
    }
}
