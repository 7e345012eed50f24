//! `msgtool`, the teaching tool of the Linux Programmer's Guide, section 6.4.2: sends to, receives
//! from, removes and changes the mode of the queue that belongs to the current directory.
//!
//! Its messages are those of the book: a `long mtype` and a `char mtext[80]`, of which only the text
//! and its terminating NUL are sent. What is undefined in the book (a missing argument, a longer text,
//! a message from another program) is an error here, or works.

use std::ffi::OsString;
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use super::util_linux::c_number;
use super::util_linux::session::{Result, Session};
use crate::exit::Status;
use crate::ipc::message::{Label, Message, TYPE_SIZE, Wanted, is_expressible, type_of};
use crate::ipc::{Change, Key, Kind, Mode, ModeChange, Reference, Target, count};
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error;
use crate::kernel::io::stdio::StandardError;
use crate::kernel::limits::Limit;
use crate::kernel::signals;
use crate::kernel::signals::wait::Stopped;
use crate::kernel::sysv::msg;
use crate::kernel::{CallError, Errno};
use crate::output::{escape, stdout};
use crate::rescue::rescue;

/// The size of `char mtext[80]`.
const TEXT_SIZE: usize = 80;

/// The `ftok` project of its queue.
const PROJECT: NonZero<u8> = NonZero::new(b'm').expect("it is a letter");

const USAGE: &str = "\
msgtool - A utility for tinkering with msg queues

USAGE: msgtool (s)end <type> <messagetext>
               (r)ecv <type>
               (d)elete
               (m)ode <octal mode>
";

/// The options for the man page and the completions.
pub(super) fn documented(about: &'static str) -> clap::Command {
    let verbs = ["send", "recv", "delete", "mode"];
    clap::Command::new("msgtool")
        .about(about)
        .long_about(format!(
            "{about}. Its queue is that of the key ftok(\".\", 'm'), so it belongs to the current directory; it \
             is created with mode 0660 when it is first needed. The first letter of a verb is enough. \
             A text has at most {} bytes and is sent with its terminating NUL, as in the book's \
             struct of a long and 80 characters.",
            TEXT_SIZE - 1
        ))
        .after_long_help(
            "Examples:\n  ipctool msgtool send 1 'hello'\n  ipctool msgtool recv 1\n  ipctool \
             msgtool mode 600\n  ipctool msgtool delete\n\n\
             Differs from the book on purpose:\n  \
             - Missing or extra arguments, a type that is not a number and a text that is too long \
             are refused before a queue is created.\n  \
             - A longer message from another program is shown whole, with the bytes after the NUL.\n  \
             - A message that cannot be printed goes back on the queue, or into a file.\n  \
             - A word such as dump does not delete the queue because it starts with a d.",
        )
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(clap::Arg::new("verb").value_parser(verbs).required(true).help("What to do"))
        .arg(clap::Arg::new("arguments").num_args(0..).help(
            "send: the type, greater than 0, and the text; recv: the type, 0 for any, -N for the \
             lowest up to N; mode: the mode in octal",
        ))
}

pub(super) fn run(session: &mut Session, arguments: &[OsString]) -> Result<Status> {
    let words: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    match (words.first().and_then(|word| verb(word)), words.as_slice()) {
        (Some(Verb::Send), [_, message_type, text]) => send(session, message_type, text),
        (Some(Verb::Receive), [_, message_type]) => receive(session, message_type),
        (Some(Verb::Delete), [_]) => delete(session),
        (Some(Verb::Mode), [_, mode]) => change_mode(session, mode),
        (Some(Verb::Send), [_, _, _, _, ..]) => {
            session.warn("the text is one argument: put it in quotes");
            Err(usage())
        }
        (_, [b"-h" | b"--help"]) => {
            session.out.extend(USAGE.bytes());
            Ok(Status::Done)
        }
        (_, [b"-V" | b"--version"]) => {
            session.version(", as in the Linux Programmer's Guide");
            Ok(Status::Done)
        }
        _ => Err(usage()),
    }
}

/// An action of the tool.
#[derive(Clone, Copy)]
enum Verb {
    Send,
    Receive,
    Delete,
    Mode,
}

/// The action that a word names: its first letter is enough, but it must not continue differently. In
/// the book, any word that starts with a `d` deletes the queue.
fn verb(word: &[u8]) -> Option<Verb> {
    let verbs = [
        ("send", Verb::Send),
        ("recv", Verb::Receive),
        ("receive", Verb::Receive),
        ("delete", Verb::Delete),
        ("mode", Verb::Mode),
    ];
    let begins = |verb: &str| {
        let start = verb.as_bytes().get(..word.len());
        !word.is_empty() && start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    verbs.into_iter().find(|(name, _)| begins(name)).map(|(_, verb)| verb)
}

fn usage() -> Status {
    // There is no other place to report a failure of this write.
    let _ = std::io::Write::write_all(&mut StandardError, USAGE.as_bytes());
    Status::Failed
}

fn send(session: &mut Session, message_type: &[u8], text: &[u8]) -> Result<Status> {
    let number = parse_type(session, message_type)?;
    if number <= 0 {
        return Err(session.fail("the type of a message must be greater than 0"));
    }
    if text.len() >= TEXT_SIZE {
        return Err(session.fail(format!(
            "the text has {} bytes: a message has room for {} and the NUL that ends it",
            text.len(),
            TEXT_SIZE - 1
        )));
    }
    let mut message = Message::new(Label::Type(number));
    message.payload_mut().extend(text);
    message.payload_mut().push(0);
    let id = open(session)?;
    session.out.extend(b"Sending a message ...\n");
    session.flush_some();
    catch_signals(session)?;
    msg::send_waiting(id, message.as_bytes(), None)
        .map_err(|stopped| failed_to_wait(session, stopped))?;
    Ok(Status::Done)
}

fn receive(session: &mut Session, message_type: &[u8]) -> Result<Status> {
    let wanted = Wanted::from_number(parse_type(session, message_type)?, false);
    let id = open(session)?;
    session.out.extend(b"Reading a message ...\n");
    session.flush_some();
    catch_signals(session)?;
    let message = take(session, id, wanted)?;
    let payload = &message[TYPE_SIZE..];
    // The text ends at the NUL, as for `%s`.
    let end = payload.iter().position(|&byte| byte == 0).unwrap_or(payload.len());
    let (text, rest) = payload.split_at(end);
    session.out.extend(format!("Type: {} Text: ", type_of(&message)).bytes());
    match stdout::is_terminal() {
        true => escape::append_payload(text, &mut session.out),
        false => session.out.extend(text),
    }
    session.out.push(b'\n');
    if let Some(error) = session.take_broken() {
        let fate = rescue(&Channel::SystemV(id), std::iter::once(message.as_slice()));
        let why = os_error::strerror(&error);
        return Err(session.fail(format!("cannot write to standard output: {why}; {fate}")));
    }
    if rest.iter().any(|&byte| byte != 0) {
        let bytes = count(rest.len() as u64, "byte");
        let mut warning = format!("the message has {bytes} after the text: ").into_bytes();
        warning.extend(rest.escape_ascii());
        session.warn(warning);
    }
    Ok(Status::Done)
}

/// Receives a message of any size, its type at the start. One larger than the book's stays on the queue
/// until the buffer is large enough.
fn take(session: &Session, id: i32, wanted: Wanted) -> Result<Vec<u8>> {
    let mut size = TEXT_SIZE;
    loop {
        let mut message = vec![0; TYPE_SIZE + size];
        match msg::receive_waiting(id, wanted, &mut message, None) {
            Ok(taken) => {
                message.truncate(TYPE_SIZE + taken);
                return Ok(message);
            }
            Err(Stopped::Failed(CallError { errno: Errno::E2BIG, .. })) => {
                let most = Limit::Msgmax.value().unwrap_or_default() as usize;
                size = most.max(size.saturating_mul(2));
            }
            Err(stopped) => return Err(failed_to_wait(session, stopped)),
        }
    }
}

/// Removes the queue. A missing queue is not a failure.
fn delete(session: &mut Session) -> Result<Status> {
    let queue = Reference { kind: Kind::Msg, target: Target::Key(key(session)?) };
    match session.namespace.remove(&queue) {
        Err(error) if !error.is_missing() => Err(session.fail(error.to_string())),
        _ => Ok(Status::Done),
    }
}

fn change_mode(session: &mut Session, text: &[u8]) -> Result<Status> {
    let mode: Mode =
        String::from_utf8_lossy(text).parse().map_err(|error| session.fail(format!("{error}")))?;
    // Finding the queue needs no permission, so an owner who is locked out can regain access.
    let id = match msg::find(key(session)?) {
        Ok(id) => id,
        Err(_) => open(session)?,
    };
    let change = Change { mode: Some(ModeChange::Set(mode)), ..Change::default() };
    match session.namespace.change(&Reference::id(Kind::Msg, id), &change) {
        Ok(_) => Ok(Status::Done),
        Err(error) => Err(session.fail(error.to_string())),
    }
}

fn parse_type(session: &Session, text: &[u8]) -> Result<i64> {
    let parsed = c_number::whole(text, 10).ok().and_then(c_number::Number::long);
    let parsed = parsed.filter(|&number| is_expressible(number));
    parsed.ok_or_else(|| session.fail([b"'", text, b"' is not the type of a message"].concat()))
}

/// The key of the current directory, `ftok(".", 'm')`.
fn key(session: &Session) -> Result<Key> {
    let directory = std::fs::metadata(".")
        .map_err(|error| session.fail(format!("ftok: {}", os_error::strerror(&error))))?;
    Ok(Key::from_file(directory.dev(), directory.ino(), PROJECT.into()))
}

/// The queue; creates it if it is missing.
fn open(session: &Session) -> Result<i32> {
    let made = msg::create(key(session)?, Mode::from_bits(0o660), false);
    made.map_err(|error| session.fail(error.to_string()))
}

/// From now on a signal ends a wait without taking a message.
fn catch_signals(session: &Session) -> Result<()> {
    signals::catch_signals().map_err(|error| session.fail(os_error::strerror(&error)))
}

fn failed_to_wait(session: &Session, stopped: Stopped) -> Status {
    match stopped {
        Stopped::Failed(error) => session.fail(error.to_string()),
        Stopped::TimedOut => session.fail("timed out"),
        Stopped::Signal(signal) => Status::Signal(signal),
    }
}
