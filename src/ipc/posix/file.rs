//! The files behind POSIX objects.

use super::name::Name;
use crate::ipc::{Permissions, Time};

/// The file behind a POSIX object, in a file system in memory: `inode(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its name.
    pub name: Name,
    /// Its device and inode, unique as long as the object exists.
    pub identity: FileIdentity,
    /// Owner, group and mode.
    pub permissions: Permissions,
    /// When its content last changed. For a queue that is the last send or receive. For memory it is
    /// the last write or resize by a system call; the kernel does not record writes through a mapping.
    pub modified: Option<Time>,
    /// When it was created. If the file system does not record that, the last change of its inode,
    /// which no process can set.
    pub made_before: Option<Time>,
}

/// The identity of a file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device of its file system, as `stat(2)` reports it.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
}

/// The type of a file in `/dev/shm`, `inode(7)`. Only regular files are shared memory; the others are
/// shown where all files matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
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
    /// Its name in output.
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
