//! `ipctool recv`: takes messages off a queue, or peeks at them.

mod batch;
mod removal;

use crate::kernel::Namespace;
use batch::{Batch, Undelivered, Untaken};

use super::progress::Progress;
use super::{Error, explain, print_error, remark, resolve, try_print_error};
use crate::cli::Recv;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Notice, Reason};
use crate::ipc::message::Wanted;
use crate::ipc::{Reference, count};
use crate::kernel::channel::{Channel, is_empty};
use crate::kernel::closing::Closed;
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::os_error;
use crate::kernel::io::outlet::Outlet;
use crate::kernel::io::poll;
use crate::kernel::signals;
use crate::kernel::signals::wait::Stopped;
use crate::kernel::{CallError, CallName, Errno};
use crate::output::message::{From, MessageFormat, Presentation};
use crate::output::stdout::{self, OutputError};
use crate::output::{Screen, Style};
use crate::rescue::{self, rescue};

const VERB: &str = "recv";

pub(super) fn run(args: Recv, namespace: &Namespace, style: Style) -> Result<Status> {
    check(&args)?;
    signals::catch_signals().map_err(|error| Failure::of_preparation(VERB, &args.queue, &error))?;
    let (queue, capacity) = Queue::open(namespace, &args.queue)?;
    let out = stdout::file()?;
    let mut receiver = Receiver {
        namespace,
        queue,
        wanted: Wanted::from_number(args.message_type.unwrap_or(0), args.except),
        limit: match args.count {
            Some(count) => Some(count),
            None if args.all || args.follow => None,
            None => Some(1),
        },
        batch: Batch::new(presentation(&args, &style.screen), capacity),
        outlet: Outlet::of(&out.0),
        out,
        closed: None,
        is_saved: false,
        total: 0,
        style,
        has_remarked: false,
        args,
    };
    if receiver.args.peek {
        return receiver.peek();
    }
    let result = if receiver.args.then_rm { receiver.empty_and_remove() } else { receiver.take() };
    receiver.reopen();
    match result {
        // The user must learn where messages were saved, even if standard error is closed or full.
        Err(error) if receiver.is_saved => Ok(report_or_save(namespace, error)),
        result => result,
    }
}

/// Prints an error, or saves it in a file if it cannot be written to standard error.
fn report_or_save(namespace: &Namespace, error: Error) -> Status {
    let Some(failure) = error.into_failure(VERB) else { return Status::Done };
    let failures = [failure];
    let mut status = Status::Done;
    for (failure, explained) in failures.iter().zip(explain(namespace, &failures)) {
        let notice = Notice::of(failure, &explained);
        if try_print_error(notice.clone()).is_err() {
            rescue::save_error(&format!("ipctool: {notice}\n"));
        }
        status = explained.reason.into();
    }
    status
}

/// Rejects options that conflict with each other or with the kind of the queue.
fn check(args: &Recv) -> Result<(), Failure> {
    if args.except && args.message_type.is_none_or(|message_type| message_type <= 0) {
        return Err(Failure::usage(VERB, "--except needs -t N with N greater than 0"));
    }
    if args.then_rm && !args.all {
        return Err(Failure::usage(VERB, "--then-rm needs --all"));
    }
    if !args.queue.kind.is_posix() {
        return Ok(());
    }
    let refused = |what: &str| Err(Failure::new(VERB, &args.queue, what, Reason::Usage));
    if args.message_type.is_some() {
        return refused(
            "-t is for System V queues: messages of a POSIX queue have no type; the oldest one with the highest priority comes first",
        );
    }
    if args.peek {
        return refused(
            "--peek is for System V queues: the kernel cannot show a message of a POSIX queue without taking it",
        );
    }
    Ok(())
}

fn presentation(args: &Recv, screen: &Screen) -> Presentation {
    let flags = [
        (args.raw, MessageFormat::Raw),
        (args.null, MessageFormat::Null),
        (args.json, MessageFormat::Jsonl),
        (args.hex, MessageFormat::Hex),
    ];
    let flagged = flags.into_iter().find_map(|(is_set, format)| is_set.then_some(format));
    Presentation {
        format: flagged.or(args.format).unwrap_or_default(),
        until_nul: args.until_nul,
        truncate: args.truncate.map(|most| most.try_into().unwrap_or(usize::MAX)),
        // What is taken is shown whole: it is nowhere else any more.
        columns: screen.columns.filter(|_| args.peek && screen.is_terminal),
        to_terminal: screen.is_terminal,
    }
}

/// The queue that messages come from, and go back to if they cannot be written.
struct Queue {
    /// By id, even if the user gave a key, so that output names this queue and no later one.
    reference: Reference,
    /// The reference as text.
    name: String,
    channel: Channel,
}

impl Queue {
    fn name(&self) -> From<'_> {
        From { kind: self.reference.kind, name: &self.name }
    }

    /// Opens a queue. Also returns the number of bytes that a message is likely to have at most.
    fn open(namespace: &Namespace, named: &Reference) -> Result<(Queue, usize), Failure> {
        let failed = |error| Failure::of_call(VERB, named, error);
        let reference = resolve(VERB, namespace, named)?;
        let channel = Channel::for_receiving(namespace, &reference).map_err(failed)?;
        let capacity = match &channel {
            // The usual msgmax; the buffer grows with the messages.
            Channel::SystemV(_) => 8192,
            Channel::Posix(queue) => queue.shape().map_err(failed)?.message_size,
        };
        Ok((Queue { name: reference.to_string(), reference, channel }, capacity as usize))
    }
}

/// Takes messages off a queue and writes them out.
struct Receiver<'a> {
    namespace: &'a Namespace,
    args: Recv,
    queue: Queue,
    wanted: Wanted,
    /// How many messages to take; `None` for no limit.
    limit: Option<u64>,
    batch: Batch,
    out: Interruptible,
    outlet: Outlet,
    /// Keeps other processes from sending while `--then-rm` empties the queue.
    closed: Option<Closed>,
    /// Whether messages were saved in a file, or printed on standard error.
    is_saved: bool,
    total: u64,
    style: Style,
    /// Whether a person was told that this waits.
    has_remarked: bool,
}

impl Receiver<'_> {
    /// Takes messages in batches. Waits only while no message is in hand.
    fn take(&mut self) -> Result<Status> {
        loop {
            // With --verbose each message is written at once, right after the line about it.
            self.batch.limit(match self.args.verbose {
                true => 0,
                false => self.outlet.room(&self.out.0),
            });
            if self.batch.len() == 0 && poll::is_abandoned(&self.out.0) {
                let what = "standard output is closed (EPIPE)";
                return Err(Failure::new(VERB, &self.args.queue, what, Reason::Failed)
                    .with_hint("nothing was taken that could not be written")
                    .into());
            }
            let fill = self.fill();
            let is_empty_handed = self.batch.len() == 0;
            self.deliver()?;
            if let Some(signal) = signals::pending() {
                return Ok(Status::Signal(signal));
            }
            match fill {
                Ok(Fill::Full) => {}
                Ok(Fill::Done) => return Ok(Status::Done),
                Err(untaken) if is_empty_message(&untaken) => {
                    if self.args.all {
                        return Ok(Status::Done);
                    }
                    if self.args.waiting.nowait {
                        return Err(self.untaken(untaken).into());
                    }
                    self.remark_wait();
                    let (timeout, from) = (self.args.waiting.timeout, self.queue.name());
                    match self.batch.wait(&from, &self.queue.channel, self.wanted, timeout) {
                        Ok(()) => {}
                        Err(Untaken::Stopped(Stopped::Signal(signal))) => {
                            return Ok(Status::Signal(signal));
                        }
                        Err(untaken) => return Err(self.untaken(untaken).into()),
                    }
                }
                // After the messages in hand are written out there may be enough memory.
                Err(Untaken::NoMemory(_)) if !is_empty_handed => self.batch.shrink(),
                Err(untaken) => return Err(self.untaken(untaken).into()),
            }
        }
    }

    /// Tells a person once that nothing came yet.
    fn remark_wait(&mut self) {
        let is_first = !std::mem::replace(&mut self.has_remarked, true);
        if !is_first || presentation(&self.args, &self.style.screen).format.is_for_machines() {
            return;
        }
        let queue = &self.args.queue;
        let what = match self.wanted {
            Wanted::Any => format!("{queue} is empty: waiting for a message"),
            Wanted::Type(wanted) => {
                format!("{queue} has no message of type {wanted}: waiting for one")
            }
            Wanted::UpTo(most) => {
                format!("{queue} has no message of a type up to {most}: waiting for one")
            }
            Wanted::Except(unwanted) => {
                format!("{queue} has no message of a type other than {unwanted}: waiting for one")
            }
        };
        remark(&self.style, &format!("{what}; Ctrl-C ends"));
    }

    /// Takes messages without waiting, until the batch is full or the queue has no more.
    fn fill(&mut self) -> Result<Fill, Untaken> {
        let from = self.queue.name();
        loop {
            if self.limit.is_some_and(|limit| self.total + self.batch.len() >= limit) {
                return Ok(Fill::Done);
            }
            if self.batch.is_full() || signals::pending().is_some() {
                return Ok(Fill::Full);
            }
            self.batch.take(&from, &self.queue.channel, self.wanted)?;
        }
    }

    /// Writes the batch. What could not be written goes back on the queue.
    fn deliver(&mut self) -> Result<(), Failure> {
        let count = self.batch.len();
        let written = self.write();
        self.outlet.wrote(self.batch.text_length());
        let undelivered = written.as_ref().err().map_or(0, |undelivered| undelivered.messages);
        self.total += count - undelivered;
        let Err(Undelivered { error, .. }) = written else {
            self.batch.clear();
            return Ok(());
        };
        self.batch.give_back_memory();
        self.reopen();
        let fate = rescue(&self.queue.channel, self.batch.last(undelivered));
        self.is_saved = fate.must_be_reported();
        self.batch.clear();
        let (what, reason) = match signals::pending() {
            Some(signal) => ("interrupted by a signal".to_owned(), Reason::Signal(signal)),
            None => {
                let what = os_error::describe(&error);
                (format!("cannot write to standard output: {what}"), Reason::Failed)
            }
        };
        let left = if self.args.then_rm { "; the queue was not removed" } else { "" };
        Err(Failure::new(VERB, &self.args.queue, format!("{what}; {fate}{left}"), reason))
    }

    /// Writes the text of the batch, with `--verbose` each message after a line about it.
    fn write(&mut self) -> Result<(), Undelivered> {
        let Receiver { args, queue, batch, out, .. } = self;
        let announce = |number, payload: &[u8]| {
            let label = queue.channel.label(number);
            let size = count(payload.len() as u64, "byte");
            print_error(format_args!("{VERB} {}: {label}, {size}", args.queue));
        };
        batch.write(out, args.verbose.then_some(&announce as _))
    }

    /// Shows messages without taking them.
    fn peek(&mut self) -> Result<Status> {
        let limit = self.limit.unwrap_or(u64::MAX);
        let mut place = 0;
        let mut progress = self.peeking();
        while self.total + self.batch.len() < limit || self.sorts() {
            match self.batch.peek(&self.queue.channel, place) {
                Ok(message_type) if self.wanted.matches(message_type) => {}
                Ok(_) => self.batch.drop_last(),
                Err(untaken) if is_empty_message(&untaken) => break,
                Err(Untaken::Stopped(Stopped::Failed(error))) => {
                    return Err(Failure::of_peek(VERB, &self.args.queue, error).into());
                }
                Err(untaken) => return Err(self.untaken(untaken).into()),
            }
            place += 1;
            if let Some(progress) = &mut progress {
                progress.advance_to(place as u64);
            }
            if let Some(signal) = signals::pending() {
                return Ok(Status::Signal(signal));
            }
            if self.batch.is_full() && !self.sorts() {
                self.show()?;
            }
        }
        drop(progress);
        if self.sorts() {
            self.batch.sort_by_type(limit);
        }
        self.show()?;
        if self.limit.is_none_or(|limit| self.total >= limit) {
            return Ok(Status::Done);
        }
        let none = CallError { name: CallName::Msgrcv, errno: Errno::ENOMSG };
        Err(self.untaken(Untaken::Stopped(Stopped::Failed(none))).into())
    }

    /// How far a look at many messages has come.
    fn peeking(&self) -> Option<Progress> {
        let queue = &self.queue.reference;
        let messages = self.namespace.read(queue).ok()?.messages()?;
        let total = self.limit.map_or(messages, |limit| limit.min(messages));
        Some(Progress::of_peeking(VERB, queue, total))
    }

    /// Whether messages are shown by type instead of in the order of the queue.
    fn sorts(&self) -> bool {
        matches!(self.wanted, Wanted::UpTo(_))
    }

    fn show(&mut self) -> Result<()> {
        let count = self.batch.len();
        self.batch.present(&self.queue.name());
        self.write().map_err(|undelivered| OutputError(undelivered.error))?;
        self.total += count;
        self.batch.clear();
        Ok(())
    }

    /// Why no message came.
    fn untaken(&self, untaken: Untaken) -> Failure {
        let failure = match untaken {
            Untaken::Stopped(Stopped::Failed(error)) => self.failed(error),
            Untaken::Stopped(stopped) => Failure::of_wait(VERB, &self.args.queue, stopped),
            Untaken::NoMemory(bytes) => {
                let what = format!("no memory for a message of up to {bytes} bytes (ENOMEM)");
                Failure::new(VERB, &self.args.queue, what, Reason::Failed)
                    .with_hint("the message is still on the queue")
            }
        };
        if self.total == 0 {
            return failure;
        }
        let done = if self.args.peek { "shown" } else { "taken" };
        failure.with_suffix(format_args!("; {} {done} before", count(self.total, "message")))
    }

    fn failed(&self, error: CallError) -> Failure {
        let failure = Failure::of_call(VERB, &self.args.queue, error);
        let what = match self.wanted {
            _ if error.errno != Errno::ENOMSG => return failure,
            Wanted::Any => "no message (ENOMSG)".to_owned(),
            Wanted::Type(wanted) => format!("no message of type {wanted} (ENOMSG)"),
            Wanted::UpTo(most) => format!("no message of a type up to {most} (ENOMSG)"),
            Wanted::Except(unwanted) => {
                format!("no message of a type other than {unwanted} (ENOMSG)")
            }
        };
        failure.with_message(what)
    }
}

/// Whether the error means that there is no message.
fn is_empty_message(untaken: &Untaken) -> bool {
    matches!(untaken, Untaken::Stopped(Stopped::Failed(error)) if is_empty(error))
}

/// Why taking ended.
enum Fill {
    /// The batch is full.
    Full,
    /// The user wants no more messages.
    Done,
}
