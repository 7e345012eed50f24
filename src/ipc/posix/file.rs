//! The files that POSIX objects are.

use super::name::Name;
use crate::ipc::{Permissions, Time};

/// The file that a POSIX object is, in a file system that lives in memory: `inode(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its name.
    pub name: Name,
    /// Its device and inode, which no other object has as long as it is there.
    pub identity: FileIdentity,
    /// Owner, group and mode.
    pub permissions: Permissions,
    /// When its content last changed: of a queue, when a message was last sent or received; of
    /// memory, when it was last written or resized by a system call, for the kernel takes no note
    /// of what goes through a mapping.
    pub modified: Option<Time>,
    /// When it was made, or where the file system does not tell, when anything of it last changed,
    /// which nobody can set.
    pub made_before: Option<Time>,
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device of its file system, as `stat(2)` gives it.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// What lies in `/dev/shm`, `inode(7)`. Only regular files are shared memory; the others are told
/// where everything there counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    Regular,
    /// A directory.
    Directory,
    /// A named pipe, `fifo(7)`.
    Pipe,
    /// A socket, `unix(7)`.
    Socket,
    /// A symbolic link, `symlink(7)`.
    Link,
    /// A device, `mknod(2)`.
    Device,
}

impl FileKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Regular => "file",
            FileKind::Directory => "directory",
            FileKind::Pipe => "named pipe",
            FileKind::Socket => "socket",
            FileKind::Link => "symbolic link",
            FileKind::Device => "device",
        }
    }
}
