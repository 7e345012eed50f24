//! `ipctool send`: puts messages on a queue.

use crate::kernel::Namespace;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;

use crate::cli::{Send, Waiting};
use crate::commands::{Result, remark};
use crate::exit::Status;
use crate::explain::{Failure, Reason, Wish};
use crate::ipc::message::{Label, Message, is_expressible};
use crate::ipc::{CommandLine, Reference, Target, count};
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error;
use crate::kernel::io::stdio;
use crate::kernel::limits::Limit;
use crate::kernel::signals;
use crate::kernel::signals::wait::{self, Stopped};
use crate::kernel::sysv::msg;
use crate::kernel::{CallError, Errno};
use crate::output::{Style, message};

const VERB: &str = "send";

/// The most bytes of a record, so that an endless one does not fill the memory.
const LONGEST_RECORD: u64 = 64 << 20;

pub(super) fn run(args: Send, namespace: &Namespace, style: &Style) -> Result<Status> {
    let label = label(&args)?;
    signals::catch_signals().map_err(|error| Failure::of_preparation(VERB, &args.queue, &error))?;
    let mut sender = Sender::open(namespace, &args)?;
    let mut message = Message::new(label);
    if !args.messages.0.is_empty() {
        for text in &args.messages.0 {
            message.reset(label);
            message.payload_mut().extend_from_slice(text.as_bytes());
            sender.send(&mut message)?;
        }
        return sender.finish();
    }
    if io::stdin().is_terminal() {
        remark(style, keyboard(&args));
    }
    let stdin = stdio::standard_input().map_err(|error| sender.input_error(&error))?;
    let mut input = BufReader::with_capacity(64 * 1024, stdin);
    if !(args.lines || args.null || args.jsonl) {
        sender.read(&mut input, None, message.payload_mut())?;
        sender.send(&mut message)?;
        return sender.finish();
    }
    sender.unit = Unit::Record;
    let delimiter = Some(if args.null { 0 } else { b'\n' });
    let mut line = Vec::new();
    loop {
        message.reset(label);
        if !args.jsonl {
            if !sender.read(&mut input, delimiter, message.payload_mut())? {
                return sender.finish();
            }
        } else {
            line.clear();
            if !sender.read(&mut input, delimiter, &mut line)? {
                return sender.finish();
            }
            if line.trim_ascii().is_empty() {
                sender.number += 1;
                continue;
            }
            sender.parse(&line, &mut message)?;
        }
        sender.send(&mut message)?;
    }
}

/// What a person at the keyboard has to do.
fn keyboard(args: &Send) -> &'static str {
    match (args.lines, args.null, args.jsonl) {
        (true, ..) => "each line from the keyboard is a message; Ctrl-D ends",
        (_, true, _) => "each NUL-terminated text from the keyboard is a message; Ctrl-D ends",
        (.., true) => "each line of JSON from the keyboard is a message; Ctrl-D ends",
        (false, false, false) => {
            "reading one message from the keyboard; Ctrl-D on a new line ends it"
        }
    }
}

/// The type or priority of messages that give none themselves.
fn label(args: &Send) -> Result<Label, Failure> {
    let refused = |what: &str| Err(Failure::new(VERB, &args.queue, what, Reason::Usage));
    match (args.queue.kind.is_posix(), args.message_type, args.priority) {
        (true, Some(_), _) => refused(
            "-t is for System V queues: messages of a POSIX queue have a --priority instead of a type",
        ),
        (false, _, Some(_)) => refused(
            "--priority is for POSIX queues: messages of a System V queue have a type (-t) instead of a priority",
        ),
        (true, None, priority) => Ok(Label::Priority(priority.unwrap_or(0))),
        (false, message_type, None) => Ok(Label::Type(message_type.unwrap_or(1))),
    }
}

/// Where a message comes from, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// The whole standard input, or the only argument.
    Whole,
    /// An argument among several.
    Argument,
    /// A record of a stream.
    Record,
}

/// The largest message that a queue accepts.
#[derive(Clone, Copy, Debug)]
enum Largest {
    /// Of a System V queue: `kernel.msgmax`, and the `max_bytes` of the queue.
    OfQueue { msgmax: u64, max_bytes: u64 },
    /// Of a POSIX queue: `mq_msgsize`.
    OfMessage(u64),
}

impl Largest {
    fn on(channel: &Channel) -> Result<Largest, CallError> {
        Ok(match channel {
            Channel::SystemV(id) => Largest::OfQueue {
                msgmax: Limit::Msgmax.value().unwrap_or(u64::MAX),
                // Without permission to read it, msgsnd reports the problem.
                max_bytes: msg::max_bytes(*id).unwrap_or(u64::MAX),
            },
            Channel::Posix(queue) => Largest::OfMessage(queue.shape()?.message_size),
        })
    }

    /// Whether a message of this many bytes fits, if others make room.
    #[inline]
    fn takes(self, size: u64) -> bool {
        match self {
            Largest::OfQueue { msgmax, max_bytes } => {
                size <= msgmax && size <= max_bytes && max_bytes > 0
            }
            Largest::OfMessage(most) => size <= most,
        }
    }
}

/// Sends messages to a queue.
struct Sender<'a> {
    reference: &'a Reference,
    channel: Channel,
    largest: Largest,
    append_nul: bool,
    waiting: &'a Waiting,
    unit: Unit,
    /// The number of the present message or record, from 1.
    number: u64,
    sent: u64,
}

impl<'a> Sender<'a> {
    fn open(namespace: &Namespace, args: &'a Send) -> Result<Sender<'a>, Failure> {
        let reference = &args.queue;
        if let (Some(_), Target::Id(_)) = (args.create, &reference.target) {
            let what =
                format!("--create needs a key (0x…) or a name (/…), but {reference} is an id");
            return Err(Failure::usage(VERB, what));
        }
        let failed = |error| Failure::of_call(VERB, reference, error);
        let channel = match (Channel::for_sending(namespace, reference), args.create) {
            // Open first: that needs no permission, while creating would need those of the mode.
            (Err(error), Some(mode)) if error.errno == Errno::ENOENT => {
                Channel::create(reference, mode).map_err(|error| match &reference.target {
                    Target::Name(_) => Failure::of_named_creation(VERB, reference, None, error),
                    Target::Key(key) => {
                        let (kind, key) = (reference.kind, *key);
                        let wish = Wish { kind, key, size: 0, mode, is_huge: false };
                        Failure::of_creation(VERB, &wish, error)
                    }
                    Target::Id(_) => failed(error),
                })?
            }
            (opened, _) => opened.map_err(failed)?,
        };
        let largest = Largest::on(&channel).map_err(failed)?;
        Ok(Sender {
            reference,
            channel,
            largest,
            append_nul: args.append_nul,
            waiting: &args.waiting,
            unit: if args.messages.0.len() > 1 { Unit::Argument } else { Unit::Whole },
            number: 1,
            sent: 0,
        })
    }

    fn send(&mut self, message: &mut Message) -> Result<(), Failure> {
        if let Some(signal) = signals::pending() {
            return Err(self.stopped(Stopped::Signal(signal)));
        }
        if self.append_nul {
            message.payload_mut().push(0);
        }
        self.check_size(message)?;
        if let Err(error) = self.channel.send(message.as_bytes()) {
            if let Some(signal) = signals::pending() {
                return Err(self.stopped(Stopped::Signal(signal)));
            }
            if error.errno != Errno::EAGAIN || self.waiting.nowait {
                return Err(self.stopped(Stopped::Failed(error)));
            }
            // The queue may have been made smaller, and then the message would wait forever.
            self.largest = Largest::on(&self.channel).unwrap_or(self.largest);
            self.check_size(message)?;
            let deadline = wait::deadline(self.waiting.timeout);
            self.channel
                .send_waiting(message.as_bytes(), deadline)
                .map_err(|stopped| self.stopped(stopped))?;
        }
        self.sent += 1;
        self.number += 1;
        Ok(())
    }

    /// Fails if the queue was removed meanwhile, because then messages may be lost.
    fn finish(&self) -> Result<Status> {
        if !self.channel.is_removed() {
            return Ok(Status::Done);
        }
        let what = format!(
            "the {} was removed meanwhile; {} sent since it was opened may be lost",
            self.reference.kind.noun(),
            count(self.sent, "message")
        );
        Err(Failure::new(VERB, self.reference, what, Reason::NothingThere).into())
    }

    /// Rejects a message that can never fit.
    #[inline]
    fn check_size(&self, message: &Message) -> Result<(), Failure> {
        let size = message.payload().len() as u64;
        if self.largest.takes(size) { Ok(()) } else { Err(self.too_large(size)) }
    }

    #[cold]
    fn too_large(&self, size: u64) -> Failure {
        let (what, hint) = match self.largest {
            Largest::OfQueue { msgmax, .. } if size > msgmax => (
                format!("a message of {size} bytes is over msgmax, {msgmax} bytes (EINVAL)"),
                format!(
                    "as root: {}",
                    CommandLine::new("ipctool limits --set").setting("msgmax", size)
                ),
            ),
            Largest::OfQueue { max_bytes, .. } => (
                format!(
                    "a message of {size} bytes never fits: the queue holds at most {max_bytes} bytes"
                ),
                self.more_room(size, max_bytes),
            ),
            Largest::OfMessage(most) => (
                format!("a message of {size} bytes is over mq_msgsize, {most} bytes (EMSGSIZE)"),
                "mq_msgsize was set when the queue was created, with --message-size of 'ipctool create'"
                    .to_owned(),
            ),
        };
        let failure = Failure::new(VERB, self.reference, what, Reason::Failed);
        self.locate(failure.with_hint(hint))
    }

    /// How to give a queue room for a message of `size` bytes.
    fn more_room(&self, size: u64, max_bytes: u64) -> String {
        let command = |bytes: u64| {
            CommandLine::new("ipctool limits --queue-bytes").word(bytes).word(self.reference)
        };
        match max_bytes {
            0 => format!(
                "'recv --then-rm' is emptying it, or was killed before it ended; in the second case, as its owner: {}",
                command(size.max(Limit::Msgmnb.value().unwrap_or_default()).max(1))
            ),
            _ => format!("as its owner: {}", command(size)),
        }
    }

    /// Reads the next record without its delimiter, or the whole input. Returns false at the end of input.
    fn read(
        &self,
        input: &mut impl BufRead,
        delimiter: Option<u8>,
        record: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let start = record.len();
        let most = LONGEST_RECORD + 1;
        let read = match delimiter {
            Some(delimiter) => read_until(input, delimiter, most as usize, record),
            None => input.take(most).read_to_end(record),
        };
        let count = read.map_err(|error| self.input_error(&error))?;
        if count as u64 > LONGEST_RECORD {
            let what = format!("it is longer than {LONGEST_RECORD} bytes, the most that is read");
            return Err(self.locate(Failure::new(VERB, self.reference, what, Reason::Failed)));
        }
        if count > 0 && delimiter.is_some_and(|delimiter| record[start..].ends_with(&[delimiter])) {
            record.pop();
        }
        Ok(count > 0)
    }

    fn parse(&self, line: &[u8], message: &mut Message) -> Result<(), Failure> {
        let wrong =
            |what: String| self.locate(Failure::new(VERB, self.reference, what, Reason::Failed));
        let label = message::parse(line, message.payload_mut())
            .map_err(|error| wrong(format!("not a message in JSON: {error}")))?;
        match (label, self.reference.kind.is_posix()) {
            (None, _) => {}
            (Some(Label::Type(message_type @ ..=0)), false) => {
                return Err(wrong(format!("type {message_type} is not greater than 0")));
            }
            (Some(Label::Type(message_type)), false) if !is_expressible(message_type) => {
                return Err(wrong(format!("type {message_type} does not fit into a long")));
            }
            (Some(Label::Priority(priority)), true) if priority > Label::HIGHEST_PRIORITY => {
                let most = Label::HIGHEST_PRIORITY;
                return Err(wrong(format!("priority {priority} is over {most}")));
            }
            (Some(label @ Label::Type(_)), false) | (Some(label @ Label::Priority(_)), true) => {
                message.set_label(label);
            }
            (Some(Label::Type(_)), true) => {
                return Err(wrong(
                    "it has a \"type\", but a POSIX queue takes a \"priority\"".into(),
                ));
            }
            (Some(Label::Priority(_)), false) => {
                return Err(wrong(
                    "it has a \"priority\", but a System V queue takes a \"type\"".into(),
                ));
            }
        }
        Ok(())
    }

    fn input_error(&self, error: &io::Error) -> Failure {
        match signals::pending() {
            Some(signal) => self.stopped(Stopped::Signal(signal)),
            None => {
                let what = format!("cannot read standard input: {}", os_error::describe(error));
                self.locate(Failure::new(VERB, self.reference, what, Reason::Failed))
            }
        }
    }

    fn stopped(&self, stopped: Stopped) -> Failure {
        self.locate(Failure::of_wait(VERB, self.reference, stopped))
    }

    /// Adds which of several messages failed, and how many were sent before.
    fn locate(&self, failure: Failure) -> Failure {
        let unit = match self.unit {
            Unit::Whole => return failure,
            Unit::Argument => "message",
            Unit::Record => "record",
        };
        let (number, sent) = (self.number, self.sent);
        let were = if sent == 1 { "was" } else { "were" };
        let sent = count(sent, "message");
        failure
            .with_prefix(format_args!("{unit} {number}: "))
            .with_suffix(format_args!("; {sent} {were} sent"))
    }
}

/// [`BufRead::read_until`] that reads `most` bytes at most, and searches many bytes at once.
fn read_until(
    input: &mut impl BufRead,
    delimiter: u8,
    most: usize,
    record: &mut Vec<u8>,
) -> io::Result<usize> {
    let start = record.len();
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            available => available?,
        };
        let left = most - (record.len() - start);
        let available = &available[..left.min(available.len())];
        let end = memchr::memchr(delimiter, available).map(|place| place + 1);
        let used = end.unwrap_or(available.len());
        record.extend_from_slice(&available[..used]);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(record.len() - start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_with_the_delimiter_the_input_or_the_limit() {
        for capacity in [1, 2, 3, 64] {
            let mut input = BufReader::with_capacity(capacity, &b"one\n\nthree and more"[..]);
            let mut next = |most| {
                let mut record = b"x".to_vec();
                let count = read_until(&mut input, b'\n', most, &mut record).unwrap();
                assert_eq!(record.len(), count + 1);
                String::from_utf8(record).unwrap()
            };
            let limits = [9, 9, 5, 9, 9, 9];
            let records = limits.map(&mut next);
            assert_eq!(records, ["xone\n", "x\n", "xthree", "x and more", "x", "x"]);
        }
    }
}
