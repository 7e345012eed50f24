//! `msgtool`, the teaching tool of the Linux Programmer's Guide, section 6.4.2: sends to, receives
//! from, removes and re-modes the queue that belongs to the current directory.
//!
//! Its messages are those of the book: a `long mtype` and a `char mtext[80]`, of which as much is
//! sent as the text and the NUL that ends it take. What in the book is undefined (a missing
//! argument, a longer text, a message of others) is an error here, or works.

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

/// `char mtext[80]`
const TEXT_SIZE: usize = 80;

/// Of the key of its queue.
const PROJECT: NonZero<u8> = NonZero::new(b'm').expect("it is a letter");

const USAGE: &str = "\
msgtool - A utility for tinkering with msg queues

USAGE: msgtool (s)end <type> <messagetext>
               (r)ecv <type>
               (d)elete
               (m)ode <octal mode>
";

/// The same for the man page and the completions.
pub(super) fn documented(about: &'static str) -> clap::Command {
    let verbs = ["send", "recv", "delete", "mode"];
    clap::Command::new("msgtool")
        .about(about)
        .long_about(format!(
            "{about}. Its queue is that of the key ftok(\".\", 'm'), so of the current directory; it \
             is made with mode 0660 when it is first needed. Of each verb the first letter is enough. \
             A text has at most {} bytes, and travels with the NUL that ends it, as in the book's \
             struct of a long and 80 characters.",
            TEXT_SIZE - 1
        ))
        .after_long_help(
            "Examples:\n  ipctool msgtool send 1 'hello'\n  ipctool msgtool recv 1\n  ipctool \
             msgtool mode 600\n  ipctool msgtool delete\n\n\
             Differs from the book on purpose:\n  \
             - Missing or further arguments, a type that is no number and a text that does not fit \
             are refused before a queue is made.\n  \
             - A longer message of others is shown whole, with what stands behind the NUL.\n  \
             - A message that cannot be written out goes back on the queue, or into a file.\n  \
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

/// What the tool does.
#[derive(Clone, Copy)]
enum Verb {
    Send,
    Receive,
    Delete,
    Mode,
}

/// The verb of a word: its first letter is enough, but nothing else may follow it. In the book any
/// word that starts with a `d` deletes.
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
    // There is nobody left to tell if this fails.
    let _ = std::io::Write::write_all(&mut StandardError, USAGE.as_bytes());
    Status::Failed
}

fn send(session: &mut Session, message_type: &[u8], text: &[u8]) -> Result<Status> {
    let number = parse_type(session, message_type)?;
    if number <= 0 {
        return Err(session.fail("the type of a message is greater than 0"));
    }
    if text.len() >= TEXT_SIZE {
        return Err(session.fail(format!(
            "the text has {} bytes: {} and the NUL that ends it fit into a message",
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
    // As `%s` has it.
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
        let mut told = format!("behind the text the message had {bytes}: ").into_bytes();
        told.extend(rest.escape_ascii());
        session.warn(told);
    }
    Ok(Status::Done)
}

/// Takes a message of whatever size, its type in front. One that is larger than the book's waits on
/// the queue until there is room for it.
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

/// A queue that is not there is as good as removed.
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
    // Finding it needs no right, so who is locked out of their own gets back in.
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

/// `ftok(".", 'm')`
fn key(session: &Session) -> Result<Key> {
    let directory = std::fs::metadata(".")
        .map_err(|error| session.fail(format!("ftok: {}", os_error::strerror(&error))))?;
    Ok(Key::from_file(directory.dev(), directory.ino(), PROJECT.into()))
}

/// The queue, which is made if it is missing.
fn open(session: &Session) -> Result<i32> {
    let made = msg::create(key(session)?, Mode::from_bits(0o660), false);
    made.map_err(|error| session.fail(error.to_string()))
}

/// From now on a signal ends a wait, and takes no message with it.
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
