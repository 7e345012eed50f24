//! An error and the state around it, told to a person: what happened, and the hint that helps.

mod change;
mod content;
mod creation;
mod missing;
mod notice;
mod refusal;
mod refused;
mod setting;
mod space;
mod unsupported;

use std::{fmt, io};

pub use change::{change_failed, queue_bytes_failed};
pub use creation::Wish;
pub use notice::Notice;
use refused::Needs;

use crate::ipc::{Kind, Object, Reference, Target};
use crate::kernel::io::os_error::describe as describe_io;
use crate::kernel::limits::{Limit, slot_bits};
use crate::kernel::memory::Memory;
use crate::kernel::object::{self, snapshot};
use crate::kernel::signals::wait::Stopped;
use crate::kernel::{CallError, Errno};

/// A verb that could not be carried out on one object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// The verb.
    pub verb: &'static str,
    /// What it was to be done to: a reference, or a word such as the name of an option.
    pub subject: String,
    /// What happened, with the name of the errno.
    pub what: String,
    /// Why, where the kernel's state tells, or what to do.
    pub hint: Option<String>,
    /// What sort of failure it is.
    pub reason: Reason,
    /// What the kernel said, if a system call failed.
    pub errno: Option<Errno>,
}

/// The sorts of failure that scripts tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An operation failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// No such object, or no message.
    NothingThere,
    /// It would block, or the timeout passed.
    WouldBlock,
    /// Not permitted.
    NotPermitted,
    /// A signal came.
    Signal(i32),
}

impl fmt::Display for Failure {
    /// One line, without the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verb)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        write!(f, ": {}", self.what)
    }
}

impl Failure {
    /// A failure without a hint.
    pub fn new(
        verb: &'static str,
        subject: impl fmt::Display,
        what: impl fmt::Display,
        reason: Reason,
    ) -> Failure {
        let (subject, what) = (subject.to_string(), what.to_string());
        Failure { verb, subject, what, hint: None, reason, errno: None }
    }

    /// A command line that is wrong in a way that only the verb knows.
    pub fn usage(verb: &'static str, what: impl fmt::Display) -> Failure {
        Failure::new(verb, "", what, Reason::Usage)
    }

    /// The same with a hint.
    pub fn with_hint(mut self, hint: impl fmt::Display) -> Failure {
        self.hint = Some(hint.to_string());
        self
    }

    /// A system call that failed on an existing object, or on one that should exist.
    pub fn of_call(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        let moves_messages = matches!(error.name, "msgsnd" | "msgrcv");
        if error.errno == Errno::EINVAL && moves_messages && is_there(reference) {
            let most = Limit::Msgmax.value().unwrap_or_default();
            let what = format!("the message is over msgmax, {most} bytes (EINVAL)");
            return Failure::new(verb, reference, what, Reason::Failed)
                .with_hint("msgmax was lowered since: 'ipctool limits' shows it");
        }
        Failure::of_call_that_needs(refusal::needs(verb, error), verb, reference, error)
    }

    /// The same where it is known what the call needs in order to be permitted.
    fn of_call_that_needs(
        needs: Needs,
        verb: &'static str,
        reference: &Reference,
        error: CallError,
    ) -> Failure {
        let (what, hint, reason) = match error.errno {
            Errno::EACCES | Errno::EPERM => {
                let (what, hint) = refusal::explain(needs, reference, error);
                (what, hint, Reason::NotPermitted)
            }
            _ => {
                let (what, reason) = describe(reference, error);
                (what, hint(reference, error), reason)
            }
        };
        let what = format!("{what} ({:?})", error.errno);
        let errno = Some(error.errno);
        Failure { hint, errno, ..Failure::new(verb, reference, what, reason) }
    }

    /// Signals could not be prepared for, so that nothing was begun: `timer_create(2)`, `sigaction(2)`.
    pub fn of_preparation(verb: &'static str, reference: &Reference, error: &io::Error) -> Failure {
        let what = format!("cannot prepare for signals: timer_create: {}", describe_io(error));
        let failure = Failure::new(verb, reference, what, Reason::Failed);
        match error.raw_os_error() {
            Some(number) if Errno::from_raw(number) == Errno::EAGAIN => failure.with_hint(
                "no signal may be queued for another timer: 'ulimit -i' shows how many a user may have (RLIMIT_SIGPENDING)",
            ),
            _ => failure,
        }
    }

    /// A wait that ended without what it waited for.
    pub fn of_wait(verb: &'static str, reference: &Reference, stopped: Stopped) -> Failure {
        match stopped {
            Stopped::Failed(error) => Failure::of_call(verb, reference, error),
            Stopped::TimedOut => {
                let failure = Failure::new(verb, reference, "timed out", Reason::WouldBlock);
                Failure { hint: content::of(reference), ..failure }
            }
            Stopped::Signal(signal) => {
                Failure::new(verb, reference, "interrupted by a signal", Reason::Signal(signal))
            }
        }
    }
}

/// What happened, and what sort of failure it is.
fn describe(reference: &Reference, error: CallError) -> (String, Reason) {
    let noun = reference.kind.noun();
    let waits = matches!(error.name, "msgsnd" | "msgrcv" | "mq_timedsend" | "mq_timedreceive");
    let is_posix = reference.kind.is_posix();
    match error.errno {
        Errno::ENOENT if is_posix => (format!("no such {noun}"), Reason::NothingThere),
        Errno::EAGAIN if error.name == "mq_timedreceive" => {
            ("no message".to_owned(), Reason::NothingThere)
        }
        Errno::EEXIST if is_posix => (format!("a {noun} with this name exists"), Reason::Failed),
        Errno::EINVAL => (format!("no such {noun}"), Reason::NothingThere),
        Errno::EIDRM if waits => {
            (format!("the {noun} was removed while this waited"), Reason::NothingThere)
        }
        Errno::EIDRM => (format!("the {noun} was removed"), Reason::NothingThere),
        Errno::ENOENT => (format!("no {noun} has this key"), Reason::NothingThere),
        Errno::ENOMSG => ("no message".to_owned(), Reason::NothingThere),
        Errno::EAGAIN => (format!("the {noun} is full"), Reason::WouldBlock),
        Errno::EEXIST => (format!("a {noun} with this key exists"), Reason::Failed),
        Errno::ENOSPC => (format!("no room for another {noun}"), Reason::Failed),
        Errno::ENOMEM => ("the kernel has no memory for it".to_owned(), Reason::Failed),
        errno => (format!("{} failed: {}", error.name, errno.desc()), Reason::Failed),
    }
}

/// What the state of the system adds to an error.
fn hint(reference: &Reference, error: CallError) -> Option<String> {
    let kind = reference.kind;
    match (error.errno, &reference.target) {
        (Errno::EINVAL, Target::Id(id)) => {
            missing::id(kind, *id, &snapshot([kind]).ok()?, slot_bits())
        }
        (Errno::ENOENT, Target::Key(key)) => Some(missing::key(kind, *key)),
        (Errno::ENOENT, Target::Name(name)) => Some(missing::name(kind, name)),
        (Errno::EEXIST, Target::Name(_)) => Some("without --exclusive it is opened".to_owned()),
        (Errno::EEXIST, _) => {
            let object = find(reference)?;
            Some(format!("it is {}; without --exclusive it is opened", object.reference()))
        }
        (Errno::EIDRM, _) => Some(
            match kind.is_posix() {
                true => "somebody removed its name: whoever opens that now gets another queue",
                false => {
                    "somebody removed it (IPC_RMID), and whoever waits on it then gets this error"
                }
            }
            .to_owned(),
        ),
        (Errno::EAGAIN | Errno::ENOMSG, _) => content::of(reference),
        (Errno::ENOSYS, _) => Some(unsupported::of_call(error.name)),
        (Errno::ENOMEM, _) => Memory::read().ok().map(|memory| space::kernel_memory(&memory)),
        (Errno::EROFS, _) if matches!(kind, Kind::Pshm | Kind::Psem) => {
            Some(space::dev_shm_is_read_only())
        }
        _ => None,
    }
}

fn is_there(reference: &Reference) -> bool {
    find(reference).is_some()
}

/// The object that a reference means, whatever its mode.
fn find(reference: &Reference) -> Option<Object> {
    object::read(&object::resolve(reference).ok()?).ok()
}
