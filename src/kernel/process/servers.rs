//! Servers whose workers run as another user.

use std::io;

use super::command::Length;
use super::family::oldest_of_family;
use super::identity::Process;
use super::pids::all_visible;
use super::stat::Stat;
use super::status::uids;
use crate::ipc::ProcessName;
use crate::ipc::process::heirs::Server;
use crate::kernel::namespace::{Handle, Identity};

/// The servers whose workers run as other users in an IPC namespace, or in one that cannot be seen.
/// Fails if not every process may be inspected.
pub fn servers(namespace: &Handle) -> io::Result<Vec<Server>> {
    let namespace = namespace.identity()?;
    let mut servers = Vec::new();
    for pid in all_visible()? {
        if Identity::of(pid).is_ok_and(|other| other != namespace) {
            continue;
        }
        let Some(stat) = Stat::find(pid)? else { continue };
        let Some(oldest) = oldest_of_family(&stat)?.and_then(|oldest| oldest.pid()) else {
            continue;
        };
        // A process that has ended uses nothing any more.
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
