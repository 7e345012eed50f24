//! The verb that waits.

use std::time::Duration;

use clap::{Args, ValueHint};

use super::page::{self, Group, List, Page};
use crate::ipc::until::Until;
use crate::ipc::{Kind, Reference, duration};
use crate::output::columns;

/// Wait until an object is in a state
///
/// CONDITION is exists, gone, empty (a queue without messages), unused (no process has it attached, mapped or open,
/// or waits on it), or a column with a number, such as 'messages>=10'; the signs are < <= = >= >. Quote it, because
/// the shell has other uses for these signs.
///
/// By a key or a name, exists is about any object that has it. Every other condition is about the object that has
/// it when the command begins, so one that is removed and made again is gone.
///
/// Where the kernel can tell that something has changed, it does; otherwise wait looks again, soon at first and then
/// five times a second. A condition that holds for a shorter time may be missed. Unused is what certainly nobody
/// uses: as long as that cannot be told, it waits.
#[derive(Debug, Args)]
pub struct Wait {
    /// Object: KIND:ID, KIND:0xKEY or KIND:/NAME
    #[arg(value_name = "REF", value_hint = ValueHint::Other)]
    pub reference: Reference,
    /// Until when: exists, gone, empty, unused or COLUMN>=N
    #[arg(long, value_name = "CONDITION", value_hint = ValueHint::Other)]
    pub until: Until,
    /// Wait at most this long: 250ms, 30s, 10m
    ///
    /// A bare number is seconds.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

pub(super) const WAIT: Page = Page {
    command: "wait",
    synopsis: &["ipctool wait [--timeout DURATION] REF --until CONDITION"],
    lists: || {
        let columns = |kind: Kind| {
            let columns = columns::numbers(kind).map(|column| (column.name, column.help));
            Group::new(format!("Columns with numbers of a {}", kind.noun()), columns)
        };
        vec![List {
            title: "COLUMNS",
            introduction: "The columns that can be compared with a number. fill is compared as a percentage.",
            groups: Kind::ALL.map(columns).into(),
        }]
    },
    statuses: &[
        ("0", "the condition holds"),
        ("1", "that cannot be told"),
        page::USAGE,
        ("3", "there is no such object, or it went away, and the condition is not about that"),
        ("4", "the time is up"),
        page::NOT_PERMITTED,
        page::SIGNAL,
    ],
    environment: page::COLOR,
    files: &[page::SYSVIPC, page::DEV_SHM, page::DEV_MQUEUE, page::PROCESSES],
    examples: &[
        (
            "Wait until a server has created its queue",
            "ipctool wait msg:0xbeef --until exists --timeout 10s",
        ),
        (
            "Wait until all messages are taken, and remove the queue",
            "ipctool wait msg:0xbeef --until empty && ipctool rm msg:0xbeef",
        ),
        ("Wait until there is work", "ipctool wait msg:0xbeef --until 'messages>=10'"),
        ("Wait until nobody has a segment attached", "ipctool wait shm:0xbeef --until attached=0"),
        (
            "Wait until a POSIX semaphore is free, and leave it so",
            "ipctool wait psem:/lock --until 'value>0'",
        ),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-watch(1)",
        "ipctool-stat(1)",
        "ipctool-semop(1)",
        "ipctool-recv(1)",
        "inotify(7)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};
