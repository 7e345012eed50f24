//! The name of a process in messages and reports.

use std::fmt;

use crate::ipc::foreign::Foreign;

/// The name of a process in messages and reports: `12 (perl x.pl)`, or just `12`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ProcessName {
    /// Its id.
    pub pid: i32,
    /// Its command line, if known.
    pub command: Option<Foreign>,
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{} ({command})", self.pid),
            None => write!(f, "{}", self.pid),
        }
    }
}
