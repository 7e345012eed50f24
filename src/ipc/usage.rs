//! How much of what the limits count is in use.

use super::object::Object;

/// Sums over the objects of an IPC namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Message queues.
    pub queues: u64,
    /// Segments, those marked for destruction included.
    pub segments: u64,
    /// Pages of memory that all segments together may take: each size rounded up.
    pub pages: u64,
    /// Semaphore sets.
    pub sets: u64,
    /// Semaphores in all sets.
    pub semaphores: u64,
}

impl Usage {
    /// Adds up these objects, for pages of this many bytes.
    pub fn of(objects: &[Object], page_size: u64) -> Usage {
        let mut usage = Usage::default();
        for object in objects {
            match object {
                Object::Queue(_) => usage.queues += 1,
                Object::Segment(segment) => {
                    usage.segments += 1;
                    usage.pages += segment.size.div_ceil(page_size);
                }
                Object::SemaphoreSet(set) => {
                    usage.sets += 1;
                    usage.semaphores += set.nsems;
                }
            }
        }
        usage
    }
}
