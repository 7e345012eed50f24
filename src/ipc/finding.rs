//! The findings of `doctor`.

use std::sync::Arc;

use super::home::{Home, Housed};
use super::reference::Reference;

/// A problem: one cause, however many objects it affects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The affected object, or the first of several; `None` if the problem concerns the whole system.
    pub reference: Option<Reference>,
    /// All affected objects. If the problem concerns the whole system, the objects that the fix
    /// removes.
    pub references: Vec<Reference>,
    /// What is wrong, as a sentence; without a fix also what you have to decide.
    pub why: String,
    /// A shell command that fixes it; `None` if a person has to decide.
    pub fix: Option<String>,
    /// The living processes that are affected.
    pub pids: Vec<i32>,
    /// Where it is, if several places are looked at.
    pub home: Option<Arc<Home>>,
}

impl Housed for Finding {
    fn home(&self) -> Option<&Home> {
        self.home.as_deref()
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something will fail soon, or is left over.
    Error,
    /// For information; nothing need be wrong.
    Warning,
    /// Good to know; nothing need be wrong.
    Note,
}

impl Severity {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}
