//! POSIX shared memory.

use super::file::{FileKind, NamedFile};

/// A POSIX shared memory object, `shm_overview(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixMemory {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// Size in bytes.
    pub size: u64,
    /// Bytes that were touched and so take memory, resident or swapped out.
    pub rss: u64,
    /// The type of the file.
    pub file_kind: FileKind,
    /// Whether it can be opened by name.
    pub status: MemoryStatus,
}

impl PosixMemory {
    /// How many bytes the object may still grow in memory: its size less what is touched so far.
    pub fn promised(&self) -> u64 {
        self.size.saturating_sub(self.rss)
    }
}

/// Whether a file of `/dev/shm` is an object. `shm_open(3)` reaches only files directly in that
/// directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryStatus {
    /// It has a name in the directory.
    Named,
    /// It is in a subdirectory, where no program can open it as shared memory.
    Subdirectory,
    /// It was removed, and exists as long as a process has it open or mapped.
    Deleted,
}

impl MemoryStatus {
    /// Its name in output; `None` for an object.
    pub fn name(self) -> Option<&'static str> {
        match self {
            MemoryStatus::Named => None,
            MemoryStatus::Subdirectory => Some("subdirectory"),
            MemoryStatus::Deleted => Some("deleted"),
        }
    }
}
