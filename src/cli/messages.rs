//! The verbs for messages.

use std::ffi::{OsString, c_long};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, ValueHint, value_parser};

use super::options::queue;
use super::page::{self, Entry, Page};
use crate::ipc::message::Label;
use crate::ipc::number::InvalidNumber;
use crate::ipc::{Mode, Reference, duration, number, size};
use crate::output::message::MessageFormat;

/// Send messages to a message queue
///
/// Each MESSAGE argument is sent as one message. Without arguments, standard input is one message,
/// byte for byte; with --lines, --null or --jsonl it is a stream of messages. Empty input is one empty
/// message; an empty stream sends nothing. A message that may begin with a dash, such as one in a
/// variable of a script, goes behind -e or after '--'.
///
/// If the queue is full, send waits for room, unless you use --nowait or --timeout. A message that can
/// never fit is refused at once, with both sizes. If a stream fails halfway, the error says which
/// record failed and how many messages were sent.
#[derive(Debug, Args)]
pub struct Send {
    /// Queue: its id, its key as 0x…, or the /name of a POSIX queue
    #[arg(value_parser = queue, value_hint = ValueHint::Other)]
    pub queue: Reference,
    /// What to send, unless it is standard input.
    #[command(flatten)]
    pub messages: Messages,
    /// Send each line of standard input as a message
    #[arg(short = 'l', long, group = "stream", conflicts_with_all = Messages::NAMES)]
    pub lines: bool,
    /// Send each NUL-terminated record of standard input as a message
    #[arg(short = '0', long, group = "stream", conflicts_with_all = Messages::NAMES)]
    pub null: bool,
    /// Send each line of standard input as a message in JSON
    ///
    /// A line is like {"type": 5, "text": "…"} or {"type": 5, "base64": "…"}, as 'recv --json' prints
    /// it. For a POSIX queue use "priority" in place of "type". The fields "ref", "size"
    /// and "sum" are ignored; any other field is an error.
    #[arg(long, group = "stream", conflicts_with_all = Messages::NAMES)]
    pub jsonl: bool,
    /// Type of the messages on a System V queue, above 0; 1 by default
    #[arg(
        short = 't', long = "type", value_name = "N",
        allow_hyphen_values = true, value_parser = given_type
    )]
    pub message_type: Option<i64>,
    /// Priority of the messages on a POSIX queue, 0 (default) to 32767
    #[arg(
        long, value_name = "N", allow_hyphen_values = true,
        value_parser = number::within::<u32>(0..=Label::HIGHEST_PRIORITY.into())
    )]
    pub priority: Option<u32>,
    /// End each payload with a NUL byte, for readers of C strings
    #[arg(long)]
    pub append_nul: bool,
    /// Create the queue if it is missing; MODE is 0600 by default
    ///
    /// QUEUE must then be a key or a name, because the kernel chooses the ids.
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true, default_missing_value = "0600")]
    pub create: Option<Mode>,
    /// How to wait.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Messages from the command line, in its order.
#[derive(Debug)]
pub struct Messages(pub Vec<OsString>);

impl Messages {
    const OPERAND: &str = "messages";
    const OPTION: &str = "message";
    /// The arguments that are messages.
    const NAMES: [&str; 2] = [Messages::OPERAND, Messages::OPTION];
}

impl Args for Messages {
    fn augment_args(command: clap::Command) -> clap::Command {
        let text = || Arg::new("").value_parser(value_parser!(OsString)).action(ArgAction::Append);
        command
            .arg(
                text()
                    .id(Messages::OPERAND)
                    .value_name("MESSAGE")
                    .num_args(0..)
                    .value_hint(ValueHint::Other)
                    .help("Messages to send"),
            )
            .arg(
                text()
                    .id(Messages::OPTION)
                    .short('e')
                    .long("message")
                    .value_name("TEXT")
                    .allow_hyphen_values(true)
                    .value_hint(ValueHint::Other)
                    .help("Send TEXT as a message, even if it begins with a dash"),
            )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Messages {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Messages, clap::Error> {
        let of = |name| {
            let places = matches.indices_of(name).into_iter().flatten();
            let texts = matches.get_many::<OsString>(name).into_iter().flatten();
            places.zip(texts.cloned())
        };
        let mut all: Vec<_> = Messages::NAMES.into_iter().flat_map(of).collect();
        all.sort_by_key(|&(place, _)| place);
        Ok(Messages(all.into_iter().map(|(_, text)| text).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Messages::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A type, which the kernel keeps in a long.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn given_type(text: &str) -> Result<i64, InvalidNumber> {
    number::from::<c_long>(1)(text).map(i64::from)
}

/// The same with a sign.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn wanted_type(text: &str) -> Result<i64, InvalidNumber> {
    number::from::<c_long>(c_long::MIN.into())(text).map(i64::from)
}

/// How long to wait.
#[derive(Debug, Args)]
pub struct Waiting {
    /// Fail instead of waiting
    #[arg(long, conflicts_with = "timeout")]
    pub nowait: bool,
    /// Wait at most this long for each message: 250ms, 30s, 10m
    ///
    /// A bare number is seconds.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

pub(super) const SEND: Page = Page {
    command: "send",
    synopsis: &[
        "ipctool send [-t N | --priority N] [--append-nul] [--create[=MODE]] [--nowait | --timeout DURATION] QUEUE [MESSAGE… | -e TEXT…]",
        "ipctool send [-l | -0 | --jsonl] [-t N | --priority N] [--append-nul] [--create[=MODE]] [--nowait | --timeout DURATION] QUEUE < FILE",
    ],
    statuses: &[
        ("0", "every message was sent"),
        ("1", "sending failed, or a message can never fit"),
        page::USAGE,
        ("3", "no such queue, or it was removed"),
        ("4", "the queue is full (--nowait), or the time is up"),
        page::NOT_PERMITTED,
        page::SIGNAL,
    ],
    environment: page::COLOR,
    files: QUEUE_FILES,
    examples: &[
        ("Create a queue and send it two messages", "ipctool send 0xbeef --create 'hello' 'world'"),
        ("Send a C string of type 7", "ipctool send msg:0 -t 7 --append-nul 'for a C program'"),
        (
            "Send each line as a message, and wait for room no longer than 5 seconds",
            "seq 3 | ipctool send 0xbeef --lines --timeout 5s",
        ),
        (
            "Save all messages, and send them back later",
            "ipctool recv 0xbeef --all --json > saved && ipctool send 0xbeef --jsonl < saved",
        ),
        ("Send an urgent message to a POSIX queue", "ipctool send /jobs --priority 9 'urgent'"),
        ("Send whatever a variable holds", "ipctool send 0xbeef -e \"$MESSAGE\""),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-recv(1)",
        "ipctool-create(1)",
        "msgop(2)",
        "mq_send(3)",
        "sysvipc(7)",
        "mq_overview(7)",
    ],
    ..Page::EMPTY
};

const QUEUE_FILES: &[Entry] = &[page::SYSVIPC, page::DEV_MQUEUE, page::SYSCTL];

/// Receive messages from a message queue, or peek at them
///
/// Takes one message off the queue, waits for it if there is none, and prints its payload and a
/// newline. From a POSIX queue this is the oldest message of the highest priority.
///
/// Nothing is lost. A message is never cut, except by --truncate. A message that cannot be written out
/// goes back to the end of the queue, the only place where the kernel can put it; if there is no room
/// by then, it goes into a file, and the error gives the name. The same holds for every signal that
/// can be caught, and when memory runs out. A message in a pipe belongs to the reader of the pipe;
/// recv takes no more than the pipe accepts at once, plus one message.
///
/// --all --then-rm empties the queue and removes it. Until then nobody can send: the queue has no room
/// (its max_bytes is 0), so senders wait or, with IPC_NOWAIT, get EAGAIN. When the queue is removed,
/// those that wait get EIDRM and know that their message was not sent. If anything fails or a signal
/// arrives, the queue gets its room back and stays. Only SIGKILL leaves it closed; then 'ipctool limits
/// --queue-bytes' opens it again. A POSIX queue is removed only if no other process has it open,
/// because such a process can go on sending without the name.
///
/// On a terminal, control bytes in a payload are shown escaped, in every format.
#[derive(Debug, Args)]
pub struct Recv {
    /// Queue: its id, its key as 0x…, or the /name of a POSIX queue
    #[arg(value_parser = queue, value_hint = ValueHint::Other)]
    pub queue: Reference,
    /// Take this many messages
    #[arg(short = 'n', long, value_name = "N", group = "amount", allow_hyphen_values = true, value_parser = number::from::<u64>(1))]
    pub count: Option<u64>,
    /// Take all messages there are, without waiting for more
    ///
    /// An empty queue is no error.
    #[arg(long, group = "amount", conflicts_with = "timeout")]
    pub all: bool,
    /// Block senders, and remove the queue once --all has emptied it
    #[arg(long, requires = "all", conflicts_with_all = ["message_type", "peek"])]
    pub then_rm: bool,
    /// Keep receiving until a signal arrives
    #[arg(short = 'f', long, group = "amount", conflicts_with = "nowait")]
    pub follow: bool,
    /// Type on a System V queue: 0 any, N exactly N, -N at most N
    ///
    /// 0, the default, takes the oldest message of any type. N takes the oldest message of type N. -N
    /// takes the message with the lowest type, if that type is at most N.
    #[arg(
        short = 't', long = "type", value_name = "N",
        allow_hyphen_values = true, value_parser = wanted_type
    )]
    pub message_type: Option<i64>,
    /// Any type except the one given with -t
    #[arg(long)]
    pub except: bool,
    /// Show messages without taking them (System V queues only)
    ///
    /// Never waits. Works with --type, --count and --all. The kernel needs CONFIG_CHECKPOINT_RESTORE.
    #[arg(long, conflicts_with_all = ["follow", "timeout"])]
    pub peek: bool,
    /// How to wait.
    #[command(flatten)]
    pub waiting: Waiting,
    /// Output format of each message
    #[arg(long, value_name = "FORMAT", value_enum, group = "form")]
    pub format: Option<MessageFormat>,
    /// Print payload bytes only, same as --format raw
    #[arg(long, group = "form")]
    pub raw: bool,
    /// Print a NUL byte after each payload, same as --format null
    #[arg(short = '0', long, group = "form")]
    pub null: bool,
    /// Print a line of JSON per message, as 'send --jsonl' reads it
    #[arg(short = 'J', long, visible_alias = "jsonl", group = "form")]
    pub json: bool,
    /// Print offset, hex and ASCII, as 'hexdump -C' does
    #[arg(long, group = "form")]
    pub hex: bool,
    /// End each payload at its first NUL byte, as in a C string
    #[arg(long)]
    pub until_nul: bool,
    /// Print at most N bytes of each payload and drop the rest
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = size::parse)]
    pub truncate: Option<u64>,
    /// Print type and size on standard error, before each message
    #[arg(short = 'v', long)]
    pub verbose: bool,
}

pub(super) const RECV: Page = Page {
    command: "recv",
    synopsis: &[
        "ipctool recv [-n N | --all [--then-rm] | -f] [-t N [--except]] [--nowait | --timeout DURATION] [--format FORMAT | --raw | -0 | -J | --hex] [--until-nul] [--truncate N] [-v] QUEUE",
        "ipctool recv --peek [-n N | --all] [-t N [--except]] [--format FORMAT | --raw | -0 | -J | --hex] [--until-nul] [--truncate N] [-v] QUEUE",
    ],
    statuses: &[
        ("0", "every message that was asked for was written out"),
        ("1", "receiving or writing failed"),
        page::USAGE,
        ("3", "no such queue, or it was removed"),
        ("4", "no message, or fewer than -n asks for (--nowait or --peek), or the time is up"),
        page::NOT_PERMITTED,
        page::SIGNAL,
    ],
    environment: &[
        page::NO_COLOR,
        page::TERM,
        (
            "TMPDIR",
            "The directory for messages that cannot be written out or put back, if the current directory takes no file. /tmp by default.",
        ),
    ],
    files: &[
        page::SYSVIPC,
        page::DEV_MQUEUE,
        page::SYSCTL,
        (
            "ipctool-recv-*.jsonl",
            "Messages that could neither be written out nor put back, as 'send --jsonl' reads them: in the current directory, in TMPDIR, in /var/tmp or in /dev/shm.",
        ),
    ],
    examples: &[
        ("Take one message, and wait for it if there is none", "ipctool recv msg:0"),
        ("Take all messages as JSON", "ipctool recv 0xbeef --all --json"),
        ("Look at all messages without taking them", "ipctool recv 0xbeef --peek --all --hex"),
        (
            "Empty a queue into a file and remove it",
            "ipctool recv 0xbeef --all --then-rm --json > saved",
        ),
        (
            "Wait up to 2 seconds for a message of type 1 to 5",
            "ipctool recv 0xbeef -t -5 --timeout 2s",
        ),
        (
            "Run a command for each message as it arrives",
            "ipctool recv 0xbeef --follow --null | xargs -0 -n1 echo got",
        ),
        ("Take one message off a POSIX queue", "ipctool recv /jobs --timeout 2s"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-send(1)",
        "ipctool-limits(1)",
        "msgop(2)",
        "mq_receive(3)",
        "sysvipc(7)",
        "mq_overview(7)",
    ],
    ..Page::EMPTY
};
