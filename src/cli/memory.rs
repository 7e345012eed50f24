//! The verbs for the content of shared memory.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::options::memory;
use super::page::{self, Page};
use crate::ipc::{Reference, duration, size};

/// Read the bytes of shared memory
///
/// Into a pipe or a file they go as they are; on a terminal they are shown as 'hexdump -C' does, repeated lines as
/// '*'. Memory is read in pieces, so the size does not matter, and what nobody has written to is not touched: it is
/// zeros, and in a file that is written it stays a hole.
///
/// Other processes may write meanwhile. What is read is not a picture of one moment.
#[derive(Debug, Args)]
pub struct Read {
    /// Segment: its id, its key as 0x…, or the /name of a POSIX object
    #[arg(value_name = "SEGMENT", value_parser = memory, value_hint = ValueHint::Other)]
    pub memory: Reference,
    /// Begin here: bytes, or as 64K, 2M, 0x100
    #[arg(long, value_name = "SIZE", default_value = "0", allow_hyphen_values = true, value_parser = size::parse_place)]
    pub offset: u64,
    /// Read at most this much
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = size::parse_place)]
    pub length: Option<u64>,
    /// Show offset, hex and ASCII, as 'hexdump -C' does
    #[arg(long, conflicts_with = "raw")]
    pub hex: bool,
    /// Write the bytes as they are, on a terminal too
    #[arg(long)]
    pub raw: bool,
    /// Go on, and show the lines that have changed
    ///
    /// Until a signal arrives. Up to 64M are watched at once.
    #[arg(short = 'f', long, conflicts_with = "raw")]
    pub follow: bool,
    /// How often to look for changes
    #[arg(long, value_name = "DURATION", default_value = "1s", requires = "follow", allow_hyphen_values = true, value_parser = duration::parse)]
    pub interval: Duration,
}

/// Write standard input into shared memory
///
/// The memory keeps its size: what does not fit is refused before a byte is written, so what comes from a pipe is
/// read to its end first. Other processes see the bytes as they are written, not all at once.
#[derive(Debug, Args)]
pub struct Write {
    /// Segment: its id, its key as 0x…, or the /name of a POSIX object
    #[arg(value_name = "SEGMENT", value_parser = memory, value_hint = ValueHint::Other)]
    pub memory: Reference,
    /// Begin here: bytes, or as 64K, 2M, 0x100
    #[arg(long, value_name = "SIZE", default_value = "0", allow_hyphen_values = true, value_parser = size::parse_place)]
    pub offset: u64,
    /// Print how many bytes were written, on standard error
    #[arg(short = 'v', long)]
    pub verbose: bool,
}

/// Keep a segment attached: for a while, or while a command runs
///
/// Until the time is up, COMMAND has ended, or a signal arrives, the segment is attached (a POSIX object is mapped),
/// so it stays even if somebody removes it: then it is marked for destruction, and 'list' shows 'dest'. The kernel
/// destroys it when the last process detaches it.
///
/// COMMAND finds the id in IPCTOOL_ID and the reference in IPCTOOL_REF. Its status is that of this command, and
/// signals go to it. The memory is attached in ipctool; COMMAND attaches it by itself. With --in, COMMAND may be in
/// that IPC namespace, too.
#[derive(Debug, Args)]
pub struct Attach {
    /// Segment: its id, its key as 0x…, or the /name of a POSIX object
    #[arg(value_name = "SEGMENT", value_parser = memory, value_hint = ValueHint::Other)]
    pub memory: Reference,
    /// Attach it without the right to write (SHM_RDONLY)
    #[arg(short = 'r', long)]
    pub read_only: bool,
    /// Detach it after this time: 250ms, 30s, 10m
    ///
    /// A bare number is seconds.
    #[arg(long = "for", value_name = "DURATION", allow_hyphen_values = true, conflicts_with = "command", value_parser = duration::parse)]
    pub time: Option<Duration>,
    /// Print the address on standard error
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// What to run meanwhile, with its arguments
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

const SEE_ALSO: &[&str] = &[
    "ipctool(1)",
    "ipctool-stat(1)",
    "ipctool-create(1)",
    "hexdump(1)",
    "shmop(2)",
    "mmap(2)",
    "sysvipc(7)",
    "shm_overview(7)",
];

const STATUSES: &[page::Entry] = &[
    page::DONE,
    page::FAILED,
    page::USAGE,
    ("3", "no such segment"),
    page::NOT_PERMITTED,
    page::SIGNAL,
];

pub(super) const READ: Page = Page {
    command: "read",
    synopsis: &[
        "ipctool read [--offset SIZE] [--length SIZE] [--hex | --raw] SEGMENT",
        "ipctool read --follow [--interval DURATION] [--offset SIZE] [--length SIZE] SEGMENT",
    ],
    statuses: STATUSES,
    environment: page::COLOR,
    files: &[page::SYSVIPC, page::DEV_SHM],
    examples: &[
        ("Look at the first line of a segment", "ipctool read shm:0 --length 16 --hex"),
        ("Save the content of a segment", "ipctool read 0xbeef > saved"),
        (
            "Read from the middle of a large one",
            "ipctool read 0xbeef --offset 60G --length 1M > part",
        ),
        (
            "See what changes in a POSIX object, each tenth of a second",
            "ipctool read /cache --follow --interval 100ms",
        ),
    ],
    see_also: SEE_ALSO,
    ..Page::EMPTY
};

pub(super) const WRITE: Page = Page {
    command: "write",
    synopsis: &["ipctool write [--offset SIZE] [-v] SEGMENT < FILE"],
    statuses: STATUSES,
    environment: &[
        page::NO_COLOR,
        page::TERM,
        (
            "TMPDIR",
            "The directory for what comes from a pipe and is larger than 1M, until it is known to fit. /tmp by default.",
        ),
    ],
    files: &[page::SYSVIPC, page::DEV_SHM],
    examples: &[
        ("Write a word at the start of a segment", "printf hello | ipctool write 0xbeef"),
        ("Write back what was saved", "ipctool write 0xbeef < saved"),
        (
            "Clear 4 KiB of a POSIX object",
            "head -c 4K /dev/zero | ipctool write /cache --offset 1M",
        ),
    ],
    see_also: SEE_ALSO,
    ..Page::EMPTY
};

pub(super) const ATTACH: Page = Page {
    command: "attach",
    synopsis: &[
        "ipctool attach [-r] [--for DURATION] [-v] SEGMENT",
        "ipctool attach [-r] [-v] SEGMENT -- COMMAND [ARGUMENT…]",
    ],
    statuses: &[
        ("0", "done; with COMMAND, its status"),
        page::FAILED,
        page::USAGE,
        ("3", "no such segment"),
        page::NOT_PERMITTED,
        ("126", "COMMAND cannot be executed"),
        ("127", "COMMAND does not exist"),
        ("128+N", "ended by signal N; with COMMAND, that was"),
    ],
    environment: page::COLOR,
    files: &[page::SYSVIPC, page::DEV_SHM],
    examples: &[
        ("Keep a segment until Ctrl-C", "ipctool attach shm:0"),
        (
            "See what 'nattch' and 'dest' are",
            "ipctool attach 0xbeef -- sh -c 'ipctool rm shm:$IPCTOOL_ID && ipctool list shm'",
        ),
        (
            "Keep it for a minute, without the right to write",
            "ipctool attach --read-only --for 1m 0xbeef",
        ),
    ],
    see_also: SEE_ALSO,
    ..Page::EMPTY
};
