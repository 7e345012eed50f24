//! A command that a verb runs: while it holds something for the command, or in its own place.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::Foreign;
use crate::kernel::descendants::child::{self, Ended, Fate};
use crate::kernel::io::{os_error, poll};
use crate::kernel::signals::{self, Inbox, Notice};

/// Runs a command to its end, with these variables added to its environment. Signals to this process go to the
/// command. Fails if it cannot be started.
pub(super) fn run(words: &[OsString], environment: &[(&str, String)]) -> io::Result<Status> {
    Ok(run_noting(words, environment)?.0)
}

/// The same, with the signal by which another process asked this one to end meanwhile.
pub(super) fn run_noting(
    words: &[OsString],
    environment: &[(&str, String)],
) -> io::Result<(Status, Option<i32>)> {
    let inbox = Inbox::open()?;
    // One may have come before the inbox was open.
    if let Some(signal) = signals::pending() {
        return Ok((Status::Signal(signal), Some(signal)));
    }
    let pid = child::spawn_with(words, environment, &inbox, 0)?;
    let (mut from_terminal, mut asked) = (None, None);
    let ended = loop {
        asked = pass_on(&inbox, pid, &mut from_terminal).or(asked);
        match child::reap() {
            Some(Fate::Ended(ended, how)) if ended == pid => break how,
            // Stop with the command, as under a shell's job control, which continues both.
            Some(Fate::Stopped(stopped)) if stopped == pid => signals::stop(),
            Some(_) => {}
            None => poll::wait_any_readable(&[inbox.as_fd()], None::<Duration>),
        }
    };
    // What happens after it is to be ended by signals again.
    inbox.close()?;
    Ok((status_of(ended, from_terminal), asked))
}

/// Passes the signals in the inbox on to a command, and notes the one that the terminal sent to it as well. Returns one
/// by which another process asked this one to end.
pub(super) fn pass_on(inbox: &Inbox, pid: i32, from_terminal: &mut Option<i32>) -> Option<i32> {
    let mut asked = None;
    while let Some(Notice { signal, sender }) = inbox.next() {
        match sender {
            _ if signal == signals::CHILD => {}
            None if signal == signals::CONTINUE => {}
            None if signals::is_shared(signal) => *from_terminal = Some(signal),
            _ => {
                asked = Some(signal).filter(|&signal| signals::asks_to_end(signal)).or(asked);
                let _ = child::kill(pid, signal);
            }
        }
    }
    asked
}

/// The status for a command that has ended.
pub(super) fn status_of(ended: Ended, from_terminal: Option<i32>) -> Status {
    match ended {
        // A shell stops a loop on Ctrl-C only if the signal ends this program as well.
        Ended::Signal(signal) if from_terminal == Some(signal) => Status::Signal(signal),
        Ended::Signal(signal) => Status::Command(Status::Signal(signal).code()),
        Ended::Status(status) => Status::Command(status),
    }
}

/// Why a command did not start, and the status for it.
pub(super) fn not_started(
    verb: &'static str,
    words: &[OsString],
    error: &io::Error,
) -> (Failure, Status) {
    let command = &words[0];
    let (what, status) = match error.kind() {
        io::ErrorKind::NotFound => (os_error::describe(error), Status::NOT_FOUND),
        // The caller may not search some directory of PATH.
        io::ErrorKind::PermissionDenied if !is_there(command) => {
            ("command not found (ENOENT)".to_owned(), Status::NOT_FOUND)
        }
        _ => (os_error::describe(error), Status::NOT_EXECUTABLE),
    };
    let mut failure = Failure::new(verb, Foreign::from(command.as_os_str()), what, Reason::Failed);
    if error.kind() == io::ErrorKind::NotFound && is_there(command) {
        failure = failure.with_hint(
            "the file exists, but the interpreter that '#!' in its first line names does not",
        );
    } else if let [line] = words
        && line.as_encoded_bytes().contains(&b' ')
    {
        failure = failure.with_hint("to run a line of shell: sh -c 'LINE'");
    }
    (failure, status)
}

/// Whether the file of a command exists: at its path, or in a directory of PATH if it has no slash.
pub(super) fn is_there(command: &OsStr) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    match command.as_encoded_bytes().contains(&b'/') {
        _ if command.is_empty() => false,
        true => Path::new(command).exists(),
        false => env::split_paths(&path).any(|directory| directory.join(command).exists()),
    }
}
