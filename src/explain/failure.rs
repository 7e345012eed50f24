//! What went wrong, as a value.

use std::{fmt, io};

use super::creation::Wish;
use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::operation::{self, Operated};
use super::refused::Needs;
use super::{call, change, content, creation, setting};
use crate::ipc::Reference;
use crate::kernel::io::os_error::describe as describe_io;
use crate::kernel::namespace::create::Forbidden;
use crate::kernel::posix::mq_calls::Shape;
use crate::kernel::signals::wait::Stopped;
use crate::kernel::{CallError, Errno, ReadError};

/// A command that failed on one object. Making one costs no system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The verb of the command.
    pub verb: &'static str,
    /// What it failed on: a reference, or a word such as the name of an option. Empty for neither.
    pub subject: String,
    /// Boxed to keep `Result`s small.
    detail: Box<Detail>,
}

/// What went wrong, and what the command adds to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    cause: Cause,
    /// The message that replaces the description of what happened.
    message: Option<String>,
    /// Text before and after the description of what happened.
    prefix: String,
    suffix: String,
    /// The hint, if the command has one.
    hint: Option<String>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The command gives the whole message.
    Message(String, Reason),
    /// A system call failed on an existing object, or on one that should exist.
    Call(Reference, CallError),
    /// A peek at a message failed.
    Peek(Reference, CallError),
    /// A system call failed that needs these permissions, as bits of a mode.
    Access(Reference, u32, CallError),
    /// Operations on semaphores failed.
    Operation(Reference, Operated, CallError),
    /// A wait for room, for a message or for a semaphore timed out.
    TimedOut(Reference),
    /// Owner or mode could not be changed (`IPC_SET`, or `fchmod` and `fchown` of a file).
    Change(Reference, CallError),
    /// The `max_bytes` of a queue could not be set to this number (`IPC_SET`).
    QueueBytes(Reference, u64, CallError),
    /// A System V object could not be created or opened.
    Creation(Wish, CallError),
    /// A POSIX object could not be created or opened; for a queue, with the shape asked for, if any.
    NamedCreation(Reference, Option<Shape>, CallError),
    /// The sysctl of this name rejected this text.
    Setting(&'static str, String, Errno),
}

impl Failure {
    fn of(verb: &'static str, subject: impl fmt::Display, cause: Cause) -> Failure {
        Failure {
            verb,
            subject: subject.to_string(),
            detail: Box::new(Detail {
                cause,
                message: None,
                prefix: String::new(),
                suffix: String::new(),
                hint: None,
            }),
        }
    }

    /// A failure that the command describes itself.
    pub fn new(
        verb: &'static str,
        subject: impl fmt::Display,
        what: impl fmt::Display,
        reason: Reason,
    ) -> Failure {
        Failure::of(verb, subject, Cause::Message(what.to_string(), reason))
    }

    /// Wrong usage that the command detects itself, after the command line was parsed.
    pub fn usage(verb: &'static str, what: impl fmt::Display) -> Failure {
        Failure::new(verb, "", what, Reason::Usage)
    }

    /// A system call that failed on an existing object, or on one that should exist.
    pub fn of_call(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        Failure::of(verb, reference, Cause::Call(reference.clone(), error))
    }

    /// A system call failed that needs these permissions, as bits of a mode.
    pub fn of_access(
        verb: &'static str,
        reference: &Reference,
        bits: u32,
        error: CallError,
    ) -> Failure {
        Failure::of(verb, reference, Cause::Access(reference.clone(), bits, error))
    }

    /// Namespaces cannot be made, so that this cannot be done.
    pub fn of_forbidden(verb: &'static str, cannot: &str, forbidden: Forbidden) -> Failure {
        let reason = match forbidden.is_permission() {
            true => Reason::NotPermitted,
            false => Reason::Failed,
        };
        Failure::new(verb, "", format!("cannot {cannot}: {forbidden}"), reason)
    }

    /// A peek at a message failed.
    pub fn of_peek(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        Failure::of(verb, reference, Cause::Peek(reference.clone(), error))
    }

    /// Operations on the semaphores of a set failed, or timed out (`ETIMEDOUT`).
    pub fn of_operation(
        verb: &'static str,
        reference: &Reference,
        operated: Operated,
        stopped: Stopped,
    ) -> Failure {
        match stopped {
            Stopped::Failed(error) => {
                Failure::of(verb, reference, Cause::Operation(reference.clone(), operated, error))
            }
            Stopped::TimedOut => {
                let hint = operated.blocked();
                let failure = Failure::of_wait(verb, reference, stopped);
                hint.into_iter().fold(failure, Failure::with_hint)
            }
            Stopped::Signal(_) => Failure::of_wait(verb, reference, stopped),
        }
    }

    /// The objects of a kind could not be listed; the subject is the reference or limit that needs them.
    pub fn of_reading(
        verb: &'static str,
        subject: impl fmt::Display,
        error: &ReadError,
    ) -> Failure {
        let reason = match error {
            ReadError::Queues(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Reason::NotPermitted
            }
            _ => Reason::Failed,
        };
        let failure = Failure::new(verb, subject, error, reason);
        error.hint().into_iter().fold(failure, Failure::with_hint)
    }

    /// Owner or mode could not be changed.
    pub fn of_change(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        Failure::of(verb, reference, Cause::Change(reference.clone(), error))
    }

    /// The `max_bytes` of a queue could not be set to this number of bytes.
    pub fn of_queue_bytes(
        verb: &'static str,
        reference: &Reference,
        bytes: u64,
        error: CallError,
    ) -> Failure {
        Failure::of(verb, reference, Cause::QueueBytes(reference.clone(), bytes, error))
    }

    /// A System V object could not be created or opened.
    pub fn of_creation(verb: &'static str, wish: &Wish, error: CallError) -> Failure {
        Failure::of(verb, wish.subject(), Cause::Creation(*wish, error))
    }

    /// A POSIX object could not be created or opened. `asked` is the shape of a queue, if one was given.
    pub fn of_named_creation(
        verb: &'static str,
        reference: &Reference,
        asked: Option<Shape>,
        error: CallError,
    ) -> Failure {
        Failure::of(verb, reference, Cause::NamedCreation(reference.clone(), asked, error))
    }

    /// A limit could not be set to this value, because its sysctl rejected this text.
    pub fn of_setting(
        verb: &'static str,
        limit: &str,
        value: &str,
        (sysctl, text): (&'static str, &str),
        error: &io::Error,
    ) -> Failure {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        let what = format!("cannot set {value}: {}", describe_io(error));
        Failure::of(verb, limit, Cause::Setting(sysctl, text.to_owned(), errno)).with_message(what)
    }

    /// The signal handlers could not be set up (`timer_create(2)`, `sigaction(2)`), so the command did not
    /// begin.
    pub fn of_preparation(verb: &'static str, reference: &Reference, error: &io::Error) -> Failure {
        Failure::of_no_signals(verb, reference, error)
    }

    /// The same for a command that is not about one object.
    pub fn of_no_signals(
        verb: &'static str,
        subject: impl fmt::Display,
        error: &io::Error,
    ) -> Failure {
        let what = format!("cannot prepare for signals: timer_create: {}", describe_io(error));
        let failure = Failure::new(verb, subject, what, Reason::Failed);
        match error.raw_os_error() {
            Some(number) if Errno::from_raw(number) == Errno::EAGAIN => failure.with_hint(
                "each timer needs a queued signal, and the user's limit of those is reached; 'ulimit -i' shows the limit (RLIMIT_SIGPENDING)",
            ),
            _ => failure,
        }
    }

    /// A wait that ended before its condition was met.
    pub fn of_wait(verb: &'static str, reference: &Reference, stopped: Stopped) -> Failure {
        match stopped {
            Stopped::Failed(error) => Failure::of_call(verb, reference, error),
            Stopped::TimedOut => Failure::of(verb, reference, Cause::TimedOut(reference.clone())),
            Stopped::Signal(signal) => {
                Failure::new(verb, reference, "interrupted by a signal", Reason::Signal(signal))
            }
        }
    }

    /// Sets the hint.
    pub fn with_hint(mut self, hint: impl fmt::Display) -> Failure {
        self.detail.hint = Some(hint.to_string());
        self
    }

    /// Replaces the description of what happened.
    pub fn with_message(mut self, what: impl fmt::Display) -> Failure {
        self.detail.message = Some(what.to_string());
        self
    }

    /// Puts this text before the description of what happened.
    pub fn with_prefix(mut self, text: impl fmt::Display) -> Failure {
        self.detail.prefix.insert_str(0, &text.to_string());
        self
    }

    /// Puts this text after the description of what happened.
    pub fn with_suffix(mut self, text: impl fmt::Display) -> Failure {
        self.detail.suffix += &text.to_string();
        self
    }

    /// Whether the command set a hint.
    pub fn has_hint(&self) -> bool {
        self.detail.hint.is_some()
    }

    /// The errno, if a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        match &self.detail.cause {
            Cause::Message(..) | Cause::TimedOut(_) => None,
            Cause::Call(_, error)
            | Cause::Peek(_, error)
            | Cause::Access(_, _, error)
            | Cause::Operation(_, _, error)
            | Cause::Change(_, error)
            | Cause::QueueBytes(_, _, error)
            | Cause::Creation(_, error)
            | Cause::NamedCreation(_, _, error) => Some(error.errno),
            Cause::Setting(_, _, errno) => Some(*errno),
        }
    }

    /// Whether the object does not exist.
    pub fn is_of_missing(&self) -> bool {
        match &self.detail.cause {
            Cause::Call(_, error) | Cause::Access(_, _, error) | Cause::Operation(_, _, error) => {
                error.is_missing()
            }
            Cause::Message(_, reason) => *reason == Reason::NothingThere,
            _ => false,
        }
    }

    /// Asks for the facts that explain it.
    pub fn want(&self, wanted: &mut Wanted) {
        match &self.detail.cause {
            Cause::Message(..) => {}
            Cause::Call(reference, error) => call::want(reference, *error, wanted),
            Cause::Peek(reference, error) => call::want(reference, *error, wanted),
            Cause::Access(reference, _, error) => call::want(reference, *error, wanted),
            Cause::Operation(reference, _, error) => operation::want(reference, *error, wanted),
            Cause::TimedOut(reference) => wanted.object(reference),
            Cause::Change(reference, error) => change::want(reference, *error, wanted),
            Cause::QueueBytes(reference, _, error) => {
                change::want_queue_bytes(reference, *error, wanted);
            }
            Cause::Creation(wish, error) => creation::want(wish, *error, wanted),
            Cause::NamedCreation(reference, _, error) => {
                creation::want_named(reference, *error, wanted);
            }
            Cause::Setting(..) => setting::want(wanted),
        }
    }

    /// The message and the hint, from what was seen of the system.
    pub fn explain(&self, facts: &Facts) -> Explanation {
        let explained = match &self.detail.cause {
            Cause::Message(what, reason) => Explanation::new(what, *reason),
            Cause::Call(reference, error) => call::explain(self.verb, reference, *error, facts),
            Cause::Peek(reference, error) => {
                call::explain_peek(self.verb, reference, *error, facts)
            }
            Cause::Access(reference, bits, error) => {
                call::explain_with_needs(Needs::Bits(*bits), reference, *error, facts)
            }
            Cause::Operation(reference, operated, error) => {
                operation::explain(reference, operated, *error, facts)
            }
            Cause::TimedOut(reference) => Explanation::new("timed out", Reason::WouldBlock)
                .with_hint(content::of(reference, facts)),
            Cause::Change(reference, error) => change::explain(self.verb, reference, *error, facts),
            Cause::QueueBytes(reference, bytes, error) => {
                change::explain_queue_bytes(self.verb, reference, *bytes, *error, facts)
            }
            Cause::Creation(wish, error) => creation::explain(self.verb, wish, *error, facts),
            Cause::NamedCreation(reference, asked, error) => {
                creation::explain_named(self.verb, reference, *asked, *error, facts)
            }
            Cause::Setting(sysctl, text, errno) => setting::explain(sysctl, text, *errno, facts),
        };
        let Detail { message, prefix, suffix, hint, .. } = &*self.detail;
        let what = message.as_ref().unwrap_or(&explained.what);
        Explanation {
            what: format!("{prefix}{what}{suffix}"),
            hint: hint.clone().or(explained.hint),
            reason: explained.reason,
        }
    }
}
