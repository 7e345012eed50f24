//! Handles a command line that is wrong, or that asks for help.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::print_error;
use crate::cli;
use crate::exit::Status;
use crate::explain::Notice;

/// Prints the help, or the error in one line and perhaps a hint.
pub fn reject(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> Status {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Parsed again with the complete help, which normal commands need not build.
            let documented = cli::documented().try_get_matches().err();
            let printed = documented.as_ref().unwrap_or(error).print();
            let printed = printed.and_then(|()| io::stdout().flush());
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
    let arguments: Vec<_> = arguments.collect();
    let place = arguments.iter().position(|argument| !is_option(argument));
    let verb = place
        .and_then(|place| command.find_subcommand(&arguments[place]))
        .map(|verb| verb.get_name().to_owned());
    let is_wrong = |argument: &OsString| {
        let wrong = text(error, ContextKind::InvalidArg);
        wrong.is_some_and(|wrong| argument.as_encoded_bytes().starts_with(wrong.as_bytes()))
    };
    let is_of_verb = place.is_some_and(|place| !arguments[..=place].iter().any(is_wrong));
    let message = bad_value(error).or_else(|| summary(error));
    // An error without details is described by clap.
    let message = message.unwrap_or_else(|| match error.kind().as_str() {
        Some(words) => words.to_owned(),
        None => error.to_string(),
    });
    let hint = match (tip(error, verb.as_deref().filter(|_| is_of_verb)), error.kind()) {
        (_, ErrorKind::InvalidSubcommand) if drop_in(error) => {
            Some("it takes no options of ipctool: put it first".to_owned())
        }
        (Some(tip), _) => Some(tip),
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

/// A detail of an error that is one text.
fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// A detail of an error that is any number of texts.
fn texts(error: &clap::Error, kind: ContextKind) -> &[String] {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts,
        Some(ContextValue::String(text)) => std::slice::from_ref(text),
        _ => &[],
    }
}

/// Whether the unknown command is one of the programs that `ipctool` stands in for.
fn drop_in(error: &clap::Error) -> bool {
    let word = text(error, ContextKind::InvalidSubcommand);
    cli::drop_ins().any(|name| word == Some(name))
}

/// What is wrong with a value, as its parser describes it.
fn bad_value(error: &clap::Error) -> Option<String> {
    let reason = error.source()?;
    let argument = text(error, ContextKind::InvalidArg)?;
    Some(match argument.split_once(' ') {
        Some((option, _)) => format!("{option}: {reason}"),
        None if argument.starts_with('-') => format!("{argument}: {reason}"),
        None => reason.to_string(),
    })
}

/// What is wrong with a command line, in one line.
fn summary(error: &clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg);
    let value = text(error, ContextKind::InvalidValue);
    let subcommand = text(error, ContextKind::InvalidSubcommand);
    let listed = |title: &str, kind| match texts(error, kind) {
        [] => String::new(),
        all => format!(" [{title}: {}]", all.join(", ")),
    };
    Some(match error.kind() {
        ErrorKind::UnknownArgument => format!("unexpected argument '{}' found", argument?),
        ErrorKind::InvalidSubcommand => format!("unrecognized subcommand '{}'", subcommand?),
        ErrorKind::InvalidValue => {
            let possible = listed("possible values", ContextKind::ValidValue);
            match (value?, argument?) {
                ("", argument) => {
                    format!("a value is required for '{argument}' but none was supplied{possible}")
                }
                (value, argument) => format!("invalid value '{value}' for '{argument}'{possible}"),
            }
        }
        ErrorKind::TooManyValues => {
            let (value, argument) = (value?, argument?);
            format!("unexpected value '{value}' for '{argument}' found; no more were expected")
        }
        ErrorKind::NoEquals => {
            format!("equal sign is needed when assigning values to '{}'", argument?)
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(error, ContextKind::InvalidArg).join(" ");
            format!("the following required arguments were not provided: {missing}")
        }
        ErrorKind::MissingSubcommand => {
            let known = listed("subcommands", ContextKind::ValidSubcommand);
            format!("'{}' requires a subcommand but one was not provided{known}", subcommand?)
        }
        ErrorKind::ArgumentConflict => {
            let argument = argument?;
            match texts(error, ContextKind::PriorArg) {
                [other] if other == argument => {
                    format!("the argument '{argument}' cannot be used multiple times")
                }
                [other] => format!("the argument '{argument}' cannot be used with '{other}'"),
                [] => format!(
                    "the argument '{argument}' cannot be used with one or more of the other specified arguments"
                ),
                others => {
                    format!("the argument '{argument}' cannot be used with: {}", others.join(" "))
                }
            }
        }
        // Errors that no option of this program can cause, or that a later version of clap adds.
        _ => return None,
    })
}

/// What the user may have meant. `verb` is the subcommand if the error is in its arguments.
fn tip(error: &clap::Error, verb: Option<&str>) -> Option<String> {
    let similar = [
        (ContextKind::SuggestedSubcommand, "subcommand"),
        (ContextKind::SuggestedArg, "argument"),
        (ContextKind::SuggestedValue, "value"),
    ];
    let similar = similar.into_iter().find_map(|(kind, noun)| match texts(error, kind) {
        [] => None,
        [one] => Some(format!("a similar {noun} exists: '{one}'")),
        several => Some(format!("some similar {noun}s exist: '{}'", several.join("', '"))),
    });
    similar.or_else(|| match error.get(ContextKind::Suggested)? {
        ContextValue::StyledStrs(tips) => match verb {
            // This tip helps only where an argument can be any text.
            Some("send") => Some(
                "a message that begins with a dash goes after '--': ipctool send QUEUE -- MESSAGE"
                    .to_owned(),
            ),
            Some(_) => None,
            // The tip that a subcommand has this option, or was written with a dash.
            None => tips.first().map(ToString::to_string),
        },
        _ => None,
    })
}
