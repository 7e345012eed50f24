//! The verbs for messages.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::options::queue;
use crate::ipc::message::Label;
use crate::ipc::{Mode, Reference, duration, size};
use crate::output::message::MessageFormat;

/// Put messages on a queue.
///
/// Each MESSAGE is one message. Without one, standard input is one message, byte for byte, or with
/// --lines, --null or --jsonl a stream of them; an empty input is an empty message, an empty stream
/// none. If the queue is full, send waits for room. A
/// message that can never fit is refused at once, whatever the queue holds.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool send 0xbeef --create 'hello' 'world'
  ipctool send msg:0 -t 7 --append-nul 'for a C program'
  seq 3 | ipctool send 0xbeef --lines --timeout 5s
  ipctool recv 0xbeef --all --json > saved && ipctool send 0xbeef --jsonl < saved
  ipctool send /jobs --priority 9 'urgent'")]
pub struct Send {
    /// The queue: its id, its key as 0x…, or the /name of a POSIX queue
    #[arg(value_parser = queue, value_hint = ValueHint::Other)]
    pub queue: Reference,
    /// The messages
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<OsString>,
    /// Each line of standard input is a message
    #[arg(short = 'l', long, group = "stream", conflicts_with = "messages")]
    pub lines: bool,
    /// Each NUL-terminated record of standard input is a message
    #[arg(short = '0', long, group = "stream", conflicts_with = "messages")]
    pub null: bool,
    /// Each line is a message like {"type": 5, "text": "…"} or {"type": 5, "base64": "…"}; on a POSIX
    /// queue with "priority" for "type". "ref" and "size" are ignored, any other field is an error
    #[arg(long, group = "stream", conflicts_with = "messages")]
    pub jsonl: bool,
    /// Type of the messages on a System V queue, greater than 0; 1 by default
    #[arg(
        short = 't', long = "type", value_name = "N",
        allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(1..)
    )]
    pub message_type: Option<i64>,
    /// Priority of the messages on a POSIX queue, 0 to 32767; 0 by default
    #[arg(
        long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(..=i64::from(Label::HIGHEST_PRIORITY))
    )]
    pub priority: Option<u32>,
    /// End each payload with a NUL byte, for readers that expect a C string
    #[arg(long)]
    pub append_nul: bool,
    /// Make the queue if it is missing, with this mode (0600 by default); needs a key or name
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true, default_missing_value = "0600")]
    pub create: Option<Mode>,
    /// How to wait.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// How long to wait.
#[derive(Debug, Args)]
pub struct Waiting {
    /// Do not wait
    #[arg(long, conflicts_with = "timeout")]
    pub nowait: bool,
    /// Wait at most this long for each message: 250ms, 30s, 10m; a bare number is seconds
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

/// Take messages off a queue, or peek at them.
///
/// Takes one message, waiting for it, and prints its payload and a newline. Of a POSIX queue, that is
/// the oldest one of the highest priority. Nothing is lost: no
/// message is cut unless --truncate says so, and one that cannot be written out goes back on the
/// queue (at its end, the only place to which the kernel lets anybody put it), or into a file whose
/// name is printed. That holds for every signal that can be caught, and where memory runs out. What a
/// pipe has accepted is its reader's; no more is taken than it accepts at once, and one message.
///
/// --all --then-rm removes the queue once it is empty. Until then nobody can send: a System V queue has
/// no room (its max_bytes is 0), and senders wait or, with IPC_NOWAIT, are told that it is full. When
/// it is removed those who wait get EIDRM, and know that their message was not sent. If anything goes
/// wrong or a signal comes, the queue gets its room back and stays; only SIGKILL leaves it closed, and
/// 'ipctool limits --queue-bytes' opens it again. A POSIX queue is removed only if no other process has
/// it open, because a process that has it open can send whatever becomes of the name.
///
/// On a terminal, control bytes of a payload are shown escaped, whatever the format.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool recv msg:0
  ipctool recv 0xbeef --all --json
  ipctool recv 0xbeef --peek --all --hex
  ipctool recv 0xbeef --all --then-rm --json > saved
  ipctool recv 0xbeef -t -5 --timeout 2s
  ipctool recv 0xbeef --follow --null | xargs -0 -n1 echo got
  ipctool recv /jobs --timeout 2s")]
pub struct Recv {
    /// The queue: its id, its key as 0x…, or the /name of a POSIX queue
    #[arg(value_parser = queue, value_hint = ValueHint::Other)]
    pub queue: Reference,
    /// Take this many messages
    #[arg(short = 'n', long, value_name = "N", group = "amount", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Take all there are, without waiting
    #[arg(long, group = "amount", conflicts_with = "timeout")]
    pub all: bool,
    /// With --all: let nobody send, and remove the queue once it is empty
    #[arg(long, requires = "all", conflicts_with_all = ["message_type", "peek"])]
    pub then_rm: bool,
    /// Go on for ever
    #[arg(short = 'f', long, group = "amount", conflicts_with = "nowait")]
    pub follow: bool,
    /// Which, on a System V queue: 0 any (the default), N that type, -N the lowest type up to N
    #[arg(short = 't', long = "type", value_name = "N", allow_negative_numbers = true)]
    pub message_type: Option<i64>,
    /// Any type but that of -t
    #[arg(long)]
    pub except: bool,
    /// Show without taking, and without waiting: on a System V queue
    #[arg(long, conflicts_with_all = ["follow", "timeout"])]
    pub peek: bool,
    /// How to wait.
    #[command(flatten)]
    pub waiting: Waiting,
    /// How each message is written
    #[arg(long, value_name = "FORMAT", value_enum, group = "form")]
    pub format: Option<MessageFormat>,
    /// Payload bytes only
    #[arg(long, group = "form")]
    pub raw: bool,
    /// A NUL byte after each payload
    #[arg(short = '0', long, group = "form")]
    pub null: bool,
    /// A line of JSON for each message, as 'send --jsonl' reads it
    #[arg(short = 'J', long, visible_alias = "jsonl", group = "form")]
    pub json: bool,
    /// Offset, hex and ASCII, as 'hexdump -C'
    #[arg(long, group = "form")]
    pub hex: bool,
    /// End each payload at its first NUL byte, as a C string
    #[arg(long)]
    pub until_nul: bool,
    /// Show at most N bytes of each payload; the rest of it is dropped
    #[arg(long, value_name = "N", value_parser = size::parse)]
    pub truncate: Option<u64>,
    /// Tell the type and size of each message on standard error
    #[arg(short = 'v', long)]
    pub verbose: bool,
}
