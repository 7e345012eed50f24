//! A command line that could not be understood, or that asks for help.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::complain;
use crate::cli::Cli;
use crate::exit::Status;

/// Prints the help that was asked for, or what is wrong in one line and perhaps a hint.
pub fn reject(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> Status {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever closed the pipe has read enough of the help.
            let _ = error.print();
            return Status::Done;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            return Status::Usage;
        }
        _ => {}
    }
    let command = Cli::command();
    let verb = arguments.filter_map(|argument| argument.into_string().ok()).find_map(|argument| {
        command.find_subcommand(&argument).map(|command| command.get_name().to_owned())
    });
    let rendered = error.render().to_string();
    let mut blocks = rendered.split("\n\n");
    // The first block is the message, perhaps with a list below it.
    let message = blocks.next().unwrap_or_default();
    let message: Vec<_> = message.split_whitespace().collect();
    let message = message.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let tips: Vec<_> =
        blocks.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let verb = verb.map(|verb| verb + ": ").unwrap_or_default();
    match tips.as_slice() {
        [] => complain(format_args!("{verb}{message}")),
        tips => complain(format_args!("{verb}{message}\nhint: {}", tips.join("; "))),
    }
    Status::Usage
}
