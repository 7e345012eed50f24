//! What a doctor finds.

use std::fmt;
use std::str::FromStr;

use super::reference::Reference;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// With which object; nothing for the system as a whole.
    pub reference: Option<Reference>,
    /// One sentence.
    pub why: String,
    /// The command that mends it.
    pub fix: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Something that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// An object that nobody uses any more.
    Orphan,
    /// An object made with what `ftok(3)` returns when it fails.
    FtokFailed,
    /// Memory held by a segment that was removed.
    MarkedAttached,
    /// A queue without room.
    QueueFull,
    /// A lock that a dead process holds.
    StuckSemaphore,
    /// An object that everybody may write.
    WorldWritable,
    /// An object that its own owner cannot read or write.
    LockedOut,
    /// A limit that is nearly reached.
    LimitNear,
    /// A user whose POSIX queues take nearly all the bytes that he may have.
    PmsgLimit,
    /// Objects that vanish when their owner logs out.
    RemoveIpc,
    /// Messages from senders that are gone.
    DeadSenderBacklog,
    /// Too little room in `/dev/shm`.
    ShmFull,
    /// Memory in `/dev/shm` that has no name.
    ShmDeleted,
    /// Segments that the kernel destroys by itself.
    RmidForced,
}

impl Check {
    /// All of them.
    pub const ALL: [Check; 14] = [
        Check::Orphan,
        Check::FtokFailed,
        Check::MarkedAttached,
        Check::QueueFull,
        Check::StuckSemaphore,
        Check::WorldWritable,
        Check::LockedOut,
        Check::LimitNear,
        Check::PmsgLimit,
        Check::RemoveIpc,
        Check::DeadSenderBacklog,
        Check::ShmFull,
        Check::ShmDeleted,
        Check::RmidForced,
    ];

    /// Its name, as `--only` and `--skip` take it.
    pub fn name(self) -> &'static str {
        match self {
            Check::Orphan => "orphan",
            Check::FtokFailed => "ftok-failed",
            Check::MarkedAttached => "marked-attached",
            Check::QueueFull => "queue-full",
            Check::StuckSemaphore => "stuck-semaphore",
            Check::WorldWritable => "world-writable",
            Check::LockedOut => "locked-out",
            Check::LimitNear => "limit-near",
            Check::PmsgLimit => "pmsg-limit",
            Check::RemoveIpc => "remove-ipc",
            Check::DeadSenderBacklog => "dead-sender-backlog",
            Check::ShmFull => "shm-full",
            Check::ShmDeleted => "shm-deleted",
            Check::RmidForced => "rmid-forced",
        }
    }

    /// Whether it takes a look at all processes.
    pub fn needs_users(self) -> bool {
        !matches!(
            self,
            Check::WorldWritable
                | Check::LockedOut
                | Check::LimitNear
                | Check::PmsgLimit
                | Check::RemoveIpc
                | Check::ShmFull
                | Check::ShmDeleted
                | Check::RmidForced
        )
    }

    /// What it looks for, in a line.
    pub fn help(self) -> &'static str {
        match self {
            Check::Orphan => {
                "an object that nobody uses: its recorded processes are gone (warning), or it was never used (note); a POSIX object that nobody has open or mapped (warning)"
            }
            Check::FtokFailed => "key 0xffffffff: somebody used what ftok returns when it fails",
            Check::MarkedAttached => "memory held by a segment that was removed but is attached",
            Check::QueueFull => "a queue without room (error if a process is blocked sending)",
            Check::StuckSemaphore => "value 0, waiters, and the last process is gone",
            Check::WorldWritable => "everybody may write it",
            Check::LockedOut => "the mode gives its own owner no read or no write",
            Check::LimitNear => "a limit that is used to 80 % or more (see --threshold)",
            Check::PmsgLimit => {
                "a user whose POSIX queues take 80 % or more of RLIMIT_MSGQUEUE (see --threshold)"
            }
            Check::RemoveIpc => "systemd-logind removes the objects of users who log out",
            Check::DeadSenderBacklog => "messages on a queue whose every recorded process is gone",
            Check::ShmFull => {
                "/dev/shm is used to 80 % or more, in bytes or inodes (see --threshold), or has less room than its files were made for"
            }
            Check::ShmDeleted => {
                "memory in /dev/shm without a name, which only those that hold it can free (warning if room is short)"
            }
            Check::RmidForced => {
                "kernel.shm_rmid_forced is 1: segments that nobody has attached vanish (warning if there are some)"
            }
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no check.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no check '{0}': 'ipctool doctor --list-checks' lists them")]
pub struct UnknownCheck(String);

impl FromStr for Check {
    type Err = UnknownCheck;

    fn from_str(name: &str) -> Result<Check, UnknownCheck> {
        let check = Check::ALL.into_iter().find(|check| check.name() == name);
        check.ok_or_else(|| UnknownCheck(name.to_owned()))
    }
}
