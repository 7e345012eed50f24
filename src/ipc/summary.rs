//! All objects of a kind in one line.

use std::sync::Arc;

use super::{Home, Kind, Object, Reference, Snapshot};

/// The objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The kind.
    pub kind: Kind,
    /// How many there are; `None` if they could not be listed.
    pub count: Option<u64>,
    /// How many bytes of memory their content takes, swapped out or not. `None` for semaphores, and if it is
    /// unknown of any of them.
    pub memory: Option<u64>,
    /// How many bytes they may take: the sizes of memory, and what queues may hold. `None` as for `memory`.
    pub size: Option<u64>,
    /// The fullest queue, the largest memory, or the largest set; `None` if no object stands out.
    pub fullest: Option<Fullest>,
}

/// An object that stands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fullest {
    /// Where it lives, if several places are looked at.
    pub home: Option<Arc<Home>>,
    /// The object.
    pub reference: Reference,
    /// How it stands out.
    pub measure: Measure,
}

/// How an object stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A queue that holds this much of this limit.
    Fill {
        /// What it holds, in bytes or messages.
        used: u64,
        /// The most that it may hold.
        limit: u64,
        /// Whether both are bytes.
        is_bytes: bool,
    },
    /// Memory of this many bytes.
    Bytes(u64),
    /// A set of this many semaphores.
    Semaphores(u64),
}

impl Measure {
    /// Something to compare objects of one kind by: the share of a limit in millionths, or the size.
    fn rank(self) -> u128 {
        match self {
            Measure::Fill { used: 0, .. } => 0,
            Measure::Fill { used, limit, .. } => {
                u128::from(used) * 1_000_000 / u128::from(limit.max(1))
            }
            Measure::Bytes(size) | Measure::Semaphores(size) => size.into(),
        }
    }
}

impl Summary {
    /// The objects of this kind in a snapshot. The `max_bytes` of the queues must be known.
    pub fn of(kind: Kind, snapshot: &Snapshot) -> Summary {
        let mut summary =
            Summary { kind, count: Some(0), memory: Some(0), size: Some(0), fullest: None };
        let mut highest = 0;
        for object in snapshot.of_kind(kind) {
            summary.count = summary.count.map(|count| count + 1);
            let (memory, size) = bytes(object);
            summary.memory = sum(summary.memory, memory);
            summary.size = sum(summary.size, size);
            if let Some(measure) = measure(object)
                && measure.rank() > highest
            {
                highest = measure.rank();
                let reference = object.reference();
                summary.fullest = Some(Fullest { home: None, reference, measure });
            }
        }
        match kind {
            _ if snapshot.unlisted.contains(&kind) => {
                Summary { kind, count: None, memory: None, size: None, fullest: None }
            }
            Kind::Sem | Kind::Psem => Summary { memory: None, size: None, ..summary },
            Kind::Msg | Kind::Shm | Kind::Pmsg | Kind::Pshm => summary,
        }
    }
}

impl Summary {
    /// Adds the objects of another place.
    pub fn merge(&mut self, other: Summary) {
        self.count = sum(self.count, other.count);
        self.memory = sum(self.memory, other.memory);
        self.size = sum(self.size, other.size);
        let rank = |summary: &Option<Fullest>| summary.as_ref().map(|one| one.measure.rank());
        if rank(&other.fullest) > rank(&self.fullest) {
            self.fullest = other.fullest;
        }
    }
}

fn sum(total: Option<u64>, one: Option<u64>) -> Option<u64> {
    total.zip(one).map(|(total, one)| total.saturating_add(one))
}

/// How many bytes an object takes, and how many it may take.
fn bytes(object: &Object) -> (Option<u64>, Option<u64>) {
    match object {
        Object::Queue(queue) => (Some(queue.bytes), queue.max_bytes),
        Object::Segment(segment) => (sum(segment.rss, segment.swap), Some(segment.size)),
        Object::PosixQueue(queue) => (queue.bytes, queue.reserved_bytes()),
        Object::PosixMemory(memory) => (Some(memory.rss), Some(memory.size)),
        Object::SemaphoreSet(_) | Object::PosixSemaphore(_) => (None, None),
    }
}

fn measure(object: &Object) -> Option<Measure> {
    let fill = |(used, limit), is_bytes| Measure::Fill { used, limit, is_bytes };
    match object {
        Object::Queue(queue) => {
            let (used, limit) = queue.fill()?;
            Some(fill((used, limit), used == queue.bytes))
        }
        Object::PosixQueue(queue) => Some(fill(queue.fill()?, false)),
        Object::Segment(segment) => Some(Measure::Bytes(segment.size)),
        Object::PosixMemory(memory) => Some(Measure::Bytes(memory.size)),
        Object::SemaphoreSet(set) => Some(Measure::Semaphores(set.nsems)),
        Object::PosixSemaphore(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Key, Mode, Permissions, SemaphoreSet};

    fn set(id: i32, nsems: u64) -> Object {
        let mode = Mode::from_bits(0o600);
        let permissions = Permissions { key: Key::PRIVATE, uid: 0, gid: 0, cuid: 0, cgid: 0, mode };
        Object::SemaphoreSet(SemaphoreSet { id, permissions, changed: None, nsems, last_op: None })
    }

    #[test]
    fn the_first_of_the_largest_stands_out() {
        let objects = vec![set(0, 3), set(1, 5), set(2, 5)];
        let summary = Summary::of(Kind::Sem, &Snapshot { objects, unlisted: Vec::new() });
        assert_eq!((summary.count, summary.memory), (Some(3), None));
        let fullest = summary.fullest.unwrap();
        assert_eq!(fullest.reference, Reference::id(Kind::Sem, 1));
        assert_eq!(fullest.measure, Measure::Semaphores(5));
    }

    #[test]
    fn what_could_not_be_listed_is_not_none() {
        let snapshot = Snapshot { objects: Vec::new(), unlisted: vec![Kind::Pmsg] };
        assert_eq!(Summary::of(Kind::Pmsg, &snapshot).count, None);
        assert_eq!(Summary::of(Kind::Msg, &snapshot).count, Some(0));
    }

    #[test]
    fn a_full_queue_without_room_counts_as_full() {
        let full = Measure::Fill { used: 3, limit: 3, is_bytes: true };
        assert!(full.rank() > Measure::Fill { used: 99, limit: 100, is_bytes: true }.rank());
        assert!(Measure::Fill { used: 1, limit: 0, is_bytes: false }.rank() > 0);
        assert_eq!(Measure::Fill { used: 0, limit: 0, is_bytes: false }.rank(), 0);
    }
}
