//! The content of one object, on its way into a dump.

use std::io::Write;
use std::ops::Range;

use super::{Dump, Out, Stop, VERB, sync};
use crate::commands::print_error;
use crate::commands::progress::Progress;
use crate::dump::{Described, PIECE, Writer};
use crate::explain::{Failure, Reason};
use crate::ipc::message::{Message, TYPE_SIZE, Wanted};
use crate::ipc::posix::MemoryStatus;
use crate::ipc::{Kind, Object, Queue, Reference, count};
use crate::kernel::channel::{Channel, is_empty};
use crate::kernel::io::os_error;
use crate::kernel::shared_memory::{Access, SharedMemory};
use crate::kernel::sysv::{msg, sem};
use crate::kernel::{CallError, Errno, Namespace, signals};
use crate::rescue::rescue;

/// An object that is open to be read.
pub(super) enum Content<'a> {
    /// All is in its line.
    Nothing,
    /// A System V queue, as it was at the start.
    Messages(Queue),
    /// A POSIX queue from which so many messages are taken.
    Taken(Reference, Channel, u64),
    /// Memory.
    Memory(Reference, SharedMemory, &'a Namespace),
}

impl<'a> Content<'a> {
    /// Opens an object, and adds to its line what is special to its kind. Fails if it cannot be read.
    pub fn open(
        dump: &Dump<'a>,
        object: &Object,
        line: &mut Described,
    ) -> Result<Content<'a>, Failure> {
        let reference = object.reference();
        let failed = |error| Failure::of_access(VERB, &reference, 4, error);
        let refused = |what: &str| Failure::new(VERB, &reference, what, Reason::Failed);
        match object {
            Object::Queue(queue) => {
                msg::check_readable(queue.id).map_err(failed)?;
                let queue = msg::read(queue.id).map_err(failed)?;
                line.max_bytes = queue.max_bytes;
                (line.bytes, line.messages) = (Some(queue.bytes), Some(queue.messages));
                Ok(Content::Messages(queue))
            }
            Object::SemaphoreSet(set) => {
                line.values = Some(sem::values(set.id, set.nsems).map_err(failed)?);
                Ok(Content::Nothing)
            }
            Object::PosixSemaphore(semaphore) => {
                let unreadable = || refused("it holds no semaphore that can be read");
                line.value = Some(semaphore.state.ok_or_else(unreadable)?.value);
                Ok(Content::Nothing)
            }
            Object::Segment(_) | Object::PosixMemory(_) => {
                if object.memory().is_some_and(|memory| memory.status != MemoryStatus::Named) {
                    return Err(refused("a file in a subdirectory is no object"));
                }
                let memory = SharedMemory::open(dump.namespace, &reference, Access::Read);
                let memory = memory.map_err(failed)?;
                line.size = Some(memory.size());
                Ok(Content::Memory(reference, memory, dump.namespace))
            }
            Object::PosixQueue(queue) => {
                let channel = Channel::for_receiving(dump.namespace, &reference).map_err(failed)?;
                line.max_messages = queue.max_messages;
                line.message_size = queue.message_size;
                line.messages = queue.messages;
                match queue.messages {
                    Some(0) => Ok(Content::Nothing),
                    number if dump.take => {
                        Ok(Content::Taken(reference, channel, number.unwrap_or(u64::MAX)))
                    }
                    number => {
                        let number = number.map(|number| count(number, "message"));
                        let number = number.unwrap_or_else(|| "messages".to_owned());
                        let what =
                            format!("it holds {number}, which cannot be read without taking them");
                        Err(refused(&what).with_hint("to take them into the dump: --take"))
                    }
                }
            }
        }
    }

    /// Writes it.
    pub fn write(self, writer: &mut Writer<Out>) -> Result<(), Stop> {
        match self {
            Content::Nothing => Ok(()),
            Content::Messages(queue) => write_messages(&queue, writer),
            Content::Taken(reference, channel, most) => take(&reference, &channel, most, writer),
            Content::Memory(reference, memory, namespace) => {
                write_memory(&reference, &memory, namespace, writer)
            }
        }
    }
}

/// Ends a dump after a signal.
fn check_signals() -> Result<(), Stop> {
    signals::pending().map_or(Ok(()), |signal| Err(Stop::Signal(signal)))
}

/// Copies the messages of a queue in their order.
fn write_messages(before: &Queue, writer: &mut Writer<Out>) -> Result<(), Stop> {
    let (id, reference) = (before.id, Reference::id(Kind::Msg, before.id));
    let name = reference.to_string();
    let failed = |error| Stop::Object(Failure::of_peek(VERB, &reference, error));
    let mut progress = Progress::of_peeking(VERB, &reference, before.messages);
    let mut buffer = vec![0; TYPE_SIZE + 512];
    let mut number = 0;
    let mut ends: Option<(Message, Message)> = None;
    loop {
        match msg::peek_whole(id, number, &mut buffer) {
            Ok(size) => {
                let message = Message::from_bytes(&buffer[..TYPE_SIZE + size]);
                writer.message(Kind::Msg, &name, &message)?;
                number += 1;
                match &mut ends {
                    None => ends = Some((message.clone(), message)),
                    Some((_, last)) => *last = message,
                }
                progress.advance_to(number as u64);
            }
            Err(error) if is_empty(&error) => break,
            Err(error) => return Err(failed(error)),
        }
        check_signals()?;
    }
    drop(progress);
    // If some were taken from the start, all others have moved.
    let mut is_at = |place: i64, message: &Message| {
        let size = msg::peek(id, place, &mut buffer);
        size.is_ok_and(|size| buffer[..TYPE_SIZE + size] == *message.as_bytes())
    };
    let has_moved =
        ends.is_some_and(|(first, last)| !is_at(0, &first) || !is_at(number - 1, &last));
    let after = msg::read(id).map_err(failed)?;
    warn_changes(&reference, before, number as u64, &after, has_moved);
    Ok(())
}

/// Says if the queue was in use meanwhile.
fn warn_changes(reference: &Reference, before: &Queue, read: u64, after: &Queue, has_moved: bool) {
    let sent = |queue: &Queue| (queue.last_send, queue.last_send_pid);
    let received = |queue: &Queue| (queue.last_recv, queue.last_recv_pid);
    let number = before.messages.abs_diff(read).max(after.messages.abs_diff(read));
    let are_received = has_moved || received(before) != received(after);
    let what = match number {
        0 if sent(before) == sent(after) && !are_received => return,
        0 => "messages came or went meanwhile".to_owned(),
        number => format!("{} came or went meanwhile", count(number, "message")),
    };
    let loss = if are_received { ", and some may be missing" } else { "" };
    print_error(format_args!("{VERB} {reference}: {what}{loss}; --lock keeps others away"));
}

/// Takes so many messages of a queue, each when it is written. Those that others send meanwhile stay.
fn take(
    reference: &Reference,
    channel: &Channel,
    most: u64,
    writer: &mut Writer<Out>,
) -> Result<(), Stop> {
    let name = reference.to_string();
    let mut buffer = vec![0; TYPE_SIZE + 8192];
    // Before anything is taken it must be sure that something can be written.
    writer.out().flush()?;
    let mut taken = 0;
    while taken < most {
        check_signals()?;
        let size = match channel.receive(Wanted::Any, &mut buffer) {
            Ok(size) => size,
            Err(CallError { errno: Errno::EMSGSIZE, .. }) => {
                buffer.resize(2 * buffer.len(), 0);
                continue;
            }
            Err(error) if is_empty(&error) => return Ok(()),
            Err(error) => return Err(Failure::of_call(VERB, reference, error).into()),
        };
        let message = Message::from_bytes(&buffer[..TYPE_SIZE + size]);
        let written = writer
            .message(reference.kind, &name, &message)
            .and_then(|()| writer.out().flush())
            .and_then(|()| sync(writer.out().get_ref()));
        if let Err(error) = written {
            let fate = rescue(channel, [message.as_bytes()].into_iter());
            print_error(format_args!("{VERB} {reference}: a message cannot be written; {fate}"));
            return Err(error.into());
        }
        taken += 1;
    }
    Ok(())
}

/// Where there is something else than zeros: blocks next to each other as one.
fn parts(bytes: &[u8]) -> Vec<Range<usize>> {
    /// Shorter runs of zeros are not worth a line.
    const BLOCK: usize = 1 << 10;
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (number, block) in bytes.chunks(BLOCK).enumerate() {
        let (start, end) = (number * BLOCK, number * BLOCK + block.len());
        match parts.last_mut() {
            _ if block.iter().all(|&byte| byte == 0) => {}
            Some(last) if last.end == start => last.end = end,
            _ => parts.push(start..end),
        }
    }
    parts
}

/// Writes the bytes of memory that are not zeros.
fn write_memory(
    reference: &Reference,
    memory: &SharedMemory,
    namespace: &Namespace,
    writer: &mut Writer<Out>,
) -> Result<(), Stop> {
    let failed = |what: String| Failure::new(VERB, reference, what, Reason::Failed);
    let size = memory.size();
    let mut progress = Progress::of_bytes(size).unless_seen();
    let mut bytes = vec![0; PIECE];
    let mut place = 0;
    while place < size {
        let (part, is_data) = memory.first_part(namespace, place..size);
        if !is_data {
            place = part.end;
        }
        while place < part.end {
            let length = PIECE.min((part.end - place) as usize);
            match memory.read_at(&mut bytes[..length], place) {
                Ok(0) => {
                    let now = memory.size_now();
                    let what = format!("it was truncated meanwhile, from {size} to {now} bytes");
                    return Err(failed(what).into());
                }
                Ok(read) => {
                    for part in parts(&bytes[..read]) {
                        writer.piece(place + part.start as u64, &bytes[part])?;
                    }
                    place += read as u64;
                }
                Err(error) => {
                    let what = format!("cannot read its memory: {}", os_error::describe(&error));
                    return Err(failed(what).into());
                }
            }
            progress.advance_to(place);
            check_signals()?;
        }
        check_signals()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_left_out() {
        let mut bytes = vec![0; 5000];
        assert!(parts(&bytes).is_empty() && parts(&[]).is_empty());
        bytes[1024] = 1;
        bytes[3071] = 1;
        bytes[4999] = 1;
        assert_eq!(parts(&bytes), [1024..3072, 4096..5000]);
    }
}
