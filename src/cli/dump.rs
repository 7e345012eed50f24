//! The verbs that save objects and make them again.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::options::{References, Selecting};
use super::page::{self, Page};

/// Save objects with their content, as lines of JSON
///
/// For each object it writes what it takes to make it again: key or name, owner, mode, limits, and its content:
/// messages with their types in their order, the values of semaphores, the bytes of memory. What nobody has written to
/// is left out. 'ipctool restore' makes the objects of such a file; each line has a checksum of all that is before
/// it, so damage is found.
///
/// Nothing is taken: messages are read where they are (MSG_COPY). Those of a POSIX queue cannot be; with --take they
/// leave the queue, each when it is written, and synced if the output is a file. If one cannot be written, it goes
/// back.
///
/// A dump of what is in use is no picture of one moment. If messages came or went meanwhile, a line on standard
/// error says so; --lock keeps others away from the queue meanwhile. To read the last message of a long queue, the
/// kernel looks at all before it: 10,000 messages take a second, 100,000 take minutes.
///
/// Who waits on an object, SEM_UNDO, times and process ids are not saved; segments with huge pages are restored with
/// ordinary ones.
#[derive(Debug, Args)]
pub struct Dump {
    /// Which objects.
    #[command(flatten)]
    pub references: References,
    /// Save every object
    #[arg(short = 'a', long)]
    pub all: bool,
    /// Take the messages of POSIX queues, which cannot be read otherwise
    #[arg(long)]
    pub take: bool,
    /// Close System V queues to others meanwhile, by their mode
    ///
    /// It is 0, or 0400 without the right to override modes (CAP_IPC_OWNER). Who waits on the queue gets EACCES;
    /// privileged processes, and with 0400 receivers of the owner, are not kept away. It is put back at the end, and on
    /// every signal that ends the command; after SIGKILL 'ipctool chmod' does that.
    #[arg(long)]
    pub lock: bool,
    /// Which objects.
    #[command(flatten)]
    pub selecting: Selecting,
}

/// Make the objects of a dump, with their content
///
/// FILE, or standard input, is what 'ipctool dump' has written. It is read to its end first: if a byte of it is
/// damaged or missing, nothing is made. For each object a line says what has become of it: 'msg:0 → msg:32768'.
///
/// Owner and group are those of the dump, by number, if you may give objects away; otherwise the object is yours, and a line
/// on standard error says so. Until an object is complete, only you can use it. If a part of it cannot be made, none
/// of it stays, an error says why, and the others go on.
///
/// An object whose key or name exists is an error, unless --replace removes what is there.
#[derive(Debug, Args)]
pub struct Restore {
    /// Dump to read instead of standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Give System V objects the ids that they had
    ///
    /// By kernel.msg_next_id and the like, which take the right to restore checkpoints (CAP_CHECKPOINT_RESTORE). An id
    /// that another object has is an error, unless --replace removes that.
    #[arg(long)]
    pub keep_ids: bool,
    /// Remove what has the same key or name, or with --keep-ids the same id
    #[arg(long)]
    pub replace: bool,
    /// Check the dump, print what it holds, and make nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

pub(super) const DUMP: Page = Page {
    command: "dump",
    synopsis: &[
        "ipctool dump [--take] [--lock] REF… > FILE",
        "ipctool dump [--take] [--lock] [--all | --kind KIND,…] [FILTER…] > FILE",
    ],
    statuses: &[
        ("0", "every object was saved"),
        ("1", "an object could not be saved, or the output not written"),
        page::USAGE,
        ("3", "no such object"),
        page::NOT_PERMITTED,
        page::SIGNAL,
    ],
    environment: page::COLOR,
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE],
    examples: &[
        ("Save a queue with its messages", "ipctool dump msg:0xbeef > queue.dump"),
        ("Save all objects of a user", "ipctool dump --owner postgres > all.dump"),
        (
            "See what the messages are",
            "ipctool dump msg:0 | jq -c 'select(.type) | [.type, .text]'",
        ),
        ("Save and empty a POSIX queue", "ipctool dump pmsg:/jobs --take > jobs.dump"),
        (
            "Copy an object to another IPC namespace",
            "ipctool dump shm:0xbeef | ipctool --in web restore",
        ),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-restore(1)",
        "ipctool-recv(1)",
        "ipctool-read(1)",
        "msgop(2)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

pub(super) const RESTORE: Page = Page {
    command: "restore",
    synopsis: &["ipctool restore [--keep-ids] [--replace] [-n] [FILE]"],
    statuses: &[
        ("0", "every object was made"),
        ("1", "an object could not be made, or the dump is damaged: then nothing was made"),
        page::USAGE,
        page::NOT_PERMITTED,
        page::SIGNAL,
    ],
    environment: &[
        page::NO_COLOR,
        page::TERM,
        (
            "TMPDIR",
            "The directory for a dump that comes from a pipe, until it is checked. /tmp by default.",
        ),
    ],
    files: &[
        page::SYSVIPC,
        page::DEV_SHM,
        page::DEV_MQUEUE,
        (
            "/proc/sys/kernel/msg_next_id, shm_next_id, sem_next_id",
            "The id of the next object, for --keep-ids.",
        ),
    ],
    notes: &[
        "In /dev/shm an object is made under the name .ipctool-restore.PID.N, and gets its own when it is complete. SIGKILL may leave such a file behind; System V objects and POSIX queues it leaves under their own key or name, of mode 0600.",
        "With --replace, what has the key of a System V object or the name of a POSIX queue must go before the new one can be made. If that fails then, both are gone, and the error says so.",
    ],
    examples: &[
        ("Make what was saved", "ipctool restore all.dump"),
        ("Check a dump, and see what it holds", "ipctool restore --dry-run all.dump"),
        (
            "Put everything back as it was, with its ids",
            "ipctool restore --keep-ids --replace all.dump",
        ),
    ],
    see_also: &["ipctool(1)", "ipctool-dump(1)", "ipctool-create(1)", "sysvipc(7)"],
    ..Page::EMPTY
};
