//! POSIX objects: `mq_overview(7)`, `shm_overview(7)`, `sem_overview(7)`.

pub mod file;
pub mod memory;
pub mod name;
pub mod pattern;
pub mod queue;
pub mod semaphore;

pub use file::{FileIdentity, FileKind, NamedFile};
pub use memory::{MemoryStatus, PosixMemory};
pub use name::Name;
pub use pattern::{InvalidPattern, Pattern};
pub use queue::{PosixQueue, reserved_bytes};
pub use semaphore::{PosixSemaphore, SemaphoreState};
