//! The space in `/dev/shm`, `tmpfs(5)`.
#![deny(unsafe_code)]

use std::io;

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use super::DevShm;

/// The space in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Its capacity in bytes; `None` for unlimited.
    pub bytes: Option<u64>,
    /// Bytes in use, in memory or swapped out.
    pub used_bytes: u64,
    /// The maximum number of inodes: a file or directory takes one for each of its names, and extended
    /// attributes take a share. `None` for unlimited; then they are not counted.
    pub inodes: Option<u64>,
    /// Inodes in use; 0 if they are not counted.
    pub used_inodes: u64,
    /// Whether it is a `tmpfs`, in which only the memory of files counts.
    pub is_tmpfs: bool,
}

impl Space {
    /// Reads the space of `/dev/shm`. `ENOENT` if it does not exist.
    pub fn read(shm: &DevShm) -> io::Result<Space> {
        let data = statfs(shm.path())?;
        let block = u64::try_from(data.block_size()).unwrap_or(0);
        let limit = |number: u64| (number > 0).then_some(number);
        Ok(Space {
            bytes: limit(data.blocks().saturating_mul(block)),
            used_bytes: data.blocks().saturating_sub(data.blocks_free()).saturating_mul(block),
            inodes: limit(data.files()),
            used_inodes: data.files().saturating_sub(data.files_free()),
            is_tmpfs: data.filesystem_type() == TMPFS_MAGIC,
        })
    }
}
