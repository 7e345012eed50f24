//! Finds the directory of the POSIX message queues of an IPC namespace: `mq_overview(7)`, "Mounting the
//! message queue filesystem".
#![allow(unsafe_code)]

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::file::{self, Directory};
use super::mq_calls;
use crate::ipc::Name;
use crate::kernel::namespace::identity::{Handle, Identity};
use crate::kernel::namespace::inside_mounting;
use crate::kernel::process::mounts;

/// A directory of queues.
#[derive(Debug)]
pub(in crate::kernel) struct Found {
    pub directory: Directory,
    /// Whether it certainly belongs to the namespace.
    pub is_proven: bool,
}

/// The directory of the queues of one IPC namespace, searched once, when it is first needed.
#[derive(Debug)]
pub struct QueueMount {
    namespace: Handle,
    found: OnceCell<Option<Found>>,
}

impl QueueMount {
    /// For the IPC namespace of the calling process, which this handle must refer to: in another
    /// namespace the kernel would mount other queues.
    pub(in crate::kernel) fn of(namespace: Handle) -> QueueMount {
        QueueMount { namespace, found: OnceCell::new() }
    }

    /// The directory of the queues. A private mount is preferred, because a visible one may belong to
    /// another namespace. Without the privilege to mount, it is a visible mount that provably belongs
    /// to this namespace or, failing that, one that may. `None` if the kernel has no POSIX queues.
    pub(in crate::kernel) fn directory(&self) -> io::Result<Option<&Found>> {
        if let Some(found) = self.found.get() {
            return Ok(found.as_ref());
        }
        let found = self.find()?;
        Ok(self.found.get_or_init(|| found).as_ref())
    }

    fn find(&self) -> io::Result<Option<Found>> {
        let error = match inside_mounting(detached_mount) {
            Ok(mount) => {
                let directory = Directory::of_mount(mount);
                match directory.is_there() {
                    Ok(()) => return Ok(Some(Found { directory, is_proven: true })),
                    Err(error) => error,
                }
            }
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(None),
            Err(error) => error,
        };
        let mut likely = None;
        for path in visible_mounts() {
            let directory = Directory::at(&path);
            match self.is_own(&path) {
                Some(true) => return Ok(Some(Found { directory, is_proven: true })),
                Some(false) => {}
                None => likely = likely.or(Some(Found { directory, is_proven: false })),
            }
        }
        likely.map(Some).ok_or(error)
    }

    /// The directory with the file of a queue, if it can be reached. A directory that may belong to
    /// another namespace counts only if it has such a file.
    pub(in crate::kernel) fn directory_of(&self, name: &Name) -> Option<&Directory> {
        let found = self.directory().ok().flatten()?;
        let is_certain = found.is_proven || found.directory.find(name.behind_slash()).is_ok();
        is_certain.then_some(&found.directory)
    }

    /// Whether a visible mount shows the queues of this namespace; `None` if that is unknown. A queue
    /// in it that can be opened by name decides. Without one, `/dev/mqueue` in the initial namespace
    /// counts as its own.
    fn is_own(&self, path: &Path) -> Option<bool> {
        let directory = Directory::at(path);
        let mut is_own = None;
        let read = directory.read(
            |_| true,
            |file_name, data| {
                let named = match mq_calls::open(&Name::of_file(file_name), libc::O_RDONLY) {
                    Ok(queue) => queue.identity().ok(),
                    Err(error) if error.errno == Errno::ENOENT => {
                        // Removed meanwhile, or in another namespace.
                        is_own = is_own.or(directory.find(file_name).is_ok().then_some(false));
                        return Ok(());
                    }
                    Err(_) => return Ok(()),
                };
                is_own = is_own.or(named.map(|named| named == file::identity(data)));
                Ok::<_, std::convert::Infallible>(())
            },
        );
        if read.is_err() {
            return Some(false);
        }
        let is_machines = self.namespace.identity().is_ok_and(Identity::is_initial)
            && path.as_os_str() == "/dev/mqueue";
        is_own.or(is_machines.then_some(true))
    }
}

/// A mount that is not attached anywhere: `fsopen(2)`, `fsconfig(2)` and `fsmount(2)`, Linux 5.2.
fn detached_mount() -> io::Result<File> {
    const FSOPEN_CLOEXEC: u32 = 1;
    const FSCONFIG_CMD_CREATE: u32 = 6;
    const FSMOUNT_CLOEXEC: u32 = 1;
    // SAFETY: the name is a C string; the call returns a new descriptor.
    let context =
        descriptor(unsafe { libc::syscall(libc::SYS_fsopen, c"mqueue".as_ptr(), FSOPEN_CLOEXEC) })?;
    let none = std::ptr::null::<libc::c_char>();
    // SAFETY: this command takes neither key nor value.
    let created = unsafe {
        libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), FSCONFIG_CMD_CREATE, none, none, 0)
    };
    if created < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: takes plain numbers, returns a new descriptor.
    descriptor(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), FSMOUNT_CLOEXEC, 0) })
}

fn descriptor(returned: libc::c_long) -> io::Result<File> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, so nothing else owns it.
    Ok(unsafe { File::from_raw_fd(returned as RawFd) })
}

/// Where mqueue file systems are mounted.
fn visible_mounts() -> impl Iterator<Item = PathBuf> {
    let mounts = mounts::own().unwrap_or_default().into_iter();
    mounts.filter(|mount| mount.kind == "mqueue").map(|mount| mount.point)
}

/// Opens a queue by its file, for reading if that is permitted, otherwise for writing.
pub(in crate::kernel) fn open(directory: &Directory, name: &Name) -> io::Result<File> {
    let open = |access| directory.open(name.behind_slash(), access);
    open(libc::O_RDONLY).or_else(|_| open(libc::O_WRONLY))
}
