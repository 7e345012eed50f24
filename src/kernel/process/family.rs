//! Families of processes that run the same program: a server and its workers.

use std::io;
use std::path::Path;

use super::stat::{Stat, is_gone, since_boot};
use crate::kernel::io::file_identity::identity_at;

/// When the oldest living process of a family started, in nanoseconds since boot: the process itself,
/// or the ancestor that is reached through processes of the same program. `i64::MIN` if it may continue
/// the work of an older process: its parent may not be inspected, or has ended, as for a daemon.
pub(super) fn family_since_boot(stat: &Stat) -> Option<i64> {
    let started = since_boot(stat.started()?)?;
    Some(match oldest_of_family(stat) {
        Ok(None) if is_daemon(stat) => i64::MIN,
        Ok(Some(oldest)) if is_daemon(&oldest) => i64::MIN,
        Ok(None) => started,
        Ok(Some(oldest)) => since_boot(oldest.started()?)?.min(started),
        Err(_) => i64::MIN,
    })
}

/// Whether the parent of a process may have ended: process 1 is its parent now, or its session has lost
/// the leader.
fn is_daemon(stat: &Stat) -> bool {
    let number = |field| stat.field(field).and_then(|word| word.parse::<i32>().ok());
    let (parent, session) = (number(4), number(6));
    let is_adopted = parent == Some(1);
    let is_leaderless = session.is_some_and(|leader| leader > 0 && is_gone(leader));
    is_adopted || is_leaderless
}

/// The oldest living ancestor that a process reaches through processes of the same program. `None` if
/// its parent runs another program. Fails if a parent may not be inspected.
pub(super) fn oldest_of_family(stat: &Stat) -> io::Result<Option<Stat>> {
    let mut oldest: Option<Stat> = None;
    // Pids are read one after the other and may be reused meanwhile, so the chain of parents can have a
    // loop.
    for _ in 0..100 {
        let youngest = oldest.as_ref().unwrap_or(stat);
        match Stat::of_parent(youngest)? {
            Some(parent) if runs_the_same(&parent, stat) && !parent.has_ended() => {
                oldest = Some(parent);
            }
            _ => break,
        }
    }
    Ok(oldest)
}

/// Whether two processes run the same program, by name or by file. Either may differ: a process can
/// change its name, or run an older file of the same name.
fn runs_the_same(one: &Stat, other: &Stat) -> bool {
    let file = |stat: &Stat| identity_at(Path::new(&format!("/proc/{}/exe", stat.pid()?))).ok();
    one.name() == other.name() || file(one).is_some_and(|one| file(other) == Some(one))
}
