//! The exit statuses.

/// How `ipctool` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Done,
    /// An operation failed.
    Failed,
    /// Wrong usage.
    Usage,
    /// No such object.
    NothingThere,
    /// Would block, as where there is no message, or timed out.
    WouldBlock,
    /// Not permitted.
    NotPermitted,
    /// Problems, leaks or limits over their mark were found.
    Findings,
    /// Ended by this signal.
    Signal(i32),
    /// The status of the command of `guard`, as a shell sees it.
    Command(u8),
}

impl Status {
    /// The command of `guard` exceeded its time limit.
    pub const TIMED_OUT: Status = Status::Command(124);
    /// The command of `guard` exists, but cannot be executed.
    pub const NOT_EXECUTABLE: Status = Status::Command(126);
    /// The command of `guard` does not exist.
    pub const NOT_FOUND: Status = Status::Command(127);

    /// The status that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Status::Done => 0,
            Status::Failed => 1,
            Status::Usage => 2,
            Status::NothingThere => 3,
            Status::WouldBlock => 4,
            Status::NotPermitted => 5,
            Status::Findings => 6,
            Status::Signal(signal) => (128 + signal) as u8,
            Status::Command(status) => status,
        }
    }

    /// The status of several operations: that of the failed ones if it is the same, else [`Status::Failed`].
    pub fn and(self, other: Status) -> Status {
        match (self, other) {
            (Status::Done, status) | (status, Status::Done) => status,
            (a, b) if a == b => a,
            _ => Status::Failed,
        }
    }
}
