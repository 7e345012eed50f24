//! The command line as types: every flag, default and help text. Nothing runs here.
//!
//! Help, man pages and completions all come from here. The options of the verbs are in files of their
//! own, a few verbs in each.

mod messages;
mod objects;
mod options;
mod system;

pub use messages::{Recv, Send, Waiting};
pub use objects::{Chmod, Chown, Create, Key, List, Rm, Stat};
pub use options::{Changing, Filters, FormatArgs, References, StyleArgs};
pub use system::{Doctor, Guard, InstallLinks, Isolate, Limits, Setting};

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

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
        .mut_subcommand("list", |list| list.after_long_help(objects::list_help()))
        .mut_subcommand("doctor", |doctor| doctor.after_long_help(system::doctor_help()))
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
