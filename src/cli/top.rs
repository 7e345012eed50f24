//! The verb with a live screen.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::options::{Filters, interval, kind};
use super::page::{self, Page};
use crate::ipc::Kind;

/// Show objects on a live screen, with rates, users and messages
///
/// Above the table are totals, the fullest limit and what doctor finds at a glance. The table shows for each queue
/// how full it is, how fast that changes, and its depth at the last looks. Below are the processes that use the
/// selected object.
///
/// Keys: the arrows select an object, Enter shows everything about it, 'p' the messages on it, 'x' removes it after
/// a question, 'c' changes its mode. '/' filters as you type, 's' sorts by any column, 'r' turns the order round,
/// 'K' chooses the kinds, 'A' all IPC namespaces. Space freezes the screen, '+' and '-' change the interval. 'd'
/// shows what doctor finds, and runs a fix after a question. '?' shows all keys, 'q' quits.
///
/// MSG/S and B/S are by how much messages and bytes changed between two looks, a second. The kernel counts only what
/// is there, so what was sent and received in between does not show.
///
/// Without UTF-8 in the locale, bars are drawn in ASCII.
#[derive(Debug, Args)]
pub struct Top {
    /// Kinds to show; all of them by default
    #[arg(value_name = "KIND", value_delimiter = ',', value_parser = kind())]
    pub kinds: Vec<Kind>,
    /// Show the objects of every IPC namespace
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Time from one look to the next; at least 50ms
    ///
    /// A bare number is seconds.
    #[arg(
        short = 'd',
        long,
        value_name = "DURATION",
        default_value = "1s",
        allow_hyphen_values = true,
        value_parser = interval
    )]
    pub interval: Duration,
    /// Record what is drawn into a new file, as an asciicast
    ///
    /// Players such as 'asciinema play' show it. A file that exists is not written over.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Show sizes in bytes
    #[arg(short = 'b', long)]
    pub bytes: bool,
    /// Which objects.
    #[command(flatten)]
    pub filter: Filters,
}

pub(super) const TOP: Page = Page {
    command: "top",
    synopsis: &["ipctool top [-A] [-d DURATION] [--record FILE] [-b] [FILTER…] [KIND…]"],
    statuses: &[
        ("0", "you quit, with q or Ctrl-C"),
        ("1", "the recording or the screen could not be written"),
        ("2", "wrong usage, or this is no terminal"),
        page::SIGNAL,
    ],
    environment: &[page::NO_COLOR, page::TERM, page::TZ, page::LOCALE],
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES],
    examples: &[
        ("Watch everything", "ipctool top"),
        (
            "Watch the queues of one user, twice a second",
            "ipctool top msg,pmsg --owner postgres -d 500ms",
        ),
        ("Watch all containers", "ipctool top -A"),
        ("Record a session for a lecture", "ipctool top --record queues.cast"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-list(1)",
        "ipctool-stat(1)",
        "ipctool-doctor(1)",
        "ipcs(1)",
        "sysvipc(7)",
        "mq_overview(7)",
    ],
    ..Page::EMPTY
};
