//! `ipctool send`: puts messages on a queue.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;

use super::resolve;
use crate::cli::{Send, Waiting};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::message::Message;
use crate::ipc::{Reference, Target, count};
use crate::kernel::interrupt::{self, Stopped};
use crate::kernel::sysctl::Limit;
use crate::kernel::{Errno, descriptor, msg};
use crate::output::message::Record;

const VERB: &str = "send";

/// No record of a stream is kept beyond this many bytes, however long it goes on.
const LONGEST_RECORD: u64 = 64 << 20;

pub(super) fn run(args: Send) -> anyhow::Result<Status> {
    interrupt::catch_signals()?;
    let mut sender = Sender::open(&args)?;
    let mut message = Message::new(args.message_type);
    if !args.messages.is_empty() {
        for text in &args.messages {
            message.reset(args.message_type);
            message.payload_mut().extend_from_slice(text.as_bytes());
            sender.send(&mut message)?;
        }
        return Ok(Status::Done);
    }
    let stdin = descriptor::standard_input().map_err(|error| sender.input_error(&error))?;
    let mut input = BufReader::with_capacity(64 * 1024, stdin);
    if !(args.lines || args.null || args.jsonl) {
        sender.read(&mut input, None, message.payload_mut())?;
        sender.send(&mut message)?;
        return Ok(Status::Done);
    }
    sender.unit = Unit::Record;
    let delimiter = Some(if args.null { 0 } else { b'\n' });
    let mut line = Vec::new();
    loop {
        message.reset(args.message_type);
        if !args.jsonl {
            if !sender.read(&mut input, delimiter, message.payload_mut())? {
                return Ok(Status::Done);
            }
        } else {
            line.clear();
            if !sender.read(&mut input, delimiter, &mut line)? {
                return Ok(Status::Done);
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

/// What one message comes from, in the words of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// All of standard input.
    Whole,
    /// An argument among several.
    Argument,
    /// A record of a stream.
    Record,
}

/// A queue that takes messages.
struct Sender<'a> {
    reference: Reference,
    id: i32,
    /// The most bytes that one message may have.
    msgmax: u64,
    /// The most bytes that the queue may hold.
    max_bytes: u64,
    append_nul: bool,
    waiting: &'a Waiting,
    unit: Unit,
    /// Of the record that is under way, from 1.
    number: u64,
    sent: u64,
}

impl<'a> Sender<'a> {
    fn open(args: &'a Send) -> Result<Sender<'a>, Failure> {
        let reference = args.queue;
        let failed = |error| Failure::of_call(VERB, reference, error);
        let id = match (args.create, reference.target) {
            (None, _) => resolve(VERB, reference)?,
            (Some(_), Target::Id(_)) => {
                let what = format!("--create needs a key (0x…), and {reference} is an id");
                return Err(Failure::usage(VERB, what));
            }
            (Some(mode), Target::Key(key)) => match msg::find(key) {
                // Opening asks for no permission; creating would ask for those of the mode.
                Err(error) if error.errno == Errno::ENOENT => {
                    msg::create(key, mode, false).map_err(failed)?
                }
                found => found.map_err(failed)?,
            },
        };
        Ok(Sender {
            reference,
            id,
            msgmax: Limit::Msgmax.value().unwrap_or(u64::MAX),
            // Without permission to know, msgsnd tells.
            max_bytes: msg::max_bytes(id).unwrap_or(u64::MAX),
            append_nul: args.append_nul,
            waiting: &args.waiting,
            unit: if args.messages.len() > 1 { Unit::Argument } else { Unit::Whole },
            number: 1,
            sent: 0,
        })
    }

    fn send(&mut self, message: &mut Message) -> Result<(), Failure> {
        if self.append_nul {
            message.payload_mut().push(0);
        }
        self.check_size(message)?;
        if let Err(error) = msg::send(self.id, message.as_bytes()) {
            if error.errno != Errno::EAGAIN || self.waiting.nowait {
                return Err(self.stopped(Stopped::Failed(error)));
            }
            // It may have been made smaller since: then waiting would be for ever.
            self.max_bytes = msg::max_bytes(self.id).unwrap_or(self.max_bytes);
            self.check_size(message)?;
            msg::send_waiting(
                self.id,
                message.as_bytes(),
                interrupt::deadline(self.waiting.timeout),
            )
            .map_err(|stopped| self.stopped(stopped))?;
        }
        self.sent += 1;
        self.number += 1;
        Ok(())
    }

    /// Refuses what could never be sent.
    fn check_size(&self, message: &Message) -> Result<(), Failure> {
        let size = message.payload().len() as u64;
        let (what, hint) = if size > self.msgmax {
            (
                format!("a message of {size} bytes is over msgmax, {} bytes (EINVAL)", self.msgmax),
                format!("as root: ipctool limits --set msgmax={size}"),
            )
        } else if size > self.max_bytes || self.max_bytes == 0 {
            let most = self.max_bytes;
            (
                format!(
                    "a message of {size} bytes never fits: the queue holds at most {most} bytes"
                ),
                format!(
                    "its owner: ipctool limits --queue-bytes {} {}",
                    size.max(1),
                    self.reference
                ),
            )
        } else {
            return Ok(());
        };
        let failure = Failure::new(VERB, self.reference, what, Reason::Failed);
        Err(self.locate(failure.with_hint(hint)))
    }

    /// Reads the next record, without its delimiter, or all there is; false at the end of the input.
    fn read(
        &self,
        input: &mut impl BufRead,
        delimiter: Option<u8>,
        record: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let start = record.len();
        let mut limited = input.take(LONGEST_RECORD + 1);
        let read = match delimiter {
            Some(delimiter) => limited.read_until(delimiter, record),
            None => limited.read_to_end(record),
        };
        let count = read.map_err(|error| self.input_error(&error))?;
        if count as u64 > LONGEST_RECORD {
            let what =
                format!("it is longer than {LONGEST_RECORD} bytes, which no message should be");
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
        let mut payload = Vec::new();
        let message_type = Record::parse(line, &mut payload)
            .map_err(|error| wrong(format!("not a message in JSON: {error}")))?;
        match message_type {
            Some(message_type @ ..=0) => {
                return Err(wrong(format!("type {message_type} is not greater than 0")));
            }
            Some(message_type) => message.reset(message_type),
            None => {}
        }
        message.payload_mut().extend(payload);
        Ok(())
    }

    fn input_error(&self, error: &io::Error) -> Failure {
        match interrupt::pending() {
            Some(signal) => self.stopped(Stopped::Signal(signal)),
            None => {
                let what = format!("cannot read standard input: {}", descriptor::describe(error));
                self.locate(Failure::new(VERB, self.reference, what, Reason::Failed))
            }
        }
    }

    fn stopped(&self, stopped: Stopped) -> Failure {
        self.locate(Failure::of_wait(VERB, self.reference, stopped))
    }

    /// Says which of several messages it was, and how many went before it.
    fn locate(&self, failure: Failure) -> Failure {
        let unit = match self.unit {
            Unit::Whole => return failure,
            Unit::Argument => "message",
            Unit::Record => "record",
        };
        let (number, sent) = (self.number, self.sent);
        let were = if sent == 1 { "was" } else { "were" };
        let sent = count(sent, "message");
        let what = format!("{unit} {number}: {}; {sent} {were} sent", failure.what);
        Failure { what, ..failure }
    }
}
