//! System V objects, `sysvipc(7)`.

pub mod key;
pub mod queue;
pub mod segment;
pub mod semaphore_set;

pub use queue::Queue;
pub use segment::{Segment, SegmentStatus};
pub use semaphore_set::{Semaphore, SemaphoreSet};
