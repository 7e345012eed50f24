//! Whether `/proc` is mounted, and shows the processes that this process can see: `proc(5)`.

use std::fs;

/// Why `/proc` does not show the processes of this process's own namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProc {
    /// Nothing, or something else, is mounted there.
    #[error("there is no /proc here: as root, mount -t proc proc /proc")]
    Missing,
    /// It has the process ids of others.
    #[error(
        "/proc belongs to another process namespace: as root, mount -t proc proc /proc for this one"
    )]
    Foreign,
    /// It has nothing but processes, `subset=pid` in `proc(5)`.
    #[error("this /proc shows processes alone (mount option subset=pid)")]
    Partial,
}

/// Whether `/proc` shows the process ids of this process's own namespace.
pub fn check_proc() -> Result<(), BadProc> {
    let own = std::process::id().to_string();
    match fs::read_link("/proc/self") {
        Ok(link) if link.as_os_str() == own.as_str() => Ok(()),
        Ok(_) => Err(BadProc::Foreign),
        // The link leads nowhere for a process that has no number there.
        Err(_) if fs::symlink_metadata("/proc/self").is_ok() => Err(BadProc::Foreign),
        Err(_) => Err(BadProc::Missing),
    }
}
