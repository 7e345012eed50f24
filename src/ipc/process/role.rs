//! How a process uses an object.

use std::fmt;

use super::name::ProcessName;
use crate::ipc::foreign::Foreign;
use crate::ipc::kind::Kind;
use crate::ipc::message::Wanted;
use crate::ipc::sysv::Operation;
use crate::ipc::text::count;
use crate::ipc::time::Time;

/// One process and one way in which it uses an object, or used it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The process id.
    pub pid: i32,
    /// The kind of the object.
    pub kind: Kind,
    /// How it uses the object.
    pub role: Role,
    /// When the process started, or when the recorded use happened.
    pub since: Option<Time>,
    /// Its effective user id, while it lives.
    pub uid: Option<u32>,
    /// Its command line, while it lives; if the pid was reused, that of the new process.
    pub command: Option<Foreign>,
    /// Whether it still lives.
    pub state: State,
    /// What distinguishes it from other processes, while it lives; `None` if it cannot be inspected.
    pub living: Option<Living>,
    /// Why `state` may be wrong; `None` if it is certain.
    pub doubt: Option<String>,
}

/// What distinguishes a living process from processes that have its pid at other times, and its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Living {
    /// When it started, in nanoseconds since boot, rounded down to a tick of the kernel.
    pub since_boot: i64,
    /// The start of the oldest living process of the same program that it descends from: the server of
    /// a worker, or itself. `i64::MIN` for a daemon, which may continue the work of an older process.
    pub family_since_boot: i64,
    /// When its entry in `/proc` was first accessed, in nanoseconds since the Epoch by the clock of
    /// that time.
    pub first_seen: i64,
    /// Its real, effective, saved and file system user ids.
    pub uids: [u32; 4],
}

/// How a process uses an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has the segment attached, `shmat(2)`.
    Attached,
    /// It has the POSIX object mapped, `mmap(2)`.
    Mapped,
    /// It has a descriptor open on the POSIX object.
    Open,
    /// It is notified when a message arrives on the empty queue, `mq_notify(3)`.
    Notified,
    /// It waits in `msgsnd(2)` or `mq_send(3)`, with a message of this many bytes.
    WaitsToSend(u64),
    /// It waits in `msgrcv(2)` or `mq_receive(3)`.
    WaitsToReceive(Wanted),
    /// It waits in `semop(2)`, for these operations.
    WaitsOnSemaphores(Vec<Operation>),
    /// It waits in `sem_wait(3)`.
    WaitsForIncrease,
    /// It sent the last message.
    LastSender,
    /// It received the last message.
    LastReceiver,
    /// It created the segment.
    Creator,
    /// It last attached or detached the segment.
    LastAttachDetach,
    /// It last operated on these semaphores.
    LastOperation(Vec<u32>),
}

impl Use {
    /// Its name.
    pub fn name(&self) -> ProcessName {
        ProcessName { pid: self.pid, command: self.command.clone() }
    }
}

impl Role {
    /// Whether the process uses the object now, and is not just recorded in it.
    pub fn is_present(&self) -> bool {
        self.waits() || matches!(self, Role::Attached | Role::Mapped | Role::Open | Role::Notified)
    }

    /// Whether it waits for something to happen to the object.
    pub fn waits(&self) -> bool {
        matches!(
            self,
            Role::WaitsToSend(_)
                | Role::WaitsToReceive(_)
                | Role::WaitsOnSemaphores(_)
                | Role::WaitsForIncrease
        )
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Attached => f.write_str("attached"),
            Role::Mapped => f.write_str("mapped"),
            Role::Open => f.write_str("open"),
            Role::Notified => f.write_str("registered for notification"),
            Role::WaitsToSend(_) => f.write_str("waiting to send"),
            Role::WaitsToReceive(Wanted::Any) => f.write_str("waiting to receive"),
            Role::WaitsToReceive(Wanted::Type(wanted)) => {
                write!(f, "waiting to receive type {wanted}")
            }
            Role::WaitsToReceive(Wanted::UpTo(most)) => {
                write!(f, "waiting to receive type up to {most}")
            }
            Role::WaitsToReceive(Wanted::Except(unwanted)) => {
                write!(f, "waiting to receive type other than {unwanted}")
            }
            Role::WaitsOnSemaphores(operations) => {
                f.write_str("waiting on semaphore")?;
                for (number, operation) in operations.iter().enumerate() {
                    let separator = if number > 0 { "," } else { "" };
                    write!(f, "{separator} {} for ", operation.semaphore)?;
                    match operation.change {
                        0 => f.write_str("0")?,
                        change => write!(f, "+{}", change.unsigned_abs())?,
                    }
                }
                Ok(())
            }
            Role::WaitsForIncrease => f.write_str("waiting for it to increase"),
            Role::LastSender => f.write_str("last sender"),
            Role::LastReceiver => f.write_str("last receiver"),
            Role::Creator => f.write_str("creator"),
            Role::LastAttachDetach => f.write_str("last attach/detach"),
            Role::LastOperation(semaphores) => match semaphores.as_slice() {
                [one] => write!(f, "last operation on semaphore {one}"),
                [first, ..] => write!(
                    f,
                    "last operation on semaphore {first} and {}",
                    count(semaphores.len() as u64 - 1, "other"),
                ),
                [] => f.write_str("last operation"),
            },
        }
    }
}

/// Whether a process still lives whose pid the kernel recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It lives.
    Alive,
    /// No process has this id.
    Gone,
    /// The process that has this pid now started after the recorded use.
    Reused,
}

impl State {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            State::Alive => "alive",
            State::Gone => "gone",
            State::Reused => "reused",
        }
    }
}
