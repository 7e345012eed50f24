//! Completions that know the machine: the shells ask this program, `COMPLETE=bash ipctool -- WORD…`, and get
//! a candidate on each line, with a description after a tab. `COMPLETE=bash ipctool` prints the script that
//! makes the shell ask.
//!
//! Nothing here changes anything, and an error means that there are no candidates.

mod live;
mod start;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use crate::cli;
use crate::exit::Status;
use crate::ipc::kind::Family;
use crate::output::escape;
use crate::output::stdout;

/// The environment variable with the name of the shell.
const VARIABLE: &str = "COMPLETE";

/// The shell that asks, if one does: the variable is set, and the line, which starts with the path of the
/// program, has no arguments or only those behind `--`. Any other line is a command, whatever is set.
pub fn asked_by(mut line: impl Iterator<Item = OsString>) -> Option<OsString> {
    let shell = std::env::var_os(VARIABLE).filter(|shell| !shell.is_empty() && shell != "0")?;
    line.nth(1).is_none_or(|first| first == "--").then_some(shell)
}

/// The scripts for the shells, each with the name of the shell and of its file.
pub const SCRIPTS: [(&str, &str, &str); 3] = [
    ("bash", "ipctool.bash", include_str!("../completions/ipctool.bash")),
    ("zsh", "_ipctool", include_str!("../completions/_ipctool")),
    ("fish", "ipctool.fish", include_str!("../completions/ipctool.fish")),
];

/// Answers a shell. `line` starts with the path of the program.
pub fn answer(shell: &OsStr, line: Vec<OsString>) -> Status {
    let Some((.., script)) = SCRIPTS.iter().find(|(name, ..)| shell == *name) else {
        let known: Vec<_> = SCRIPTS.iter().map(|(name, ..)| *name).collect();
        let shell = escape::line(&shell.to_string_lossy());
        eprintln_quietly(&format!(
            "ipctool: {VARIABLE}: no completions for '{shell}', only for {}",
            known.join(", ")
        ));
        return Status::Usage;
    };
    let text = match line.iter().position(|word| word == "--") {
        None => (*script).to_owned(),
        Some(place) => candidates(line[place + 1..].to_vec()),
    };
    match stdout::print(&text) {
        // A shell that reads no further has its reasons.
        Err(error) if !error.is_closed_pipe() => Status::Failed,
        _ => Status::Done,
    }
}

fn eprintln_quietly(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The candidates for the last word, a line each, or the place at which another command starts.
fn candidates(words: Vec<OsString>) -> String {
    let mut command = completable();
    if let Some(place) = start::of_command(&command, &words) {
        return format!("::command {place}\n");
    }
    let last = words.len().saturating_sub(1);
    live::look_where(&words[..last]);
    let current = words.last().cloned().unwrap_or_default();
    let here = std::env::current_dir().ok();
    let Ok(mut all) = complete(&mut command, words, last, here.as_deref()) else {
        return String::new();
    };
    // Options would hide the objects; they are offered where there is nothing else, or after a dash.
    let is_option =
        |one: &CompletionCandidate| one.get_value().as_encoded_bytes().starts_with(b"-");
    if !current.as_encoded_bytes().starts_with(b"-") && all.iter().any(|one| !is_option(one)) {
        all.retain(|one| !is_option(one));
    }
    let mut text = String::new();
    for candidate in all {
        let value = candidate.get_value().to_string_lossy();
        // A shell would execute or misread what is not plain text.
        if value.chars().any(char::is_control) || (candidate.is_hide_set() && current.is_empty()) {
            continue;
        }
        let help = candidate.get_help().map(StyledStr::to_string).unwrap_or_default();
        let help = escape::line(help.lines().next().unwrap_or_default());
        text += &value;
        if !help.is_empty() {
            text += &format!("\t{help}");
        }
        text.push('\n');
    }
    text
}

/// The command line with everything that can be completed.
fn completable() -> Command {
    let mut root = cli::with_drop_ins();
    // The options of a verb exist once it is built.
    root.build();
    let verbs: Vec<String> =
        root.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let root = root.mut_args(|arg| with_values("", arg));
    verbs.into_iter().fold(root, |root, verb| {
        root.mut_subcommand(verb, |verb| {
            let name = verb.get_name().to_owned();
            verb.mut_args(|arg| with_values(&name, arg))
        })
    })
}

/// An option with the values that it can have. By the name of its value, which says what it is.
fn with_values(verb: &str, arg: Arg) -> Arg {
    let name = arg.get_value_names().and_then(|names| names.first()).map(|name| name.to_string());
    let Some(name) = name else { return arg };
    let completer = match name.as_str() {
        "REF" => ArgValueCompleter::new(|current: &OsStr| live::references(current, None)),
        "QUEUE" => of_family(Family::Queues),
        "SEM" => of_family(Family::Semaphores),
        "SEGMENT" => of_family(Family::Memory),
        "COL" | "COL,…" => ArgValueCompleter::new(live::columns),
        "KIND" | "KIND,…" if verb != "create" => ArgValueCompleter::new(live::kinds),
        "USER" => ArgValueCompleter::new(live::users),
        "GROUP" => ArgValueCompleter::new(live::groups),
        "OWNER[:GROUP]" => ArgValueCompleter::new(live::owners),
        "KEY" | "KEY[-KEY]" if verb != "create" => ArgValueCompleter::new(live::keys),
        "KEY|/NAME|USER" => ArgValueCompleter::new(live::kept),
        "PATTERN" => ArgValueCompleter::new(live::names),
        "PID" => ArgValueCompleter::new(live::processes),
        "NAME=VALUE" => ArgValueCompleter::new(live::settings),
        "WHERE" => ArgValueCompleter::new(live::places),
        "CHECK,…" => ArgValueCompleter::new(live::checks),
        "LESSON" => ArgValueCompleter::new(live::lessons),
        "COMMAND" if verb == "help" => ArgValueCompleter::new(live::verbs),
        _ if arg.get_value_hint() == ValueHint::Unknown
            && arg.get_possible_values().is_empty()
            && !name.contains("PATH") =>
        {
            // Without this, the engine offers file names.
            return arg.value_hint(ValueHint::Other);
        }
        _ => return arg,
    };
    arg.add(completer)
}

/// References of a family.
fn of_family(family: Family) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| live::references(current, Some(family)))
}

/// A candidate with a description.
fn candidate(value: impl Into<OsString>, help: impl Into<String>) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(help.into().into()))
}
