//! The verb for semaphores.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::options::semaphore;
use super::page::{self, Page};
use crate::ipc::sysv::operation::Step;
use crate::ipc::{Reference, duration};

/// Operate on semaphores, or hold one while a command runs
///
/// +N adds N to the value of a semaphore. -N waits until the value is at least N, and subtracts it. 0 waits until
/// the value is 0. All operations on a set happen at once or not at all, semop(2). Each begins with the number of
/// its semaphore, as in '0:-1 2:+1', unless the set has just one. =N sets the value (SETVAL): that never waits, and
/// what processes would undo to it is forgotten.
///
/// A POSIX semaphore takes one operation: +N posts it N times, -N takes N at once as soon as there are so many.
///
/// With COMMAND the operations are done, the command runs, and then they are undone: -1 is a lock that is held as
/// long as the command runs. In a set the kernel itself undoes them when the command ends, whatever ends it
/// (SEM_UNDO); what the command started in the background does not hold the lock any more. A command that itself
/// leaves its IPC namespace, as 'unshare --ipc' does, gives it back at that moment: have sh -c '…; exit' around it. A POSIX semaphore is
/// given back by ipctool; if that is killed with SIGKILL, nobody does it. Signals go to the command. With --in, a
/// COMMAND that holds a set is in that IPC namespace, too.
#[derive(Debug, Args)]
pub struct Semop {
    /// Set: its id, its key as 0x…; or the /name of a POSIX semaphore
    #[arg(value_name = "SEM", value_parser = semaphore, value_hint = ValueHint::Other)]
    pub semaphore: Reference,
    /// What to do: [INDEX:]+N, [INDEX:]-N, [INDEX:]0 or [INDEX:]=N
    #[arg(value_name = "OPERATION", required = true, allow_negative_numbers = true)]
    pub operations: Vec<Step>,
    /// Have the kernel undo it when this command ends (SEM_UNDO)
    ///
    /// It ends at once, so this shows what SEM_UNDO does. For a lock, give it a COMMAND.
    #[arg(long)]
    pub undo: bool,
    /// Fail instead of waiting
    #[arg(long, conflicts_with = "timeout")]
    pub nowait: bool,
    /// Wait at most this long: 250ms, 30s, 10m
    ///
    /// A bare number is seconds.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// Print the values before and after on standard error
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// What to run meanwhile, with its arguments
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

pub(super) const SEMOP: Page = Page {
    command: "semop",
    synopsis: &[
        "ipctool semop [--undo] [--nowait | --timeout DURATION] [-v] SEM OPERATION…",
        "ipctool semop [--nowait | --timeout DURATION] [-v] SEM OPERATION… -- COMMAND [ARGUMENT…]",
    ],
    statuses: &[
        ("0", "done; with COMMAND, its status"),
        ("1", "an operation failed"),
        page::USAGE,
        ("3", "no such semaphore, or it was removed"),
        ("4", "it would have to wait (--nowait), or the time is up"),
        page::NOT_PERMITTED,
        ("126", "COMMAND cannot be executed"),
        ("127", "COMMAND does not exist"),
        ("128+N", "ended by signal N; with COMMAND, that was"),
    ],
    environment: page::COLOR,
    files: &[page::SYSVIPC, page::DEV_SHM],
    notes: &[
        "A value of a set is at most 32,767 (SEMVMX), that of a POSIX semaphore 2,147,483,647 (SEM_VALUE_MAX). kernel.sem limits how many operations one call can have (SEMOPM).",
    ],
    examples: &[
        ("Create a lock that is free", "ipctool create sem --key 0xbeef --value 1"),
        ("Run a command while nobody else holds it", "ipctool semop 0xbeef -1 -- make deploy"),
        (
            "The same, or give up after 10 seconds",
            "ipctool semop 0xbeef -1 --timeout 10s -- make deploy",
        ),
        ("Release what nobody releases any more", "ipctool semop 0xbeef +1"),
        (
            "Take one of the first and give one to the third, both at once",
            "ipctool semop sem:0 0:-1 2:+1",
        ),
        ("Post a POSIX semaphore", "ipctool semop /lock +1"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-create(1)",
        "ipctool-stat(1)",
        "flock(1)",
        "semop(2)",
        "sem_post(3)",
        "sem_wait(3)",
        "sysvipc(7)",
        "sem_overview(7)",
    ],
    ..Page::EMPTY
};
