//! The verbs: one file a subcommand.

mod change;
mod chmod;
mod chown;
mod consent;
mod create;
mod doctor;
mod error;
mod explain;
mod guard;
mod help;
mod install_links;
mod key;
mod limits;
mod list;
mod overview;
mod recv;
mod request;
mod rm;
mod select;
mod send;
mod stat;
mod usage;

pub use error::{Error, Result};
pub use explain::explain;
use explain::{report, report_all, report_each};
pub use usage::reject;

use std::io;

use crate::cli::{Cli, Command};
use crate::exit::Status;
use crate::explain::{Failure, Notice};
use crate::ipc::{Object, Reference, Time};
use crate::kernel;
use crate::kernel::io::stdio;
use crate::kernel::{Namespace, StatusError};
use crate::output::style::{ASIDE, paint};
use crate::output::{Color, Screen, Style, escape, stderr, stdout};

/// Runs the command in this namespace.
pub fn run(cli: Cli, namespace: &Namespace) -> Status {
    if cli.global.trace {
        kernel::call::trace(&|event| stdio::print_line(format_args!("{event}")));
    }
    let style = style(cli.global.color);
    if cli.command.is_some() && cli.overview.json {
        let notice = Notice::new("--json goes behind the command");
        print_error(notice.with_hint("for example: ipctool list --json"));
        return Status::Usage;
    }
    let Some(command) = cli.command else {
        return overview::run(cli.overview, namespace, style)
            .unwrap_or_else(|error| end("overview", namespace, error));
    };
    let (verb, result) = match command {
        Command::List(args) => ("list", list::run(args, namespace, style)),
        Command::Stat(args) => ("stat", stat::run(args, namespace, style)),
        Command::Create(args) => ("create", create::run(args, namespace, &style)),
        Command::Send(args) => ("send", send::run(args, namespace, &style)),
        Command::Recv(args) => ("recv", recv::run(args, namespace, style)),
        Command::Rm(args) => ("rm", rm::run(args, namespace, style)),
        Command::Chmod(args) => ("chmod", chmod::run(args, namespace, style)),
        Command::Chown(args) => ("chown", chown::run(args, namespace, style)),
        Command::Limits(args) => ("limits", limits::run(args, namespace, style)),
        Command::Doctor(args) => ("doctor", doctor::run(args, namespace, style)),
        Command::Guard(args) => ("guard", guard::run(args, namespace, style)),
        Command::Key(args) => ("key", key::run(args, &style)),
        Command::InstallLinks(args) => ("install-links", install_links::run(args, namespace)),
        Command::Help(args) => ("help", Ok(help::run(args))),
    };
    result.unwrap_or_else(|error| end(verb, namespace, error))
}

/// Prints why a command failed, and returns its status.
fn end(verb: &'static str, namespace: &Namespace, error: Error) -> Status {
    match error.into_failure(verb) {
        Some(failure) => report(namespace, failure),
        None => Status::Done,
    }
}

/// Prints a message to standard error: a line, and perhaps a hint below it.
pub fn print_error(message: impl Into<Notice>) {
    // If standard error fails, there is no other place to report it.
    let _ = try_print_error(message);
}

/// Prints a dim line to standard error that keeps a person from waiting in vain: only if results and errors go
/// to a terminal, so that scripts never see it. Call it only if the format is one for people.
fn remark(style: &Style, text: &str) {
    let errors = Screen::of_stderr(style.color);
    if stdout::is_terminal() && errors.is_terminal {
        // If standard error fails, there is no other place to report it.
        let _ = stderr::write_line(paint(&escape::line(text), ASIDE, &errors));
    }
}

/// Prints a message to standard error, and returns whether that worked.
fn try_print_error(message: impl Into<Notice>) -> io::Result<()> {
    stderr::write_line(format!("ipctool: {}", message.into()))
}

/// The choices of the output that hold for every command.
fn style(color: Color) -> Style {
    let mut style = Style::new(now());
    style.color = color;
    style.screen = Screen::of_stdout(color);
    style
}

/// The time of day in whole seconds, as the kernel records times.
fn now() -> Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(now.map_or(0, |now| now.as_secs() as i64))
}

/// The objects that references name, read completely, and the failures of the others.
fn find_all(
    verb: &'static str,
    namespace: &Namespace,
    references: &[Reference],
) -> (Vec<Object>, Vec<Failure>) {
    let mut objects = Vec::new();
    let mut failures = Vec::new();
    for (reference, found) in references.iter().zip(namespace.statuses(references)) {
        match found {
            Ok(object) => objects.push(object),
            Err(StatusError::Call(error)) => {
                failures.push(Failure::of_call(verb, reference, error));
            }
            Err(StatusError::Read(error)) => {
                failures.push(Failure::of_reading(verb, reference, &error));
            }
        }
    }
    (objects, failures)
}

/// A reference by id, if there is one, which never names a later object.
fn resolve(
    verb: &'static str,
    namespace: &Namespace,
    reference: &Reference,
) -> Result<Reference, Failure> {
    namespace.resolve(reference).map_err(|error| Failure::of_call(verb, reference, error))
}
