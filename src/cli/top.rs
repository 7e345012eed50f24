//! The verb with a live screen.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::options::{Filters, interval, kind};
use super::page::{self, Page};
use crate::ipc::Kind;

/// Show objects on a live screen, with rates, users and messages
///
/// The header shows totals, what the quick checks of doctor find, and the limits of which half or more is used. The
/// table shows for each queue how full it is, how fast that changes, and its depth at the last looks. Below it are the
/// processes that use the selected object.
///
/// The arrows select an object. Enter shows everything about it, 'p' peeks at its messages, 'x' removes it and 'c'
/// changes its mode; both act only on the object that you saw, and refuse if it has changed meanwhile. '/' filters as
/// you type, 's' sorts by any column, 'r' reverses the order, 'K' chooses the kinds, 'A' shows all IPC namespaces.
/// Space freezes the screen, '+' and '-' change the interval. 'd' shows what doctor finds, and Enter there runs a fix
/// after a question. '?' shows all keys, 'q' quits.
///
/// MSG/S and B/S are the change per second between two looks. The kernel counts only what is there, so messages sent
/// and received in between do not show. HISTORY is scaled to the highest depth that it shows.
///
/// If the locale is not UTF-8, bars are drawn in ASCII.
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
    /// Players such as 'asciinema play' show it. An existing file is not overwritten.
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
        ("0", "you quit with q or Ctrl-C"),
        ("1", "the recording or the screen could not be written"),
        ("2", "wrong usage, or this is not a terminal"),
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
