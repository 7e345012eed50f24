//! Whether `/proc` is mounted and shows the processes of this namespace: `proc(5)`.

use std::fs;

/// Why `/proc` does not show the processes of this process's namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProc {
    /// It is missing, or another file system is mounted there.
    #[error("there is no /proc here: as root, mount -t proc proc /proc")]
    Missing,
    /// It shows the pids of another namespace.
    #[error(
        "/proc belongs to another process namespace: as root, mount -t proc proc /proc for this one"
    )]
    Foreign,
    /// It contains only processes, `subset=pid` in `proc(5)`.
    #[error("this /proc shows only processes (mount option subset=pid)")]
    Partial,
}

/// Checks that `/proc` shows the pids of this process's own namespace.
pub fn check_proc() -> Result<(), BadProc> {
    let own = std::process::id().to_string();
    match fs::read_link("/proc/self") {
        Ok(link) if link.as_os_str() == own.as_str() => Ok(()),
        Ok(_) => Err(BadProc::Foreign),
        // The link exists but is broken for a process that has no pid there.
        Err(_) if fs::symlink_metadata("/proc/self").is_ok() => Err(BadProc::Foreign),
        Err(_) => Err(BadProc::Missing),
    }
}
