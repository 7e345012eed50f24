//! What is told of a failure.

use std::fmt;

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

/// A failure as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, with the name of the errno.
    pub what: String,
    /// Why, where the state of the system tells, or what to do.
    pub hint: Option<String>,
    /// What sort of failure it is.
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
