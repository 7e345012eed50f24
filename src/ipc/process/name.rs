//! A process as a person and a report name it.

use std::fmt;

use crate::ipc::foreign::Foreign;

/// A process as a person and a report name it: `12 (perl x.pl)`, or `12` alone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ProcessName {
    /// Its id.
    pub pid: i32,
    /// Its command line, as far as it is known.
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
