//! A message queue of either kind, as something that messages go into and come out of.

use std::time::Instant;

use nix::errno::Errno;

use super::call::{CallError, CallName};
use super::namespace::Namespace;
use super::posix::mq_calls;
use super::signals::wait::Waited;
use super::sysv::msg;
use crate::ipc::message::{Label, TYPE_SIZE, Wanted, set_type, type_of};
use crate::ipc::{Kind, Mode, Reference, Target};

/// A queue at hand. Its messages have their type or priority in front, as [`crate::ipc::message`]
/// lays them out.
#[derive(Debug)]
pub enum Channel {
    /// A System V queue, by its id.
    SystemV(i32),
    /// An open POSIX queue. It has no types: the oldest message of the highest priority comes first.
    Posix(mq_calls::Open),
}

impl Channel {
    /// The queue that a reference means, to put messages on it.
    pub fn for_sending(namespace: &Namespace, queue: &Reference) -> Result<Channel, CallError> {
        match &queue.target {
            Target::Name(name) => Ok(Channel::Posix(mq_calls::open(name, libc::O_WRONLY)?)),
            // Opening by key asks for no permission.
            Target::Id(_) | Target::Key(_) => Ok(Channel::SystemV(namespace.id(queue)?)),
        }
    }

    /// The queue that a reference means, to take messages off it and, where that is allowed, to put
    /// them back.
    pub fn for_receiving(namespace: &Namespace, queue: &Reference) -> Result<Channel, CallError> {
        match &queue.target {
            Target::Name(name) => match mq_calls::open(name, libc::O_RDWR) {
                Err(error) if error.errno == Errno::EACCES => {
                    Ok(Channel::Posix(mq_calls::open(name, libc::O_RDONLY)?))
                }
                opened => Ok(Channel::Posix(opened?)),
            },
            Target::Id(_) | Target::Key(_) => Ok(Channel::SystemV(namespace.id(queue)?)),
        }
    }

    /// Makes a queue with this key or name, or opens the one that has it. An id makes none.
    pub fn create(queue: &Reference, mode: Mode) -> Result<Channel, CallError> {
        match &queue.target {
            Target::Name(name) => Ok(Channel::Posix(mq_calls::create(name, None, mode, false)?.0)),
            Target::Key(key) => Ok(Channel::SystemV(msg::create(*key, mode, false)?)),
            Target::Id(id) => Ok(Channel::SystemV(*id)),
        }
    }

    /// Sends a message if there is room for it now; `EAGAIN` if not.
    #[inline]
    pub fn send(&self, message: &[u8]) -> Result<(), CallError> {
        match self {
            Channel::SystemV(id) => msg::send(*id, message),
            Channel::Posix(queue) => queue.send(priority_of(message), &message[TYPE_SIZE..]),
        }
    }

    /// Sends a message, waiting for room until the deadline, for ever without one.
    pub fn send_waiting(&self, message: &[u8], deadline: Option<Instant>) -> Waited<()> {
        match self {
            Channel::SystemV(id) => msg::send_waiting(*id, message, deadline),
            Channel::Posix(queue) => {
                queue.send_waiting(priority_of(message), &message[TYPE_SIZE..], deadline)
            }
        }
    }

    /// Takes a message into `buffer`; returns the length of its payload. [`is_empty`] tells the
    /// error that means that there is none. `E2BIG` if the next one is larger than the buffer: it
    /// stays.
    #[inline]
    pub fn receive(&self, wanted: Wanted, buffer: &mut [u8]) -> Result<usize, CallError> {
        match self {
            Channel::SystemV(id) => msg::receive(*id, wanted, buffer),
            Channel::Posix(queue) => {
                let (priority, size) = queue.receive(&mut buffer[TYPE_SIZE..])?;
                set_type(buffer, priority.into());
                Ok(size)
            }
        }
    }

    /// As [`Channel::receive`], waiting for a message until the deadline, for ever without one.
    pub fn receive_waiting(
        &self,
        wanted: Wanted,
        buffer: &mut [u8],
        deadline: Option<Instant>,
    ) -> Waited<usize> {
        match self {
            Channel::SystemV(id) => msg::receive_waiting(*id, wanted, buffer, deadline),
            Channel::Posix(queue) => {
                let taken = queue.receive_waiting(&mut buffer[TYPE_SIZE..], deadline)?;
                set_type(buffer, taken.0.into());
                Ok(taken.1)
            }
        }
    }

    /// Puts messages back at the end of the queue, without waiting, as long as there is room for them;
    /// returns how many of the first ones are on it. None are where it was removed meanwhile: they went
    /// with it.
    pub fn put_back<'a>(&self, messages: impl Iterator<Item = &'a [u8]>) -> usize {
        if self.is_removed() {
            return 0;
        }
        let sent = messages.take_while(|message| self.send(message).is_ok()).count();
        if self.is_removed() { 0 } else { sent }
    }

    /// Whether it was removed since, so that no other process can open it any more. Always false for a
    /// System V queue, of which every call reports that.
    pub fn is_removed(&self) -> bool {
        matches!(self, Channel::Posix(queue) if queue.is_removed())
    }

    /// The kind of the queue.
    fn kind(&self) -> Kind {
        match self {
            Channel::SystemV(_) => Kind::Msg,
            Channel::Posix(_) => Kind::Pmsg,
        }
    }

    /// What the number in front of a message on this queue means.
    pub fn label(&self, number: i64) -> Label {
        Label::of(self.kind(), number)
    }

    /// Copies the message at this place in the queue and leaves it there, [`msg::peek`]. There is no
    /// such operation for POSIX queues: `ENOSYS`.
    pub fn peek(&self, place: i64, buffer: &mut [u8]) -> Result<usize, CallError> {
        match self {
            Channel::SystemV(id) => msg::peek(*id, place, buffer),
            Channel::Posix(_) => {
                Err(CallError { name: CallName::MqTimedreceive, errno: Errno::ENOSYS })
            }
        }
    }
}

fn priority_of(message: &[u8]) -> u32 {
    // What is out of range is so for the kernel, too (`EINVAL`).
    type_of(message).try_into().unwrap_or(u32::MAX)
}

/// Whether this error of [`Channel::receive`] says that there is nothing to take.
pub fn is_empty(error: &CallError) -> bool {
    matches!(error.errno, Errno::ENOMSG | Errno::EAGAIN)
}
