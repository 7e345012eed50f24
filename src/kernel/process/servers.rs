//! Servers and their workers: processes that run the same program, one below the other.

use std::io;
use std::path::Path;

use super::{Length, Process, Stat, all_visible, is_gone, since_boot, uids};
use crate::ipc::ProcessName;
use crate::ipc::process::heirs::Server;
use crate::kernel::io::file_identity::identity_at;

/// When the oldest living process started, in nanoseconds since boot, that a process descends from by way of
/// others that run the same program: the server of a worker, or itself. `i64::MIN` where it may go on with
/// what an older process began: where its parent may not be looked at, or has ended, as that of a daemon
/// has.
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

/// Whether the parent of a process may have ended: the first process of all has it now, or its session
/// has lost its leader.
fn is_daemon(stat: &Stat) -> bool {
    let number = |field| stat.field(field).and_then(|word| word.parse::<i32>().ok());
    let (parent, session) = (number(4), number(6));
    let is_adopted = parent == Some(1);
    let is_leaderless = session.is_some_and(|leader| leader > 0 && is_gone(leader));
    is_adopted || is_leaderless
}

/// The oldest living process that a process descends from by way of others that run the same program.
/// Nothing where its parent runs another one. An error where a parent may not be looked at.
pub(super) fn oldest_of_family(stat: &Stat) -> io::Result<Option<Stat>> {
    let mut oldest: Option<Stat> = None;
    // A process namespace has no circles, but these are read one after the other.
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

/// Whether two processes run the same program, by its name or its file: either may differ, for a process
/// may call itself as it likes, and be of an older file of the same name.
fn runs_the_same(one: &Stat, other: &Stat) -> bool {
    let file = |stat: &Stat| identity_at(Path::new(&format!("/proc/{}/exe", stat.pid()?))).ok();
    one.name() == other.name() || file(one).is_some_and(|one| file(other) == Some(one))
}

/// The servers whose processes run as other users. An error where not every process may be looked at.
pub fn servers() -> io::Result<Vec<Server>> {
    let mut servers = Vec::new();
    for pid in all_visible()? {
        let Some(stat) = Stat::find(pid)? else { continue };
        let Some(oldest) = oldest_of_family(&stat)?.and_then(|oldest| oldest.pid()) else {
            continue;
        };
        // What has ended since uses nothing.
        let Some([_, worker_uid, ..]) = uids(pid) else { continue };
        let is_known = |one: &Server| (one.name.pid, one.worker_uid) == (oldest, worker_uid);
        if uids(oldest).is_none_or(|own| own[1] == worker_uid) || servers.iter().any(is_known) {
            continue;
        }
        let Some(server) = Process::find(oldest, Length::Shown) else { continue };
        let Process { pid, command, living, .. } = server;
        let name = ProcessName { pid, command: Some(command) };
        servers.push(Server { name, living, worker_uid });
    }
    Ok(servers)
}
