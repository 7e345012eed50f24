//! `ipctool relay`: hands each message of a queue to a command, at least once.

mod dead_letters;
mod delivery;
mod journal;
mod signs;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use dead_letters::DeadLetters;
use delivery::{Attempt, Deliverer};
use journal::{Found, JSON, Journal, Loss};
use signs::Signs;

use super::{Error, Result, command, print_error, resolve};
use crate::cli::Relay as Options;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::message::{Label, Message, TYPE_SIZE, Wanted, type_of};
use crate::ipc::{Foreign, Kind, Reference, count};
use crate::kernel::channel::{Channel, is_empty};
use crate::kernel::io::os_error;
use crate::kernel::{CallError, Errno, Namespace};
use crate::output::message::From;
use crate::rescue::rescue;

const VERB: &str = "relay";

/// How long to wait before it looks at an empty queue again. No call waits for a message without taking it.
const IDLE: Duration = Duration::from_millis(20);

/// How many messages are taken at once. The kernel looks at all before the one that it shows.
const MOST_PEEKED: usize = 128;

/// The room for a message at first. To show a message, the kernel copies as many bytes as there is room for, twice.
const SMALL: usize = 512;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(super) fn run(args: Options, namespace: &Namespace) -> Result<Status> {
    if args.message_type.is_some() && args.queue.kind.is_posix() {
        let what = "-t is for System V queues: messages of a POSIX queue have no type";
        return Err(Failure::new(VERB, &args.queue, what, Reason::Usage).into());
    }
    let reference = resolve(VERB, namespace, &args.queue)?;
    let channel = Channel::for_receiving(namespace, &reference)
        .map_err(|error| Failure::of_call(VERB, &args.queue, error))?;
    let (journal, found) = open_journal(&args)?;
    let dead = DeadLetters::open(args.dead_letter.as_ref(), &journal.path, namespace, &args.queue)?;
    let turn = open_turn(&journal.path, &args.queue)?;
    let mut pending = VecDeque::new();
    for Found { messages, damaged } in found {
        if let Some((number, aside)) = damaged {
            let lines = count(number as u64, "damaged line");
            let aside = Foreign::from(aside.as_path());
            print_error(format_args!("{VERB}: the journal had {lines}, now in {aside}"));
        }
        pending.extend(messages);
    }
    if !pending.is_empty() {
        let messages = count(pending.len() as u64, "message");
        let shown = journal.shown();
        print_error(format_args!(
            "{VERB}: {messages} from before in {shown}: delivered first, perhaps for a second time"
        ));
    }
    let wanted = Wanted::from_number(args.message_type.unwrap_or(0), false);
    let can_peek = reference.kind == Kind::Msg;
    let name = reference.to_string();
    let signs =
        Signs::open().map_err(|error| Failure::of_preparation(VERB, &args.queue, &error))?;
    let relay = Relay {
        name,
        reference,
        channel,
        wanted,
        can_peek,
        journal,
        turn,
        dead,
        pending,
        signs,
        buffer: vec![0; TYPE_SIZE + SMALL],
        delivered: 0,
        dead_count: 0,
        is_flowing: false,
        is_failing: false,
        ahead: 0,
        failed_ahead: None,
        args,
    };
    relay.run()
}

/// Opens the journal that the user chose, or the first that is free.
fn open_journal(args: &Options) -> Result<(Journal, Vec<Found>), Failure> {
    let failed = |subject: String, error: &io::Error| {
        let what = match error.raw_os_error() {
            Some(busy) if busy == Errno::EBUSY as i32 => "another relay uses it".to_owned(),
            _ => os_error::describe(error),
        };
        Failure::new(VERB, subject, what, Reason::Failed)
    };
    if let Some(path) = &args.journal {
        let subject = format!("--journal {}", Foreign::from(path.as_path()));
        let opened = Journal::open(path, &args.queue).map_err(|error| failed(subject, &error))?;
        return Ok((opened.0, vec![opened.1]));
    }
    let Some(directory) = journal::directory() else {
        let what = "neither XDG_STATE_HOME nor HOME says where the journal belongs";
        return Err(
            Failure::new(VERB, "", what, Reason::Failed).with_hint("name it: --journal FILE")
        );
    };
    journal::make(&directory).and_then(|()| Journal::open_first(&directory, &args.queue)).map_err(
        |error| {
            let subject = format!("journal in {}", Foreign::from(directory.as_path()));
            failed(subject, &error).with_hint("to have it elsewhere: --journal FILE")
        },
    )
}

/// The file that relays lock while they take messages off one queue.
fn open_turn(journal: &Path, queue: &Reference) -> Result<File, Failure> {
    let path = journal.with_file_name(format!("{}.turn", journal::stem(queue)));
    let mut access = OpenOptions::new();
    let opened = access.write(true).create(true).truncate(false).mode(0o600).open(&path);
    opened.map_err(|error| {
        let path = Foreign::from(path.as_path());
        Failure::new(VERB, path, os_error::describe(&error), Reason::Failed)
    })
}

/// Whether a command that did not start for this reason will not start later, either: it is not there, is closed to
/// the caller, or is no program.
fn is_lasting(error: &io::Error) -> bool {
    let is_no_program = error.raw_os_error() == Some(Errno::ENOEXEC as i32);
    is_no_program
        || matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
}

/// A queue, a command, and what is between them.
struct Relay {
    args: Options,
    /// By id, so that it is this queue and no later one.
    reference: Reference,
    name: String,
    channel: Channel,
    wanted: Wanted,
    /// Whether the kernel shows messages without taking them.
    can_peek: bool,
    journal: Journal,
    turn: File,
    dead: DeadLetters,
    /// What the journal holds.
    pending: VecDeque<Message>,
    signs: Signs,
    buffer: Vec<u8>,
    delivered: u64,
    dead_count: u64,
    /// Whether the last ones were delivered at once.
    is_flowing: bool,
    /// Whether the last attempt failed, and that was told.
    is_failing: bool,
    /// How many of the pending messages were taken while the command had the ones before them.
    ahead: usize,
    /// Why no more could be taken then.
    failed_ahead: Option<Error>,
}

impl Relay {
    fn run(mut self) -> Result<Status> {
        let ended = self.relay();
        let Relay { journal, dead, delivered, dead_count, .. } = self;
        let left = journal.len();
        let shown = journal.shown();
        if left > 0 {
            let messages = count(left as u64, "message");
            print_error(format_args!(
                "{VERB}: {messages} not delivered: in {shown}, for the next relay of this queue"
            ));
        }
        if dead_count > 0 {
            let delivered = count(delivered, "message");
            let dead_letters = count(dead_count, "dead letter");
            let place = dead.shown();
            print_error(format_args!("{VERB}: {delivered} delivered, {dead_letters} in {place}"));
        }
        ended.map(|status| match status {
            Status::Done if left > 0 || dead_count > 0 => Status::Failed,
            status => status,
        })
    }

    /// Delivers messages until a signal comes, the queue is gone, or with `--once` it is empty.
    fn relay(&mut self) -> Result<Status> {
        let most = self.args.batch.unwrap_or(1);
        loop {
            let mut is_idle = true;
            self.signs.look();
            if let Some(signal) = self.signs.ending {
                return Ok(Status::Signal(signal));
            }
            // What was taken before the queue failed is delivered nevertheless.
            let fetched = if self.pending.is_empty() { self.fetch(most) } else { Ok(()) };
            // On a signal, too, what was taken ahead: it is in no other hands.
            while !self.pending.is_empty() && (self.signs.ending.is_none() || self.ahead > 0) {
                let number = most.min(self.pending.len());
                self.ahead = 0;
                if !self.hand_over(number)? {
                    return Ok(self.signs.ending.map_or(Status::Failed, Status::Signal));
                }
                self.signs.look();
                is_idle = false;
            }
            fetched?;
            if let Some(error) = self.failed_ahead.take() {
                return Err(error);
            }
            if is_idle && self.args.once {
                return Ok(Status::Done);
            }
            if is_idle {
                self.signs.wait(Some(IDLE));
            }
        }
    }

    /// Takes messages off the queue, by way of the journal, until so many are pending.
    fn fetch(&mut self, most: usize) -> Result<()> {
        self.turn.lock()?;
        let fetched = self.fetch_in_turn(most);
        self.turn.unlock()?;
        // What was taken before it failed may wait in the journal for long.
        let synced = self.sync();
        fetched.and(synced)
    }

    fn fetch_in_turn(&mut self, most: usize) -> Result<()> {
        loop {
            let before = self.pending.len();
            let number = MOST_PEEKED.min(most - before);
            match self.can_peek {
                true => self.peek_and_take(number, most)?,
                false => self.take(number)?,
            }
            // The queue is empty, or there are enough.
            if self.pending.len() < before + number || self.pending.len() >= most {
                return Ok(());
            }
        }
    }

    /// Peeks at messages, writes them to the journal, and takes them.
    ///
    /// The disk is waited for before the last of a fetch are taken. Those before are in the kernel's memory until
    /// then, where they were in the queue.
    fn peek_and_take(&mut self, most: usize, most_pending: usize) -> Result<()> {
        let mut expected: VecDeque<Message> = VecDeque::new();
        let mut place = 0;
        while expected.len() < most {
            match self.read(|channel, buffer| channel.peek(place, buffer)) {
                Ok(length) if self.wanted.matches(type_of(&self.buffer)) => {
                    expected.push_back(Message::from_bytes(&self.buffer[..length]));
                }
                Ok(_) => {}
                Err(error) if is_empty(&error) => break,
                Err(CallError { errno: Errno::ENOSYS, .. }) => {
                    // A kernel without CONFIG_CHECKPOINT_RESTORE.
                    self.can_peek = false;
                    return self.take(most);
                }
                Err(error) => return Err(Failure::of_peek(VERB, &self.args.queue, error).into()),
            }
            place += 1;
        }
        if expected.is_empty() {
            return Ok(());
        }
        let journaled = expected.len();
        self.journal
            .append(expected.iter(), Loss::None)
            .map_err(|error| self.journal_failed(&error))?;
        if journaled < most || self.pending.len() + journaled >= most_pending {
            self.sync()?;
        }
        let (wanted, mut is_as_expected) = (self.wanted, true);
        for _ in 0..journaled {
            match self.read(|channel, buffer| channel.receive(wanted, buffer)) {
                Ok(length) => {
                    // Another program may have taken some of them meanwhile.
                    let taken = &self.buffer[..length];
                    let place = expected.iter().position(|other| other.as_bytes() == taken);
                    is_as_expected &= place == Some(0);
                    let message = place.and_then(|place| expected.drain(..=place).next_back());
                    let message = message.unwrap_or_else(|| Message::from_bytes(taken));
                    self.pending.push_back(message);
                }
                Err(error) if is_empty(&error) => {
                    is_as_expected = false;
                    break;
                }
                Err(error) => {
                    self.settle()?;
                    return Err(Failure::of_call(VERB, &self.args.queue, error).into());
                }
            }
        }
        if !is_as_expected {
            self.settle()?;
        }
        Ok(())
    }

    /// Makes the journal hold what was taken, in place of what was expected.
    fn settle(&mut self) -> Result<()> {
        let expected = self.journal.len();
        self.journal
            .append(self.pending.iter(), Loss::Message)
            .map_err(|error| self.journal_failed(&error))?;
        self.journal.forget(expected).map_err(|error| self.journal_failed(&error))?;
        Ok(())
    }

    /// Takes messages, each into the journal at once.
    fn take(&mut self, most: usize) -> Result<()> {
        let wanted = self.wanted;
        for _ in 0..most {
            let room = self.buffer.len();
            self.journal.reserve(room).map_err(|error| self.journal_failed(&error))?;
            let message = match self.read(|channel, buffer| channel.receive(wanted, buffer)) {
                Ok(length) => Message::from_bytes(&self.buffer[..length]),
                Err(error) if is_empty(&error) => break,
                Err(error) => return Err(Failure::of_call(VERB, &self.args.queue, error).into()),
            };
            if let Err(error) = self.journal.append([&message].into_iter(), Loss::Message) {
                let fate = rescue(&self.channel, [message.as_bytes()].into_iter());
                return Err(self
                    .journal_failed(&error)
                    .with_suffix(format_args!("; {fate}"))
                    .into());
            }
            self.pending.push_back(message);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        self.journal.sync().map_err(|error| self.journal_failed(&error).into())
    }

    fn journal_failed(&self, error: &io::Error) -> Failure {
        let what = format!("cannot write to it: {}", os_error::describe(error));
        Failure::new(VERB, format!("journal {}", self.journal.shown()), what, Reason::Failed)
            .with_hint("to have it elsewhere: --journal FILE")
    }

    /// Reads a message into the buffer, which grows until it fits. Returns its length, with the type.
    fn read(
        &mut self,
        mut call: impl FnMut(&Channel, &mut [u8]) -> Result<usize, CallError>,
    ) -> Result<usize, CallError> {
        loop {
            match call(&self.channel, &mut self.buffer) {
                Ok(size) => return Ok(TYPE_SIZE + size),
                Err(CallError { errno: Errno::E2BIG | Errno::EMSGSIZE, .. }) => {
                    self.buffer.resize(2 * self.buffer.len(), 0);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Delivers the first messages, or makes them dead letters, and forgets them. Returns whether to go on.
    fn hand_over(&mut self, number: usize) -> Result<bool> {
        let mut attempt = 1;
        let mut pause = self.args.backoff;
        loop {
            let why = match self.attempt(number, attempt) {
                Attempt::Delivered => {
                    self.say(number, format_args!("delivered"));
                    self.delivered += number as u64;
                    self.is_flowing = attempt == 1;
                    self.is_failing = false;
                    return self.forget(number).map(|()| true);
                }
                Attempt::Failed(why) => why,
                Attempt::NotStarted(error) if is_lasting(&error) || attempt > self.args.retries => {
                    return Err(command::not_started(VERB, &self.args.command, &error).0.into());
                }
                Attempt::NotStarted(error) => {
                    format!("the command does not start: {}", os_error::describe(&error))
                }
            };
            self.is_flowing = false;
            if attempt > self.args.retries {
                // One of many may be all that is wrong.
                return match number {
                    1 => self.bury(&why),
                    _ => self.hand_over_each(number),
                };
            }
            // The first failure after a success is worth a word, since nothing goes on until it is mended.
            if !std::mem::replace(&mut self.is_failing, true) || self.args.verbose {
                self.tell(number, format_args!("attempt {attempt} failed: {why}"));
            }
            if self.pauses(pause) {
                return Ok(false);
            }
            attempt += 1;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE.max(self.args.backoff));
        }
    }

    /// Delivers the first messages one by one, each with one attempt.
    fn hand_over_each(&mut self, number: usize) -> Result<bool> {
        for _ in 0..number {
            match self.attempt(1, self.args.retries.saturating_add(2)) {
                Attempt::Delivered => {
                    self.say(1, format_args!("delivered"));
                    self.delivered += 1;
                    self.is_failing = false;
                    self.forget(1)?;
                }
                Attempt::NotStarted(error) => {
                    return Err(command::not_started(VERB, &self.args.command, &error).0.into());
                }
                Attempt::Failed(why) => {
                    if !self.bury(&why)? {
                        return Ok(false);
                    }
                }
            }
            self.signs.look();
            if self.signs.ending.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the first message a dead letter. Returns whether to go on.
    fn bury(&mut self, why: &str) -> Result<bool> {
        let mut pause = self.args.backoff.max(IDLE);
        while let Some(message) = self.pending.front() {
            match self.dead.add(message) {
                Ok(()) => {
                    self.say(1, format_args!("dead letter: {why}"));
                    self.dead_count += 1;
                    self.forget(1)?;
                    break;
                }
                Err(error) => {
                    let place = self.dead.shown();
                    print_error(format_args!(
                        "{VERB}: cannot write the dead letter to {place}: {error}"
                    ));
                    // It stays in the journal.
                    if self.args.once || self.pauses(pause) {
                        return Ok(false);
                    }
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
        Ok(true)
    }

    /// Waits; returns whether a signal came.
    fn pauses(&mut self, time: Duration) -> bool {
        let deadline = std::time::Instant::now() + time;
        loop {
            self.signs.look();
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if self.signs.ending.is_some() || left.is_zero() {
                return self.signs.ending.is_some();
            }
            self.signs.wait(Some(left));
        }
    }

    /// Runs the command with the first messages.
    fn attempt(&mut self, number: usize, attempt: u32) -> Attempt {
        let mut environment =
            vec![("IPCTOOL_REF", self.name.clone()), ("IPCTOOL_ATTEMPT", attempt.to_string())];
        let mut lines = Vec::new();
        let input = match self.args.batch {
            None => {
                let Some(first) = self.pending.front() else { return Attempt::Delivered };
                let label = match self.channel.label(type_of(first.as_bytes())) {
                    Label::Type(message_type) => ("IPCTOOL_TYPE", message_type.to_string()),
                    Label::Priority(priority) => ("IPCTOOL_PRIORITY", priority.to_string()),
                };
                environment.push(label);
                first.payload()
            }
            Some(_) => {
                let from = From { kind: self.reference.kind, name: &self.name };
                for message in self.pending.iter().take(number) {
                    let number = type_of(message.as_bytes());
                    JSON.append(&from, number, message.payload(), &mut lines);
                }
                environment.push(("IPCTOOL_COUNT", number.to_string()));
                &lines
            }
        };
        let deliverer = Deliverer { command: &self.args.command, timeout: self.args.timeout };
        match deliverer.start(input, &environment) {
            Ok(running) => {
                self.fetch_ahead(number);
                running.finish(&mut self.signs)
            }
            Err(error) => Attempt::NotStarted(error),
        }
    }

    /// Takes the next messages while the command has this many, if there are likely to be as many again, and
    /// the command is likely to be done with these soon.
    fn fetch_ahead(&mut self, number: usize) {
        let is_full = self.args.batch == Some(number) && self.pending.len() == number;
        if is_full && self.is_flowing && self.signs.ending.is_none() {
            self.failed_ahead = self.fetch(number.saturating_mul(2)).err();
            self.ahead = self.pending.len() - number;
        }
    }

    fn forget(&mut self, number: usize) -> Result<()> {
        self.pending.drain(..number);
        let forgotten = self.journal.forget(number);
        forgotten.map_err(|error| Error::from(self.journal_failed(&error)))
    }

    /// Says with `--verbose` what becomes of the first messages.
    fn say(&self, number: usize, what: std::fmt::Arguments<'_>) {
        if self.args.verbose {
            self.tell(number, what);
        }
    }

    fn tell(&self, number: usize, what: std::fmt::Arguments<'_>) {
        let queue = &self.args.queue;
        match (number, self.pending.front()) {
            (1, Some(first)) => {
                let label = self.channel.label(type_of(first.as_bytes()));
                let size = count(first.payload().len() as u64, "byte");
                print_error(format_args!("{VERB} {queue}: {label}, {size}: {what}"));
            }
            _ => {
                let messages = count(number as u64, "message");
                print_error(format_args!("{VERB} {queue}: {messages}: {what}"));
            }
        }
    }
}
