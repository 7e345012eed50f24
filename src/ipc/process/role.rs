//! Who has to do with an object.

use std::fmt;

use super::name::ProcessName;
use crate::ipc::foreign::Foreign;
use crate::ipc::message::Wanted;
use crate::ipc::text::count;
use crate::ipc::time::Time;

/// One process in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The process id.
    pub pid: i32,
    /// What it has to do with the object.
    pub role: Role,
    /// When the process started, or when what was recorded happened.
    pub since: Option<Time>,
    /// Its effective user id, while it lives.
    pub uid: Option<u32>,
    /// Its command line, while it lives; that of the stranger where the number was reused.
    pub command: Option<Foreign>,
    /// What has become of it.
    pub state: State,
    /// What tells it from others, while it lives; nothing where it may not be looked at.
    pub living: Option<Living>,
    /// Why it is not certain that `state` is true; nothing where it is.
    pub doubt: Option<String>,
}

/// What tells a living process from others that have its id at another time, or its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Living {
    /// When it started, in nanoseconds since boot, rounded down to a tick of the kernel.
    pub since_boot: i64,
    /// The same of the oldest living process of its program that it descends from: the server of a
    /// worker, or itself. `i64::MIN` for a daemon, which may go on with what an older process began.
    pub family_since_boot: i64,
    /// When somebody first looked at it in `/proc`, in nanoseconds since the Epoch by the clock of then.
    pub first_seen: i64,
    /// Its real, effective, saved and file system user id.
    pub uids: [u32; 4],
}

/// What a process has to do with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has the segment in its memory, `shmat(2)`.
    Attached,
    /// It has the POSIX object in its memory, `mmap(2)`.
    Mapped,
    /// It has a descriptor of the POSIX object.
    Open,
    /// It is told when a message comes to the empty queue, `mq_notify(3)`.
    Notified,
    /// It sleeps in `msgsnd(2)` or `mq_send(3)`, with a message of this many bytes.
    WaitsToSend(u64),
    /// It sleeps in `msgrcv(2)` or `mq_receive(3)`.
    WaitsToReceive(Wanted),
    /// It sleeps in `semop(2)`, for the operations that can sleep.
    WaitsOnSemaphores(Vec<Operation>),
    /// It sleeps in `sem_wait(3)`.
    WaitsForIncrease,
    /// It sent the last message.
    LastSender,
    /// It received the last message.
    LastReceiver,
    /// It made the segment.
    Creator,
    /// It attached or detached the segment last.
    LastAttachDetach,
    /// It operated last on these semaphores.
    LastOperation(Vec<u32>),
}

/// An operation on a semaphore, `struct sembuf` in `semop(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which semaphore of the set.
    pub semaphore: u16,
    /// What to add to its value; 0 to wait until it is 0.
    pub change: i16,
}

impl Use {
    /// Its name.
    pub fn name(&self) -> ProcessName {
        ProcessName { pid: self.pid, command: self.command.clone() }
    }
}

impl Role {
    /// Whether the process has to do with the object now, and was not only recorded once.
    pub fn is_present(&self) -> bool {
        self.waits() || matches!(self, Role::Attached | Role::Mapped | Role::Open | Role::Notified)
    }

    /// Whether it sleeps until something happens to the object.
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
            Role::WaitsForIncrease => f.write_str("waiting for it to grow"),
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

/// What has become of a process whose id the kernel recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It lives.
    Alive,
    /// No process has this id.
    Gone,
    /// The process that has this id now started after what was recorded.
    Reused,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Alive => "alive",
            State::Gone => "gone",
            State::Reused => "reused",
        }
    }
}
