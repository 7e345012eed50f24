//! Messages in hand: taken, and not yet written out.

use std::io::{self, Write};
use std::time::Duration;

use crate::ipc::Reference;
use crate::ipc::message::{TYPE_SIZE, Wanted, type_of};
use crate::kernel::channel::Channel;
use crate::kernel::interrupt::{self, Interruptible, Stopped, Waited};
use crate::kernel::{CallError, Errno};
use crate::output::message::Presentation;

/// This many bytes are taken before they are written: enough to save system calls, and not more
/// than must find room on the queue again when they cannot be written.
pub(super) const ENOUGH: usize = 64 * 1024;

/// Messages one behind the other in one buffer, each as the kernel wrote it.
pub(super) struct Batch {
    presentation: Presentation,
    enough: usize,
    arena: Vec<u8>,
    /// Where each message starts, and how long it is with its type.
    taken: Vec<(usize, usize)>,
    /// Where the next one goes.
    end: usize,
    /// The largest payload that there is room for.
    capacity: usize,
    text: Vec<u8>,
    /// Where the text of each message ends.
    text_ends: Vec<usize>,
}

/// Some messages could not be written out.
pub(super) struct Undelivered {
    /// How many, from the end.
    pub messages: u64,
    /// Why.
    pub error: io::Error,
}

impl Batch {
    /// A batch that is full when it has `enough` bytes. Its first messages may have `capacity` bytes
    /// each.
    pub fn new(presentation: Presentation, enough: usize, capacity: usize) -> Batch {
        Batch {
            presentation,
            enough,
            arena: Vec::new(),
            taken: Vec::new(),
            end: 0,
            capacity,
            text: Vec::new(),
            text_ends: Vec::new(),
        }
    }

    pub fn len(&self) -> u64 {
        self.taken.len() as u64
    }

    pub fn is_full(&self) -> bool {
        self.end >= self.enough
    }

    pub fn clear(&mut self) {
        self.taken.clear();
        self.end = 0;
    }

    /// The type and payload of each message.
    pub fn messages(&self) -> impl Iterator<Item = (i64, &[u8])> {
        self.raw().map(|message| (type_of(message), &message[TYPE_SIZE..]))
    }

    fn raw(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.taken.iter().map(|&(start, length)| &self.arena[start..start + length])
    }

    /// The last `count` messages, as the kernel wrote them.
    pub fn last(&self, count: u64) -> impl Iterator<Item = &[u8]> {
        self.raw().skip(self.taken.len() - count as usize)
    }

    /// Takes one message if there is one.
    #[inline]
    pub fn take(&mut self, channel: &Channel, wanted: Wanted) -> Result<(), CallError> {
        self.add(|buffer| channel.receive(wanted, buffer), |error| Some(*error))
    }

    /// Waits for a message and takes it.
    pub fn wait(
        &mut self,
        channel: &Channel,
        wanted: Wanted,
        timeout: Option<Duration>,
    ) -> Waited<()> {
        let deadline = interrupt::deadline(timeout);
        self.add(
            |buffer| channel.receive_waiting(wanted, buffer, deadline),
            |stopped| match stopped {
                Stopped::Failed(error) => Some(*error),
                _ => None,
            },
        )
    }

    /// Copies the message at this place in the queue; returns its type.
    pub fn peek(&mut self, channel: &Channel, place: i64) -> Result<i64, CallError> {
        self.add(|buffer| channel.peek(place, buffer), |error| Some(*error))?;
        Ok(self.raw().next_back().map_or(0, type_of))
    }

    /// Adds what `receive` writes into the buffer, which grows until the message fits: no message
    /// is ever cut.
    #[inline]
    fn add<E>(
        &mut self,
        mut receive: impl FnMut(&mut [u8]) -> Result<usize, E>,
        call_error: impl Fn(&E) -> Option<CallError>,
    ) -> Result<(), E> {
        loop {
            let needed = self.end + TYPE_SIZE + self.capacity;
            if self.arena.len() < needed {
                self.arena.resize(needed.max(self.enough + TYPE_SIZE + self.capacity), 0);
            }
            match receive(&mut self.arena[self.end..needed]) {
                Ok(size) => {
                    let length = TYPE_SIZE + size;
                    self.taken.push((self.end, length));
                    self.end += length;
                    return Ok(());
                }
                Err(error) if call_error(&error).is_some_and(|e| e.errno == Errno::E2BIG) => {
                    self.capacity *= 2;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Forgets the message that was added last.
    pub fn drop_last(&mut self) {
        if let Some((start, _)) = self.taken.pop() {
            self.end = start;
        }
    }

    /// Keeps the first `limit` messages in the order of their types.
    pub fn sort_by_type(&mut self, limit: u64) {
        let arena = &self.arena;
        self.taken.sort_by_key(|&(start, _)| type_of(&arena[start..]));
        self.taken.truncate(limit.try_into().unwrap_or(usize::MAX));
    }

    /// Writes all messages out. They stay in hand.
    pub fn write(&mut self, queue: &Reference, out: &mut Interruptible) -> Result<(), Undelivered> {
        let Batch { presentation, arena, taken, text, text_ends, .. } = self;
        text.clear();
        text_ends.clear();
        for &(start, length) in taken.iter() {
            let message = &arena[start..start + length];
            presentation.append(queue, type_of(message), &message[TYPE_SIZE..], text);
            text_ends.push(text.len());
        }
        let mut written = 0;
        while written < text.len() {
            let error = match out.write(&text[written..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(error) => error,
            };
            let delivered = text_ends.partition_point(|&end| end <= written);
            return Err(Undelivered { messages: (taken.len() - delivered) as u64, error });
        }
        Ok(())
    }
}
