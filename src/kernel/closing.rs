//! Removing a queue so that no message is lost: nobody can send any more, it is emptied, and only then
//! it goes. `msgctl(2)`, `F_SETLEASE` in `fcntl(2)`.
//!
//! A System V queue gets no room: with a `msg_qbytes` of 0 it takes not even an empty message, whoever
//! sends it, and whoever waits for room learns from `EIDRM` that nothing was sent. A mode would not do:
//! it does not stop the privileged.
//!
//! Of a POSIX queue neither the mode nor the name matters to a process that has it open, and its name
//! cannot be put back once it is gone. So it is removed only if the kernel grants a lease, which says that
//! no other process has it open. Whoever opens it between that and the end of its name is found by one
//! more lease, and then what they send is still taken until they close it.

use nix::errno::Errno;

use super::call::{CallError, CallName};
use super::channel::Channel;
use super::limits::Limit;
use super::namespace::Namespace;
use super::posix::lease::{Lease, Refused};
use super::posix::{file, mq, mq_calls};
use super::sysv::msg;
use crate::ipc::{CommandLine, Kind, Name, Reference, Target};

/// A queue to which nobody sends.
#[derive(Debug)]
pub struct Closed(Way);

#[derive(Debug)]
enum Way {
    /// The one with this id has no room; it had so many bytes.
    NoRoom(i32, u64),
    /// When this was looked at, no other process had it open.
    Alone(Name),
}

/// Why a queue cannot be closed, or not be removed now.
#[derive(Debug, thiserror::Error)]
pub enum Kept {
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] CallError),
    /// It has messages.
    #[error("messages keep coming")]
    Refilled,
    /// It has so many bytes of room, which its owner could not give back.
    #[error(
        "its room, {0} bytes, is over msgmnb, so that its owner could not give it back (EPERM)"
    )]
    TooLarge(u64),
    /// It has no room already.
    #[error(
        "it takes no messages: another --then-rm is emptying it, or was killed before it ended"
    )]
    Closed,
    /// A process has it open.
    #[error("a process has it open, and can send to it whoever removes its name")]
    InUse,
    /// The name is that of another queue now, or gone.
    #[error("its name was removed meanwhile")]
    Gone,
    /// The kernel does not say who uses it.
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

/// What became of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Gone,
    /// Its name is gone. A process has opened it at that very moment, and could send to it.
    Nameless,
}

impl Closed {
    /// Closes a queue to senders. Nothing has changed where that fails.
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
        // What changes nothing tells whether it can be undone.
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

    /// Lets others send again, as it was.
    pub fn reopen(&self) -> Result<(), CallError> {
        match &self.0 {
            Way::NoRoom(id, bytes) => msg::set_max_bytes(*id, *bytes).map(drop),
            Way::Alone(_) => Ok(()),
        }
    }

    /// What lets others send again, as a command.
    pub fn remedy(&self) -> Option<String> {
        match &self.0 {
            Way::NoRoom(id, bytes) => {
                let open = CommandLine::new("ipctool limits --queue-bytes").word(bytes);
                Some(open.word(Reference::id(Kind::Msg, *id)).to_string())
            }
            Way::Alone(_) => None,
        }
    }

    /// Removes the queue if it is empty and nobody can send.
    pub fn remove(&self, namespace: &Namespace, channel: &Channel) -> Result<Removal, Kept> {
        match (&self.0, channel) {
            // Somebody has given it room.
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
    // The lease is not held while the name goes: whoever opens a queue that is leased waits, and with
    // the lock that `mq_unlink` needs.
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
    // Who opened it since has it open now, or has sent and gone again.
    let is_gone = Lease::of_open(open.file()).is_ok() && open.messages()? == 0;
    Ok(if is_gone { Removal::Gone } else { Removal::Nameless })
}

/// Whether no other process has the queue open; unless that is certain, one may have.
pub fn is_alone(channel: &Channel) -> bool {
    matches!(channel, Channel::Posix(open) if Lease::of_open(open.file()).is_ok())
}
