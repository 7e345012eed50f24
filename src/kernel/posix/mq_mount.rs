//! Where the POSIX message queues of this IPC namespace lie: `mq_overview(7)`, "Mounting the message
//! queue filesystem".

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::path::PathBuf;

use nix::errno::Errno;

use super::file::{self, Directory};
use super::mq;
use crate::ipc::Name;
use crate::kernel::process::{mounts, scan};

/// A directory of queues.
pub(in crate::kernel) struct Found {
    pub directory: Directory,
    /// Whether it certainly is that of this IPC namespace.
    pub is_proven: bool,
}

/// The directory of the queues: a mount of its own that nobody else sees, for a visible one may be
/// that of another namespace, or none. Where that takes a privilege that is lacking, a visible one
/// that proves to be the right one, or else one that does not prove to be a wrong one. Nothing where
/// the kernel has no such queues.
pub(in crate::kernel) fn directory() -> io::Result<Option<Found>> {
    let error = match detached_mount() {
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
        match is_own(&path) {
            Some(true) => return Ok(Some(Found { directory, is_proven: true })),
            Some(false) => {}
            None => likely = likely.or(Some(Found { directory, is_proven: false })),
        }
    }
    likely.map(Some).ok_or(error)
}

/// `fsopen(2)`, `fsconfig(2)` and `fsmount(2)`, Linux 5.2.
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
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { File::from_raw_fd(returned as RawFd) })
}

/// Where such file systems are mounted.
fn visible_mounts() -> impl Iterator<Item = PathBuf> {
    let mounts = mounts::own().unwrap_or_default().into_iter();
    mounts.filter(|mount| mount.kind == "mqueue").map(|mount| mount.point)
}

/// Whether a visible mount shows the queues of this namespace. A queue that it shows and that can be
/// opened by its name decides; where there is none, the machine's own mount is that of its namespace.
fn is_own(path: &PathBuf) -> Option<bool> {
    let directory = Directory::at(path);
    let mut is_own = None;
    let read = directory.read(
        |_| true,
        |file_name, data| {
            let named = match mq::open(&Name::of_file(file_name), libc::O_RDONLY) {
                Ok(queue) => queue.identity().ok(),
                Err(error) if error.errno == Errno::ENOENT => {
                    // Gone since, or of another namespace.
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
    let is_machines = scan::is_initial() && path.as_os_str() == "/dev/mqueue";
    is_own.or(is_machines.then_some(true))
}

/// Opens a queue by its file, for reading if that is allowed, else for writing.
pub(in crate::kernel) fn open(directory: &Directory, name: &Name) -> io::Result<File> {
    let open = |access: &mut OpenOptions| directory.open(name.behind_slash(), access);
    open(OpenOptions::new().read(true)).or_else(|_| open(OpenOptions::new().write(true)))
}
