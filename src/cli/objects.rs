//! The verbs for objects of any kind.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::options::{Changing, Filters, FormatArgs, References, Selecting, StyleArgs, kind};
use super::page::{self, Entry, Group, Page};
use crate::ipc::tally::By;
use crate::ipc::{self, Kind, Mode, ModeChange, Project, number, size};
use crate::output::columns;

/// List message queues, shared memory and semaphores
///
/// Lists the objects of this IPC namespace, or of all of them: every one, or those of the kinds that you name
/// and that pass the filters. Reading the list needs no permission on the objects.
///
/// On a terminal each kind is a table, under a title with the number of its objects. A table fits the
/// width of the terminal: if there is too little room, the least telling columns are left out, and then
/// names are cut, which ends them with '…'. Columns that you name with --output stay. FILL shows how
/// full a queue is. Red is what is wrong: a full queue, a segment marked for destruction. Magenta is
/// the id of a process that is gone.
///
/// In a pipe or a file each object is a line of plain aligned text, and nothing is cut. In tables and in
/// plain text, names that a shell would split are quoted. Commands accept a reference with or without
/// these quotes. The machine formats (json, jsonl, csv, tsv, export) carry every column unless --output chooses:
/// sizes and counts are integers, times are RFC 3339 in UTC, keys and modes are strings, and a missing
/// value is null, or empty in csv, tsv and export.
///
/// The export format has a line of shell assignments per object, REF="msg:0" OWNER="root", quoted for
/// eval. Names are those of the columns in upper case; UID_ and GID_ end in an underscore, because UID and
/// GID are special in shells.
///
/// 'list pshm' also shows memory in /dev/shm that is not a POSIX object, and says so in the STATUS
/// column: files in subdirectories, and files that were deleted while a process still has them open or
/// mapped. Filters never select these.
#[derive(Debug, Args)]
pub struct List {
    /// Kinds to list; all of them by default
    #[arg(value_name = "KIND", value_delimiter = ',', value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// List System V message queues, same as msg
    #[arg(short = 'q', long)]
    pub queues: bool,
    /// List shared memory segments, same as shm
    #[arg(short = 'm', long)]
    pub shmems: bool,
    /// List semaphore sets, same as sem
    #[arg(short = 's', long)]
    pub semaphores: bool,
    /// Show the times of the last operations
    #[arg(short = 't', long = "time", overrides_with_all = ["pids", "creators"])]
    pub times: bool,
    /// Show the process ids of the creator and the last users
    #[arg(short = 'p', long, overrides_with_all = ["times", "creators"])]
    pub pids: bool,
    /// Show creator and owner
    #[arg(short = 'c', long, overrides_with_all = ["times", "pids"])]
    pub creators: bool,
    /// List the objects of every IPC namespace
    ///
    /// Adds the columns ns, the number of the namespace, and container. A namespace counts if a process lives
    /// in it, or if a mount or an open descriptor keeps it alive. What may not be looked at is counted on
    /// standard error.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// List the IPC namespaces, with their processes and objects counted
    #[arg(
        long,
        conflicts_with_all = ["kinds", "queues", "shmems", "semaphores", "who", "by", "times", "pids", "creators"]
    )]
    pub namespaces: bool,
    /// Show only these columns, or with +COL,… add them to the default
    ///
    /// Columns are separated by commas. With a leading '+' they are added to the default ones. See
    /// below for all columns.
    #[arg(short = 'o', long, value_name = "COL,…", allow_hyphen_values = true)]
    pub output: Option<String>,
    /// Sort by a column; -COL sorts in descending order
    ///
    /// Objects without a value in this column come last, in either order.
    #[arg(long, value_name = "COL", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Sum up objects and bytes by owner, creator, kind, process or container
    ///
    /// One line for each owner, creator, kind, process or container, with the number of objects and the
    /// bytes on queues and in memory, the most bytes first. With process, an object counts for each process
    /// that uses it or that the kernel recorded in it; with container, for the container of each of these
    /// that is alive. --sort and --output take the columns of these lines.
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        conflicts_with_all = ["who", "times", "pids", "creators"]
    )]
    pub by: Option<By>,
    /// How it looks.
    #[command(flatten)]
    pub format: FormatArgs,
    /// Omit the headings
    #[arg(long)]
    pub no_headings: bool,
    /// End each record of plain text with a NUL byte, for xargs -0
    ///
    /// There are no headings then, values are neither aligned nor quoted, and a tab separates them. Use
    /// it with -o ref. The other formats have records of their own.
    #[arg(short = '0', long, conflicts_with = "json")]
    pub null: bool,
    /// Show who uses each object, same as -o +waiting,users
    ///
    /// This takes a look at every process. An ordinary user cannot inspect all of them; the number of
    /// the others is printed on standard error.
    #[arg(short = 'w', long)]
    pub who: bool,
    /// List the objects skipped as uncertain, with the reason
    ///
    /// A filter such as --orphan skips an object if it cannot be proved to match, for example because
    /// a process that may use it cannot be inspected. The list goes to standard error.
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// How it looks to a person.
    #[command(flatten)]
    pub style: StyleArgs,
    /// Which objects.
    #[command(flatten)]
    pub filter: Filters,
}

pub(super) const LIST: Page = Page {
    command: "list",
    synopsis: &[
        "ipctool list [-A] [-q] [-m] [-s] [-t | -p | -c] [-o COL,…] [--sort COL] [-w | --by WHAT] [-v] [--format FORMAT | -J] [--no-headings] [-0] [-b] [--time-format FORMAT] [-P] [FILTER…] [KIND…]",
        "ipctool list --namespaces [-o COL,…] [--sort COL] [--format FORMAT | -J] [--no-headings] [-0]",
    ],
    lists: || vec![columns_list()],
    statuses: &[
        ("0", "done, even if no object matches"),
        ("1", "reading or writing failed"),
        page::USAGE,
        page::NOT_PERMITTED,
    ],
    environment: LIST_ENVIRONMENT,
    files: OBJECT_FILES,
    examples: &[
        ("List everything", "ipctool list"),
        ("List the fullest queues first", "ipctool list msg --sort -fill"),
        (
            "Find your orphans, and since when",
            "ipctool list --owner \"$USER\" --orphan -o +changed",
        ),
        ("See who uses what", "ipctool list --who"),
        ("See whose objects take the most memory", "ipctool list --by owner"),
        ("See which container takes the most", "ipctool list -A --by container"),
        (
            "Show everything about each queue",
            "ipctool list -q -o ref --null | xargs -0r ipctool stat",
        ),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-stat(1)",
        "ipctool-rm(1)",
        "ipctool-doctor(1)",
        "ipcs(1)",
        "lsipc(1)",
        "sysvipc(7)",
        "mq_overview(7)",
        "shm_overview(7)",
        "sem_overview(7)",
    ],
    ..Page::EMPTY
};

const LIST_ENVIRONMENT: &[Entry] =
    &[page::COLUMNS, page::NO_COLOR, page::TERM, page::TZ, page::LOCALE];

const OBJECT_FILES: &[Entry] =
    &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES, page::SYSCTL];

/// The registry of columns, each under the kinds that have it.
fn columns_list() -> page::List {
    let group = |group: columns::Group| {
        let columns = group.columns.into_iter();
        Group::new(group.heading, columns.map(|column| (column.name, column.help)))
    };
    let mut groups: Vec<_> = columns::groups().into_iter().map(group).collect();
    let sums = columns::TALLY.iter().map(|column| (column.name, column.help));
    groups.push(Group::new("Columns of --by", sums));
    let namespaces = columns::NAMESPACE.iter().map(|column| (column.name, column.help));
    groups.push(Group::new("Columns of --namespaces", namespaces));
    page::List {
        title: "COLUMNS",
        introduction: "The names for --output and --sort, which are also the field names of the machine formats.",
        groups,
    }
}

/// Show everything about a message queue, shared memory or semaphore
///
/// For each object: its identity, owner and creator, what its mode lets you do, sizes against limits,
/// times with their age, and the processes that use it or that the kernel recorded, with what has
/// become of them. For a semaphore set, also each semaphore. Reading the values of semaphores needs
/// read permission on the set; everything else needs no permission.
///
/// To find who uses an object, stat looks at every process. An ordinary user cannot inspect all of
/// them; the number of the others is printed on standard error.
#[derive(Debug, Args)]
pub struct Stat {
    /// Which objects.
    #[command(flatten)]
    pub references: References,
    /// Print one JSON array
    #[arg(short = 'J', long)]
    pub json: bool,
    /// Draw a picture: messages in boxes, values as dots, memory as a bar
    ///
    /// A System V queue shows its first messages as boxes with type, text and size; the leftmost is received
    /// next. They stay on the queue (MSG_COPY), which needs read permission. A POSIX queue shows only how many of
    /// its slots are filled, because nobody can read its messages without taking them. A semaphore shows its
    /// value, the last process that operated on it, and who waits for it. Shared memory shows how much of it is
    /// resident or swapped out. The lines below list the processes that use the object now. What cannot be read
    /// is drawn as '?', with the reason on standard error.
    #[arg(long, conflicts_with = "json")]
    pub picture: bool,
    /// Which objects.
    #[command(flatten)]
    pub selecting: Selecting,
}

pub(super) const STAT: Page = Page {
    command: "stat",
    synopsis: &[
        "ipctool stat [-J | --picture] [-q ID] [-Q KEY] [-m ID] [-M KEY] [-s ID] [-S KEY] [REF…]",
        "ipctool stat [-J | --picture] [--kind KIND,…] FILTER…",
    ],
    lists: || {
        let users = columns::USER.iter().map(|column| (column.name, column.help));
        let semaphores = columns::SEMAPHORE.iter().map(|column| (column.name, column.help));
        vec![page::List {
            title: "COLUMNS",
            introduction: "The columns of the two tables of a page, which are also the fields of the arrays 'users' and 'semaphores' in JSON. The other fields in JSON are the columns of ipctool-list(1).",
            groups: vec![
                Group::new("Columns of a process", users),
                Group::new("Columns of a semaphore in a set", semaphores),
            ],
        }]
    },
    statuses: &[
        ("0", "everything was shown, or nothing matched"),
        ("1", "reading or writing failed, or several objects failed in different ways"),
        page::USAGE,
        page::NO_OBJECT,
        ("5", "not permitted: the values of a semaphore set, or what --picture reads"),
    ],
    environment: &[page::COLUMNS, page::NO_COLOR, page::TERM, page::TZ, page::LOCALE],
    files: OBJECT_FILES,
    examples: &[
        ("Show a queue by its id", "ipctool stat msg:0"),
        ("Show a segment by its key, as JSON", "ipctool stat shm:0x0000beef --json"),
        ("Show POSIX shared memory", "ipctool stat pshm:/cache"),
        ("Draw a queue with its messages", "ipctool stat --picture msg:0"),
        ("Show a queue by the flags of ipcrm(1)", "ipctool stat -q 0"),
        ("Show everything that a process uses", "ipctool stat --pid 4711"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-list(1)",
        "ipctool-doctor(1)",
        "ipcs(1)",
        "msgctl(2)",
        "shmctl(2)",
        "semctl(2)",
        "sysvipc(7)",
        "mq_overview(7)",
        "shm_overview(7)",
        "sem_overview(7)",
    ],
    ..Page::EMPTY
};

/// Create a message queue, shared memory or a semaphore
///
/// Creates an object and prints its reference.
///
/// A System V object gets a key by --key or --ftok, under which other programs find it. Without one it
/// is private, and only its id names it. If the key exists, the existing object is opened, unless you
/// use --exclusive. The semaphores of a new set are 0, or what --value says; for the moment between the two
/// calls that takes they are 0. Where kernel.shm_rmid_forced is 1, creating a
/// segment fails, because the kernel would destroy the segment as soon as this command ends.
///
/// A POSIX object needs a --name. If the name exists, the existing object is opened, unless you use
/// --exclusive, and keeps what it has: shared memory never shrinks, and a semaphore keeps its value.
/// Semaphores are created for programs with glibc; programs with musl look for theirs elsewhere.
///
/// An object that exists may be one that another user created in advance for you to open. If its owner,
/// creator or mode is not what you asked for, a line on standard error says so; the exit status is
/// still 0. If that must not happen, use --exclusive, which never opens an existing object.
#[derive(Debug, Args)]
pub struct Create {
    /// Kind of object to create
    #[arg(value_parser = kind())]
    pub kind: Kind,
    /// Key of a System V object, in decimal, octal (0…) or hex (0x…)
    ///
    /// A decimal key may have a sign, as some programs print it.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, conflicts_with = "ftok")]
    pub key: Option<ipc::Key>,
    /// Key that ftok(3) makes from this path
    ///
    /// PROJ, after the last ':', is the project: a number or one character; 1 by default.
    #[arg(long, value_name = "PATH[:PROJ]")]
    pub ftok: Option<OsString>,
    /// Permission bits in octal; the umask does not apply
    #[arg(long, value_name = "MODE", allow_hyphen_values = true, default_value = "0600")]
    pub mode: Mode,
    /// Size of shared memory in bytes, or as 64K, 2M, 1GiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = size::parse)]
    pub size: Option<u64>,
    /// Use huge pages for a segment, of this size if given (SHM_HUGETLB)
    #[arg(long, value_name = "SIZE", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = size::parse)]
    pub huge: Option<u64>,
    /// Reserve no memory, so a segment may be larger (SHM_NORESERVE)
    #[arg(long)]
    pub noreserve: bool,
    /// Name of a POSIX object: a slash, then no further slash
    #[arg(long, value_name = "/NAME", conflicts_with_all = ["key", "ftok"])]
    pub name: Option<String>,
    /// Most messages that a POSIX queue holds
    ///
    /// The default is fs.mqueue.msg_default.
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = number::from::<u64>(1))]
    pub max_messages: Option<u64>,
    /// Most bytes in one message of a POSIX queue
    ///
    /// The default is fs.mqueue.msgsize_default.
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = size::parse)]
    pub message_size: Option<u64>,
    /// Initial value of a semaphore, or one for each of a set; 0 by default
    ///
    /// V,V… makes a set of as many semaphores. A value in a set is at most 32,767, that of a POSIX semaphore
    /// 2,147,483,647.
    #[arg(
        long, value_name = "V,V…", allow_hyphen_values = true, value_delimiter = ',',
        value_parser = number::within::<u32>(0..=i32::MAX.into())
    )]
    pub value: Vec<u32>,
    /// Number of semaphores in a set; 1 by default
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = number::from::<i32>(1))]
    pub nsems: Option<i32>,
    /// Fail if an object with this key or name exists
    ///
    /// Without this option an existing object is opened, whoever created it; its owner can read and
    /// change what you put there. Scripts that run as root should use --exclusive.
    #[arg(short = 'x', long)]
    pub exclusive: bool,
    /// Print the object with all its fields, as a JSON array of one
    #[arg(short = 'J', long)]
    pub json: bool,
}

pub(super) const CREATE: Page = Page {
    command: "create",
    synopsis: &[
        "ipctool create msg [--key KEY | --ftok PATH[:PROJ]] [--mode MODE] [-x] [-J]",
        "ipctool create shm --size SIZE [--huge[=SIZE]] [--noreserve] [--key KEY | --ftok PATH[:PROJ]] [--mode MODE] [-x] [-J]",
        "ipctool create sem [--nsems N | --value V,V…] [--key KEY | --ftok PATH[:PROJ]] [--mode MODE] [-x] [-J]",
        "ipctool create pmsg --name /NAME [--max-messages N] [--message-size SIZE] [--mode MODE] [-x] [-J]",
        "ipctool create pshm --name /NAME --size SIZE [--mode MODE] [-x] [-J]",
        "ipctool create psem --name /NAME [--value V] [--mode MODE] [-x] [-J]",
    ],
    statuses: &[
        ("0", "the object was created, or opened if it existed"),
        ("1", "creating failed, or the object exists (--exclusive)"),
        page::USAGE,
        ("3", "the path of --ftok does not exist"),
        page::NOT_PERMITTED,
    ],
    environment: page::COLOR,
    files: &[page::DEV_SHM, page::DEV_MQUEUE, page::SYSCTL],
    examples: &[
        ("Create a queue that your group can use", "ipctool create msg --key 0xbeef --mode 660"),
        ("Create a private segment", "ipctool create shm --size 64K"),
        (
            "Create a new set of 3 semaphores with the key of a path",
            "ipctool create sem --ftok .:A --nsems 3 --exclusive",
        ),
        (
            "Create a POSIX queue for 10 messages of up to 1024 bytes",
            "ipctool create pmsg --name /jobs --max-messages 10 --message-size 1K",
        ),
        (
            "Create a lock that is free, as a set of one",
            "ipctool create sem --key 0xbeef --value 1",
        ),
        ("Create POSIX shared memory", "ipctool create pshm --name /cache --size 1M"),
        ("Create a POSIX semaphore that is free", "ipctool create psem --name /lock --value 1"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-key(1)",
        "ipctool-rm(1)",
        "ipctool-limits(1)",
        "ipcmk(1)",
        "msgget(2)",
        "shmget(2)",
        "semget(2)",
        "mq_open(3)",
        "shm_open(3)",
        "sem_open(3)",
        "sysvipc(7)",
        "mq_overview(7)",
        "shm_overview(7)",
        "sem_overview(7)",
    ],
    ..Page::EMPTY
};

/// Remove message queues, shared memory and semaphores
///
/// Removes what it can, reports each failure, and fails if any removal failed.
///
/// Objects are selected first and then removed by id, so an object that is created under the same key
/// in between is never hit. A POSIX object has only a name, so it is checked again just before removal.
///
/// A segment that is still attached is only marked for destruction: its memory is freed when the last
/// process detaches it. A POSIX object that a process has open or mapped loses its name at once; its
/// memory is freed when the last process closes and unmaps it.
///
/// A filter, a pattern or --all asks for confirmation on a terminal, and needs --yes elsewhere. References
/// and the options of filters do not combine.
#[derive(Debug, Args)]
pub struct Rm {
    /// Which objects.
    #[command(flatten)]
    pub references: References,
    /// Remove every object, or every object of these kinds
    #[arg(short = 'a', long, value_name = "KIND", num_args = 0.., value_delimiter = ',', value_parser = kind())]
    pub all: Option<Vec<Kind>>,
    /// Ignore objects that do not exist
    #[arg(short = 'f', long)]
    pub force: bool,
    /// Skip the check right before the removal
    ///
    /// What a filter selects is checked again right before it is removed, and left alone if a process
    /// has used it in between. This option removes it all the same.
    #[arg(long)]
    pub even_if_changed: bool,
    /// Print what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Remove without asking for confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Print each reference that is removed
    ///
    /// With a filter, also list the objects skipped as uncertain, with the reason, on standard error.
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// Print a JSON object with what was removed, marked and failed
    ///
    /// "removed" and "marked" are arrays of references, "failed" an array of objects with "ref",
    /// "error" and "errno". With --dry-run, "selected" is an array of objects with "ref", "key",
    /// "owner" and "reason".
    #[arg(short = 'J', long, conflicts_with = "verbose")]
    pub json: bool,
    /// Which objects.
    #[command(flatten)]
    pub selecting: Selecting,
}

pub(super) const RM: Page = Page {
    command: "rm",
    synopsis: &[
        "ipctool rm [-f] [-n] [-v | -J] [-q ID] [-Q KEY] [-m ID] [-M KEY] [-s ID] [-S KEY] [REF…]",
        "ipctool rm [-n] [-y] [-v | -J] [--even-if-changed] [--kind KIND,…] FILTER…",
        "ipctool rm [-n] [-y] [-v | -J] [--even-if-changed] --all [KIND…]",
    ],
    statuses: &[
        ("0", "everything was removed or marked, or nothing matched"),
        ("1", "a removal failed, or you answered no"),
        page::USAGE,
        page::NO_OBJECT,
        page::NOT_PERMITTED,
    ],
    environment: LIST_ENVIRONMENT,
    files: OBJECT_FILES,
    examples: &[
        ("Remove a queue by id and a segment by key", "ipctool rm msg:0 shm:0x0000beef"),
        ("Remove a queue by key, if it exists", "ipctool rm -Q 0xbeef --force"),
        (
            "See which of your queues have been idle for an hour",
            "ipctool rm --kind msg --owner \"$USER\" --idle 1h --dry-run",
        ),
        ("Remove shared memory by a pattern for its name", "ipctool rm 'pshm:/torch_*' --dry-run"),
        ("Remove your orphans without being asked", "ipctool rm --owner \"$USER\" --orphan --yes"),
        ("Remove all queues and semaphore sets", "ipctool rm --all msg sem --yes"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-list(1)",
        "ipctool-doctor(1)",
        "ipctool-guard(1)",
        "ipcrm(1)",
        "msgctl(2)",
        "shmctl(2)",
        "semctl(2)",
        "mq_unlink(3)",
        "shm_unlink(3)",
        "sem_unlink(3)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

/// Change the permission bits of objects
///
/// MODE is octal (660) or symbolic (u+rw,g-w,o=). In a symbolic mode, u stands for the owner and the
/// creator, g for their groups, and o for everybody else. IPC objects have no execute, set-user-ID,
/// set-group-ID or sticky bits. The umask does not apply.
///
/// The owner, the creator of a System V object, and privileged processes can change the mode. They
/// need no read permission for it, so an owner who is locked out can regain access. If the change
/// takes away your own access, a warning says how to undo it.
///
/// A filter or a pattern asks for confirmation on a terminal, and needs --yes elsewhere. References and
/// the options of filters do not combine.
///
/// For a System V object the kernel sets owner, group, mode and, for a queue, max_bytes in one call. A
/// change that somebody else makes between the reading and the setting of these is lost.
#[derive(Debug, Args)]
pub struct Chmod {
    /// New mode, octal or symbolic
    #[arg(allow_hyphen_values = true)]
    pub mode: ModeChange,
    /// Which objects, and how.
    #[command(flatten)]
    pub changing: Changing,
}

pub(super) const CHMOD: Page = Page {
    command: "chmod",
    synopsis: &[
        "ipctool chmod [-f] [-n] [-v] [-J] MODE REF…",
        "ipctool chmod [-f] [-n] [-y] [-v] [-J] MODE [--kind KIND,…] FILTER…",
    ],
    statuses: CHANGE_STATUSES,
    environment: page::COLOR,
    files: CHANGE_FILES,
    examples: &[
        ("Let your group use a queue", "ipctool chmod 660 msg:0"),
        ("Give yourself access, and nobody else", "ipctool chmod u+rw,go= msg:0 shm:0x0000beef"),
        ("Let everybody read a set, and print both modes", "ipctool chmod -v a+r sem:0"),
        (
            "Take all your queues and segments from everybody else, without being asked",
            "ipctool chmod go= --kind msg,shm --owner \"$USER\" --yes",
        ),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-chown(1)",
        "ipctool-stat(1)",
        "chmod(1)",
        "msgctl(2)",
        "shmctl(2)",
        "semctl(2)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

const CHANGE_STATUSES: &[Entry] = &[
    ("0", "every object was changed, or nothing matched"),
    ("1", "a change failed, several failed in different ways, or you answered no"),
    page::USAGE,
    page::NO_OBJECT,
    page::NOT_PERMITTED,
];

const CHANGE_FILES: &[Entry] = &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE];

/// Change the owner and group of objects
///
/// The owner, the creator and privileged processes can give a System V object to any user. A POSIX
/// object is a file: only a privileged process can give it to another user.
///
/// The creator never changes and keeps the owner's rights, whoever owns the object: the permission
/// bits for the user apply to the creator as well, who can always change and remove the object.
///
/// A filter or a pattern asks for confirmation on a terminal, and needs --yes elsewhere. References and
/// the options of filters do not combine.
#[derive(Debug, Args)]
pub struct Chown {
    /// New owner, group or both, as names or numbers
    ///
    /// OWNER: without a group stands for the owner's login group, :GROUP without an owner changes
    /// the group alone.
    #[arg(value_name = "OWNER[:GROUP]")]
    pub new_owner: String,
    /// Which objects, and how.
    #[command(flatten)]
    pub changing: Changing,
}

pub(super) const CHOWN: Page = Page {
    command: "chown",
    synopsis: &[
        "ipctool chown [-f] [-n] [-v] [-J] OWNER[:GROUP] REF…",
        "ipctool chown [-f] [-n] [-y] [-v] [-J] OWNER[:GROUP] [--kind KIND,…] FILTER…",
    ],
    statuses: CHANGE_STATUSES,
    environment: page::COLOR,
    files: CHANGE_FILES,
    examples: &[
        ("Give a queue to alice", "ipctool chown alice msg:0"),
        ("Give two segments to alice and the group staff", "ipctool chown alice:staff shm:0 shm:1"),
        ("Change the group alone", "ipctool chown :staff sem:0x0000beef"),
        ("See what of yours bob would get", "ipctool chown bob --owner \"$USER\" --dry-run"),
        ("Give a queue to alice and alice's login group", "ipctool chown alice: msg:0"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-chmod(1)",
        "ipctool-stat(1)",
        "chown(1)",
        "msgctl(2)",
        "shmctl(2)",
        "semctl(2)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

/// Print the ftok(3) key of a path, or find the paths that have a key
///
/// Many programs get the key of a System V object from ftok(3), which combines the low 8 bits of PROJ,
/// the low 8 bits of the device number of the path, and the low 16 bits of its inode number. So the
/// key changes when the file is created anew, and two files can have the same key.
///
/// A path that does not exist is an error. In C, ftok returns -1 for it, and a program that does not
/// check this goes on to use the key 0xffffffff.
///
/// --find goes the other way: it prints PATH and the paths below it from which ftok makes this key. With
/// --verbose it explains the parts of the key. Only one of 16,777,216 combinations of device and inode
/// bits fits, but in a large tree a path can have a key by chance.
#[derive(Debug, Args)]
pub struct Key {
    /// Existing file or directory
    pub path: PathBuf,
    /// Project: a number, of which the low 8 bits count, or a character
    #[arg(default_value = "1", value_name = "PROJ")]
    pub project: Project,
    /// Print the paths with this key: PATH and all below it
    ///
    /// A link counts as the file that it leads to, as for ftok(3), but is not followed into a
    /// directory. PROJ is a part of the key already.
    #[arg(long, value_name = "KEY", conflicts_with = "project", allow_hyphen_values = true)]
    pub find: Option<ipc::Key>,
    /// With --find, stay on the file system of PATH
    #[arg(short = 'x', long, requires = "find")]
    pub one_file_system: bool,
    /// Print a JSON array of objects: path, key, project
    #[arg(short = 'J', long, conflicts_with = "null")]
    pub json: bool,
    /// With --find, end each path with a NUL byte instead of a newline
    #[arg(short = '0', long, requires = "find")]
    pub null: bool,
    /// With --find, explain the parts of the key on standard error
    #[arg(short = 'v', long, requires = "find")]
    pub verbose: bool,
}

pub(super) const KEY: Page = Page {
    command: "key",
    synopsis: &["ipctool key [-J] PATH [PROJ]", "ipctool key --find KEY [-x] [-0 | -J] [-v] PATH"],
    statuses: &[
        page::DONE,
        ("1", "the key could not be made or written, or a directory could not be searched"),
        page::USAGE,
        ("3", "the path does not exist, or with --find: no path has the key"),
        page::NOT_PERMITTED,
    ],
    environment: page::COLOR,
    files: &[],
    examples: &[
        ("Print the key of ftok(\".\", 'm')", "ipctool key . m"),
        (
            "Create a queue with the key of a path",
            "ipctool create msg --key \"$(ipctool key /etc/passwd 42)\"",
        ),
        ("Find the file that a program made a key from", "ipctool key --find 0x4100c5c9 /srv"),
    ],
    see_also: &["ipctool(1)", "ipctool-create(1)", "ftok(3)", "sysvipc(7)"],
    ..Page::EMPTY
};
