//! The verbs for the system as a whole, and for commands in it.

use crate::ipc::attribution::expected::InvalidExpected;
use crate::ipc::kind::UnknownKind;
use crate::ipc::reference::InvalidReference;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};

use super::options::{FormatArgs, expected, queue};
use super::page::{self, Group, List, Page};
use crate::doctor::{CHECKS, Check};
use crate::ipc::finding::Severity;
use crate::ipc::{Expected, Kind, Reference, duration, limit, number, size};
use crate::kernel::limits::Limit;

/// What the limits are those of.
#[derive(Clone, Debug)]
pub enum LimitsOf {
    /// These kinds.
    Kinds(Vec<Kind>),
    /// A System V queue.
    Queue(Reference),
}

/// Text that is neither a kind nor a queue whose size can be set.
#[derive(Debug, thiserror::Error)]
enum InvalidLimitsOf {
    /// It names neither.
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    /// It names no queue.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// It is a queue of POSIX.
    #[error("'{0}' is a POSIX message queue: its size was set when it was created")]
    Posix(String),
}

fn limits_of(text: &str) -> Result<LimitsOf, InvalidLimitsOf> {
    if !text.contains([':', '/']) && !text.starts_with(|first: char| first.is_ascii_digit()) {
        let kinds = text.split(',').map(str::parse).collect::<Result<Vec<Kind>, _>>()?;
        return Ok(LimitsOf::Kinds(kinds));
    }
    let reference = queue(text)?;
    if reference.kind.is_posix() {
        return Err(InvalidLimitsOf::Posix(text.to_owned()));
    }
    Ok(LimitsOf::Queue(reference))
}

/// Show IPC limits and how much of each is used, or set them
///
/// Shows each limit of System V IPC, of POSIX message queues, of /dev/shm and of the pool of huge pages:
/// its value, how much of it is used in this IPC namespace, and where the value comes from.
///
/// RLIMIT_MSGQUEUE limits the bytes charged to a user for the POSIX queues that they created, in all IPC
/// namespaces together, as far as they can be seen. A queue is charged for its capacity, full or empty. Usage is shown for you and every other owner of queues,
/// against that user's limit. It is unknown where the queues cannot be listed.
///
/// A limit that you set lasts until the next boot. --persist prints the line that makes it permanent,
/// for a file in /etc/sysctl.d.
#[derive(Debug, Args)]
pub struct Limits {
    /// Kinds whose limits to show, all by default; or the queue to resize
    #[arg(value_name = "KIND", value_parser = limits_of)]
    pub operands: Vec<LimitsOf>,
    /// Show only limits at or above PERCENT; exit 6 if there are any
    ///
    /// This includes how full each queue is: its bytes and its messages. A pool of huge pages is made to
    /// be used up, so it never counts.
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, value_parser = limit::parse_percent, conflicts_with_all = ["set", "queue_bytes"])]
    pub check: Option<u64>,
    /// Show the limits of every IPC namespace
    ///
    /// Adds the columns ns and container. Limits of users and of the machine are shown once.
    #[arg(short = 'A', long, conflicts_with_all = ["set", "queue_bytes"])]
    pub all_namespaces: bool,
    /// With --check, leave out how full each queue is
    #[arg(long, requires = "check")]
    pub no_objects: bool,
    /// Set limits, by the names in the list
    ///
    /// A name may be in upper or lower case. A limit in bytes takes a size such as 64G. kernel.sem takes
    /// its four numbers at once: kernel.sem='250 32000 100 128'.
    #[arg(long, value_name = "NAME=VALUE", num_args = 1.., conflicts_with_all = ["queue_bytes", "operands"])]
    pub set: Vec<Setting>,
    /// Print the lines for a file in /etc/sysctl.d as well
    #[arg(long, requires = "set")]
    pub persist: bool,
    /// Set the most bytes that the queue may hold (max_bytes): 65536 or 64K
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = size::parse, requires = "operands")]
    pub queue_bytes: Option<u64>,
    /// Output format.
    #[command(flatten)]
    pub format: FormatArgs,
    /// Omit the headings
    #[arg(long)]
    pub no_headings: bool,
    /// Show sizes in bytes
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

/// Text that sets nothing.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not of the form NAME=VALUE")]
pub struct InvalidSetting(String);

impl FromStr for Setting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Setting, InvalidSetting> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(Setting { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err(InvalidSetting(text.to_owned())),
        }
    }
}

pub(super) const LIMITS: Page = Page {
    command: "limits",
    synopsis: &[
        "ipctool limits [-A] [--check PERCENT [--no-objects]] [--format FORMAT | -J] [--no-headings] [-b] [KIND…]",
        "ipctool limits --set NAME=VALUE… [--persist] [-J]",
        "ipctool limits --queue-bytes N [-J] QUEUE",
    ],
    lists: || {
        vec![List {
            title: "LIMITS",
            introduction: "",
            groups: vec![Group::new(
                "Limits",
                Limit::ALL.map(|limit| (limit.name(), limit.help())),
            )],
        }]
    },
    statuses: &[
        page::DONE,
        ("1", "a limit could not be read or set"),
        page::USAGE,
        ("3", "no such queue (--queue-bytes)"),
        page::NOT_PERMITTED,
        ("6", "a limit or a queue is at or above the PERCENT of --check"),
    ],
    environment: &[page::COLUMNS, page::NO_COLOR, page::TERM, page::LOCALE],
    files: &[
        page::SYSCTL,
        page::SYSVIPC,
        page::DEV_MQUEUE,
        (
            "/etc/sysctl.d/*.conf",
            "Where the lines of --persist belong. limits does not write there.",
        ),
    ],
    examples: &[
        ("Show all limits", "ipctool limits"),
        ("Warn in a cron job", "ipctool limits --check 80 || echo 'time to look'"),
        (
            "Raise two limits, and print the lines that make this permanent",
            "ipctool limits --set semmni=32000 msgmnb=1M --persist",
        ),
        ("Give one queue more room", "ipctool limits --queue-bytes 64K msg:0"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-doctor(1)",
        "ipcs(1)",
        "lsipc(1)",
        "prlimit(1)",
        "getrlimit(2)",
        "proc_sys_kernel(5)",
        "sysctl.d(5)",
        "limits.conf(5)",
        "sysvipc(7)",
        "mq_overview(7)",
    ],
    ..Page::EMPTY
};

/// Find IPC problems, explain them and suggest a fix
///
/// Each finding is a few lines: its severity, the object and the name of the check; then the reason;
/// then 'fix:' and a command that you can copy. A fix never ends a process and never drops a message.
/// A fix that only root can run begins with sudo. Where only a person can decide, there is no fix, and
/// the reason says what to decide. Objects of one owner with the same problem are one finding. doctor
/// itself changes nothing.
///
/// A queue counts as full, and a thread as stuck, only if nothing has moved for a tenth of a second.
///
/// An ordinary user sees less than root: the processes of others are only counted, and an object that
/// one of them may use is not called an orphan.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Run only these checks
    #[arg(long, value_name = "CHECK,…", value_delimiter = ',', value_parser = check())]
    pub only: Vec<&'static Check>,
    /// Skip these checks
    #[arg(long, value_name = "CHECK,…", value_delimiter = ',', value_parser = check())]
    pub skip: Vec<&'static Check>,
    /// Objects to leave out, by key, name or owner
    ///
    /// Use it for objects that are kept on purpose. Separate several by commas, or repeat the option.
    /// A decimal number is both a key and a user id.
    #[arg(long, value_name = "KEY|/NAME|USER", value_delimiter = ',', value_parser = expected)]
    pub ignore: Vec<Expected>,
    /// Look at every IPC namespace
    ///
    /// The fixes say in which namespace they are to run.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// List the checks, and look at nothing
    #[arg(long)]
    pub list_checks: bool,
    /// Report limits and queues used to at least this percentage
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, default_value = "80", value_parser = limit::parse_percent)]
    pub threshold: u64,
    /// Output format.
    #[command(flatten)]
    pub format: FormatArgs,
}

fn check() -> impl TypedValueParser<Value = &'static Check> {
    let find = |name: String| CHECKS.iter().find(|check| check.name == name);
    PossibleValuesParser::new(CHECKS.iter().map(|check| check.name))
        .try_map(move |name| find(name).ok_or("there is no such check"))
}

pub(super) const DOCTOR: Page = Page {
    command: "doctor",
    synopsis: &[
        "ipctool doctor [-A] [--only CHECK,…] [--skip CHECK,…] [--ignore KEY|/NAME|USER] [--threshold PERCENT] [--format FORMAT | -J]",
        "ipctool doctor --list-checks",
    ],
    lists: || {
        let group = |(heading, severity): (&str, Severity)| {
            let checks = CHECKS.iter().filter(|check| check.severity == severity);
            Group::new(heading, checks.map(|check| (check.name, check.help)))
        };
        let groups = [
            ("Checks that report errors", Severity::Error),
            ("Checks that report warnings", Severity::Warning),
            ("Checks that report notes", Severity::Note),
        ];
        vec![List {
            title: "CHECKS",
            introduction: "The checks, by the worst severity that each reports. A note is good to know, and nothing is wrong.",
            groups: groups.map(group).into(),
        }]
    },
    statuses: &[
        ("0", "nothing is wrong, or there are only notes"),
        ("1", "nothing was found, but not everything could be looked at"),
        page::USAGE,
        ("6", "there is an error or a warning"),
    ],
    environment: page::COLOR,
    files: &[
        page::SYSVIPC,
        page::DEV_SHM,
        page::DEV_MQUEUE,
        page::PROCESSES,
        page::SYSCTL,
        ("logind.conf(5)", "Whether systemd-logind removes the objects of users who log out."),
    ],
    examples: &[
        ("Look for problems", "ipctool doctor"),
        ("Print the fixes alone", "ipctool doctor --json | jq -r '.[].fix // empty'"),
        ("Look for limits used to half", "ipctool doctor --only limit-near --threshold 50"),
        ("Leave out what is kept on purpose", "ipctool doctor --ignore postgres --ignore 0xbeef"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-list(1)",
        "ipctool-stat(1)",
        "ipctool-limits(1)",
        "ipctool-rm(1)",
        "logind.conf(5)",
        "sysvipc(7)",
        "mq_overview(7)",
        "shm_overview(7)",
        "sem_overview(7)",
    ],
    ..Page::EMPTY
};

/// Run a command, report the IPC objects it leaked, and fail on them
///
/// Isolated, the default where the kernel allows it, the command runs in an IPC namespace of its own,
/// with an empty /dev/shm and /dev/mqueue. Every object that exists when the command ends is a leak,
/// and goes with the namespace. Nothing on the machine is touched. The command does not see the
/// machine's /dev/shm either, so no program can run from there. For ordinary users this takes a user
/// namespace, which keeps uid and gid; in it set-user-ID programs such as sudo gain no rights, and the
/// IPC limits are the kernel's defaults.
///
/// Shared (--isolate never), guard compares the objects before and after. A new segment is a leak if
/// its creator descends from the command. For queues and semaphore sets the kernel records only the
/// last use, which does not prove who created them. One that the command used is a leak only if no
/// living process outside the command waits for it, is recorded in it, or may have created it. A
/// process that runs as the owner or creator of the object may have created it, unless it slept from
/// before the command began until after it ended. So may an older process that uses another object of
/// the same kind. Other new objects are reported but not removed; among them are those that nobody has
/// used yet. POSIX objects have no such records and are not looked at.
///
/// Shared, leaks are removed, except those that a living process may still use. While a background
/// process of the command runs, that is all of them: the process may know an id, and the object does
/// not show that. --kill-strays ends these processes first.
///
/// Standard error shows what was left behind, by which process, and what became of it. Background
/// processes are listed as well; those of an isolated command end with it. If there is nothing to
/// report, guard prints nothing. Signals are passed on to the command; a second SIGINT ends everything
/// at once.
#[derive(Debug, Args)]
pub struct Guard {
    /// Isolation of the command in an IPC namespace of its own
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub isolate: Isolate,
    /// Write a report to a file; '-' is standard output
    ///
    /// Its format is that of --report-format or, without it, of the name: JUnit for *.xml, GitLab Code
    /// Quality for gl-code-quality*.json, JSON otherwise.
    ///
    /// A regular file is replaced in one step, and keeps its owner and mode. In a directory where every
    /// user can create files, such as /tmp, the link of another user is not followed (EACCES).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Format of the report; without --report it goes to standard output
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub report_format: Option<ReportFormat>,
    /// Report nothing on standard error
    #[arg(short = 'q', long)]
    pub quiet: bool,
    /// Report leaks, but exit with the command's status
    #[arg(long)]
    pub allow_leaks: bool,
    /// Leave leaks in place
    ///
    /// Only without isolation: nothing outlives the namespace of an isolated command.
    #[arg(long)]
    pub keep: bool,
    /// Accept up to N leaks without failing
    #[arg(long, value_name = "N", allow_hyphen_values = true, default_value_t = 0, value_parser = number::from::<u64>(0))]
    pub max_leaks: u64,
    /// Objects that are not leaks, by key, name or owner
    ///
    /// Separate several by commas or blanks; then '--' must stand between them and the command. A
    /// decimal number is both a key and a user id.
    #[arg(long, value_name = "KEY|/NAME|USER", num_args = 1.., value_delimiter = ',', value_parser = of_command)]
    pub ignore: Vec<Expected>,
    /// End the command and its descendants after this long: 30s, 10m
    ///
    /// They get SIGTERM, and SIGKILL after --kill-after. The exit status is then 124. 0 is no limit.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// Send SIGKILL this long after SIGTERM
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, default_value = "5s", value_parser = duration::parse)]
    pub kill_after: Duration,
    /// Wait for background processes of the command
    #[arg(long)]
    pub wait: bool,
    /// End background processes, then remove what they held
    ///
    /// The background processes of the command get SIGTERM once it has ended, and SIGKILL after
    /// --kill-after. What they held is then removed like other leaks. Without this option the background
    /// processes of a shared command live on, and the objects that they use are reported and left.
    /// Those of an isolated command always end.
    #[arg(long)]
    pub kill_strays: bool,
    /// Command to run, with its arguments; '--' may stand before it
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// The formats of the report of `guard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One JSON object with every field
    Json,
    /// JUnit XML, which most CI systems read
    Junit,
    /// Annotations of GitHub, for standard output
    Github,
    /// Code Quality of GitLab
    Gitlab,
}

impl ReportFormat {
    /// The format that the name of a file promises.
    fn of(path: &Path) -> ReportFormat {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes().to_ascii_lowercase();
        match name.as_slice() {
            name if name.ends_with(b".xml") => ReportFormat::Junit,
            name if name.starts_with(b"gl-code-quality") => ReportFormat::Gitlab,
            _ => ReportFormat::Json,
        }
    }
}

impl Guard {
    /// Where the report goes, if one is wanted, and in which format.
    pub fn document(&self) -> (Option<&Path>, ReportFormat) {
        match (self.report.as_deref(), self.report_format) {
            (path, Some(format)) => (Some(path.unwrap_or(Path::new("-"))), format),
            (Some(path), None) => (Some(path), ReportFormat::of(path)),
            (None, None) => (None, ReportFormat::Json),
        }
    }
}

/// Text in a list that goes on until the command, and is none of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}; '--' must stand between these and the command")]
struct NoCommand(InvalidExpected);

/// Objects that are kept on purpose, in a list that ends where the command begins.
fn of_command(text: &str) -> Result<Expected, NoCommand> {
    expected(text).map_err(NoCommand)
}

/// When to run a command in an IPC namespace of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Isolate {
    /// Isolate where the kernel allows it.
    #[default]
    Auto,
    /// Isolate or fail.
    Always,
    /// Share the IPC namespace of the caller.
    Never,
}

pub(super) const GUARD: Page = Page {
    command: "guard",
    synopsis: &[
        "ipctool guard [--isolate WHEN] [--report FILE] [--report-format FORMAT] [-q] [--allow-leaks] [--keep] [--max-leaks N] [--ignore KEY|/NAME|USER] [--timeout DURATION] [--kill-after DURATION] [--wait] [--kill-strays] [--] COMMAND [ARGUMENT…]",
    ],
    lists: || {
        vec![List {
            title: "REPORT",
            introduction: "The fields of the JSON object that --report writes, unless another format is chosen.",
            groups: vec![Group::new("Fields of the report", REPORT.iter().copied())],
        }]
    },
    statuses: &[
        ("0", "the command succeeded, and left nothing behind"),
        ("1", "the command succeeded, but not everything could be looked at"),
        ("1, 5", "guard itself failed or may not isolate; the command did not run"),
        ("2", "wrong usage; the command did not run"),
        ("6", "the command succeeded, and left more behind than --max-leaks"),
        ("124", "the command took longer than --timeout"),
        ("126", "the command cannot be executed"),
        ("127", "there is no such command"),
        ("128+N", "signal N ended the command"),
        ("other", "the command failed with this status"),
    ],
    environment: &[page::NO_COLOR, page::TERM, ("PATH", "Where the command is looked for.")],
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES],
    examples: &[
        ("Fail if the tests leak", "ipctool guard -- make test"),
        (
            "Write a report, and end what takes longer than 10 minutes",
            "ipctool guard --report leaks.json --timeout 10m -- ctest -j8",
        ),
        (
            "Run without isolation, and accept two known keys",
            "ipctool guard --isolate never --ignore 0xbeef,0xcafe -- ./run-tests",
        ),
        (
            "Run without isolation, and end the server that the test leaves running",
            "ipctool guard --isolate never --kill-strays -- ./start-server-and-test",
        ),
        ("Report leaks, but never fail on them", "ipctool guard --allow-leaks -- ./legacy-test"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-doctor(1)",
        "ipctool-rm(1)",
        "timeout(1)",
        "unshare(1)",
        "ipc_namespaces(7)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

const REPORT: &[page::Entry] = &[
    ("command", "the command and its arguments"),
    ("status", "its exit status, as a shell would see it"),
    ("timed_out", "whether --timeout ended it"),
    ("isolated", "whether it ran in an IPC namespace of its own"),
    (
        "leaks",
        "what it left behind: the columns of each object, and pid, command, holders, outcome, why",
    ),
    ("ignored", "the same for what --ignore sets aside"),
    ("appeared", "other new objects, with why they are not called leaks"),
    ("vanished", "references that existed before the command and are gone"),
    ("processes", "its background processes, and whether each has ended"),
    ("uninspected", "what could not be looked at"),
];

/// Create links to run ipctool as ipcs, ipcrm, ipcmk and msgtool
///
/// Called by one of these names, ipctool is that program: with its options, its output and its exit
/// statuses. See ipctool-ipcs(1), ipctool-ipcrm(1), ipctool-ipcmk(1) and ipctool-msgtool(1).
///
/// Nothing is overwritten. If anything else has one of the names, no link is created at all. Links to
/// ipctool that exist stay. If a link cannot be created, those of this run are removed again. To undo
/// the command, remove the links.
#[derive(Debug, Args)]
pub struct InstallLinks {
    /// Existing directory, best one that comes early in PATH
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Print each link that is created
    #[arg(short = 'v', long)]
    pub verbose: bool,
}

pub(super) const INSTALL_LINKS: Page = Page {
    command: "install-links",
    synopsis: &["ipctool install-links [-v] DIR"],
    statuses: &[
        ("0", "all four links exist"),
        ("1", "a name is taken, or a link could not be created"),
        page::USAGE,
        ("3", "the directory does not exist"),
        page::NOT_PERMITTED,
    ],
    environment: &[
        page::NO_COLOR,
        page::TERM,
        (
            "PATH",
            "Decides which path the links lead to, and whether a warning says that other programs come first.",
        ),
    ],
    examples: &[
        ("Use the programs yourself", "ipctool install-links ~/bin"),
        (
            "Use them for every user, and try one",
            "ipctool install-links -v /usr/local/bin && ipcs -q",
        ),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-ipcs(1)",
        "ipctool-ipcrm(1)",
        "ipctool-ipcmk(1)",
        "ipctool-msgtool(1)",
    ],
    ..Page::EMPTY
};

/// Show the help of a command
///
/// The same as COMMAND --help. Without COMMAND it lists all commands.
#[derive(Debug, Args)]
pub struct Help {
    /// Command to show the help of
    #[arg(value_name = "COMMAND", value_hint = ValueHint::Other)]
    pub command: Option<OsString>,
}

pub(super) const HELP: Page = Page {
    command: "help",
    synopsis: &["ipctool help [COMMAND]"],
    statuses: &[page::DONE, page::FAILED, ("2", "wrong usage, or no such command")],
    environment: page::COLOR,
    examples: &[("List all commands", "ipctool help"), ("Show the help of rm", "ipctool help rm")],
    see_also: &["ipctool(1)"],
    ..Page::EMPTY
};
