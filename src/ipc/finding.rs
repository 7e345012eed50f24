//! What a doctor finds.

use super::reference::Reference;

/// Something that is wrong: one cause, however many objects it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check that found it.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The object, or the first of several; none if it concerns the system as a whole.
    pub reference: Option<Reference>,
    /// All objects that it concerns. For the system as a whole, those that the fix removes.
    pub references: Vec<Reference>,
    /// What is wrong, in a sentence; without a fix also what has to be decided.
    pub why: String,
    /// The command that mends it, for a shell; none where only a person can decide.
    pub fix: Option<String>,
    /// The living processes that it concerns.
    pub pids: Vec<i32>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something does not work now.
    Error,
    /// Something will not work, or is left over.
    Warning,
    /// Good to know; nothing need be wrong.
    Note,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}
