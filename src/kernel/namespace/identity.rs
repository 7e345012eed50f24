//! The identity of IPC namespaces, `namespaces(7)`: each has an inode number in nsfs, which the links
//! in `/proc/PID/ns` show.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ipc::Foreign;

/// The inode number of an IPC namespace, as `lsns(8)` shows it. It is unique while the namespace
/// exists, and may be reused afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(u64);

impl Identity {
    /// The namespace of process 1 on a machine: a constant in the kernel.
    const INITIAL: Identity = Identity(0xEFFF_FFFF);

    /// Whether it is the initial IPC namespace of the machine.
    pub fn is_initial(self) -> bool {
        self == Identity::INITIAL
    }

    /// The IPC namespace of a process. `EACCES` if the caller may not inspect it, `ENOENT` if it is
    /// gone.
    pub fn of(pid: i32) -> io::Result<Identity> {
        Identity::read(Path::new(&format!("/proc/{pid}/ns/ipc")))
    }

    /// The IPC namespace of a thread, which is usually that of its process.
    pub fn of_thread(pid: i32, thread: i32) -> io::Result<Identity> {
        Identity::read(Path::new(&format!("/proc/{pid}/task/{thread}/ns/ipc")))
    }

    fn read(link: &Path) -> io::Result<Identity> {
        let target = fs::read_link(link)?;
        parse(target.to_str().unwrap_or_default()).map(Identity).ok_or_else(|| {
            io::Error::other(format!(
                "{} leads to {}",
                Foreign::from(link),
                Foreign::from(&*target)
            ))
        })
    }
}

/// The number in the target of such a link: `ipc:[4026531839]`.
fn parse(target: &str) -> Option<u64> {
    target.strip_prefix("ipc:[")?.strip_suffix(']')?.parse().ok()
}

/// A file that refers to an IPC namespace: a link in `/proc/PID/ns`, or a bind mount of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle(PathBuf);

impl Handle {
    /// The file for the namespace of the calling process.
    pub fn own() -> Handle {
        Handle("/proc/self/ns/ipc".into())
    }

    /// Its path, to open it for `setns(2)` or `ioctl_ns(2)`.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The identity of the namespace. Fails without `/proc`.
    pub fn identity(&self) -> io::Result<Identity> {
        Identity::read(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_link() {
        assert_eq!(parse("ipc:[4026531839]").map(Identity), Some(Identity::INITIAL));
        for other in ["", "ipc:[]", "pid:[4026531836]", "ipc:[12", "/proc/1/ns/ipc"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn threads_and_processes_have_the_same_one() {
        let pid = std::process::id() as i32;
        let own = Handle::own().identity().unwrap();
        assert_eq!(Identity::of(pid).unwrap(), own);
        assert_eq!(Identity::of_thread(pid, pid).unwrap(), own);
        assert!(Identity::of(i32::MAX).is_err());
    }
}
