//! From the filter options of a command line to a filter.

use super::complain;
use crate::cli::Filters;
use crate::explain::Failure;
use crate::ipc::{Filter, Kind};
use crate::kernel::{accounts, process};

/// Looks up the users and groups that the options name.
pub fn filter(verb: &'static str, kinds: Vec<Kind>, options: Filters) -> Result<Filter, Failure> {
    let id = |name: Option<String>, look_up: fn(&str) -> anyhow::Result<u32>| {
        name.map(|name| look_up(&name)).transpose().map_err(|error| Failure::usage(verb, error))
    };
    Ok(Filter {
        kinds,
        owner: id(options.owner, accounts::user_id)?,
        creator: id(options.creator, accounts::user_id)?,
        group: id(options.group, accounts::group_id)?,
        key: options.key,
        empty: options.empty,
        idle: options.idle,
        marked: options.marked,
        pid: options.pid,
        unused: options.unused,
        orphan: options.orphan,
    })
}

/// Tells on standard error who could not be seen, so that nobody is silently missing.
pub fn confess(verb: &'static str, uninspected: u64) {
    if uninspected > 0 {
        let processes = if uninspected == 1 { "process" } else { "processes" };
        let advice = if process::caller().uid == 0 { "" } else { "; run as root to see them" };
        complain(format_args!("{verb}: {uninspected} {processes} could not be inspected{advice}"));
    }
}
