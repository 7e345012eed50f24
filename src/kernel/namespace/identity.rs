//! The identity of IPC namespaces, `namespaces(7)`: each has an inode number in nsfs, which the links
//! in `/proc/PID/ns` show.
#![allow(unsafe_code)]

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ipc::Foreign;
use crate::kernel::process::{self, is_initial_process_namespace, owner_of};

/// The inode number of an IPC namespace, as `lsns(8)` shows it. It is unique while the namespace
/// exists, and may be reused afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(u64);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Identity {
    /// The namespace of process 1 on a machine: a constant in the kernel.
    const INITIAL: Identity = Identity(0xEFFF_FFFF);

    /// The inode number.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The namespace with this number, whether it exists or not.
    pub fn numbered(number: u64) -> Identity {
        Identity(number)
    }

    /// Whether it is the initial IPC namespace of the machine.
    pub fn is_initial(self) -> bool {
        self == Identity::INITIAL
    }

    /// The IPC namespace of a process. `EACCES` if the caller may not inspect it, `ENOENT` if it is
    /// gone.
    pub fn of(pid: i32) -> io::Result<Identity> {
        Identity::read(Path::new(&format!("/proc/{pid}/ns/ipc")))
    }

    /// The IPC namespace of a process with the number of a thread that lives in it: another one if the first has
    /// ended. Errors as of [`Identity::of`].
    pub(in crate::kernel) fn of_living(pid: i32) -> io::Result<(i32, Identity)> {
        let of_first = Identity::of(pid);
        if of_first.is_err() {
            for thread in process::threads(pid)? {
                if let Ok(identity) = Identity::of_thread(pid, thread) {
                    return Ok((thread, identity));
                }
            }
        }
        Ok((pid, of_first?))
    }

    /// That of process 1; `None` if it is unknown.
    pub fn of_host() -> Option<Identity> {
        // Not even root may inspect it everywhere. That of the machine never leaves the initial namespace.
        Identity::of(1).ok().or_else(|| is_initial_process_namespace().then_some(Identity::INITIAL))
    }

    /// The namespace that the text of a link names: `ipc:[4026531839]`.
    pub(super) fn in_link(target: &Path) -> Option<Identity> {
        parse(target.to_str()?).map(Identity)
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
#[derive(Clone, Debug)]
pub struct Handle {
    path: PathBuf,
    /// Keeps the namespace alive, and its identity from being reused.
    open: Option<Arc<File>>,
}

impl Handle {
    /// The file for the namespace of the calling thread.
    pub fn own() -> Handle {
        Handle { path: OWN.into(), open: None }
    }

    /// The namespace to which this file refers, kept alive from now on. `EINVAL` if it refers to none,
    /// `EACCES` if the caller may not inspect its process.
    pub fn open(path: &Path) -> io::Result<Handle> {
        // A pipe would wait for somebody at its other end.
        let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        match kind(&file) {
            Ok(libc::CLONE_NEWIPC) => {}
            Ok(_) => return Err(io::Error::from_raw_os_error(libc::EINVAL)),
            // ENOTTY: no namespace at all.
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            Err(error) => return Err(error),
        }
        Ok(Handle {
            path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
            open: Some(Arc::new(file)),
        })
    }

    /// The namespace of a process, kept alive from now on.
    pub fn of(pid: i32) -> io::Result<Handle> {
        Handle::open(Path::new(&format!("/proc/{pid}/ns/ipc")))
    }

    /// The same namespace, whatever the calling process does: its own one is held by a descriptor.
    pub(super) fn held(&self) -> io::Result<Handle> {
        if self.open.is_some() { Ok(self.clone()) } else { Handle::open(&self.path) }
    }

    /// The open file, unless it is that of the calling process.
    pub(super) fn file(&self) -> Option<&File> {
        self.open.as_deref()
    }

    /// Its path, to open it for `setns(2)` or `ioctl_ns(2)`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the user namespace that owns it; `None` if the caller may not see that.
    pub fn owner(&self) -> Option<u64> {
        let owner = match &self.open {
            Some(file) => owner_of(file),
            None => owner_of(&File::open(&self.path).ok()?),
        };
        Some(owner.ok()?.metadata().ok()?.ino())
    }

    /// The identity of the namespace. Fails without `/proc`.
    pub fn identity(&self) -> io::Result<Identity> {
        match &self.open {
            Some(file) => Ok(Identity(file.metadata()?.ino())),
            None => Identity::read(&self.path),
        }
    }
}

/// The link of the calling thread, which may be elsewhere than the first thread of its process. Linux 3.17.
const OWN: &str = "/proc/thread-self/ns/ipc";

/// The type of the namespace that a file refers to, as a flag of `clone(2)`: `NS_GET_NSTYPE` in
/// `ioctl_ns(2)`.
fn kind(file: &File) -> io::Result<i32> {
    const NS_GET_NSTYPE: libc::Ioctl = 0xb703;
    // SAFETY: the request takes no argument and returns a number.
    let kind = unsafe { libc::ioctl(file.as_raw_fd(), NS_GET_NSTYPE) };
    if kind < 0 { Err(io::Error::last_os_error()) } else { Ok(kind) }
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
