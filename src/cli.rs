//! The command line as types: every flag, default and help text. Nothing runs here.
//!
//! Help, man pages and completions all come from this file.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{
    ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint,
};

use crate::ipc::finding::Check;
use crate::ipc::leak::Expected;
use crate::ipc::message::Label;
use crate::ipc::{self, Kind, Mode, ModeChange, Project, Reference, Target, duration, limit, size};
use crate::output::message::MessageFormat;
use crate::output::{Format, TimeFormat, columns};
use crate::personality::{self, Personality};

/// List, explain, feed, drain, repair and clean up System V and POSIX IPC objects.
///
/// An object is named by a reference, KIND:REF. Of System V, KIND is msg (a message queue), shm (a
/// shared memory segment) or sem (a semaphore set), and REF an id in decimal or a key in
/// hexadecimal: msg:32768, shm:0x0000beef. Of POSIX, KIND is pmsg (a message queue), pshm (shared
/// memory) or psem (a named semaphore), and REF a name: pmsg:/jobs; in a name, \xHH stands for a
/// byte that cannot be typed. 'ipctool list' prints references, so what one command prints the next
/// one takes.
#[derive(Debug, Parser)]
#[command(
    name = "ipctool",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    args_override_self = true,
    max_term_width = 100,
    after_long_help = EXIT_STATUS
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

/// The command line with all of its help. Parsing does without the pages that are put together from
/// the registries of columns and checks: they would be made at every start.
pub fn documented() -> clap::Command {
    Cli::command()
        .mut_subcommand("list", |list| list.after_long_help(list_help()))
        .mut_subcommand("doctor", |doctor| doctor.after_long_help(doctor_help()))
        .after_help(drop_ins_help())
        .after_long_help(format!("{}\n{EXIT_STATUS}", drop_ins_help()))
}

/// The names of the programs that `ipctool` stands in for.
pub fn drop_ins() -> impl Iterator<Item = &'static str> {
    personality::ALL.iter().map(|program| program.name)
}

/// The same under a heading of their own, each with what it does.
fn drop_ins_help() -> String {
    let line = |program: &Personality| format!("  {:<7}  {}\n", program.name, program.about);
    let lines: String = personality::ALL.iter().map(line).collect();
    format!("Drop-in commands:\n{lines}")
}

/// The same with the programs that `ipctool` stands in for, for the man pages and the completions.
/// Parsing never comes to them, and the help has them under a heading of their own.
pub fn with_drop_ins() -> clap::Command {
    let mut command = documented();
    // The options of all commands, which are handed down now, are not theirs.
    command.build();
    command.subcommands(personality::ALL.iter().map(Personality::documented))
}

const EXIT_STATUS: &str = "\
Exit status:
  0      done
  1      an operation failed
  2      wrong usage
  3      nothing there: no such object, or no message
  4      would block, or timed out
  5      not permitted
  6      findings: of doctor, a leak under guard, or a limit over the mark of 'limits --check'
  128+N  ended by signal N
guard ends as its command did, if that failed: see 'ipctool guard --help'.

Examples:
  ipctool list
  ipctool send 0xbeef 'hello' --create && ipctool recv 0xbeef
  ipctool rm msg:0xbeef";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// When to use colour; 'auto' honours NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub color: Color,
    /// Print each IPC system call to standard error
    #[arg(long, global = true)]
    pub trace: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

/// Declares the verbs. Each builds its options only when it is called: defining those of all verbs
/// would take a fifth of the time of a short `list`.
macro_rules! verbs {
    ($($(#[doc = $about:literal])+ $verb:ident as $name:literal $(or $alias:literal)?;)+) => {
        /// The verbs.
        #[derive(Debug)]
        pub enum Command {
            $($(#[doc = $about])+ $verb($verb),)+
        }

        impl Subcommand for Command {
            fn augment_subcommands(command: clap::Command) -> clap::Command {
                command$(.subcommand(
                    clap::Command::new($name)
                        .about(concat!($($about),+).trim())
                        $(.visible_alias($alias))?
                        .defer($verb::augment_args),
                ))+
            }

            fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
                Self::augment_subcommands(command)
            }

            fn has_subcommand(name: &str) -> bool {
                matches!(name, $($name)|+)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                match matches.subcommand() {
                    $(Some(($name, matches)) => $verb::from_arg_matches(matches).map(Command::$verb),)+
                    _ => Err(clap::Error::new(ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

verbs! {
    /// List objects
    List as "list" or "ls";
    /// Tell all there is to know about objects
    Stat as "stat";
    /// Make an object
    Create as "create";
    /// Put messages on a queue
    Send as "send";
    /// Take messages off a queue, or peek at them
    Recv as "recv";
    /// Remove objects
    Rm as "rm";
    /// Change permission bits
    Chmod as "chmod";
    /// Change owner and group
    Chown as "chown";
    /// Show the limits and how much of each is used; set them
    Limits as "limits";
    /// Find what is wrong, say why, and give the command that mends it
    Doctor as "doctor";
    /// Run a command, report what it leaked, and fail on it
    Guard as "guard";
    /// Print the ftok(3) key of a path
    Key as "key";
    /// Make links by which ipctool is called as ipcs, ipcrm, ipcmk and msgtool
    InstallLinks as "install-links";
}

/// List objects.
///
/// On a terminal each kind is a table; elsewhere each object is a line of plain text. The machine
/// formats carry every column unless --output chooses: sizes and counts as integers, times in RFC
/// 3339 (UTC), keys and modes as strings, and null for what is not there. Reading the list needs
/// no permission on the objects.
#[derive(Debug, Args)]
pub struct List {
    /// Just these kinds
    #[arg(value_name = "KIND", value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// Message queues, as 'msg'
    #[arg(short = 'q', long)]
    pub queues: bool,
    /// Shared memory segments, as 'shm'
    #[arg(short = 'm', long)]
    pub shmems: bool,
    /// Semaphore sets, as 'sem'
    #[arg(short = 's', long)]
    pub semaphores: bool,
    /// Show times
    #[arg(short = 't', long = "time", overrides_with_all = ["pids", "creators"])]
    pub times: bool,
    /// Show the process ids of the creator and the last operators
    #[arg(short = 'p', long, overrides_with_all = ["times", "creators"])]
    pub pids: bool,
    /// Show creator and owner
    #[arg(short = 'c', long, overrides_with_all = ["times", "pids"])]
    pub creators: bool,
    /// Show just these columns; with a leading '+' these besides the usual ones
    #[arg(short = 'o', long, value_name = "COL,…", allow_hyphen_values = true)]
    pub output: Option<String>,
    /// Sort by a column; '-COL' in descending order. What has no value comes last
    #[arg(long, value_name = "COL", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// How it looks.
    #[command(flatten)]
    pub format: FormatArgs,
    /// Leave out the headings
    #[arg(long)]
    pub no_headings: bool,
    /// Show who uses it and how many wait on it, as '-o +waiting,users'
    #[arg(short = 'w', long)]
    pub who: bool,
    /// Say which objects are left out because not all is known of them, and why
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// How it looks to a person.
    #[command(flatten)]
    pub style: StyleArgs,
    /// Which objects.
    #[command(flatten)]
    pub filter: Filters,
}

fn list_help() -> String {
    format!(
        "{}Examples:
  ipctool list
  ipctool list msg --sort -bytes
  ipctool list --owner \"$USER\" --orphan -o +changed
  ipctool list --who
  ipctool list -q -o ref --no-headings | xargs -r ipctool stat",
        columns::help()
    )
}

/// A kind by its name, which the completions know, or by the word that is accepted besides.
fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(|kind| match kind {
        Kind::Msg => PossibleValue::new(kind.name()).alias("queue"),
        Kind::Pmsg => PossibleValue::new(kind.name()).alias("mq"),
        _ => PossibleValue::new(kind.name()),
    }))
    .try_map(|name| name.parse::<Kind>())
}

/// The format of a listing.
#[derive(Debug, Args)]
pub struct FormatArgs {
    /// Format; by default 'table' on a terminal and 'plain' elsewhere
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// One JSON array, as '--format json'
    #[arg(short = 'J', long, conflicts_with = "format")]
    pub json: bool,
}

impl FormatArgs {
    /// The format that was asked for, or else the one that fits standard output.
    pub fn chosen(&self) -> Format {
        match self.format {
            _ if self.json => Format::Json,
            Some(format) => format,
            None => Format::fitting(),
        }
    }
}

/// How values look to a person.
#[derive(Debug, Args)]
pub struct StyleArgs {
    /// Sizes in bytes
    #[arg(short = 'b', long)]
    pub bytes: bool,
    /// How times are written in tables and plain text
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub time_format: TimeFormat,
    /// Modes in octal
    #[arg(short = 'P', long)]
    pub numeric_perms: bool,
}

/// Which objects are meant. All conditions must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Owned by this user
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username)]
    pub owner: Option<String>,
    /// Made by this user, of System V
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username)]
    pub creator: Option<String>,
    /// Owned by this group
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// With this key, in decimal, octal (0…) or hexadecimal (0x…)
    #[arg(long, value_name = "KEY")]
    pub key: Option<ipc::Key>,
    /// A queue with no message
    #[arg(long)]
    pub empty: bool,
    /// Nothing has happened to it for this long: 30s, 10m, 2h, 7d; a bare number is seconds. Of a
    /// POSIX object only the time counts at which its content last changed by a system call, and a
    /// semaphore is used without one: '--unused' besides spares what somebody holds
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub idle: Option<Duration>,
    /// A segment already marked for destruction
    #[arg(long)]
    pub marked: bool,
    /// This process made it, used it last, has it attached, mapped or open, or waits on it
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pub pid: Option<i32>,
    /// Nobody has it attached, mapped or open, or waits on it
    #[arg(long)]
    pub unused: bool,
    /// Unused, and every process that the kernel recorded for it is gone (of POSIX objects it records
    /// none); what nobody has used yet counts, too: '--idle' spares what was made just now
    #[arg(long)]
    pub orphan: bool,
}

/// Objects by reference, or with ipcrm's flags.
#[derive(Debug, Args)]
pub struct References {
    /// Objects: KIND:ID, KIND:0xKEY or KIND:/NAME
    #[arg(value_name = "REF", value_hint = ValueHint::Other)]
    pub references: Vec<Reference>,
    /// Queue by id
    #[arg(short = 'q', long, value_name = "ID", value_parser = ipcrm_id)]
    pub queue_id: Vec<i32>,
    /// Queue by key
    #[arg(short = 'Q', long, value_name = "KEY")]
    pub queue_key: Vec<ipc::Key>,
    /// Segment by id
    #[arg(short = 'm', long, value_name = "ID", value_parser = ipcrm_id)]
    pub shmem_id: Vec<i32>,
    /// Segment by key
    #[arg(short = 'M', long, value_name = "KEY")]
    pub shmem_key: Vec<ipc::Key>,
    /// Semaphore set by id
    #[arg(short = 's', long, value_name = "ID", value_parser = ipcrm_id)]
    pub semaphore_id: Vec<i32>,
    /// Semaphore set by key
    #[arg(short = 'S', long, value_name = "KEY")]
    pub semaphore_key: Vec<ipc::Key>,
}

impl References {
    /// All of them, as references.
    pub fn all(&self) -> Vec<Reference> {
        let mut all = self.references.clone();
        for (kind, ids, keys) in [
            (Kind::Msg, &self.queue_id, &self.queue_key),
            (Kind::Shm, &self.shmem_id, &self.shmem_key),
            (Kind::Sem, &self.semaphore_id, &self.semaphore_key),
        ] {
            all.extend(ids.iter().map(|&id| Reference::id(kind, id)));
            all.extend(keys.iter().map(|&key| Reference { kind, target: Target::Key(key) }));
        }
        all
    }
}

/// An id as `ipcrm` reads it: decimal, octal or hexadecimal.
fn ipcrm_id(text: &str) -> anyhow::Result<i32> {
    match ipc::Key::from_number(text) {
        Ok(ipc::Key(id @ 0..)) => Ok(id),
        _ => anyhow::bail!("'{text}' is not an id: an id is a number from 0 to {}", i32::MAX),
    }
}

/// Tell all there is to know about objects.
///
/// Identity, owners, what the mode lets you do, sizes against limits, times with their age, and
/// the recorded processes with what has become of them; for a set each semaphore. The values of
/// semaphores need read permission, everything else none.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool stat msg:0
  ipctool stat shm:0x0000beef --json
  ipctool stat -q 0")]
pub struct Stat {
    /// Which.
    #[command(flatten)]
    pub references: References,
    /// One JSON array
    #[arg(short = 'J', long)]
    pub json: bool,
}

/// Make an object, and print its reference.
///
/// Of System V: without --key or --ftok the object is private: nobody finds it by a key. With one, an
/// existing object of this key is opened, unless --exclusive. The semaphores of a new set are 0.
///
/// Of POSIX: an existing object of this name is opened, unless --exclusive, and stays as it is: shared
/// memory is never made smaller, a semaphore keeps its value.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool create msg --key 0xbeef --mode 660
  ipctool create shm --size 64K
  ipctool create sem --ftok .:A --nsems 3 --exclusive
  ipctool create pmsg --name /jobs --max-messages 10 --message-size 1K
  ipctool create psem --name /lock --value 1")]
pub struct Create {
    /// What to make
    #[arg(value_parser = kind())]
    pub kind: Kind,
    /// Its key, in decimal, octal (0…) or hexadecimal (0x…)
    #[arg(long, value_name = "KEY", conflicts_with = "ftok")]
    pub key: Option<ipc::Key>,
    /// The ftok(3) key of this path; what follows the last ':' is the project, 1 by default
    #[arg(long, value_name = "PATH[:PROJ]")]
    pub ftok: Option<OsString>,
    /// Permission bits, in octal; the umask does not apply
    #[arg(long, value_name = "MODE", default_value = "0600")]
    pub mode: Mode,
    /// Size of a segment or of POSIX shared memory in bytes, or as 64K, 2M, 1GiB
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub size: Option<u64>,
    /// Name of a POSIX object: a slash, then no other
    #[arg(long, value_name = "/NAME", conflicts_with_all = ["key", "ftok"])]
    pub name: Option<String>,
    /// Most messages that a POSIX queue holds; by default fs.mqueue.msg_default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_messages: Option<u64>,
    /// Most bytes in one message of a POSIX queue; by default fs.mqueue.msgsize_default
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub message_size: Option<u64>,
    /// Value of a POSIX semaphore, 0 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i32::MAX as i64))]
    pub value: Option<u32>,
    /// Number of semaphores in a set, 1 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub nsems: Option<i32>,
    /// Fail if there is one with this key or name already
    #[arg(short = 'x', long)]
    pub exclusive: bool,
}

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
    /// queue with "priority" for "type"
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
/// name is told. What a pipe has accepted is its reader's.
///
/// On a terminal, control bytes of a payload are shown escaped, whatever the format.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool recv msg:0
  ipctool recv 0xbeef --all --json
  ipctool recv 0xbeef --peek --all --hex
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

fn queue(text: &str) -> anyhow::Result<Reference> {
    Reference::to_queue(text)
}

/// A queue whose size can be set.
fn system_v_queue(text: &str) -> anyhow::Result<Reference> {
    let reference = queue(text)?;
    if reference.kind.is_posix() {
        anyhow::bail!("'{text}' is a POSIX message queue: its size was set when it was made");
    }
    Ok(reference)
}

/// Remove objects, by reference or by filter.
///
/// Removes what it can, reports each failure, and exits non-zero if any failed. Objects are
/// selected first and then removed by id, so an object that is made under the same key in between
/// is never hit; POSIX objects have but a name, and are compared once more right before it is
/// removed. What a process holds open or mapped goes when it lets go. A filter or --all asks first on a terminal, and needs --yes elsewhere. A segment
/// that is still attached is only marked: its memory goes when the last process detaches it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool rm msg:0 shm:0x0000beef
  ipctool rm -Q 0xbeef --force
  ipctool rm --kind msg --owner \"$USER\" --idle 1h --dry-run
  ipctool rm --all msg sem --yes")]
pub struct Rm {
    /// Which.
    #[command(flatten)]
    pub references: References,
    /// Everything, or every object of these kinds
    #[arg(short = 'a', long, value_name = "KIND", num_args = 0.., value_parser = kind())]
    pub all: Option<Vec<Kind>>,
    /// Every object of this kind
    #[arg(long = "kind", value_name = "KIND", value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// An object that is not there is not an error
    #[arg(short = 'f', long)]
    pub force: bool,
    /// Print what would go
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Print each reference
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// Print a JSON object: removed, marked, failed
    #[arg(short = 'J', long, conflicts_with_all = ["dry_run", "verbose"])]
    pub json: bool,
    /// Which objects.
    #[command(flatten)]
    pub filter: Filters,
}

/// Change permission bits.
///
/// MODE is octal (660) or symbolic (u+rw,g-w,o=): u is the owner and the creator, g their groups, o
/// everybody else. IPC objects have no execute, set-id or sticky bits. No umask applies.
///
/// Only the owner, the creator (of System V) or a privileged process can change the mode. None of them needs
/// permission to read for it, so whoever has locked himself out gets back in. Of a System V object, the
/// kernel sets owner, group and mode (and max_bytes of a queue) at once: what somebody else sets in
/// the moment between reading and setting is undone.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool chmod 660 msg:0
  ipctool chmod u+rw,go= msg:0 shm:0x0000beef
  ipctool chmod -v a+r sem:0")]
pub struct Chmod {
    /// The new mode, octal or symbolic
    #[arg(allow_hyphen_values = true)]
    pub mode: ModeChange,
    /// To which objects, and how.
    #[command(flatten)]
    pub changing: Changing,
}

/// Change owner and group.
///
/// Only the owner, the creator or a privileged process can change the owner; the owner can give a
/// System V object to anybody. A POSIX object is a file: only a privileged process can give it away. The creator never changes, and keeps all the rights of the owner: the mode's
/// bits for the user are his, too, and he can change and remove the object, whoever owns it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool chown alice msg:0
  ipctool chown alice:staff shm:0 shm:1
  ipctool chown :staff sem:0x0000beef
  ipctool chown alice: msg:0")]
pub struct Chown {
    /// Names or numbers; 'OWNER:' means the owner's login group
    #[arg(value_name = "OWNER[:GROUP]")]
    pub owner: String,
    /// To which objects, and how.
    #[command(flatten)]
    pub changing: Changing,
}

/// What all changes of owner and mode have in common.
#[derive(Debug, Args)]
pub struct Changing {
    /// Objects: KIND:ID, KIND:0xKEY or KIND:/NAME
    #[arg(value_name = "REF", required = true, value_hint = ValueHint::Other)]
    pub references: Vec<Reference>,
    /// Do not warn who locks himself out
    #[arg(short = 'f', long)]
    pub force: bool,
    /// Print old and new
    #[arg(short = 'v', long)]
    pub verbose: bool,
}

/// Show the limits and how much of each is used; set them.
///
/// Each limit of System V IPC and of POSIX message queues, with its value, how much of it is used
/// in this IPC namespace, and where it comes from. The bytes that RLIMIT_MSGQUEUE limits are those
/// charged to a user for the capacity of the POSIX queues that he made, whatever lies on them. They
/// are told for the caller, and for every other owner of queues against the limit of his processes;
/// they are unknown where the queues cannot be seen.
///
/// What --set sets lasts until the next boot: --persist prints the line that makes it last, for a
/// file in /etc/sysctl.d.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool limits
  ipctool limits --check 80 || echo 'time to look'
  ipctool limits --set semmni=32000 msgmnb=1M --persist
  ipctool limits --queue-bytes 64K msg:0")]
pub struct Limits {
    /// Show just what is used to this many per cent or more, and exit with 6 if there is any
    #[arg(long, value_name = "PERCENT", value_parser = limit::parse_percent, conflicts_with_all = ["set", "queue_bytes"])]
    pub check: Option<u64>,
    /// Set limits, by the names that are listed
    #[arg(long, value_name = "NAME=VALUE", num_args = 1.., conflicts_with = "queue_bytes")]
    pub set: Vec<Setting>,
    /// Print the line for /etc/sysctl.d, too
    #[arg(long, requires = "set")]
    pub persist: bool,
    /// Set the most bytes that one queue may hold (max_bytes): 65536, or 64K
    #[arg(long, value_name = "N", value_parser = size::parse, requires = "queue")]
    pub queue_bytes: Option<u64>,
    /// The queue for --queue-bytes
    #[arg(value_name = "QUEUE", value_parser = system_v_queue, requires = "queue_bytes")]
    pub queue: Option<Reference>,
    /// How it looks.
    #[command(flatten)]
    pub format: FormatArgs,
    /// Leave out the headings
    #[arg(long)]
    pub no_headings: bool,
    /// Sizes in bytes
    #[arg(short = 'b', long)]
    pub bytes: bool,
}

/// A limit and its new value, `NAME=VALUE`.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The name of the limit.
    pub name: String,
    /// Its new value.
    pub value: String,
}

impl FromStr for Setting {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Setting> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(Setting { name: name.to_owned(), value: value.to_owned() })
            }
            _ => anyhow::bail!("'{text}' is not of the form NAME=VALUE"),
        }
    }
}

/// Find what is wrong, say why, and give the command that mends it.
///
/// Silent, with status 0, where nothing is wrong; status 6 if there is an error or a warning. A note
/// is good to know and changes no status. Nothing is mended by itself. As an ordinary user it sees
/// less: processes of others are counted, and what they may have to do with is not called an orphan.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Only these checks
    #[arg(long, value_name = "CHECK,…", value_delimiter = ',', value_parser = check())]
    pub only: Vec<Check>,
    /// All checks but these
    #[arg(long, value_name = "CHECK,…", value_delimiter = ',', value_parser = check())]
    pub skip: Vec<Check>,
    /// List the checks
    #[arg(long)]
    pub list_checks: bool,
    /// From how many per cent on a limit is near
    #[arg(long, value_name = "PERCENT", default_value = "80", value_parser = limit::parse_percent)]
    pub threshold: u64,
    /// How it looks.
    #[command(flatten)]
    pub format: FormatArgs,
}

fn check() -> impl TypedValueParser<Value = Check> {
    PossibleValuesParser::new(Check::ALL.map(Check::name)).try_map(|name| name.parse::<Check>())
}

fn doctor_help() -> String {
    let checks = Check::ALL.map(|check| format!("  {check:<20} {}\n", check.help()));
    format!(
        "Checks:\n{}
Examples:
  ipctool doctor
  ipctool doctor --json | jq -r '.[].fix'
  ipctool doctor --only limit-near --threshold 50",
        checks.concat()
    )
}

/// Run a command, report what it leaked, and fail on it.
///
/// Isolated (the default where the kernel allows it), the command runs in an IPC namespace of its
/// own, with an empty /dev/shm and /dev/mqueue: whatever exists there when it ends is a leak, and
/// goes with the namespace. Nothing on the machine is touched. An ordinary user gets there by way of
/// a user namespace that keeps his uid and gid, in which set-user-ID programs such as sudo gain
/// nothing, and the limits are the kernel's defaults.
///
/// Shared (--isolate never), objects before and after are compared. An object is a leak if it was
/// made meanwhile, and the creator of the segment, the last sender or receiver of the queue or the
/// last operator of the set descends from the command. Leaks are removed. What else appeared is told
/// and left alone; so is what nobody has used yet, since the kernel records nobody for it.
///
/// Standard error tells what was left behind, and by which process: objects, and background
/// processes (which end with an isolated command). Nothing is printed when there is nothing to tell.
/// Signals reach the command; a second SIGINT ends everything at once.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  the command's own, if it is not 0 (128+N if signal N ended it)
  0      the command succeeded, and left nothing behind
  2      wrong usage: the command did not run
  6      the command succeeded, and left more behind than --max-leaks
  124    it took longer than --timeout
  126    the command cannot be executed
  127    there is no such command
  1, 5   guard itself failed, or may not isolate: the command did not run

Examples:
  ipctool guard -- make test
  ipctool guard --report leaks.json --timeout 10m -- ctest -j8
  ipctool guard --isolate never --ignore 0xbeef,0xcafe -- ./run-tests
  ipctool guard --max-leaks 2 --allow-leaks -- ./legacy-test")]
pub struct Guard {
    /// Whether to run the command in an IPC namespace of its own; 'auto': where that is allowed
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub isolate: Isolate,
    /// Write what was found to a file, as JSON; '-' is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Report nothing on standard error
    #[arg(short = 'q', long)]
    pub quiet: bool,
    /// Report leaks, but exit with the command's status
    #[arg(long)]
    pub allow_leaks: bool,
    /// Leave leaks in place; not when isolated, where nothing outlives the namespace
    #[arg(long)]
    pub keep: bool,
    /// So many leaks are no failure
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_leaks: u64,
    /// Objects with these keys, or of these /names, are no leaks; '--' ends the list
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    pub ignore: Vec<Expected>,
    /// End the command and all its descendants after this long: 30s, 10m, 2h
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// How long after that, or after a background process was asked to end, to kill what is left
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    pub kill_after: Duration,
    /// Wait for background processes of the command
    #[arg(long)]
    pub wait: bool,
    /// The command and its arguments; '--' may stand before it
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// When to run a command in a namespace of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Isolate {
    /// Where the kernel allows it.
    #[default]
    Auto,
    /// Or fail.
    Always,
    /// Not at all.
    Never,
}

/// Print the ftok(3) key of a path.
///
/// The key is made of the low 8 bits of PROJ and of the path's device and the low 16 bits of its
/// inode. So it changes when the file is made anew, and two files may share one. A missing path is
/// an error here; in C, ftok returns -1, and msgget makes a queue with the key 0xffffffff of it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool key . m
  ipctool create msg --key \"$(ipctool key /etc/passwd 42)\"")]
pub struct Key {
    /// A file or directory that exists
    pub path: PathBuf,
    /// A number, of which ftok uses the low 8 bits, or one character such as A
    #[arg(default_value = "1", value_name = "PROJ")]
    pub project: Project,
}

/// Make links by which ipctool is called as ipcs, ipcrm, ipcmk and msgtool.
///
/// Called by one of these names, ipctool is that program. Nothing is overwritten: where one of the
/// names is taken by anything else, no link is made at all. Links that are there already stay. To
/// undo it, remove the links.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ipctool install-links ~/bin
  ipctool install-links -v /usr/local/bin && ipcs -q")]
pub struct InstallLinks {
    /// A directory that exists, best in PATH before that of the old programs
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Print each link that is made
    #[arg(short = 'v', long)]
    pub verbose: bool,
}
