//! How much of what the limits count is in use.

use std::collections::BTreeMap;

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
                // No limit counts them but that of the bytes of queues, which `charged` adds up.
                Object::PosixQueue(_) | Object::PosixMemory(_) | Object::PosixSemaphore(_) => {}
            }
        }
        usage
    }
}

/// The bytes that each owner of POSIX queues is charged for theirs, by user id; nothing for one of
/// whose queues the shape is not known. Whoever made a queue pays for it, and mostly owns it still.
pub fn charged(objects: &[Object]) -> BTreeMap<u32, Option<u64>> {
    let mut sums = BTreeMap::new();
    for object in objects {
        if let Object::PosixQueue(queue) = object {
            let sum = sums.entry(queue.file.permissions.uid).or_insert(Some(0u64));
            *sum = sum.zip(queue.reserved_bytes()).map(|(sum, bytes)| sum.saturating_add(bytes));
        }
    }
    sums
}
