//! System V objects, `sysvipc(7)`.

pub mod key;
pub mod operation;
pub mod queue;
pub mod segment;
pub mod semaphore_set;

pub use operation::Operation;
pub use queue::Queue;
pub use segment::{Segment, SegmentStatus};
pub use semaphore_set::{Semaphore, SemaphoreSet};
