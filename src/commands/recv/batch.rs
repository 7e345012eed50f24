//! Messages in hand: taken, and not yet written out.

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

/// At most this many bytes are taken before they are written: enough to save system calls, and not
/// more than must find room on the queue again when they cannot be written.
const ENOUGH: usize = 64 * 1024;

/// What [`Batch::give_back_memory`] gives: enough for all that happens to messages that cannot be
/// written out. The C library hands it out again in small pieces.
const SPARE: usize = 96 * 1024;

/// Messages one behind the other in one buffer, each as the kernel wrote it, and their text.
pub(super) struct Batch {
    presentation: Presentation,
    arena: Vec<u8>,
    /// Where each message starts, and how long it is with its type.
    taken: Vec<(usize, usize)>,
    /// Where the next one goes.
    end: usize,
    /// The largest payload that there is room for.
    capacity: usize,
    text: Vec<u8>,
    /// The longest text of a message with as many bytes.
    longest: usize,
    /// Where the text of each message ends.
    text_ends: Vec<usize>,
    /// With so much text it is full.
    enough: usize,
    spare: Vec<u8>,
}

/// Some messages could not be written out.
pub(super) struct Undelivered {
    /// How many, from the end.
    pub messages: u64,
    /// Why.
    pub error: io::Error,
}

/// Why no message was taken.
pub(super) enum Untaken {
    /// There is none, or it ended in another way.
    Stopped(Stopped),
    /// There is no memory for one with so many bytes.
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
            longest: presentation.most(capacity),
            text_ends: Vec::new(),
            enough: 0,
            spare: Vec::new(),
        }
    }

    pub fn len(&self) -> u64 {
        self.taken.len() as u64
    }

    /// From now on it is full when its text has as many bytes, and with one message in any case.
    pub fn limit(&mut self, bytes: usize) {
        self.enough = bytes.min(ENOUGH);
    }

    /// How many bytes there are to write.
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

    /// The type and payload of each message.
    pub fn messages(&self) -> impl Iterator<Item = (i64, &[u8])> {
        self.raw().map(|message| (type_of(message), &message[TYPE_SIZE..]))
    }

    fn raw(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator + Clone {
        self.taken.iter().map(|&(start, length)| &self.arena[start..start + length])
    }

    /// The last `count` messages, as the kernel wrote them.
    pub fn last(&self, count: u64) -> impl Iterator<Item = &[u8]> + Clone {
        self.raw().skip(self.taken.len() - count as usize)
    }

    /// Takes one message if there is one.
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

    /// Copies the message at this place in the queue; returns its type. It gets its text by
    /// [`Batch::present`].
    pub fn peek(&mut self, channel: &Channel, place: i64) -> Result<i64, Untaken> {
        self.add(|buffer| channel.peek(place, buffer).map_err(Stopped::Failed))?;
        Ok(self.raw().next_back().map_or(0, type_of))
    }

    /// Adds what `receive` writes into the buffer, which grows until the message fits: no message
    /// is ever cut. Nothing is received for which there is no memory.
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

    /// Has all the memory that one more message can take: for itself, for its text, and for saving it.
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

    /// Gives back what was reserved for messages that cannot be written out. The next one that is taken
    /// reserves it again.
    pub fn give_back_memory(&mut self) {
        self.spare = Vec::new();
    }

    /// The same with all memory that holds no message.
    pub fn shrink(&mut self) {
        self.clear();
        self.arena = Vec::new();
        self.text = Vec::new();
        self.give_back_memory();
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

    /// Gives all messages their text.
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
        self.presentation.append(from, number, payload, &mut self.text);
        self.text_ends.push(self.text.len());
    }

    /// Writes all messages out. They stay in hand.
    pub fn write(&self, out: &mut Interruptible) -> Result<(), Undelivered> {
        let mut written = 0;
        while written < self.text.len() {
            let error = match out.write(&self.text[written..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(error) => error,
            };
            let delivered = self.text_ends.partition_point(|&end| end <= written);
            let whole = delivered.checked_sub(1).map_or(0, |last| self.text_ends[last]);
            // The next line would be taken for the rest of this one.
            outlet::cut_back(&out.0, (written - whole) as u64);
            return Err(Undelivered { messages: (self.taken.len() - delivered) as u64, error });
        }
        Ok(())
    }
}
