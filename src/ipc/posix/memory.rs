//! POSIX shared memory.

use super::file::{FileKind, NamedFile};

/// A POSIX shared memory object, `shm_overview(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixMemory {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// Size in bytes.
    pub size: u64,
    /// Bytes that have been touched, and so take memory, swapped out or not.
    pub rss: u64,
    /// What it is.
    pub file_kind: FileKind,
    /// Whether a name of shared memory reaches it.
    pub status: MemoryStatus,
}

impl PosixMemory {
    /// How many bytes it is larger than what it holds: as much as touching it all would take.
    pub fn promised(&self) -> u64 {
        self.size.saturating_sub(self.rss)
    }
}

/// Whether a file of `/dev/shm` is an object: `shm_open(3)` reaches only what lies in that directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryStatus {
    /// It has a name there.
    Named,
    /// It lies in a subdirectory, and no program that shares memory by name can open it.
    Subdirectory,
    /// It was removed, and stays as long as somebody has it open or mapped.
    Deleted,
}

impl MemoryStatus {
    /// The word for it, if it is no object.
    pub fn name(self) -> Option<&'static str> {
        match self {
            MemoryStatus::Named => None,
            MemoryStatus::Subdirectory => Some("subdirectory"),
            MemoryStatus::Deleted => Some("deleted"),
        }
    }
}
