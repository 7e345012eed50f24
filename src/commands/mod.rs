//! The verbs: one file a subcommand.

mod attach;
mod change;
mod chmod;
mod chosen;
mod chown;
mod command;
mod consent;
mod create;
mod destination;
mod diagnosis;
mod doctor;
mod dump;
mod error;
mod everywhere;
mod explain;
mod guard;
mod help;
mod install_links;
mod key;
mod learn;
mod limits;
mod list;
mod looker;
mod metrics;
mod overview;
mod progress;
mod read;
mod reader;
mod recv;
mod relay;
mod request;
mod restore;
mod rm;
mod select;
mod semop;
mod send;
mod stat;
mod state;
mod top;
mod trace;
mod usage;
mod wait;
mod watch;
mod write;

pub use error::{Error, Result};
use everywhere::Elsewhere;
pub use explain::explain;
use explain::{report, report_all, report_each};
pub use learn::record_calls;
pub use usage::reject;

use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::cli::{Cli, Command};
use crate::exit::Status;
use crate::explain::{Failure, Notice};
use crate::ipc::{Object, Reference, Time};
use crate::kernel;
use crate::kernel::io::stdio;
use crate::kernel::namespace::{Manner, Where};
use crate::kernel::{Namespace, StatusError};
use crate::output::style::{ASIDE, paint};
use crate::output::{Color, Screen, Style, escape, stderr, stdout};

/// Runs the command in this namespace.
pub fn run(cli: Cli, namespace: &Namespace) -> Status {
    let is_screen = matches!(cli.command, Some(Command::Top(_)));
    if cli.global.trace && is_screen && io::stderr().is_terminal() {
        let notice = Notice::new("top: --trace would write on the screen");
        print_error(notice.with_hint("send it elsewhere: ipctool top --trace 2> FILE"));
        return Status::Usage;
    }
    if cli.global.trace {
        kernel::call::trace(&|event| stdio::print_line(format_args!("{event}")));
    } else if !matches!(cli.command, Some(Command::Trace(_))) {
        // What that one shows are the calls of others.
        learn::record_calls();
    }
    let style = style(cli.global.color);
    let ahead = [(cli.overview.json, "--json"), (cli.overview.all_namespaces, "--all-namespaces")];
    if let Some((_, option)) = ahead.iter().find(|(is_given, _)| *is_given && cli.command.is_some())
    {
        let notice = Notice::new(format_args!("{option} goes behind the command"));
        print_error(notice.with_hint(format_args!("for example: ipctool list {option}")));
        return Status::Usage;
    }
    let verb = cli.command.as_ref().map_or("overview", Command::name);
    // Where the user sends it; that of this process otherwise.
    let elsewhere = match cli
        .global
        .place
        .map(|place| enter(verb, cli.command.as_ref(), cli.overview.all_namespaces, &place))
    {
        Some(Err(failure)) => return report(namespace, failure),
        Some(Ok(elsewhere)) => Some(elsewhere),
        None => None,
    };
    let namespace = elsewhere.as_ref().map_or(namespace, |there| there.namespace());
    let Some(command) = cli.command else {
        return overview::run(cli.overview, namespace, style)
            .unwrap_or_else(|error| end(verb, namespace, error));
    };
    let result = match command {
        Command::List(args) => list::run(args, namespace, style),
        Command::Stat(args) => stat::run(args, namespace, style),
        Command::Create(args) => create::run(args, namespace, &style),
        Command::Send(args) => send::run(args, namespace, &style),
        Command::Recv(args) => recv::run(args, namespace, style),
        Command::Relay(args) => relay::run(args, namespace),
        Command::Semop(args) => semop::run(args, namespace, &style),
        Command::Read(args) => read::run(args, namespace),
        Command::Write(args) => write::run(args, namespace, &style),
        Command::Attach(args) => attach::run(args, namespace, &style),
        Command::Dump(args) => dump::run(args, namespace, &style),
        Command::Restore(args) => restore::run(args, namespace),
        Command::Wait(args) => wait::run(args, namespace, &style),
        Command::Watch(args) => watch::run(args, namespace, style),
        Command::Top(args) => top::run(args, namespace, style),
        Command::Rm(args) => rm::run(args, namespace, style),
        Command::Chmod(args) => chmod::run(args, namespace, style),
        Command::Chown(args) => chown::run(args, namespace, style),
        Command::Limits(args) => limits::run(args, namespace, style),
        Command::Doctor(args) => doctor::run(args, namespace, style),
        Command::Metrics(args) => metrics::run(args, namespace),
        Command::Guard(args) => guard::run(args, namespace, style),
        Command::Trace(args) => trace::run(args, namespace, style),
        Command::Key(args) => key::run(args, &style),
        Command::Learn(args) => learn::run(args, namespace, &style),
        Command::InstallLinks(args) => install_links::run(args, namespace),
        Command::Help(args) => Ok(help::run(args)),
    };
    result.unwrap_or_else(|error| end(verb, namespace, error))
}

/// Enters the namespace that the user names.
fn enter(
    verb: &'static str,
    command: Option<&Command>,
    is_everywhere: bool,
    place: &Where,
) -> Result<Elsewhere, Failure> {
    let looks_everywhere = match command {
        Some(Command::List(args)) => args.all_namespaces || args.namespaces,
        Some(Command::Limits(args)) => args.all_namespaces,
        Some(Command::Doctor(args)) => args.all_namespaces,
        Some(Command::Metrics(args)) => args.all_namespaces,
        Some(Command::Watch(args)) => args.all_namespaces,
        Some(Command::Top(args)) => args.all_namespaces,
        Some(_) => false,
        None => is_everywhere,
    };
    if looks_everywhere {
        let what = "--in is for one namespace, --all-namespaces and --namespaces for all";
        return Err(Failure::usage(verb, what));
    }
    let manner = match command {
        Some(
            Command::Guard(_)
            | Command::Trace(_)
            | Command::Key(_)
            | Command::Learn(_)
            | Command::InstallLinks(_)
            | Command::Help(_),
        ) => {
            return Err(Failure::usage(verb, "--in is for commands that look at objects"));
        }
        // They wait.
        Some(Command::Send(_) | Command::Recv(_) | Command::Semop(_)) => Manner::ForGood,
        _ => Manner::ByCall,
    };
    let found = everywhere::find(verb, place)?;
    Elsewhere::enter(verb, &format!("--in {place}"), &found, manner)
}

/// Prints why a command failed, and returns its status.
fn end(verb: &'static str, namespace: &Namespace, error: Error) -> Status {
    match error.into_failure(verb) {
        Some(failure) => report(namespace, failure),
        None => Status::Done,
    }
}

/// What was printed to standard error since a server began, which says each thing once.
static SAID: OnceLock<Mutex<HashSet<String>>> = OnceLock::new();

/// So many different messages of a server are remembered.
const MOST_SAID: usize = 1000;

/// From now on, prints each message once: a server would repeat them at each request.
fn say_each_once() {
    let _ = SAID.set(Mutex::default());
}

/// Whether a message is to be printed.
fn is_new(message: &str) -> bool {
    let Some(said) = SAID.get() else { return true };
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.len() < MOST_SAID && said.insert(without_number(message))
}

/// A message without the numbers that are words: how many processes cannot be inspected is another number at each
/// look.
fn without_number(message: &str) -> String {
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = message.split(' ').filter(|word| !is_number(word)).collect();
    words.join(" ")
}

/// Prints a message to standard error: a line, and perhaps a hint below it.
pub fn print_error(message: impl Into<Notice>) {
    // If standard error fails, there is no other place to report it.
    let _ = try_print_error(message);
}

/// Prints a dim line to standard error that keeps a person from waiting in vain: only if results and errors go
/// to a terminal, so that scripts never see it. Call it only if the format is one for people.
fn remark(style: &Style, text: &str) {
    if is_watched(style) {
        let errors = Screen::of_stderr(style.color);
        // If standard error fails, there is no other place to report it.
        let _ = stderr::write_line(paint(&escape::line(text), ASIDE, &errors));
    }
}

/// Whether a person sees both the results and what is said about them.
fn is_watched(style: &Style) -> bool {
    stdout::is_terminal() && Screen::of_stderr(style.color).is_terminal
}

/// What was to be printed on standard error while errors are caught.
static CAUGHT: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Runs something. What it prints on standard error is returned instead, a line each.
fn catch_errors<R>(run: impl FnOnce() -> R) -> (R, Vec<String>) {
    let caught = || CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    *caught() = Some(Vec::new());
    let result = run();
    let lines = caught().take().unwrap_or_default();
    (result, lines)
}

/// Prints a message to standard error, and returns whether that worked.
fn try_print_error(message: impl Into<Notice>) -> io::Result<()> {
    if let Some(caught) = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        caught.extend(message.into().to_string().lines().map(str::to_owned));
        return Ok(());
    }
    let line = format!("ipctool: {}", message.into());
    if is_new(&line) { stderr::write_line(line) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_do_not_make_a_message_new() {
        let closed = |one: u32, other: u32| {
            without_number(&format!(
                "ipctool: watch: {one} IPC namespaces may not be entered, and {other} processes may not be inspected"
            ))
        };
        assert_eq!(closed(3, 412), closed(12, 7));
        let of = |text: &str| without_number(&format!("ipctool: watch msg:{text}"));
        assert_ne!(of("1: EACCES"), of("2: EACCES"));
        assert_ne!(of("1: EACCES"), of("1: EMFILE"));
    }
}
