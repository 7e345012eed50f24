//! The verb that shows the calls of other programs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::page::{self, Group, List, Page};
use crate::ipc::number::InvalidNumber;
use crate::ipc::{Kind, duration, number};
use crate::kernel::CallName;
use crate::kernel::CallName::*;

/// Calls that are shown together: those of a kind of objects, or a single one under one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls(pub Vec<CallName>);

/// The calls on objects of each kind. Those that an entry names are the ones that the C library has for that kind.
const OF_KINDS: [(Kind, &[CallName]); 6] = [
    (Kind::Msg, &[Msgget, Msgsnd, Msgrcv, Msgctl]),
    (Kind::Shm, &[Shmget, Shmat, Shmdt, Shmctl]),
    (Kind::Sem, &[Semget, Semop, Semtimedop, Semctl]),
    (Kind::Pmsg, &[MqOpen, MqUnlink, MqTimedsend, MqTimedreceive, MqNotify, MqGetsetattr]),
    (Kind::Pshm, &[ShmOpen, ShmUnlink, Ftruncate]),
    (Kind::Psem, &[SemOpen, SemUnlink]),
];

/// What programs do with the files of /dev/shm themselves.
const OTHERS: &[CallName] = &[Open, Openat, Unlink, Unlinkat, Truncate];

/// Functions of the C library by other names than those of their system calls.
const OTHER_NAMES: [(&str, CallName); 4] = [
    ("mq_send", MqTimedsend),
    ("mq_receive", MqTimedreceive),
    ("mq_getattr", MqGetsetattr),
    ("mq_setattr", MqGetsetattr),
];

impl Calls {
    /// All calls that can be shown.
    pub fn all() -> impl Iterator<Item = CallName> {
        OF_KINDS.iter().flat_map(|(_, calls)| *calls).chain(OTHERS).copied()
    }
}

/// Text that names no call.
#[derive(Debug, thiserror::Error)]
#[error("there is no call '{0}'; a call is {1}, and a kind of objects stands for all of its calls")]
pub struct UnknownCall(String, String);

impl FromStr for Calls {
    type Err = UnknownCall;

    fn from_str(text: &str) -> Result<Calls, UnknownCall> {
        if let Ok(kind) = text.parse::<Kind>() {
            let of_kind = OF_KINDS.iter().filter(|(one, _)| *one == kind);
            return Ok(Calls(of_kind.flat_map(|(_, calls)| *calls).copied().collect()));
        }
        let by_name = Calls::all().find(|call| call.to_string() == text);
        let by_other = || OTHER_NAMES.iter().find(|(name, _)| *name == text).map(|(_, call)| *call);
        match by_name.or_else(by_other) {
            // The C library may make the one out of the other.
            Some(Semop) => Ok(Calls(vec![Semop, Semtimedop])),
            Some(call) => Ok(Calls(vec![call])),
            None => {
                let all: Vec<_> = Calls::all().map(|call| call.to_string()).collect();
                Err(UnknownCall(text.to_owned(), all.join(", ")))
            }
        }
    }
}

/// Several pids in one word, as `pidof(1)` prints them.
fn pids(text: &str) -> Result<Pids, InvalidNumber> {
    let words = text.split([',', ' ', '\n', '\t']).filter(|word| !word.is_empty());
    let pids: Vec<i32> = words.map(number::from::<i32>(1)).collect::<Result<_, _>>()?;
    match pids.is_empty() {
        true => number::from::<i32>(1)(text).map(|pid| Pids(vec![pid])),
        false => Ok(Pids(pids)),
    }
}

/// Processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pids(pub Vec<i32>);

/// Show the IPC calls of other programs, and why they fail
///
/// Runs COMMAND, or attaches to processes with -p, and prints a line for each IPC call of theirs, of all threads and of
/// the processes that they start, in the notation of strace(1): the calls of System V IPC, of POSIX message queues, and
/// those on files of /dev/shm, which are shown as shm_open, shm_unlink, sem_open and sem_unlink where only these make
/// them so. What a semaphore of POSIX does beyond that happens in memory, and no tracer sees it.
///
/// Below a call that fails, or that waits longer than --slow, a hint says why, from the state of the objects at that
/// moment: who holds a semaphore, what is full, whose mode it is, what a key was made from. A hint is given once for
/// each call that it is about, until it changes. When a process ends, lines say what it leaves behind.
///
/// With COMMAND the lines go to standard error, because standard output is COMMAND's; with -p they go to standard
/// output. Only the calls that may be shown stop COMMAND, by a seccomp filter; a process of -p stops at each system call,
/// because it cannot be given a filter. On Ctrl-C such a process goes on as before, whatever it was doing. A COMMAND
/// that ipctool started cannot go on without it: if ipctool is killed by SIGKILL, so is COMMAND. And ipctool ends
/// when all that COMMAND started has ended.
///
/// A set-user-ID program runs without its privileges unless root traces it. Calls of 32-bit programs are not decoded.
#[derive(Debug, Args)]
pub struct Trace {
    /// Attach to these processes, with all their threads; may be repeated
    #[arg(short = 'p', long = "pid", value_name = "PID", value_parser = pids, allow_hyphen_values = true, value_hint = ValueHint::Other)]
    pub pids: Vec<Pids>,
    /// Write to FILE; '-' is standard output
    #[arg(short = 'o', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Print a line of JSON for each call
    ///
    /// Its fields are time, pid, tid, call, args, result, errno, duration in seconds, and hint. A call that waits longer
    /// than --slow has one more line before, with ended false. A process that leaves something has a line with exited,
    /// signal and left at its end.
    #[arg(short = 'J', long)]
    pub json: bool,
    /// Print only a table at the end: calls, errors and time by call
    #[arg(short = 'c', long)]
    pub summary: bool,
    /// Only these calls, or all calls of these kinds: msgsnd,sem
    #[arg(long, value_name = "CALL", value_delimiter = ',', hide_possible_values = true)]
    pub only: Vec<Calls>,
    /// Only calls that fail
    #[arg(long)]
    pub failed: bool,
    /// Give a hint below a call that waits this long
    #[arg(long, value_name = "DURATION", default_value = "1s", allow_hyphen_values = true, value_parser = duration::parse)]
    pub slow: Duration,
    /// Give no hints
    #[arg(long)]
    pub no_hints: bool,
    /// Show up to N bytes of a message
    #[arg(short = 's', long = "string-limit", value_name = "N", default_value_t = 32, allow_hyphen_values = true, value_parser = number::within::<usize>(0..=1 << 20))]
    pub shown: usize,
    /// Print the time of day before each call
    #[arg(short = 't', long)]
    pub timestamps: bool,
    /// Print how long each call took
    #[arg(short = 'T', long)]
    pub durations: bool,
    /// Follow threads and children, which is always done
    #[arg(short = 'f', hide = true)]
    pub follow: bool,
    /// Command to run, with its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND", conflicts_with = "pids", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

impl Trace {
    /// The calls that are shown.
    pub fn calls(&self) -> Vec<CallName> {
        match self.only.is_empty() {
            true => Calls::all().collect(),
            false => self.only.iter().flat_map(|calls| &calls.0).copied().collect(),
        }
    }
}

pub(super) const TRACE: Page = Page {
    command: "trace",
    synopsis: &[
        "ipctool trace [-cJtT] [-o FILE] [--only CALL,…] [--failed] [--slow DURATION] [--no-hints] [-s N] [--] COMMAND [ARGUMENT…]",
        "ipctool trace [-cJtT] [-o FILE] [--only CALL,…] [--failed] [--slow DURATION] [--no-hints] [-s N] -p PID…",
    ],
    lists: || {
        let names = |calls: &[CallName]| {
            calls.iter().map(CallName::to_string).collect::<Vec<_>>().join(", ")
        };
        let of_kind = OF_KINDS.iter().map(|(kind, calls)| (kind.name(), names(calls)));
        vec![List {
            title: "CALLS",
            introduction: "What --only takes: a call, or a kind of objects for all of its calls.",
            groups: vec![
                Group::new("Calls of each kind", of_kind),
                Group::new("Other calls", [("-", names(OTHERS))]),
            ],
        }]
    },
    statuses: &[
        ("0", "the processes of -p have ended; with COMMAND, its status"),
        ("1", "something failed, or not all could be written"),
        page::USAGE,
        ("3", "no such process"),
        ("5", "not permitted to trace it"),
        ("126", "COMMAND cannot be executed"),
        ("127", "COMMAND does not exist"),
        ("128+N", "ended by signal N; COMMAND was"),
    ],
    environment: page::COLOR,
    files: &[
        page::PROCESSES,
        page::SYSVIPC,
        page::DEV_SHM,
        (
            "/proc/sys/kernel/yama/ptrace_scope",
            "Who may attach to a process of the same user: 0 everybody, 1 its ancestors, 2 root, 3 nobody.",
        ),
    ],
    notes: &[
        "A line of --json has the fields time, pid, tid, call, args (texts), result, errno, duration (seconds) and hint; result and errno are null for a call that did not end. A call that waits has a line with ended false before its own. When a process ends that leaves something, a line has exited in place of call, and left.",
        "A thread that waits in semop(2) or epoll_wait(2) when trace attaches or leaves, or while a signal comes that is ignored, would fail with EINTR; on x86-64 trace lets it go on. The timeout of epoll_wait(2) begins anew then, and so does that of a semtimedop(2) which was waiting when trace attached. If trace itself is killed by SIGKILL at that moment, the call fails.",
        "Not seen are calls that a seccomp filter of the program itself refuses, and what is done to the files of /dev/shm by a path that does not begin with that. A process that COMMAND starts with CLONE_UNTRACED is not traced, and the calls that are shown fail in it (ENOSYS).",
        "sem_open is shown without its flags if the semaphore exists, because the system calls do not show them. It returns the number of the descriptor here.",
    ],
    examples: &[
        ("See what a program does, and why it fails", "ipctool trace -- ./writer"),
        ("Only what fails, of a server that runs", "ipctool trace --failed -p 4711"),
        ("Only semaphores, with times", "ipctool trace --only sem -tT -- ./worker"),
        ("Count calls, errors and time", "ipctool trace -c -- make test"),
        ("Into a file, for jq(1)", "ipctool trace --json -o calls.jsonl -- ./writer"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-guard(1)",
        "ipctool-stat(1)",
        "strace(1)",
        "ptrace(2)",
        "seccomp(2)",
        "sysvipc(7)",
        "mq_overview(7)",
    ],
    ..Page::EMPTY
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_its_names() {
        let parse = |text: &str| text.parse::<Calls>().map(|calls| calls.0).ok();
        assert_eq!(parse("msgget"), Some(vec![Msgget]));
        assert_eq!(parse("mq_send"), Some(vec![MqTimedsend]));
        assert_eq!(parse("msg"), Some(vec![Msgget, Msgsnd, Msgrcv, Msgctl]));
        assert_eq!(parse("semop"), Some(vec![Semop, Semtimedop]));
        for text in ["", "read", "MSGGET"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn pids_come_as_pidof_prints_them() {
        let parse = |text: &str| pids(text).map(|pids| pids.0).ok();
        assert_eq!(parse("7"), Some(vec![7]));
        assert_eq!(parse("7,8 9\n"), Some(vec![7, 8, 9]));
        for text in ["", " ", "0", "-1", "x", "7,x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
