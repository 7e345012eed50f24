//! The verb that watches.

use std::time::Duration;

use clap::Args;

use super::options::{Filters, interval, kind};
use super::page::{self, Page};
use crate::ipc::{Kind, duration, number};

/// Show what appears, changes and goes, a line an event
///
/// Looks at the objects of this IPC namespace, or of all of them, once a second or at another interval, and prints a
/// line for each difference: the time, a sign, the reference, and columns. The sign is '+' for an object that
/// appeared, '-' for one that is gone, and '~' for one that has changed, with the old and the new value of each column
/// that has changed. It prints nothing at the start; with --initial it begins with what is there, with the sign '='.
///
/// Two looks show what is different, not what happened in between: ten messages sent and received within a second
/// change nothing but a time. A System V object that came and went between two looks gets two lines, as far as the
/// ids of later objects prove it. A remark in parentheses says if something is not as it seems: an object that existed
/// before and matches the filters now, one that no longer matches and still exists, or one whose namespace can no
/// longer be seen.
///
/// Lines are always whole, also if a signal or a full disk ends the watch. Interrupt it with Ctrl-C, which is status
/// 0. If a later look fails, the error is printed once, nothing is taken for gone, and the watch goes on; then its
/// status is 1 in the end.
#[derive(Debug, Args)]
pub struct Watch {
    /// Kinds to watch; all of them by default
    #[arg(value_name = "KIND", value_delimiter = ',', value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// Watch the objects of every IPC namespace
    ///
    /// Adds the name of the container and the number of the namespace to each line. What may not be looked at is
    /// counted on standard error.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Time from one look to the next; at least 50ms
    ///
    /// Looks are at multiples of this time from the start, so they do not drift. If one takes longer, those that
    /// it delays are left out. A bare number is seconds.
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
    /// It ends at once if there is none at the start.
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
    /// 'matches', 'no-longer-matches', 'out-of-sight' or 'brief'. Of an object that came and went between two looks
    /// ('brief') little more than the reference is known, so other fields are null. With '~' it also has 'changes',
    /// an object with the old and the new value of each field that has changed: {"messages":[4,9]}.
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
        ("0", "it ended as asked: by -n, --for, --until-gone, Ctrl-C, or a closed pipe"),
        ("1", "a look failed, or the lines could not be written"),
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
        "A history of a day takes little room, because only differences are written. Where other programs append to the same file or pipe, each write has whole lines.",
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
