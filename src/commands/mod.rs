//! The verbs: one file a subcommand.

mod change;
mod chmod;
mod chown;
mod create;
mod doctor;
mod guard;
mod install_links;
mod key;
mod limits;
mod list;
mod recv;
mod rm;
mod select;
mod send;
mod stat;
mod usage;

pub use doctor::checks::{ALL as CHECKS, Check};
#[cfg(any(test, fuzzing))]
pub(crate) use doctor::logind;
pub use usage::reject;

use std::io::{self, IsTerminal};

use crate::cli::{Cli, Color, Command};
use crate::exit::Status;
use crate::explain::{Failure, Notice, Reason};
use crate::ipc::{Object, Reference, Time};
use crate::kernel;
use crate::kernel::object::StatusError;
use crate::output::{Style, stderr};

/// Does what the command line says.
pub fn run(cli: Cli) -> Status {
    if cli.global.trace {
        kernel::call::trace();
    }
    let style = style(cli.global.color);
    let (verb, result) = match cli.command {
        Command::List(args) => ("list", list::run(args, style)),
        Command::Stat(args) => ("stat", stat::run(args, style)),
        Command::Create(args) => ("create", create::run(args)),
        Command::Send(args) => ("send", send::run(args)),
        Command::Recv(args) => ("recv", recv::run(args)),
        Command::Rm(args) => ("rm", rm::run(args, style)),
        Command::Chmod(args) => ("chmod", chmod::run(args)),
        Command::Chown(args) => ("chown", chown::run(args)),
        Command::Limits(args) => ("limits", limits::run(args, style)),
        Command::Doctor(args) => ("doctor", doctor::run(args, style)),
        Command::Guard(args) => ("guard", guard::run(args, style)),
        Command::Key(args) => ("key", key::run(args)),
        Command::InstallLinks(args) => ("install-links", install_links::run(args)),
    };
    result.unwrap_or_else(|error| {
        let status = Status::from(&error);
        // A reader that has seen enough needs no message.
        if status != Status::Done {
            print_error(notice(verb, &error));
        }
        status
    })
}

/// What there is to say of an error.
fn notice(verb: &str, error: &anyhow::Error) -> Notice {
    match (error.downcast_ref::<Failure>(), error.downcast_ref()) {
        (Some(failure), _) => failure.into(),
        (None, Some(error)) => Notice::of_read_error(verb, error),
        (None, None) => Notice::new(format_args!("{verb}: {error}")),
    }
}

/// Prints what went wrong to standard error: a line, and perhaps a hint below it.
pub fn print_error(message: impl Into<Notice>) {
    // There is no other place to report this.
    let _ = try_print_error(message);
}

/// The same where it matters whether it could be written.
fn try_print_error(message: impl Into<Notice>) -> io::Result<()> {
    stderr::write_line(format!("ipctool: {}", message.into()))
}

/// Prints what went wrong with one of several objects, and returns the status for it.
fn report(failure: &Failure) -> Status {
    print_error(failure);
    failure.into()
}

fn style(color: Color) -> Style {
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        // https://no-color.org: set and not empty.
        Color::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    };
    let mut style = Style::new(now());
    style.color = color;
    style.to_terminal = crate::output::stdout::is_terminal();
    style
}

/// The time of day, in the seconds of the kernel's records.
fn now() -> Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(now.map_or(0, |now| now.as_secs() as i64))
}

/// The object behind a reference, with all that is known of it.
fn find(verb: &'static str, reference: &Reference) -> Result<Object, Failure> {
    kernel::object::status(reference).map_err(|error| match error {
        StatusError::Call(error) => Failure::of_call(verb, reference, error),
        StatusError::Read(error) => Failure {
            hint: error.hint().map(str::to_owned),
            ..Failure::new(verb, reference, error, Reason::Failed)
        },
    })
}

/// The reference that means the same object and no later one, as far as there is one.
fn resolve(verb: &'static str, reference: &Reference) -> Result<Reference, Failure> {
    kernel::object::resolve(reference).map_err(|error| Failure::of_call(verb, reference, error))
}
