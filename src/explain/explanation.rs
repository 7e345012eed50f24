//! The message about a failure.

use std::fmt;

/// The kinds of failure that scripts can distinguish by the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An operation failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// No such object.
    NothingThere,
    /// The call would block, as where there is no message, or the timeout passed.
    WouldBlock,
    /// Not permitted.
    NotPermitted,
    /// Interrupted by this signal.
    Signal(i32),
}

/// A failure, ready to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, with the name of the errno.
    pub what: String,
    /// Why, if the state of the system shows that, or what to do.
    pub hint: Option<String>,
    /// The kind of failure.
    pub reason: Reason,
}

impl Explanation {
    pub(super) fn new(what: impl fmt::Display, reason: Reason) -> Explanation {
        Explanation { what: what.to_string(), hint: None, reason }
    }

    pub(super) fn with_hint(self, hint: impl Into<Option<String>>) -> Explanation {
        Explanation { hint: hint.into(), ..self }
    }
}
