//! Handles a command line that is wrong, or that asks for help.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::print_error;
use crate::cli::{self, words};
use crate::exit::Status;
use crate::explain::Notice;
use crate::ipc::CommandLine;
use crate::kernel::io::os_error;

/// Prints the help, or the error in one line and perhaps a hint. The line starts with the name of the
/// program.
pub fn reject(error: clap::Error, line: impl IntoIterator<Item = OsString>) -> Status {
    let line: Vec<_> = line.into_iter().collect();
    let arguments = line.get(1..).unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if !asks_alone(arguments) => {}
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return show_help(&error, &line),
        _ => {}
    }
    let command = cli::Cli::command();
    let place = arguments.iter().position(|argument| !is_option(argument));
    let verb = place
        .and_then(|place| command.find_subcommand(&arguments[place]))
        .map(|verb| verb.get_name().to_owned());
    let wrong = Wrong { error: &error, verb: verb.as_deref(), place, arguments };
    let message = wrong.message();
    let hint = wrong.hint();
    let verb = verb.map(|verb| verb + ": ").unwrap_or_default();
    let notice = Notice::new(format_args!("{verb}{message}"));
    print_error(hint.into_iter().fold(notice, Notice::with_hint));
    Status::Usage
}

/// Parses the line again with the complete help, which normal commands need not build, and prints it. The version
/// is the same in both.
fn show_help(error: &clap::Error, line: &[OsString]) -> Status {
    let documented = match error.kind() {
        ErrorKind::DisplayVersion => None,
        _ => cli::documented().try_get_matches_from(line).err(),
    };
    let printed = documented.as_ref().unwrap_or(error).print();
    match printed.and_then(|()| io::stdout().flush()) {
        _ if error.exit_code() != 0 => Status::Usage,
        // A reader that closed the pipe has seen enough.
        Err(failed) if failed.kind() != io::ErrorKind::BrokenPipe => {
            let why = os_error::describe(&failed);
            print_error(format_args!("cannot write to standard output: {why}"));
            Status::Failed
        }
        _ => Status::Done,
    }
}

fn is_option(argument: &OsString) -> bool {
    argument.as_encoded_bytes().starts_with(b"-")
}

/// Whether help or the version was asked for by an option that stands alone. In `-hello` the parser sees
/// `-h`, but it is more likely a message, or several letters of another program.
fn asks_alone(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| {
        ["-h", "--help", "-V", "--version"].into_iter().any(|option| argument == option)
    })
}

/// A command line that is wrong.
struct Wrong<'a> {
    error: &'a clap::Error,
    verb: Option<&'a str>,
    /// Where the verb is among the arguments, or what stands in its place.
    place: Option<usize>,
    arguments: &'a [OsString],
}

impl Wrong<'_> {
    /// What is wrong, in one line.
    fn message(&self) -> String {
        let error = self.error;
        if let Some((letter, cluster)) = self.cluster() {
            return format!("'-{letter}' must stand alone, but here it is in '{}'", shown(cluster));
        }
        let message = bad_value(error).or_else(|| summary(error));
        // An error without details is described by clap.
        message.unwrap_or_else(|| match error.kind().as_str() {
            Some(words) => words.to_owned(),
            None => error.to_string(),
        })
    }

    /// The argument in which `-h` or `-V` was found among other letters.
    fn cluster(&self) -> Option<(char, &OsString)> {
        let letter = match self.error.kind() {
            ErrorKind::DisplayHelp => 'h',
            ErrorKind::DisplayVersion => 'V',
            _ => return None,
        };
        let is_cluster = |argument: &&OsString| {
            let bytes = argument.as_encoded_bytes();
            bytes.starts_with(b"-") && !bytes.starts_with(b"--") && bytes.contains(&(letter as u8))
        };
        Some((letter, self.arguments.iter().find(is_cluster)?))
    }

    /// The argument that is wrong, as it was typed.
    fn argument(&self) -> Option<usize> {
        if let Some((_, cluster)) = self.cluster() {
            return self.arguments.iter().position(|argument| argument == cluster);
        }
        let name = text(self.error, ContextKind::InvalidArg)?;
        let is_wrong = |argument: &OsString| {
            let (bytes, name) = (argument.as_encoded_bytes(), name.as_bytes());
            match name {
                // A letter may be anywhere in a cluster.
                [b'-', letter] if *letter != b'-' => {
                    bytes.starts_with(b"-") && !bytes.starts_with(b"--") && bytes.contains(letter)
                }
                _ => bytes.starts_with(name),
            }
        };
        self.arguments.iter().position(is_wrong)
    }

    /// What the user may have meant.
    fn hint(&self) -> Option<String> {
        let (error, kind) = (self.error, self.error.kind());
        let is_of_verb = match (self.place, self.argument()) {
            (Some(place), Some(argument)) => argument > place,
            (place, _) => place.is_some(),
        };
        let verb = self.verb.filter(|_| is_of_verb);
        if kind == ErrorKind::InvalidSubcommand && drop_in(error) {
            return Some("it takes no options of ipctool: put it first".to_owned());
        }
        if let Some(instead) = self.instead(verb) {
            return Some(instead);
        }
        let message = self.as_message(verb);
        match (tip(error, verb), message, kind) {
            (Some(tip), Some(message), _) => Some(format!("{tip}; {message}")),
            (Some(only), None, _) | (None, Some(only), _) => Some(only),
            (None, None, ErrorKind::ValueValidation | ErrorKind::InvalidValue) => None,
            (None, None, _) => Some(match self.verb {
                Some(verb) => format!("see 'ipctool {verb} --help'"),
                None => "see 'ipctool --help'".to_owned(),
            }),
        }
    }

    /// The command that does what a word of another program does.
    fn instead(&self, verb: Option<&str>) -> Option<String> {
        let after = |place: usize| self.arguments.get(place + 1..).unwrap_or_default();
        match (self.error.kind(), verb) {
            (ErrorKind::InvalidSubcommand, _) => {
                let word = text(self.error, ContextKind::InvalidSubcommand)?;
                let place = self.arguments.iter().position(|argument| argument == word)?;
                words::instead_of(word, after(place))
            }
            (ErrorKind::UnknownArgument, Some(verb)) => {
                words::instead_of_option(verb, text(self.error, ContextKind::InvalidArg)?)
            }
            (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(verb)) => {
                let argument = text(self.error, ContextKind::InvalidArg)?;
                if argument.starts_with('-') {
                    return None;
                }
                let word = text(self.error, ContextKind::InvalidValue)?;
                let place = self.arguments.iter().position(|argument| argument == word)?;
                words::instead_of_operand(verb, word, after(place).first())
            }
            _ => None,
        }
    }

    /// How to send the wrong argument as a message. Only for `send` can an argument be any text.
    fn as_message(&self, verb: Option<&str>) -> Option<String> {
        let is_unknown =
            self.error.kind() == ErrorKind::UnknownArgument || self.cluster().is_some();
        if verb != Some("send") || !is_unknown {
            return None;
        }
        let wrong = self.argument()?;
        let (before, after) = self.arguments.split_at(wrong);
        let line = before.iter().fold(CommandLine::new("ipctool"), CommandLine::word_of);
        let line = after.iter().fold(line.word("-e"), CommandLine::word_of);
        Some(format!("a message that begins with a dash goes behind -e or '--': {line}"))
    }
}

/// An argument in one line.
fn shown(argument: &OsString) -> String {
    argument.to_string_lossy().into_owned()
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
        // The tip that a subcommand has this option, or was written with a dash. That an argument could go
        // after '--' helps only where it can be any text.
        ContextValue::StyledStrs(tips) if verb.is_none() => tips.first().map(ToString::to_string),
        _ => None,
    })
}
