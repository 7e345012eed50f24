//! `ipctool guard`: runs a command, and tells what it left behind.

mod destination;
mod ground;
mod report;
mod watch;

use std::ffi::OsStr;
use std::path::Path;
use std::{env, io};

use destination::Destination;
use ground::Ground;
use report::Report;
use watch::Watch;

use super::complain;
use crate::cli::Guard;
use crate::exit::Status;
use crate::explain::{Failure, Notice, Reason};
use crate::ipc::Foreign;
use crate::ipc::leak::Difference;
use crate::kernel::child::Ended;
use crate::kernel::{descriptor, signals};
use crate::output::Style;

const VERB: &str = "guard";

/// What an isolated command does not see.
const COVERED: &str = "an isolated command has a /dev/shm of its own, which starts empty; \
                       --isolate never leaves it that of the machine";

pub(super) fn run(args: Guard, mut style: Style) -> anyhow::Result<Status> {
    style.human_sizes = true;
    // Whatever can go wrong without the command does so before it runs.
    let destination = args.report.as_deref().map(Destination::open).transpose()?;
    let mut ground = Ground::choose(args.isolate, args.keep, args.quiet)?;
    // Whose process ids were whose is known from before anything that is new can have been made.
    let mut watch = Watch::begin(&args, &ground)?;
    ground.remember()?;
    if !args.quiet && env::current_dir().is_ok_and(|path| ground.covers(&path)) {
        let what = format_args!("{VERB}: the command starts in the /dev/shm outside");
        complain(Notice::new(what).with_hint(COVERED));
    }
    let (status, outcome, difference, ignored) = match watch.start(&ground) {
        Err(error) => {
            let (what, status) = match error.kind() {
                io::ErrorKind::NotFound => (descriptor::describe(&error), Status::NOT_FOUND),
                // Some directory of PATH is closed to the caller.
                io::ErrorKind::PermissionDenied if !is_there(&args.command[0]) => {
                    ("command not found (ENOENT)".to_owned(), Status::NOT_FOUND)
                }
                _ => (descriptor::describe(&error), Status::NOT_EXECUTABLE),
            };
            let command = Foreign::from(args.command[0].as_os_str());
            let mut failure = Failure::new(VERB, command, what, Reason::Failed);
            if ground.covers(Path::new(&args.command[0])) {
                failure = failure.with_hint(COVERED);
            } else if error.kind() == io::ErrorKind::NotFound && is_there(&args.command[0]) {
                failure = failure.with_hint(
                    "the file is there: what is missing is its interpreter, which '#!' in its first line names",
                );
            }
            if let [line] = args.command.as_slice()
                && line.as_encoded_bytes().contains(&b' ')
                && failure.hint.is_none()
            {
                failure = failure.with_hint("a line of shell is: sh -c 'LINE'");
            }
            complain(failure);
            (status.code(), None, Difference::default(), Vec::new())
        }
        Ok(()) => {
            let outcome = watch.follow();
            if outcome.is_abandoned {
                if !ground.is_isolated() {
                    let what = "interrupted twice: what the command left behind is still there";
                    let notice = Notice::new(format_args!("{VERB}: {what}"));
                    complain(notice.with_hint("'ipctool list' shows it"));
                }
                return Ok(Status::Signal(signals::INTERRUPT));
            }
            let mut after = ground.survey(watch::length(&args));
            if ground.is_isolated() && !outcome.strays.is_empty() {
                // What one of them removes when it is asked to end was left behind all the same.
                watch.end_strays();
                ground::add_new(&mut after, ground.survey(watch::length(&args)));
            }
            let mut difference = ground.difference(after, &watch.kin());
            let ignored = difference.set_aside(&args.ignore);
            (outcome.status(), Some(outcome), difference, ignored)
        }
    };
    // Whatever becomes of the report, nothing is left behind.
    let notes = match ground.is_isolated() || args.keep {
        true => Vec::new(),
        false => ground::remove(&difference.leaks),
    };
    let report = Report {
        command: &args.command,
        status,
        is_isolated: ground.is_isolated(),
        keep: args.keep,
        strays: outcome.as_ref().map_or(&[], |outcome| &outcome.strays),
        difference: &difference,
        ignored: &ignored,
    };
    if !args.quiet {
        report.tell(&style);
        notes.into_iter().for_each(complain);
    }
    let written =
        destination.map_or(Ok(()), |destination| destination.write(&report.to_json(&style)));
    if let Err(failure) = &written {
        complain(failure);
    }
    Ok(match outcome.map(|outcome| (outcome.ended, outcome.from_terminal)) {
        // Whoever runs this in a loop at a terminal wants the loop to end with it.
        Some((Ended::Signal(signal), Some(typed))) if signal == typed => Status::Signal(signal),
        _ if status != 0 => Status::Command(status),
        _ => match written {
            Err(failure) => Status::from(&failure),
            Ok(()) if difference.leaks.len() as u64 > args.max_leaks && !args.allow_leaks => {
                Status::Findings
            }
            Ok(()) => Status::Done,
        },
    })
}

/// Whether there is a file that a command can mean: in a directory of PATH, unless it is a path.
fn is_there(command: &OsStr) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    match command.as_encoded_bytes().contains(&b'/') {
        true => Path::new(command).exists(),
        false => env::split_paths(&path).any(|directory| directory.join(command).exists()),
    }
}
