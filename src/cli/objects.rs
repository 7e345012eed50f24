//! The verbs for objects of any kind.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::options::{Changing, Filters, FormatArgs, References, StyleArgs, kind};
use crate::ipc::{self, Kind, Mode, ModeChange, Project, size};
use crate::output::columns;

/// List objects.
///
/// On a terminal each kind is a table; elsewhere each object is a line of plain text. The machine
/// formats carry every column unless --output chooses: sizes and counts as integers, times in RFC
/// 3339 (UTC), keys and modes as strings, and null for what is not there. Reading the list needs
/// no permission on the objects.
///
/// 'list pshm' also shows, by their STATUS, the files in /dev/shm that are no objects: those in
/// subdirectories, and those that were removed but that a process still has open or mapped. No filter
/// selects them.
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

pub(super) fn list_help() -> String {
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
/// existing object of this key is opened, unless --exclusive. The semaphores of a new set are 0. Where
/// kernel.shm_rmid_forced is 1, the kernel would destroy a new segment as soon as this command ends, so
/// that is an error.
///
/// Of POSIX: an existing object of this name is opened, unless --exclusive, and stays as it is: shared
/// memory is never made smaller, a semaphore keeps its value. A semaphore is made for programs with
/// glibc; those with musl look for theirs elsewhere.
///
/// An object that is opened may be somebody else's, made before you so that you use it. Where its owner,
/// creator or mode is not what you asked for, one line on standard error says so, and the status is 0 all
/// the same. Where that must not happen, use --exclusive, which never opens an existing object.
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
    ///
    /// Without it an existing object is opened, whoever made it: the object of another user may be read
    /// and changed by that user. Scripts that run as root should use it.
    #[arg(short = 'x', long)]
    pub exclusive: bool,
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
    /// Remove what a filter selected even if it was used since: no last look
    #[arg(long)]
    pub even_if_changed: bool,
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
/// permission to read for it, so who is locked out of their own gets back in. Of a System V object, the
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
/// System V object to anybody. A POSIX object is a file: only a privileged process can give it away.
/// The creator never changes, and keeps all the rights of the owner: the mode's bits for the user
/// count for the creator, too, who can change and remove the object, whoever owns it.
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
