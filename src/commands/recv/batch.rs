//! Messages in hand: taken off the queue and not yet written out.

use std::collections::TryReserveError;
use std::io::{self, Write};
use std::time::Duration;

use crate::ipc::message::{TYPE_SIZE, Wanted, type_of};
use crate::kernel::channel::Channel;
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::outlet;
use crate::kernel::signals::wait::{self, Stopped};
use crate::kernel::{CallError, Errno};
use crate::output::message::{From, Presentation};

/// How many bytes are taken before they are written. More would save few system calls, and they all need
/// room on the queue again if they cannot be written.
const ENOUGH: usize = 64 * 1024;

/// The bytes that [`Batch::give_back_memory`] frees: enough to save messages that cannot be written out.
/// The C library reuses them for small allocations.
const SPARE: usize = 96 * 1024;

/// Messages one after the other in one buffer, each as the kernel wrote it, and their text.
pub(super) struct Batch {
    presentation: Presentation,
    arena: Vec<u8>,
    /// The offset of each message, and its length including the type.
    taken: Vec<(usize, usize)>,
    /// The offset of the next message.
    end: usize,
    /// The largest payload that the buffer has room for.
    capacity: usize,
    text: Vec<u8>,
    /// Whether the heading is in the text, or was written before.
    has_heading: bool,
    /// The longest text that a message of `capacity` bytes can have.
    longest: usize,
    /// The offset at which the text of each message ends.
    text_ends: Vec<usize>,
    /// The batch is full with this many bytes of text.
    enough: usize,
    spare: Vec<u8>,
}

/// Called with the type and payload of a message.
pub(super) type Announce<'a> = &'a dyn Fn(i64, &[u8]);

/// Messages that could not be written out.
pub(super) struct Undelivered {
    /// How many, counted from the end.
    pub messages: u64,
    /// Why.
    pub error: io::Error,
}

/// Why no message was taken.
pub(super) enum Untaken {
    /// There is none, or the call failed or was interrupted.
    Stopped(Stopped),
    /// There is no memory for a message of this many bytes.
    NoMemory(usize),
}

impl Batch {
    /// A batch whose first messages may have `capacity` bytes each.
    pub fn new(presentation: Presentation, capacity: usize) -> Batch {
        Batch {
            presentation,
            arena: Vec::new(),
            taken: Vec::new(),
            end: 0,
            capacity,
            text: Vec::new(),
            has_heading: false,
            longest: presentation.most(capacity),
            text_ends: Vec::new(),
            enough: 0,
            spare: Vec::new(),
        }
    }

    pub fn len(&self) -> u64 {
        self.taken.len() as u64
    }

    /// Sets the bytes of text with which the batch is full. It always takes at least one message.
    pub fn limit(&mut self, bytes: usize) {
        self.enough = bytes.min(ENOUGH);
    }

    /// How many bytes of text there are to write.
    pub fn text_length(&self) -> usize {
        self.text.len()
    }

    pub fn is_full(&self) -> bool {
        !self.taken.is_empty() && (self.text.len() >= self.enough || self.end >= ENOUGH)
    }

    pub fn clear(&mut self) {
        self.taken.clear();
        self.end = 0;
        self.text.clear();
        self.text_ends.clear();
    }

    /// The type and payload of the message at this place.
    fn message(&self, place: usize) -> (i64, &[u8]) {
        let (start, length) = self.taken[place];
        let message = &self.arena[start..start + length];
        (type_of(message), &message[TYPE_SIZE..])
    }

    fn raw(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator + Clone {
        self.taken.iter().map(|&(start, length)| &self.arena[start..start + length])
    }

    /// The last `count` messages, as the kernel wrote them.
    pub fn last(&self, count: u64) -> impl Iterator<Item = &[u8]> + Clone {
        self.raw().skip(self.taken.len() - count as usize)
    }

    /// Takes one message without waiting.
    #[inline]
    pub fn take(
        &mut self,
        from: &From<'_>,
        channel: &Channel,
        wanted: Wanted,
    ) -> Result<(), Untaken> {
        self.add(|buffer| channel.receive(wanted, buffer).map_err(Stopped::Failed))?;
        self.append_text(from, self.taken.len() - 1);
        Ok(())
    }

    /// Waits for a message and takes it.
    pub fn wait(
        &mut self,
        from: &From<'_>,
        channel: &Channel,
        wanted: Wanted,
        timeout: Option<Duration>,
    ) -> Result<(), Untaken> {
        let deadline = wait::deadline(timeout);
        self.add(|buffer| channel.receive_waiting(wanted, buffer, deadline))?;
        self.append_text(from, self.taken.len() - 1);
        Ok(())
    }

    /// Copies the message at this place in the queue and returns its type. [`Batch::present`] adds its text
    /// later.
    pub fn peek(&mut self, channel: &Channel, place: i64) -> Result<i64, Untaken> {
        self.add(|buffer| channel.peek(place, buffer).map_err(Stopped::Failed))?;
        Ok(self.raw().next_back().map_or(0, type_of))
    }

    /// Adds the message that `receive` writes into the buffer. The buffer grows until the message fits, so no
    /// message is ever cut. All memory is reserved before the message is taken.
    #[inline]
    fn add(
        &mut self,
        mut receive: impl FnMut(&mut [u8]) -> Result<usize, Stopped>,
    ) -> Result<(), Untaken> {
        loop {
            self.reserve().map_err(|_| Untaken::NoMemory(self.capacity))?;
            let room = self.end + TYPE_SIZE + self.capacity;
            match receive(&mut self.arena[self.end..room]) {
                Ok(size) => {
                    let length = TYPE_SIZE + size;
                    self.taken.push((self.end, length));
                    self.end += length;
                    return Ok(());
                }
                Err(Stopped::Failed(CallError { errno: Errno::E2BIG, .. })) => {
                    self.capacity = self.capacity.saturating_mul(2);
                    self.longest = self.presentation.most(self.capacity);
                }
                Err(stopped) => return Err(Untaken::Stopped(stopped)),
            }
        }
    }

    /// Reserves all memory that one more message can need: for its bytes, its text, and for saving it.
    #[inline]
    fn reserve(&mut self) -> Result<(), TryReserveError> {
        let has_room = self.arena.len() - self.end >= TYPE_SIZE + self.capacity
            && self.text.capacity() - self.text.len() >= self.longest
            && self.taken.len() < self.taken.capacity()
            && self.text_ends.len() < self.text_ends.capacity()
            && self.spare.capacity() > 0;
        if has_room { Ok(()) } else { self.reserve_more() }
    }

    #[cold]
    fn reserve_more(&mut self) -> Result<(), TryReserveError> {
        let room = self.end + TYPE_SIZE + self.capacity;
        if self.arena.len() < room {
            let filled = self.arena.len();
            self.arena.try_reserve(room.max(ENOUGH + TYPE_SIZE + self.capacity) - filled)?;
            self.arena.resize(self.arena.capacity(), 0);
        }
        self.text.try_reserve(self.longest)?;
        self.taken.try_reserve(1)?;
        self.text_ends.try_reserve(1)?;
        self.spare.try_reserve_exact(SPARE)
    }

    /// Frees the memory reserved for saving messages, so that it can be used for that. The next message
    /// reserves it again.
    pub fn give_back_memory(&mut self) {
        self.spare = Vec::new();
    }

    /// Clears the batch and frees all its memory.
    pub fn shrink(&mut self) {
        self.clear();
        self.arena = Vec::new();
        self.text = Vec::new();
        self.give_back_memory();
    }

    /// Removes the message that was added last.
    pub fn drop_last(&mut self) {
        if let Some((start, _)) = self.taken.pop() {
            self.end = start;
        }
    }

    /// Sorts messages by type and keeps the first `limit`.
    pub fn sort_by_type(&mut self, limit: u64) {
        let arena = &self.arena;
        self.taken.sort_by_key(|&(start, _)| type_of(&arena[start..]));
        self.taken.truncate(limit.try_into().unwrap_or(usize::MAX));
    }

    /// Creates the text of all messages.
    pub fn present(&mut self, from: &From<'_>) {
        self.text.clear();
        self.text_ends.clear();
        (0..self.taken.len()).for_each(|place| self.append_text(from, place));
    }

    #[inline]
    fn append_text(&mut self, from: &From<'_>, place: usize) {
        let (start, length) = self.taken[place];
        let message = &self.arena[start..start + length];
        let (number, payload) = (type_of(message), &message[TYPE_SIZE..]);
        if !self.has_heading {
            self.has_heading = true;
            self.presentation.append_heading(from.kind, &mut self.text);
        }
        self.presentation.append(from, number, payload, &mut self.text);
        self.text_ends.push(self.text.len());
    }

    /// Writes the text of all messages. They stay in the batch. If `announce` is given, it gets the type and
    /// payload of each message right before that message is written.
    pub fn write(
        &self,
        out: &mut Interruptible,
        announce: Option<Announce<'_>>,
    ) -> Result<(), Undelivered> {
        let mut written = 0;
        let mut announced = 0;
        while written < self.text.len() {
            let mut end = self.text.len();
            if let Some(announce) = announce {
                // The text of a message may be empty, and is then done already.
                while announced == 0 || self.text_ends[announced - 1] <= written {
                    let (number, payload) = self.message(announced);
                    announce(number, payload);
                    announced += 1;
                }
                end = self.text_ends[announced - 1];
            }
            let error = match out.write(&self.text[written..end]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(error) => error,
            };
            let delivered = self.text_ends.partition_point(|&end| end <= written);
            let whole = delivered.checked_sub(1).map_or(0, |last| self.text_ends[last]);
            // Without this, the next line in the file would seem to belong to the cut message.
            outlet::cut_back(&out.0, (written - whole) as u64);
            return Err(Undelivered { messages: (self.taken.len() - delivered) as u64, error });
        }
        if let Some(announce) = announce {
            for place in announced..self.taken.len() {
                let (number, payload) = self.message(place);
                announce(number, payload);
            }
        }
        Ok(())
    }
}
