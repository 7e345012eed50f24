//! The verb that watches.

use std::time::Duration;

use clap::Args;

use super::options::{Filters, interval, kind};
use super::page::{self, Page};
use crate::ipc::{Kind, duration, number};

/// Show what appears, changes and goes, one line per event
///
/// Looks at the objects of this IPC namespace, or of all of them, once a second or at another interval, and prints a
/// line for each difference: the time, a sign, the reference, and columns. The sign is '+' for an object that
/// appeared, '-' for one that is gone, and '~' for one that has changed, with the old and the new value of each column
/// that has changed. It prints nothing at the start; with --initial it begins with what is there, with the sign '='.
///
/// Two looks show what is different, not what happened in between: ten messages sent and received within a second
/// change only times and process ids. A System V object that was created and removed between two looks gets two lines
/// if the ids of later objects prove it. Restored ids ('ipctool restore --keep-ids', CRIU) can look like such a proof.
///
/// A remark in parentheses explains unusual cases: an object that existed before and matches the filters now, one
/// that still exists and no longer matches, one that can no longer be seen because its namespace or its /dev/shm is
/// out of sight, or one that is seen again. With -A, a container that restarts can get the number of its old
/// namespace; an object with the id, key, creator and size of an old one is then shown as changed, not as new.
///
/// Each write has whole lines, also if a signal or a full disk ends the watch. Only a line longer than 4 KiB is
/// written by itself, and a signal can cut it in a pipe. Interrupt the watch with Ctrl-C, which is status 0. A
/// background job of a script ignores SIGINT: use SIGTERM there.
///
/// If a later look fails, the watch prints the error once and continues. Objects that it cannot look at are not shown
/// as gone, and the exit status is 1.
#[derive(Debug, Args)]
pub struct Watch {
    /// Kinds to watch; all of them by default
    #[arg(value_name = "KIND", value_delimiter = ',', value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// Watch the objects of every IPC namespace
    ///
    /// Adds the name of the container and the number of the namespace to each line. Namespaces that you may not enter
    /// are counted on standard error.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Time from one look to the next; at least 50ms
    ///
    /// Looks are at multiples of this time from the start, so they do not drift. If one takes longer,
    /// ticks missed meanwhile are skipped. A bare number is seconds.
    #[arg(
        short = 'd',
        long,
        value_name = "DURATION",
        default_value = "1s",
        allow_hyphen_values = true,
        value_parser = interval
    )]
    pub interval: Duration,
    /// Begin with what is there, with the sign '='
    #[arg(long)]
    pub initial: bool,
    /// End as soon as no object matches any more
    ///
    /// It ends at once if there is none at the start. If some objects may be out of sight, it says so, and the exit
    /// status is 1.
    #[arg(long)]
    pub until_gone: bool,
    /// End after this many lines
    ///
    /// Those of --initial count, too.
    #[arg(short = 'n', long, value_name = "N", allow_hyphen_values = true, value_parser = number::from::<u64>(1))]
    pub count: Option<u64>,
    /// End after this time, with a last look: 30s, 10m, 24h
    ///
    /// A bare number is seconds.
    #[arg(long = "for", value_name = "DURATION", allow_hyphen_values = true, value_parser = duration::parse)]
    pub duration: Option<Duration>,
    /// Show only these columns, or with +COL,… add them to the default
    ///
    /// Columns are separated by commas, and are those of ipctool-list(1). Then only changes of these columns are
    /// events. With a leading '+' they are added to the default ones.
    #[arg(short = 'o', long, value_name = "COL,…", allow_hyphen_values = true)]
    pub output: Option<String>,
    /// Print each event as a JSON object on a line
    ///
    /// It has 'time' in UTC, 'event' (the sign), the fields of 'ipctool list --json', and 'remark', which is null,
    /// 'matches', 'no-longer-matches', 'out-of-sight', 'back-in-sight' or 'brief'. Only the reference is known of an
    /// object that came and went between two looks ('brief'), so other fields are null or empty. With '~' it also has
    /// 'changes', an object with the old and the new value of each field that has changed: {"messages":[4,9]}. Each
    /// line has all fields, some 600 bytes; -o messages,bytes makes it short.
    #[arg(short = 'J', long)]
    pub json: bool,
    /// Which objects.
    #[command(flatten)]
    pub filter: Filters,
}

pub(super) const WATCH: Page = Page {
    command: "watch",
    synopsis: &[
        "ipctool watch [-A] [-d DURATION] [--initial] [--until-gone] [-n N] [--for DURATION] [-o COL,…] [-J] [FILTER…] [KIND…]",
    ],
    statuses: &[
        ("0", "ended by -n, --for, --until-gone, Ctrl-C, or a closed pipe"),
        (
            "1",
            "a look failed, something could no longer be looked at, --until-gone could not see everything, or the lines could not be written",
        ),
        page::USAGE,
        page::NOT_PERMITTED,
        page::SIGNAL,
    ],
    environment: &[
        page::NO_COLOR,
        page::TERM,
        page::TZ,
        (
            "LC_ALL, LC_CTYPE, LANG",
            "If the first one set is not a UTF-8 locale, '->' stands in place of the arrow.",
        ),
    ],
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES],
    notes: &[
        "A history of a day takes little room, because only differences are written. Where other programs append to the same file or pipe, each write has whole lines, unless one is longer than 4 KiB.",
        "With --in, the watch keeps that IPC namespace open, so it exists as long as the watch runs. -A keeps none open.",
    ],
    examples: &[
        ("Watch everything", "ipctool watch"),
        (
            "Watch the queues of a user four times a second",
            "ipctool watch msg,pmsg --owner root -d 250ms",
        ),
        (
            "Watch how many messages one queue has",
            "ipctool watch msg --key 0xbeef --initial -o messages",
        ),
        ("Keep a history as JSON", "ipctool watch --json >> history.jsonl"),
        ("Print what a test run creates, for a minute at most", "ipctool watch --for 1m -d 100ms"),
        ("Wait for the next queue", "ipctool watch msg -n 1"),
        (
            "Wait until the objects of a service are gone",
            "ipctool watch --name '/web_*' --until-gone",
        ),
        ("Watch all containers", "ipctool watch -A"),
        ("See when something becomes an orphan", "ipctool watch --orphan -d 10s"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-list(1)",
        "ipctool-wait(1)",
        "ipctool-metrics(1)",
        "ipctool-trace(1)",
        "watch(1)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};
