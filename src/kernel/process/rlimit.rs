//! Resource limits: `getrlimit(2)` for this process, `proc_pid_limits(5)` for others.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};

use super::pids::all;
use super::proc_file;

/// The soft and the hard limit of this process on a resource, each `None` for unlimited. `None` if the
/// kernel does not have the resource.
#[allow(clippy::useless_conversion, reason = "a limit has 32 bits on some machines")]
pub(in crate::kernel) fn rlimit(resource: Resource) -> Option<[Option<u64>; 2]> {
    let (soft, hard) = getrlimit(resource).ok()?;
    Some([soft, hard].map(|limit| (limit != RLIM_INFINITY).then_some(limit.into())))
}

/// The same limits of another process, as far as this program asks for them.
pub(super) fn rlimit_of(pid: i32, resource: Resource) -> Option<[Option<u64>; 2]> {
    let label = match resource {
        Resource::RLIMIT_MSGQUEUE => "Max msgqueue size",
        Resource::RLIMIT_NOFILE => "Max open files",
        Resource::RLIMIT_MEMLOCK => "Max locked memory",
        _ => return None,
    };
    let limits = proc_file::read_to_string(&format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix(label))?;
    let mut words = line.split_ascii_whitespace();
    // Text other than a number is "unlimited".
    Some([words.next()?.parse().ok(), words.next()?.parse().ok()])
}

/// Lowers the soft limit of this process on bytes for POSIX message queues (`RLIMIT_MSGQUEUE`) to this, if it is above.
#[allow(clippy::useless_conversion, reason = "a limit has 32 bits on some machines")]
pub fn lower_queue_bytes(most: u64) -> nix::Result<()> {
    let most = rlim_t::try_from(most).unwrap_or(RLIM_INFINITY);
    let (soft, hard) = getrlimit(Resource::RLIMIT_MSGQUEUE)?;
    if soft > most { setrlimit(Resource::RLIMIT_MSGQUEUE, most, hard) } else { Ok(()) }
}

/// The process of a user with the lowest soft limit on bytes for POSIX message queues
/// (`RLIMIT_MSGQUEUE`), and that limit; `None` for unlimited.
pub fn least_queue_bytes(uid: u32) -> Option<(i32, Option<u64>)> {
    let limit = |pid: i32| {
        let directory = format!("/proc/{pid}");
        if fs::metadata(&directory).ok()?.uid() != uid {
            return None;
        }
        let [soft, _] = rlimit_of(pid, Resource::RLIMIT_MSGQUEUE)?;
        Some((pid, soft))
    };
    all().filter_map(limit).min_by_key(|&(pid, bytes)| (bytes.unwrap_or(u64::MAX), pid))
}
