//! The verb that hands messages on.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::options::queue;
use super::page::{self, Page};
use crate::ipc::number::InvalidNumber;
use crate::ipc::reference::InvalidReference;
use crate::ipc::{Foreign, Reference, duration, number};

/// Where messages go that cannot be delivered.
#[derive(Clone, Debug)]
pub enum DeadLetters {
    /// A file, one line of JSON a message.
    File(PathBuf),
    /// Another queue.
    Queue(Reference),
}

/// Text that names neither.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDeadLetters {
    /// It begins like a reference and is none.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// It is empty.
    #[error("it is a file, or a queue as msg:REF, pmsg:/NAME or 0xKEY")]
    Empty,
}

impl FromStr for DeadLetters {
    type Err = InvalidDeadLetters;

    /// A slash begins a path, so the queue of that name needs its kind.
    fn from_str(text: &str) -> Result<DeadLetters, InvalidDeadLetters> {
        let is_queue = ["msg:", "pmsg:", "0x"].iter().any(|start| text.starts_with(start));
        match text {
            "" => Err(InvalidDeadLetters::Empty),
            _ if is_queue => Ok(DeadLetters::Queue(queue(text)?)),
            _ => Ok(DeadLetters::File(text.into())),
        }
    }
}

impl std::fmt::Display for DeadLetters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DeadLetters::File(path) => write!(f, "{}", Foreign::from(path.as_path())),
            DeadLetters::Queue(queue) => write!(f, "{queue}"),
        }
    }
}

fn message_type(text: &str) -> Result<i64, InvalidNumber> {
    number::from::<i64>(1)(text)
}

/// Hand each message of a queue to a command, and lose none
///
/// Runs COMMAND for each message, with the payload on its standard input, as long as there are messages, and
/// waits for more. Status 0 of COMMAND means that the message is delivered. Anything else is tried again, after
/// pauses that double up to a minute; after --retries the message goes to the dead letters. If COMMAND cannot be
/// started at all, relay ends, and the message stays in the journal.
///
/// COMMAND finds in its environment IPCTOOL_REF, the queue; IPCTOOL_TYPE or IPCTOOL_PRIORITY, that of the message;
/// and IPCTOOL_ATTEMPT, from 1 on. With --batch it gets up to N messages at once, as lines of JSON like those of
/// 'recv --json', and IPCTOOL_COUNT in place of the type. A batch that fails for good is tried message by message,
/// so that only those that fail by themselves are dead letters.
///
/// Each message is delivered at least once, even if relay is killed: it peeks at messages, writes them to a
/// journal, and only then takes them off the queue. What is in the journal when it starts is delivered first. So a
/// message may come twice, and COMMAND should not mind. Several relays may work on one queue; each has a journal of
/// its own, and they take turns at the queue. The kernel cannot peek at a POSIX queue: there, and where another
/// program takes messages off the same queue, a message that SIGKILL meets between the kernel and the journal, some
/// microseconds, is lost.
///
/// SIGTERM and SIGINT let COMMAND finish what it has, and hand it the batch that was taken meanwhile, if any; what
/// it does not deliver stays in the journal. With --in, COMMAND may be in that IPC namespace, too.
#[derive(Debug, Args)]
pub struct Relay {
    /// Queue: its id, its key as 0x…, or the /name of a POSIX queue
    #[arg(value_parser = queue, value_hint = ValueHint::Other)]
    pub queue: Reference,
    /// Only messages of this type, above 0, of a System V queue
    #[arg(short = 't', long = "type", value_name = "N", allow_hyphen_values = true, value_parser = message_type)]
    pub message_type: Option<i64>,
    /// Hand over up to N messages at once, as lines of JSON
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = number::within::<usize>(1..=100_000))]
    pub batch: Option<usize>,
    /// How often to try again before a message is a dead letter
    #[arg(long, value_name = "N", default_value_t = 5, allow_hyphen_values = true, value_parser = number::from::<u32>(0))]
    pub retries: u32,
    /// The first pause before another attempt; it doubles up to 1m
    #[arg(long, value_name = "DURATION", default_value = "1s", allow_hyphen_values = true, value_parser = duration::parse)]
    pub backoff: Duration,
    /// Where dead letters go: FILE, msg:REF or pmsg:/NAME
    ///
    /// A file gets a line of JSON for each, which 'ipctool send --jsonl' reads. Without this option it is the file
    /// beside the journal whose name ends with .dead.jsonl.
    #[arg(long, value_name = "FILE|QUEUE", value_hint = ValueHint::FilePath)]
    pub dead_letter: Option<DeadLetters>,
    /// End COMMAND after this long; the attempt has failed then
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// The journal; a file in $XDG_STATE_HOME/ipctool by default
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub journal: Option<PathBuf>,
    /// End when the queue is empty, instead of waiting for messages
    #[arg(long)]
    pub once: bool,
    /// Say what becomes of each message
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// Command to run, with its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

pub(super) const RELAY: Page = Page {
    command: "relay",
    synopsis: &[
        "ipctool relay [-t N] [--batch N] [--retries N] [--backoff DURATION] [--timeout DURATION] [--dead-letter FILE|QUEUE] [--journal FILE] [--once] [-v] QUEUE [--] COMMAND [ARGUMENT…]",
    ],
    statuses: &[
        ("0", "every message was delivered (--once)"),
        ("1", "messages are dead letters, or left in the journal, or something failed"),
        page::USAGE,
        ("3", "no such queue, or it was removed"),
        page::NOT_PERMITTED,
        ("128+N", "ended by signal N; what COMMAND had was finished"),
    ],
    environment: &[
        ("XDG_STATE_HOME", "Journals are in ipctool/relay below it; ~/.local/state by default."),
        page::NO_COLOR,
        page::TERM,
        page::LOCALE,
    ],
    files: &[
        (
            "~/.local/state/ipctool/relay/QUEUE.N.journal",
            "What was taken, or is about to be, and is not delivered yet. Lines that cannot be read are set aside in a file beside it, and named.",
        ),
        page::SYSVIPC,
        page::DEV_MQUEUE,
    ],
    examples: &[
        ("Hand each message to a program", "ipctool relay 0xbeef -- ./handle"),
        (
            "Empty a queue into a Redis stream",
            "ipctool relay 0xbeef --once -- redis-cli -x XADD jobs '*' message",
        ),
        ("Publish by MQTT", "ipctool relay /events -- mosquitto_pub -t events -s"),
        (
            "Hand over many at once, and keep what fails on another queue",
            "ipctool relay 0xbeef --batch 1000 --dead-letter msg:0xdead -- ./load",
        ),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-recv(1)",
        "ipctool-send(1)",
        "msgop(2)",
        "mq_receive(3)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_a_file_or_a_queue() {
        let parse = |text: &str| text.parse::<DeadLetters>();
        for text in ["msg:0", "msg:0xdead", "pmsg:/dead", "0xdead"] {
            assert!(matches!(parse(text), Ok(DeadLetters::Queue(_))), "{text}");
        }
        for text in ["dead", "/var/dead", "./msg:0", "7"] {
            assert!(matches!(parse(text), Ok(DeadLetters::File(_))), "{text}");
        }
        for text in ["", "msg:x", "pmsg:dead/y", "0xg"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
