//! What became of a command on one object, as `--json` shows it.

use serde::Serialize;

use super::access::permissions::Permissions;
use super::foreign::Foreign;
use super::sysv::key::Key;

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// What it failed on: a reference as the user wrote it, or a name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What happened, as on standard error.
    pub error: String,
    /// The name of the errno, if a system call failed.
    pub errno: Option<String>,
}

/// A change of an object or a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It was changed.
    Done {
        /// What was changed: a reference or a name.
        subject: String,
        /// The value before.
        before: T,
        /// The value after.
        after: T,
    },
    /// It failed.
    Failed(Failed),
}

impl<T> Outcome<T> {
    /// What was to be changed.
    pub fn subject(&self) -> &str {
        match self {
            Outcome::Done { subject, .. } => subject,
            Outcome::Failed(failed) => &failed.reference,
        }
    }

    /// The value before the change.
    pub fn before(&self) -> Option<&T> {
        match self {
            Outcome::Done { before, .. } => Some(before),
            Outcome::Failed(_) => None,
        }
    }

    /// The value after the change.
    pub fn after(&self) -> Option<&T> {
        match self {
            Outcome::Done { after, .. } => Some(after),
            Outcome::Failed(_) => None,
        }
    }

    /// Why it failed.
    pub fn failed(&self) -> Option<&Failed> {
        match self {
            Outcome::Done { .. } => None,
            Outcome::Failed(failed) => Some(failed),
        }
    }
}

/// The outcome of `chmod` and `chown` for an object.
pub type Access = Outcome<Permissions>;

/// The outcome of setting a limit, with its numbers as the sysctl has them.
pub type Adjustment = Outcome<String>;

/// A path and the key that `ftok(3)` makes from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathKey {
    /// The path.
    pub path: Foreign,
    /// The low 8 bits of the project, as the key has them.
    pub project: u8,
    /// The key.
    pub key: Key,
}
