//! Who has to do with an object.

use super::time::Time;

/// One process in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The process id.
    pub pid: i32,
    /// What it has to do with the object: `last sender`, `creator`.
    pub role: String,
    /// Since when, or when last.
    pub since: Option<Time>,
    /// Its effective user id, while it lives.
    pub uid: Option<u32>,
    /// Its command line, while it lives; that of the stranger where the number was reused.
    pub command: Option<String>,
    /// What has become of it.
    pub state: State,
}

/// What has become of a process whose id the kernel recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It lives.
    Alive,
    /// No process has this id.
    Gone,
    /// The process that has this id now started after what was recorded.
    Reused,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Alive => "alive",
            State::Gone => "gone",
            State::Reused => "reused",
        }
    }
}
