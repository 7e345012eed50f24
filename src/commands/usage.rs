//! Handles a command line that is wrong, or that asks for help.

use std::error::Error as _;
use std::ffi::OsString;
use std::io;

use clap::CommandFactory;
use clap::error::{ContextKind, ErrorKind};

use super::print_error;
use crate::cli;
use crate::exit::Status;
use crate::explain::Notice;

/// Prints the help, or the error in one line and perhaps a hint.
pub fn reject(error: &clap::Error, mut arguments: impl Iterator<Item = OsString>) -> Status {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Parsed again with the complete help, which normal commands need not build.
            let documented = cli::documented().try_get_matches().err();
            let printed = documented.as_ref().unwrap_or(error).print();
            return match printed {
                _ if error.exit_code() != 0 => Status::Usage,
                // A reader that closed the pipe has seen enough.
                Err(failed) if failed.kind() != io::ErrorKind::BrokenPipe => Status::Failed,
                _ => Status::Done,
            };
        }
        _ => {}
    }
    let command = cli::Cli::command();
    let is_option = |argument: &OsString| argument.as_encoded_bytes().starts_with(b"-");
    let verb = arguments
        .find(|argument| !is_option(argument))
        .and_then(|argument| Some(command.find_subcommand(argument)?.get_name().to_owned()));
    let rendered = error.render().to_string();
    let message = bad_value(error).unwrap_or_else(|| summary(&rendered));
    let tip = rendered.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).find(|tip| {
        // This tip helps only where an argument can be any text.
        !tip.starts_with("to pass") || verb.as_deref() == Some("send")
    });
    let hint = match (tip, error.kind()) {
        (_, ErrorKind::InvalidSubcommand) if drop_in(error) => {
            Some("it takes no options of ipctool: put it first".to_owned())
        }
        // clap's own tip has no complete command, and only the letter of a short option.
        (Some(tip), _) if tip.starts_with("to pass") => Some(
            "a message that begins with a dash goes after '--': ipctool send QUEUE -- MESSAGE"
                .to_owned(),
        ),
        (Some(tip), _) => Some(tip.to_owned()),
        (None, ErrorKind::ValueValidation | ErrorKind::InvalidValue) => None,
        (None, _) => match &verb {
            Some(verb) => Some(format!("see 'ipctool {verb} --help'")),
            None => Some("see 'ipctool --help'".to_owned()),
        },
    };
    let verb = verb.map(|verb| verb + ": ").unwrap_or_default();
    let notice = Notice::new(format_args!("{verb}{message}"));
    print_error(hint.into_iter().fold(notice, Notice::with_hint));
    Status::Usage
}

/// Whether the unknown command is one of the programs that `ipctool` stands in for.
fn drop_in(error: &clap::Error) -> bool {
    let word = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string);
    cli::drop_ins().any(|name| word.as_deref() == Some(name))
}

/// What is wrong with a value, as its parser describes it.
fn bad_value(error: &clap::Error) -> Option<String> {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let reason = error.source()?.to_string();
    let value = context(ContextKind::InvalidValue)?;
    let reason = match reason.as_str() {
        "invalid digit found in string" => format!("'{value}' is not a number"),
        "number too large to fit in target type" => format!("'{value}' is too large a number"),
        _ if reason.contains(" is not in 1..") => format!("{value} is less than 1"),
        _ => reason,
    };
    let argument = context(ContextKind::InvalidArg)?;
    match argument.split_once(' ') {
        Some((option, _)) => Some(format!("{option}: {reason}")),
        None if argument.starts_with('-') => Some(format!("{argument}: {reason}")),
        None => Some(reason),
    }
}

/// The first paragraph of clap's message, with a list if there is one, in one line.
fn summary(rendered: &str) -> String {
    let block = rendered.split("\n\n").next().unwrap_or_default();
    let message = block.split_whitespace().collect::<Vec<_>>().join(" ");
    message.strip_prefix("error: ").unwrap_or(&message).to_owned()
}
