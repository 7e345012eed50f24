//! POSIX message queues, `mq_overview(7)`.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::mqueue::{MQ_OFlag, mq_close, mq_getattr, mq_open};
use nix::sys::stat::Mode;

use super::scan;

/// What the POSIX queues of this IPC namespace count for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// All queues, `fs.mqueue.queues_max`.
    pub queues: u64,
    /// Bytes charged to the caller for those he owns, `RLIMIT_MSGQUEUE`; nothing if one of them
    /// cannot be opened.
    pub charged: Option<u64>,
}

/// Counts the queues in the message queue file system of this IPC namespace, and what `uid` is
/// charged for his.
pub fn census(uid: u32) -> io::Result<Census> {
    let (mount, _keep) = file_system()?;
    let mut census = Census { queues: 0, charged: Some(0) };
    for entry in fs::read_dir(mount)? {
        let entry = entry?;
        // Gone since the directory was read.
        let Ok(data) = entry.metadata() else { continue };
        census.queues += 1;
        if data.uid() == uid {
            let reserved = reserved_bytes(Path::new(&entry.file_name()));
            census.charged = census.charged.zip(reserved).map(|(sum, bytes)| sum + bytes);
        }
    }
    Ok(census)
}

/// The bytes that the kernel charges for a queue: for its capacity and not for its content, since
/// Linux 3.5, `getrlimit(2)`, `RLIMIT_MSGQUEUE`.
fn reserved_bytes(name: &Path) -> Option<u64> {
    /// The size of `struct msg_msg` and of `struct posix_msg_tree_node`.
    const STRUCT: u64 = if cfg!(target_pointer_width = "64") { 48 } else { 24 };
    const MQ_PRIO_MAX: u64 = 32_768;
    let mut path = b"/".to_vec();
    path.extend_from_slice(name.as_os_str().as_bytes());
    let path = CString::new(path).ok()?;
    let open = |access| mq_open(path.as_c_str(), access | MQ_OFlag::O_CLOEXEC, Mode::empty(), None);
    let queue = open(MQ_OFlag::O_RDONLY).or_else(|_| open(MQ_OFlag::O_WRONLY)).ok()?;
    let attributes = mq_getattr(&queue);
    let _ = mq_close(queue);
    let attributes = attributes.ok()?;
    let messages = u64::try_from(attributes.maxmsg()).ok()?;
    let size = u64::try_from(attributes.msgsize()).ok()?;
    Some(messages * STRUCT + messages.min(MQ_PRIO_MAX) * STRUCT + messages * size)
}

/// A directory with the queues of this IPC namespace: a mount of its own that nobody else sees,
/// for a visible one may be that of another namespace. Where that takes a privilege that is
/// lacking, `/dev/mqueue`. It lasts as long as the file.
fn file_system() -> io::Result<(PathBuf, Option<File>)> {
    match detached_mount() {
        Ok(mount) => Ok((format!("/proc/self/fd/{}", mount.as_raw_fd()).into(), Some(mount))),
        // That is the mount of the machine's namespace, whoever looks.
        Err(error) => match scan::is_initial() && is_mounted() {
            true => Ok(("/dev/mqueue".into(), None)),
            false => Err(error),
        },
    }
}

fn is_mounted() -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|line| {
        let mut words = line.split(' ').skip(1);
        words.next() == Some("/dev/mqueue") && words.next() == Some("mqueue")
    })
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
