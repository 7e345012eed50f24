//! What went wrong, as a value.

use std::{fmt, io};

use super::creation::Wish;
use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::{call, change, content, creation, setting};
use crate::ipc::Reference;
use crate::kernel::io::os_error::describe as describe_io;
use crate::kernel::posix::mq_calls::Shape;
use crate::kernel::signals::wait::Stopped;
use crate::kernel::{CallError, Errno, ReadError};

/// A verb that could not be carried out on one object. Nothing is looked up to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The verb.
    pub verb: &'static str,
    /// What it was to be done to: a reference, or a word such as the name of an option.
    pub subject: String,
    /// In a box, for results are small where nothing fails.
    detail: Box<Detail>,
}

/// What went wrong, and what the verb says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    cause: Cause,
    /// What to say in place of what happened.
    instead: Option<String>,
    /// What to say before and after what happened.
    before: String,
    after: String,
    /// The hint, where the verb knows it.
    hint: Option<String>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The verb says it all.
    Said(String, Reason),
    /// A system call failed on an existing object, or on one that should exist.
    Call(Reference, CallError),
    /// A look at a message that was to stay on its queue.
    Peek(Reference, CallError),
    /// A wait for room or for a message was over before there was any.
    TimedOut(Reference),
    /// `IPC_SET` for owner and mode, or its like.
    Change(Reference, CallError),
    /// `IPC_SET` for the size of a queue in bytes.
    QueueBytes(Reference, u64, CallError),
    /// The making of a System V object.
    Creation(Wish, CallError),
    /// The making of a POSIX object, a queue perhaps in a shape.
    NamedCreation(Reference, Option<Shape>, CallError),
    /// A sysctl of this name that does not take this text.
    Setting(&'static str, String, Errno),
}

impl Failure {
    fn of(verb: &'static str, subject: impl fmt::Display, cause: Cause) -> Failure {
        Failure {
            verb,
            subject: subject.to_string(),
            detail: Box::new(Detail {
                cause,
                instead: None,
                before: String::new(),
                after: String::new(),
                hint: None,
            }),
        }
    }

    /// A failure in the words of the verb.
    pub fn new(
        verb: &'static str,
        subject: impl fmt::Display,
        what: impl fmt::Display,
        reason: Reason,
    ) -> Failure {
        Failure::of(verb, subject, Cause::Said(what.to_string(), reason))
    }

    /// A command line that is wrong in a way that only the verb knows.
    pub fn usage(verb: &'static str, what: impl fmt::Display) -> Failure {
        Failure::new(verb, "", what, Reason::Usage)
    }

    /// A system call that failed on an existing object, or on one that should exist.
    pub fn of_call(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        Failure::of(verb, reference, Cause::Call(reference.clone(), error))
    }

    /// A look at a message that was to stay on its queue, and failed.
    pub fn of_peek(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        Failure::of(verb, reference, Cause::Peek(reference.clone(), error))
    }

    /// The objects of a kind could not be listed, on behalf of a reference or a limit.
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

    /// A queue could not be given room for so many bytes.
    pub fn of_queue_bytes(
        verb: &'static str,
        reference: &Reference,
        bytes: u64,
        error: CallError,
    ) -> Failure {
        Failure::of(verb, reference, Cause::QueueBytes(reference.clone(), bytes, error))
    }

    /// A System V object could not be made or opened.
    pub fn of_creation(verb: &'static str, wish: &Wish, error: CallError) -> Failure {
        Failure::of(verb, wish.subject(), Cause::Creation(*wish, error))
    }

    /// A POSIX object could not be made or opened. A queue may have been asked for in a shape.
    pub fn of_named_creation(
        verb: &'static str,
        reference: &Reference,
        asked: Option<Shape>,
        error: CallError,
    ) -> Failure {
        Failure::of(verb, reference, Cause::NamedCreation(reference.clone(), asked, error))
    }

    /// A limit could not be set to this value: its sysctl does not take this text.
    pub fn of_setting(
        verb: &'static str,
        limit: &'static str,
        value: u64,
        (sysctl, text): (&'static str, &str),
        error: &io::Error,
    ) -> Failure {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        let what = format!("cannot set {value}: {}", describe_io(error));
        Failure::of(verb, limit, Cause::Setting(sysctl, text.to_owned(), errno)).saying(what)
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
            Stopped::TimedOut => Failure::of(verb, reference, Cause::TimedOut(reference.clone())),
            Stopped::Signal(signal) => {
                Failure::new(verb, reference, "interrupted by a signal", Reason::Signal(signal))
            }
        }
    }

    /// The same with this hint.
    pub fn with_hint(mut self, hint: impl fmt::Display) -> Failure {
        self.detail.hint = Some(hint.to_string());
        self
    }

    /// The same in other words.
    pub fn saying(mut self, what: impl fmt::Display) -> Failure {
        self.detail.instead = Some(what.to_string());
        self
    }

    /// The same with this in front of what happened.
    pub fn after(mut self, words: impl fmt::Display) -> Failure {
        self.detail.before.insert_str(0, &words.to_string());
        self
    }

    /// The same with this behind what happened.
    pub fn before(mut self, words: impl fmt::Display) -> Failure {
        self.detail.after += &words.to_string();
        self
    }

    /// Whether the verb gave it a hint.
    pub fn has_hint(&self) -> bool {
        self.detail.hint.is_some()
    }

    /// What the kernel said, if a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        match &self.detail.cause {
            Cause::Said(..) | Cause::TimedOut(_) => None,
            Cause::Call(_, error)
            | Cause::Peek(_, error)
            | Cause::Change(_, error)
            | Cause::QueueBytes(_, _, error)
            | Cause::Creation(_, error)
            | Cause::NamedCreation(_, _, error) => Some(error.errno),
            Cause::Setting(_, _, errno) => Some(*errno),
        }
    }

    /// Whether it means that the object is not there, by what the kernel said.
    pub fn is_of_missing(&self) -> bool {
        matches!(&self.detail.cause, Cause::Call(_, error) if error.is_missing())
    }

    /// What of the system explains it.
    pub fn want(&self, wanted: &mut Wanted) {
        match &self.detail.cause {
            Cause::Said(..) => {}
            Cause::Call(reference, error) => call::want(reference, *error, wanted),
            Cause::Peek(reference, error) => call::want(reference, *error, wanted),
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

    /// What to say, from what was seen of the system.
    pub fn explain(&self, facts: &Facts) -> Explanation {
        let explained = match &self.detail.cause {
            Cause::Said(what, reason) => Explanation::new(what, *reason),
            Cause::Call(reference, error) => call::explain(self.verb, reference, *error, facts),
            Cause::Peek(reference, error) => {
                call::explain_peek(self.verb, reference, *error, facts)
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
        let Detail { instead, before, after, hint, .. } = &*self.detail;
        let what = instead.as_ref().unwrap_or(&explained.what);
        Explanation {
            what: format!("{before}{what}{after}"),
            hint: hint.clone().or(explained.hint),
            reason: explained.reason,
        }
    }
}
