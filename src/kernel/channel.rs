//! A message queue of either kind, for sending and receiving.

use std::time::Instant;

use nix::errno::Errno;

use super::call::{CallError, CallName};
use super::namespace::Namespace;
use super::posix::mq_calls;
use super::signals::wait::Waited;
use super::sysv::msg;
use crate::ipc::message::{Label, TYPE_SIZE, Wanted, set_type, type_of};
use crate::ipc::{Kind, Mode, Reference, Target};

/// An accessible queue. Its messages start with their type or priority, as in [`crate::ipc::message`].
#[derive(Debug)]
pub enum Channel {
    /// A System V queue, by its id.
    SystemV(i32),
    /// An open POSIX queue. It has no types: the oldest message with the highest priority comes first.
    Posix(mq_calls::Open),
}

impl Channel {
    /// Opens the queue that a reference names, to send messages.
    pub fn for_sending(namespace: &Namespace, queue: &Reference) -> Result<Channel, CallError> {
        match &queue.target {
            Target::Name(name) => Ok(Channel::Posix(mq_calls::open(name, libc::O_WRONLY)?)),
            // Finding the id by key needs no permission.
            Target::Id(_) | Target::Key(_) => Ok(Channel::SystemV(namespace.id(queue)?)),
        }
    }

    /// Opens the queue that a reference names, to receive messages and, if permitted, put them back.
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

    /// Creates a queue with this key or name, or opens the existing one. A reference by id creates
    /// nothing.
    pub fn create(queue: &Reference, mode: Mode) -> Result<Channel, CallError> {
        match &queue.target {
            Target::Name(name) => Ok(Channel::Posix(mq_calls::create(name, None, mode, false)?.0)),
            Target::Key(key) => Ok(Channel::SystemV(msg::create(*key, mode, false)?)),
            Target::Id(id) => Ok(Channel::SystemV(*id)),
        }
    }

    /// Sends a message if there is room for it now; otherwise `EAGAIN`.
    #[inline]
    pub fn send(&self, message: &[u8]) -> Result<(), CallError> {
        match self {
            Channel::SystemV(id) => msg::send(*id, message),
            Channel::Posix(queue) => queue.send(priority_of(message), &message[TYPE_SIZE..]),
        }
    }

    /// Sends a message; waits for room until the deadline, or without limit if there is none.
    pub fn send_waiting(&self, message: &[u8], deadline: Option<Instant>) -> Waited<()> {
        match self {
            Channel::SystemV(id) => msg::send_waiting(*id, message, deadline),
            Channel::Posix(queue) => {
                queue.send_waiting(priority_of(message), &message[TYPE_SIZE..], deadline)
            }
        }
    }

    /// Receives a message into `buffer`; returns the length of its payload. [`is_empty`] recognizes the
    /// error for "no message". `E2BIG` if the next message is larger than the buffer; it stays on the
    /// queue.
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

    /// [`Channel::receive`] that waits for a message until the deadline, or without limit if there is
    /// none.
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

    /// Puts messages back at the end of the queue, without waiting, as long as there is room; returns
    /// how many of the first ones are on it. Returns 0 if the queue was removed meanwhile: the messages
    /// were destroyed with it.
    pub fn put_back<'a>(&self, messages: impl Iterator<Item = &'a [u8]>) -> usize {
        if self.is_removed() {
            return 0;
        }
        let sent = messages.take_while(|message| self.send(message).is_ok()).count();
        if self.is_removed() { 0 } else { sent }
    }

    /// Whether it was removed, so that no process can open it any more. Always false for a System V
    /// queue, for which every call reports the removal.
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

    /// The label with this number, of a message on this queue.
    pub fn label(&self, number: i64) -> Label {
        Label::of(self.kind(), number)
    }

    /// Copies the message at this position and leaves it on the queue, [`msg::peek`]. `ENOSYS` for a
    /// POSIX queue, which has no such operation.
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
    // The kernel refuses a priority out of range, too (`EINVAL`).
    type_of(message).try_into().unwrap_or(u32::MAX)
}

/// Whether this error of [`Channel::receive`] means that there is no message.
pub fn is_empty(error: &CallError) -> bool {
    matches!(error.errno, Errno::ENOMSG | Errno::EAGAIN)
}
