//! Removes a queue without losing messages: it is closed to senders, then emptied, then removed.
//! `msgctl(2)`, `F_SETLEASE` in `fcntl(2)`.
//!
//! A System V queue is closed by setting `msg_qbytes` to 0: then it accepts not even an empty message,
//! from no process, and a process that waits for room gets `EIDRM` and knows that nothing was sent. A
//! change of the mode would not stop privileged processes.
//!
//! A process that has a POSIX queue open is affected neither by its mode nor by the removal of its
//! name, and a removed name cannot be restored. So the queue is removed only if the kernel grants a
//! lease, which proves that no other process has it open. A second lease detects a process that opened
//! it between the first one and the removal of the name. Then its messages are still received until it
//! closes the queue.

use nix::errno::Errno;

use super::call::{CallError, CallName};
use super::channel::Channel;
use super::limits::Limit;
use super::namespace::Namespace;
use super::posix::lease::{Lease, Refused};
use super::posix::{file, mq, mq_calls};
use super::sysv::msg;
use crate::ipc::{CommandLine, Kind, Name, Reference, Target};

/// A queue that accepts no messages.
#[derive(Debug)]
pub struct Closed(Way);

#[derive(Debug)]
enum Way {
    /// The queue with this id has no room; before, it had this many bytes.
    NoRoom(i32, u64),
    /// At the time of the check, no other process had it open.
    Alone(Name),
}

/// Why a queue cannot be closed or removed.
#[derive(Debug, thiserror::Error)]
pub enum Kept {
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] CallError),
    /// It has messages again.
    #[error("messages keep coming")]
    Refilled,
    /// Its `msg_qbytes` are above the limit, so its owner could not restore them.
    #[error("its max_bytes, {0}, are above msgmnb, so its owner could not restore them (EPERM)")]
    TooLarge(u64),
    /// Its `msg_qbytes` are 0 already.
    #[error(
        "it accepts no messages: another --then-rm is emptying it, or was killed before it finished"
    )]
    Closed,
    /// A process has it open.
    #[error("a process has it open, and could still send to it after its name is removed")]
    InUse,
    /// The name is gone or belongs to another queue now.
    #[error("its name was removed meanwhile")]
    Gone,
    /// The kernel does not show whether a process uses it; with the reason.
    #[error("{0}")]
    Unknown(String),
}

impl From<Refused> for Kept {
    fn from(refused: Refused) -> Kept {
        match refused {
            Refused::InUse => Kept::InUse,
            Refused::Gone => Kept::Gone,
            Refused::Unknown(_) => Kept::Unknown(refused.to_string()),
        }
    }
}

/// The result of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The queue is removed.
    Gone,
    /// The name is removed, but a process opened the queue just before and can still send to it.
    Nameless,
}

impl Closed {
    /// Closes a queue to senders. On failure nothing has changed.
    pub fn close(queue: &Reference, channel: &Channel) -> Result<Closed, Kept> {
        let id = match (channel, &queue.target) {
            (Channel::SystemV(id), _) => *id,
            (Channel::Posix(open), Target::Name(name)) => {
                open.check_removable()?;
                Lease::of_open(open.file())?;
                return Ok(Closed(Way::Alone(name.clone())));
            }
            (Channel::Posix(_), _) => return Err(Kept::Gone),
        };
        let bytes = msg::max_bytes(id)?;
        if bytes == 0 {
            return Err(Kept::Closed);
        }
        // Setting the same value changes nothing, but shows whether the old value could be restored.
        msg::set_max_bytes(id, bytes).map_err(|error| {
            let is_over = Limit::Msgmnb.value().is_some_and(|most| bytes > most);
            match error.errno {
                Errno::EPERM if is_over => Kept::TooLarge(bytes),
                _ => Kept::Failed(error),
            }
        })?;
        msg::set_max_bytes(id, 0)?;
        Ok(Closed(Way::NoRoom(id, bytes)))
    }

    /// Reopens the queue to senders, with its old capacity.
    pub fn reopen(&self) -> Result<(), CallError> {
        match &self.0 {
            Way::NoRoom(id, bytes) => msg::set_max_bytes(*id, *bytes).map(drop),
            Way::Alone(_) => Ok(()),
        }
    }

    /// The command that reopens the queue.
    pub fn remedy(&self) -> Option<String> {
        match &self.0 {
            Way::NoRoom(id, bytes) => {
                let open = CommandLine::new("ipctool limits --queue-bytes").word(bytes);
                Some(open.word(Reference::id(Kind::Msg, *id)).to_string())
            }
            Way::Alone(_) => None,
        }
    }

    /// Removes the queue if it is empty and closed.
    pub fn remove(&self, namespace: &Namespace, channel: &Channel) -> Result<Removal, Kept> {
        match (&self.0, channel) {
            // Another process has given it room again.
            (Way::NoRoom(id, _), _) if msg::read(*id)?.messages > 0 => Err(Kept::Refilled),
            (Way::NoRoom(id, _), _) => {
                msg::remove(*id)?;
                Ok(Removal::Gone)
            }
            (Way::Alone(name), Channel::Posix(open)) => remove_alone(namespace, name, open),
            (Way::Alone(_), Channel::SystemV(_)) => Err(Kept::Gone),
        }
    }
}

fn remove_alone(
    namespace: &Namespace,
    name: &Name,
    open: &mq_calls::Open,
) -> Result<Removal, Kept> {
    // The lease must not be held during the removal: a process that opens a leased queue waits, and
    // holds the lock that `mq_unlink` needs.
    Lease::of_open(open.file())?;
    if open.messages()? > 0 {
        return Err(Kept::Refilled);
    }
    let identity = open
        .identity()
        .map_err(|error| CallError { name: CallName::Fstat, errno: file::errno(&error) })?;
    match mq::unlink_file(namespace.queues(), name, identity) {
        Err(error) if error.errno == Errno::ENOENT => return Err(Kept::Gone),
        unlinked => unlinked?,
    }
    // A process that opened it in between still has it open, or may have sent a message and closed it.
    let is_gone = Lease::of_open(open.file()).is_ok() && open.messages()? == 0;
    Ok(if is_gone { Removal::Gone } else { Removal::Nameless })
}

/// Whether no other process has the queue open. False if that is not certain.
pub fn is_alone(channel: &Channel) -> bool {
    matches!(channel, Channel::Posix(open) if Lease::of_open(open.file()).is_ok())
}
