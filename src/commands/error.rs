//! The error type of the commands, and the exit status of each error.

use std::io;

use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::kernel::ReadError;
use crate::output::stdout::OutputError;

/// Why a command failed.
#[derive(Debug)]
pub enum Error {
    /// An operation on an object failed, or the usage is wrong.
    Failure(Failure),
    /// The objects of a kind could not be listed.
    Read(ReadError),
    /// Standard output could not be written to.
    Output(OutputError),
    /// Any other error of the system, such as a failed look at all processes.
    Io(io::Error),
}

/// The result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The failure to print; `None` for a closed pipe, because its reader has seen enough.
    pub(super) fn into_failure(self, verb: &'static str) -> Option<Failure> {
        match self {
            Error::Failure(failure) => Some(failure),
            Error::Read(error) => Some(Failure::of_reading(verb, "", &error)),
            Error::Output(error) if error.is_closed_pipe() => None,
            Error::Output(error) => Some(Failure::new(verb, "", error, Reason::Failed)),
            Error::Io(error) => Some(Failure::new(verb, "", error, Reason::Failed)),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Failure(failure)
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Error {
        Error::Read(error)
    }
}

impl From<OutputError> for Error {
    fn from(error: OutputError) -> Error {
        Error::Output(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}

impl From<Reason> for Status {
    fn from(reason: Reason) -> Status {
        match reason {
            Reason::Failed => Status::Failed,
            Reason::Usage => Status::Usage,
            Reason::NothingThere => Status::NothingThere,
            Reason::WouldBlock => Status::WouldBlock,
            Reason::NotPermitted => Status::NotPermitted,
            Reason::Signal(signal) => Status::Signal(signal),
        }
    }
}
