//! How much room `/dev/shm` has, `tmpfs(5)`.
#![deny(unsafe_code)]

use std::io;

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use super::DevShm;

/// The room of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that fit; nothing for no limit.
    pub bytes: Option<u64>,
    /// Bytes in use, swapped out or not.
    pub used_bytes: u64,
    /// Inodes that there may be: a file or directory takes one for each of its names, and extended
    /// attributes take a share. Nothing for no limit, in which case nobody counts them.
    pub inodes: Option<u64>,
    /// Inodes in use; 0 where nobody counts them.
    pub used_inodes: u64,
    /// Whether it is a `tmpfs`, which counts nothing but the memory of its files.
    pub is_tmpfs: bool,
}

impl Space {
    /// The room of `/dev/shm`, or why that is not known: `ENOENT` where it is missing.
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
