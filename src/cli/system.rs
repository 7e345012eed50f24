//! The verbs for the system as a whole, and for commands in it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};

use super::options::{FormatArgs, expected, queue};
use crate::doctor::{CHECKS, Check};
use crate::ipc::{Expected, Reference, duration, limit, size};

/// A queue whose size can be set.
fn system_v_queue(text: &str) -> anyhow::Result<Reference> {
    let reference = queue(text)?;
    if reference.kind.is_posix() {
        anyhow::bail!("'{text}' is a POSIX message queue: its size was set when it was made");
    }
    Ok(reference)
}

/// Show the limits and how much of each is used; set them.
///
/// Each limit of System V IPC and of POSIX message queues, with its value, how much of it is used
/// in this IPC namespace, and where it comes from. The bytes that RLIMIT_MSGQUEUE limits are those
/// charged to a user for the capacity of the POSIX queues that they made, whatever lies on those. They
/// are told for the caller, and for every other owner of queues against the limit of their processes;
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
/// Each finding is a few lines: how bad it is, the object and the name of the check; then why; then
/// 'fix:' and a command that can be copied. There is no fix where only a person can decide: then the
/// reason says what to decide. A fix never ends a process, and never throws away a message. One that
/// only root can run begins with sudo. Objects of one owner with the same trouble are one finding.
///
/// A queue counts as full, and a thread as stuck, only if nothing has moved for a tenth of a second.
///
/// With status 0, nothing is wrong (or there are only notes, which are good to know); with status 6
/// there is an error or a warning; with status 1, nothing was found, but not everything could be looked
/// at. Nothing is mended by itself. An ordinary user sees less: processes of others are counted, and an
/// object that one of them may use is not called an orphan.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Only these checks
    #[arg(long, value_name = "CHECK,…", value_delimiter = ',', value_parser = check())]
    pub only: Vec<&'static Check>,
    /// All checks except these
    #[arg(long, value_name = "CHECK,…", value_delimiter = ',', value_parser = check())]
    pub skip: Vec<&'static Check>,
    /// Never these objects, which are kept on purpose; may be repeated
    #[arg(long, value_name = "KEY|/NAME|USER", value_delimiter = ',', value_parser = expected)]
    pub ignore: Vec<Expected>,
    /// List the checks
    #[arg(long)]
    pub list_checks: bool,
    /// Report limits and queues used to at least this percentage
    #[arg(long, value_name = "PERCENT", default_value = "80", value_parser = limit::parse_percent)]
    pub threshold: u64,
    /// How it looks.
    #[command(flatten)]
    pub format: FormatArgs,
}

fn check() -> impl TypedValueParser<Value = &'static Check> {
    let find = |name: String| CHECKS.iter().find(|check| check.name == name);
    PossibleValuesParser::new(CHECKS.iter().map(|check| check.name))
        .try_map(move |name| find(name).ok_or("there is no such check"))
}

pub(super) fn doctor_help() -> String {
    format!(
        "Checks:\n{}
Examples:
  ipctool doctor
  ipctool doctor --json | jq -r '.[].fix // empty'
  ipctool doctor --only limit-near --threshold 50
  ipctool doctor --ignore postgres --ignore 0xbeef",
        CHECKS.iter().map(|check| format!("  {check}\n")).collect::<String>()
    )
}

/// Run a command, report what it leaked, and fail on it.
///
/// Isolated (the default where the kernel allows it), the command runs in an IPC namespace of its
/// own, with an empty /dev/shm and /dev/mqueue: whatever exists there when it ends is a leak, and
/// goes with the namespace. Nothing on the machine is touched, and nothing that lies in the /dev/shm
/// of the machine is there for the command, not even a program. An ordinary user gets there by way of
/// a user namespace that keeps their uid and gid, in which set-user-ID programs such as sudo gain
/// nothing, and the limits are the kernel's defaults.
///
/// Shared (--isolate never), objects before and after are compared. A new segment is a leak if its
/// creator descends from the command. For queues and semaphore sets the kernel records only the last
/// use, which does not prove who made them. One that the command used is a leak only if no living
/// process outside the command waits on it, is recorded in it, or may have made it. A process of the
/// object's owner or creator may have made it unless it slept from before the command began until
/// after it ended; so may one that is older and uses another object of the kind. Other new objects
/// are reported but not removed, among them those that nobody has used yet. POSIX objects have no
/// such records and are not looked at.
///
/// Shared, leaks are removed, except those that a living process may still use. While a background
/// process of the command runs, that is all of them: it may know an id, and nothing at the object
/// shows that. --kill-strays ends these processes first.
///
/// Standard error shows what was left behind, by which process, and what became of it: objects, and
/// background processes (which end with an isolated command). Nothing is printed when there is
/// nothing to report.
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
  1      the command succeeded, but not everything could be looked at
  1, 5   guard itself failed, or may not isolate: the command did not run

Examples:
  ipctool guard -- make test
  ipctool guard --report leaks.json --timeout 10m -- ctest -j8
  ipctool guard --isolate never --ignore 0xbeef,0xcafe -- ./run-tests
  ipctool guard --isolate never --kill-strays -- ./start-server-and-test
  ipctool guard --max-leaks 2 --allow-leaks -- ./legacy-test")]
pub struct Guard {
    /// Whether to run the command in an IPC namespace of its own; 'auto': where that is allowed
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub isolate: Isolate,
    /// Write what was found to a file, as JSON; '-' is standard output
    ///
    /// A regular file is replaced as a whole, with its owner and mode. In a directory where every user
    /// can make files, such as /tmp, the link of another user is not followed (EACCES).
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
    /// Objects with these keys or /names, or of these users, are no leaks; '--' ends the list
    #[arg(long, value_name = "KEY|/NAME|USER", num_args = 1.., value_delimiter = ',', value_parser = of_command)]
    pub ignore: Vec<Expected>,
    /// End the command and all its descendants after this long: 30s, 10m, 2h; 0 is no limit
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// How long after that, or after a background process was asked to end, to kill what is left
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    pub kill_after: Duration,
    /// Wait for background processes of the command
    #[arg(long)]
    pub wait: bool,
    /// End background processes of the command, then remove what they held
    #[arg(
        long,
        long_help = "End the background processes of the command once it has ended: SIGTERM, then SIGKILL after --kill-after. \
What they held is then removed like other leaks. Without this option, a shared command's background processes \
live on, and objects they use are reported and left. An isolated command's always end."
    )]
    pub kill_strays: bool,
    /// The command and its arguments; '--' may stand before it
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// What is kept on purpose, in a list that goes on until the command.
fn of_command(text: &str) -> anyhow::Result<Expected> {
    expected(text)
        .map_err(|error| anyhow::anyhow!("{error}; '--' must stand between these and the command"))
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

/// Make links by which ipctool is called as ipcs, ipcrm, ipcmk and msgtool.
///
/// Called by one of these names, ipctool is that program. Nothing is overwritten: where one of the
/// names is taken by anything else, no link is made at all. Links that are there already stay. To
/// undo it, remove the links. Where one cannot be made, those of this run are removed again, and
/// nothing else.
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
