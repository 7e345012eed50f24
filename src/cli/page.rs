//! What a page of the manual says beyond the options of its command. `--help` ends with a part of it.

use std::fmt::Write as _;

/// The parts of a manual page that no option carries: its name, description and options come from the
/// command line itself.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The command; `ipctool` for the program itself.
    pub command: &'static str,
    /// The ways to call it, each with its placeholders in upper case.
    pub synopsis: &'static [&'static str],
    /// The description of a command whose own is not written for a page.
    pub description: Option<&'static str>,
    /// Reference lists, such as the columns of `list`.
    pub lists: fn() -> Vec<List>,
    /// The exit statuses that the command can have.
    pub statuses: &'static [Entry],
    /// The environment variables that it reads.
    pub environment: &'static [Entry],
    /// The files that it reads or writes.
    pub files: &'static [Entry],
    /// What else a reader should know.
    pub notes: &'static [&'static str],
    /// Commands to try, each behind what it does.
    pub examples: &'static [Entry],
    /// Other pages, as `NAME(SECTION)`.
    pub see_also: &'static [&'static str],
}

/// A term and what it means.
pub type Entry = (&'static str, &'static str);

/// A reference list with a section of its own.
#[derive(Debug)]
pub struct List {
    /// The heading of the section, in upper case.
    pub title: &'static str,
    /// What stands above the list in a manual page.
    pub introduction: &'static str,
    /// Its parts, each under a heading of its own.
    pub groups: Vec<Group>,
}

/// A part of a list.
#[derive(Debug)]
pub struct Group {
    /// What its terms are.
    pub heading: String,
    /// The terms and what they mean.
    pub entries: Vec<(String, String)>,
}

impl Page {
    /// A page that says nothing yet.
    pub(super) const EMPTY: Page = Page {
        command: "",
        synopsis: &[],
        description: None,
        lists: Vec::new,
        statuses: &[],
        environment: &[],
        files: &[],
        notes: &[],
        examples: &[],
        see_also: &[],
    };

    /// The part that ends `--help`: lists, exit statuses and examples.
    pub(super) fn after_long_help(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for group in (self.lists)().iter().flat_map(|list| &list.groups) {
            let _ = writeln!(text, "{}:", group.heading);
            for (term, meaning) in &group.entries {
                let _ = writeln!(text, "  {term:<20} {meaning}");
            }
            text.push('\n');
        }
        text.push_str("Exit status:\n");
        for (status, meaning) in self.statuses {
            let _ = writeln!(text, "  {status:<6} {meaning}");
        }
        text.push_str("\nExamples:\n");
        for (meaning, command) in self.examples {
            let _ = writeln!(text, "  {meaning}:\n    {command}");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

impl Group {
    /// A part of a list, from its terms.
    pub(super) fn new<T: Into<String>, M: Into<String>>(
        heading: impl Into<String>,
        entries: impl IntoIterator<Item = (T, M)>,
    ) -> Group {
        let entries = entries.into_iter().map(|(term, meaning)| (term.into(), meaning.into()));
        Group { heading: heading.into(), entries: entries.collect() }
    }
}

pub(super) const DONE: Entry = ("0", "done");
pub(super) const FAILED: Entry = ("1", "an operation failed");
pub(super) const USAGE: Entry = ("2", "wrong usage");
pub(super) const NO_OBJECT: Entry = ("3", "no such object");
pub(super) const NOT_PERMITTED: Entry = ("5", "not permitted");
pub(super) const SIGNAL: Entry = ("128+N", "ended by signal N");

pub(super) const NO_COLOR: Entry =
    ("NO_COLOR", "If set and not empty, --color auto uses no colour.");
pub(super) const TERM: Entry = ("TERM", "If it is 'dumb', --color auto uses no colour.");
pub(super) const LOCALE: Entry = (
    "LC_ALL, LC_CTYPE, LANG",
    "If the first one set is not a UTF-8 locale, tables are drawn in ASCII: '-' for the rule, and '~' where a cell is cut.",
);
pub(super) const COLUMNS: Entry = (
    "COLUMNS",
    "The width of tables if standard output is not a terminal, or is one that does not report its width. By default, a table in a pipe or a file has any width.",
);
pub(super) const TZ: Entry = ("TZ", "Time zone of the times in tables and plain text.");
pub(super) const COLOR: &[Entry] = &[NO_COLOR, TERM];

pub(super) const SYSVIPC: Entry =
    ("/proc/sysvipc/msg, shm, sem", "The System V objects of the IPC namespace.");
pub(super) const DEV_SHM: Entry =
    ("/dev/shm", "POSIX shared memory and, as sem.NAME, the named semaphores of glibc.");
pub(super) const DEV_MQUEUE: Entry = (
    "/dev/mqueue",
    "POSIX message queues. Where it is not mounted, ipctool uses a mount that no other process sees.",
);
pub(super) const PROCESSES: Entry = (
    "/proc/PID",
    "The processes: what they have attached, mapped or open, what they wait for, and who they are.",
);
pub(super) const SYSCTL: Entry = (
    "/proc/sys/kernel, /proc/sys/fs/mqueue",
    "The limits of System V IPC and of POSIX message queues.",
);
