//! The command line as types: every flag, default and help text. Nothing runs here.
//!
//! Help, manual pages and completions all come from here. Each file has the options of a few verbs and,
//! behind them, what else their pages in the manual say.

mod drop_ins;
mod dump;
mod learn;
mod memory;
mod messages;
mod metrics;
mod objects;
mod options;
pub mod page;
pub mod pages;
mod relay;
mod semop;
mod system;
mod top;
mod trace;
mod wait;
mod watch;
pub mod words;

pub use dump::{Dump, Restore};
pub use learn::Learn;
pub use memory::{Attach, Read, Write};
pub use messages::{Recv, Send, Waiting};
pub use metrics::{Address, Metrics};
pub use objects::{Chmod, Chown, Create, Key, List, Rm, Stat};
pub use options::{Changing, Filters, FormatArgs, References, Selecting, StyleArgs};
pub use relay::{DeadLetters, Relay};
pub use semop::Semop;
pub use system::{
    Doctor, Guard, Help, InstallLinks, Isolate, Limits, LimitsOf, ReportFormat, Setting,
};
pub use top::Top;
pub use trace::Trace;
pub use wait::Wait;
pub use watch::Watch;

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::ipc::Kind;
use crate::kernel::namespace::Where;
use crate::output::Color;
use crate::personality::{self, Personality};
use page::{Group, Page};

/// List, explain, use, repair and clean up System V and POSIX IPC objects
///
/// Linux has two families of IPC objects, System V and POSIX. Each has message queues, shared memory
/// and semaphores. ipctool works on all six kinds.
///
/// A command names an object by a reference, KIND:REF. For System V objects KIND is msg, shm or sem,
/// and REF is an id in decimal or a key in hexadecimal: msg:32768, shm:0x0000beef. For POSIX objects
/// KIND is pmsg, pshm or psem, and REF is a name: pmsg:/jobs. In a name, \xHH stands for a byte that
/// cannot be typed. Where only a queue makes sense, KIND may be left out. 'ipctool list' prints
/// references, so the next command takes what it prints.
///
/// Without a command, ipctool prints an overview: how many objects there are of each kind, how much memory
/// they take and which is the fullest, limits that are used to 50 % or more, /dev/shm, how much the quick
/// checks of 'ipctool doctor' find, and how many other IPC namespaces have processes. With -A it is one of all
/// IPC namespaces.
///
/// Everything is about the IPC namespace of the caller. --in sends a command to another one, as that of a
/// container; -A of list, watch, top, limits, doctor and metrics looks at all of
/// them.
///
/// Results go to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(
    name = "ipctool",
    version,
    disable_help_subcommand = true,
    args_override_self = true,
    max_term_width = 100
)]
struct BeforeVerb {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    overview: Overview,
}

/// A command line.
#[derive(Debug)]
pub struct Cli {
    /// Options of every command.
    pub global: Global,
    /// Options without a verb.
    pub overview: Overview,
    /// The verb; without one, the overview.
    pub command: Option<Command>,
}

/// Options of the overview, which `ipctool` prints if it is called without a command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options without a command")]
pub struct Overview {
    /// Print the overview as JSON
    #[arg(short = 'J', long)]
    pub json: bool,
    /// Show all IPC namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
}

impl Cli {
    /// Reads a command line, which starts with the name of the program.
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let line: Vec<OsString> = line.into_iter().collect();
        // To define all verbs would take a third of the time of a short `list`. A line that is right takes its own
        // one at most; for all others, and what is said about them, there are all.
        let verb = line.iter().skip(1).find_map(|word| Command::definition(word.to_str()?));
        match Cli::parse(BeforeVerb::command().subcommands(verb), &line) {
            Err(error) if error.kind() != ErrorKind::DisplayVersion => {
                Cli::parse(Cli::command(), &line)
            }
            parsed => parsed,
        }
    }

    fn parse(command: clap::Command, line: &[OsString]) -> Result<Cli, clap::Error> {
        // Never freed, because that would take longer than a short `list` may take.
        let mut command = ManuallyDrop::new(command);
        let matches = command.try_get_matches_from_mut(line)?;
        let mut matches = ManuallyDrop::new(matches);
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }
}

impl Parser for Cli {}

impl CommandFactory for Cli {
    fn command() -> clap::Command {
        Command::augment_subcommands(BeforeVerb::command())
    }

    fn command_for_update() -> clap::Command {
        Self::command()
    }
}

impl FromArgMatches for Cli {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        let BeforeVerb { global, overview } = BeforeVerb::from_arg_matches_mut(matches)?;
        let command = match matches.subcommand_name() {
            Some(_) => Some(Command::from_arg_matches_mut(matches)?),
            None => None,
        };
        Ok(Cli { global, overview, command })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The command line with all of its help. Parsing does without the pages, which would have to be put
/// together at every start.
pub fn documented() -> clap::Command {
    let command = Cli::command().after_help(drop_ins_help());
    let mut text = IPCTOOL.after_long_help();
    text.insert_str(0, &format!("{}\n", drop_ins_help()));
    pages::ALL.iter().fold(command.after_long_help(text), |command, page| {
        match command.find_subcommand(page.command) {
            Some(_) => command
                .mut_subcommand(page.command, |verb| verb.after_long_help(page.after_long_help())),
            None => command,
        }
    })
}

/// The names of the programs that `ipctool` stands in for.
pub fn drop_ins() -> impl Iterator<Item = &'static str> {
    personality::ALL.iter().map(|program| program.name)
}

/// These programs under a heading of their own, each with what it does.
fn drop_ins_help() -> String {
    let line = |program: &Personality| format!("  {:<7}  {}\n", program.name, program.about);
    let lines: String = personality::ALL.iter().map(line).collect();
    format!("Drop-in commands:\n{lines}")
}

/// The documented command line with the programs that `ipctool` stands in for, for the manual pages
/// and the completions. Parsing never reaches them, and the help has them under a heading of their own.
pub fn with_drop_ins() -> clap::Command {
    let mut command = documented();
    // Hands down the options of all commands, which these programs do not have.
    command.build();
    command.subcommands(personality::ALL.iter().map(Personality::documented))
}

/// The page of the program itself.
const IPCTOOL: Page = Page {
    command: "ipctool",
    synopsis: &[
        "ipctool [--color WHEN] [--trace] [--in WHERE] COMMAND [ARGUMENT…]",
        "ipctool [--color WHEN] [--trace] [--in WHERE | -A] [-J]",
        "ipctool help [COMMAND]",
        "ipctool -h | --help | --version",
    ],
    lists: || {
        let kind = |kind: Kind| match kind.aliases() {
            [] => (kind.name(), kind.help().to_owned()),
            aliases => (kind.name(), format!("{}; also {}", kind.help(), aliases.join(", "))),
        };
        vec![page::List {
            title: "KINDS",
            introduction: "The kinds of objects, as references and options name them. Several are separated by commas: list msg,shm.",
            groups: vec![Group::new("Kinds", Kind::ALL.map(kind))],
        }]
    },
    statuses: &[
        page::DONE,
        page::FAILED,
        page::USAGE,
        ("3", "nothing there: no such object"),
        ("4", "would block, timed out, or no message"),
        page::NOT_PERMITTED,
        ("6", "findings: of doctor, a leak under guard, or of limits --check"),
        ("128+N", "ended by signal N; under guard, semop and trace, the command was"),
    ],
    environment: &[
        (
            "COMPLETE",
            "The name of a shell, bash, zsh or fish: print the script with which the shell completes command lines of ipctool, as in: source <(COMPLETE=bash ipctool).",
        ),
        page::NO_COLOR,
        page::TERM,
        page::TZ,
        page::LOCALE,
    ],
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES, page::SYSCTL],
    examples: &[
        ("See everything in one screen", "ipctool"),
        ("List every object", "ipctool list"),
        (
            "Create a queue, send it a message and receive it",
            "ipctool send 0xbeef 'hello' --create && ipctool recv 0xbeef",
        ),
        ("See who uses a segment", "ipctool stat shm:0x0000beef"),
        ("See the objects of all containers", "ipctool list -A"),
        ("List those of a container", "ipctool --in web list"),
        ("Look for problems", "ipctool doctor"),
        ("Remove a queue by its key", "ipctool rm msg:0xbeef"),
    ],
    see_also: &["ipcs(1)", "sysvipc(7)", "mq_overview(7)", "shm_overview(7)", "sem_overview(7)"],
    ..Page::EMPTY
};

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Use of colour; 'auto' honours NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub color: Color,
    /// Print each IPC system call to standard error
    ///
    /// Each call is a line with its arguments and its result, in the notation of strace(1).
    #[arg(long, global = true)]
    pub trace: bool,
    /// Do it in another IPC namespace: a container's, a process's or 'host'
    ///
    /// WHERE is the id of a process, a link such as /proc/PID/ns/ipc or a bind mount of one, the number of a
    /// namespace as 'list --all-namespaces' shows it, 'host' for the namespace of process 1, or a container:
    /// its name, its id, or the start of its id. The /dev/shm and the POSIX queues are those of that place;
    /// users, processes and files stay those of the caller.
    #[arg(long = "in", value_name = "WHERE", global = true)]
    pub place: Option<Where>,
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

        impl Command {
            /// Its name on the command line.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Command::$verb(_) => $name,)+
                }
            }

            /// The verb with this name, with its options.
            fn definition(name: &str) -> Option<clap::Command> {
                match name {
                    $($name $(| $alias)? => Some(
                        clap::Command::new($name)
                            .about(concat!($($about),+).trim())
                            $(.visible_alias($alias))?
                            .defer($verb::augment_args),
                    ),)+
                    _ => None,
                }
            }
        }

        impl Subcommand for Command {
            fn augment_subcommands(command: clap::Command) -> clap::Command {
                command.subcommands([$($name),+].into_iter().filter_map(Self::definition))
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
                Self::from_arg_matches_mut(&mut matches.clone())
            }

            fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
                let (name, matches) = matches
                    .remove_subcommand()
                    .ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
                let mut matches = ManuallyDrop::new(matches);
                match name.as_str() {
                    $($name => $verb::from_arg_matches_mut(&mut matches).map(Command::$verb),)+
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
    /// List message queues, shared memory and semaphores
    List as "list" or "ls";
    /// Show everything about a message queue, shared memory or semaphore
    Stat as "stat";
    /// Create a message queue, shared memory or a semaphore
    Create as "create";
    /// Send messages to a message queue
    Send as "send";
    /// Receive messages from a message queue, or peek at them
    Recv as "recv";
    /// Hand each message of a queue to a command, and lose none
    Relay as "relay";
    /// Operate on semaphores, or hold one while a command runs
    Semop as "semop";
    /// Read the bytes of shared memory
    Read as "read";
    /// Write standard input into shared memory
    Write as "write";
    /// Keep a segment attached: for a while, or while a command runs
    Attach as "attach";
    /// Save objects with their content, as lines of JSON
    Dump as "dump";
    /// Make the objects of a dump, with their content
    Restore as "restore";
    /// Wait until an object is in a state
    Wait as "wait";
    /// Show what appears, changes and goes, one line per event
    Watch as "watch";
    /// Show objects on a live screen, with rates, users and messages
    Top as "top";
    /// Remove message queues, shared memory and semaphores
    Rm as "rm";
    /// Change the permission bits of objects
    Chmod as "chmod";
    /// Change the owner and group of objects
    Chown as "chown";
    /// Show IPC limits and how much of each is used, or set them
    Limits as "limits";
    /// Find IPC problems, explain them and suggest a fix
    Doctor as "doctor";
    /// Print metrics of IPC objects for Prometheus, or serve them
    Metrics as "metrics";
    /// Run a command, report the IPC objects it leaked, and fail on them
    Guard as "guard";
    /// Show the IPC calls of other programs, and why they fail
    Trace as "trace";
    /// Print the ftok(3) key of a path, or find the paths that have a key
    Key as "key";
    /// Teach IPC in lessons, live in the terminal
    Learn as "learn";
    /// Create links to run ipctool as ipcs, ipcrm, ipcmk and msgtool
    InstallLinks as "install-links";
    /// Show the help of a command
    Help as "help";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line takes the definition of one verb, or of all, and means the same.
    #[test]
    fn a_verb_is_read_as_it_is_among_all() {
        for line in [
            "list -q --who",
            "ls msg",
            "--color always list",
            "--in list stat msg:0",
            "--in web --trace rm msg:0 --force",
            "send 0xbeef list",
            "guard -- ipctool list",
            "help list",
            "-A",
            "--json",
            "--version",
            "list --help",
            "list stat",
            "stat",
            "lists",
            "",
        ] {
            let words = || line.split_whitespace().map(OsString::from);
            let line = || std::iter::once("ipctool".into()).chain(words());
            let shown = |read: Result<Cli, clap::Error>| match read {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown(Cli::read(line())), shown(Cli::try_parse_from(line())));
        }
    }
}
