//! Servers and their workers: processes that run the same program, by its name, one below the other.

use std::io;

use super::{Length, Stat, all_visible, command, since_boot, uids};
use crate::ipc::heirs::Server;

/// The oldest living process that a process descends from by way of others that run the same program:
/// the server of a worker. Nothing where its parent runs another one. An error where a parent may not be
/// looked at, which may be older.
pub(super) fn oldest_of_family(stat: &Stat) -> io::Result<Option<Stat>> {
    let mut oldest: Option<Stat> = None;
    // A process namespace has no circles, but these are read one after the other.
    for _ in 0..100 {
        let youngest = oldest.as_ref().unwrap_or(stat);
        match Stat::of_parent(youngest)? {
            Some(parent) if parent.name() == stat.name() && !parent.has_ended() => {
                oldest = Some(parent);
            }
            _ => break,
        }
    }
    Ok(oldest)
}

/// The servers whose processes run as other users. An error where not every process may be looked at.
pub fn servers() -> io::Result<Vec<Server>> {
    let mut servers = Vec::new();
    for pid in all_visible()? {
        let Some(stat) = Stat::find(pid)? else { continue };
        let Some(oldest) = oldest_of_family(&stat)? else { continue };
        let server = || {
            let server = oldest.pid()?;
            Some(Server {
                pid: server,
                command: command(server, Length::Shown),
                since_boot: since_boot(oldest.started()?)?,
                uid: uids(server)?[1],
                worker_uid: uids(pid)?[1],
            })
        };
        // What has ended since uses nothing.
        if let Some(server) = server().filter(|server| server.uid != server.worker_uid)
            && !servers.contains(&server)
        {
            servers.push(server);
        }
    }
    Ok(servers)
}
