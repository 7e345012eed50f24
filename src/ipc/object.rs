//! The IPC objects themselves, as `/proc/sysvipc` and the `*_STAT` commands report them.

use std::time::Duration;

use super::access::permissions::Permissions;
use super::kind::Kind;
use super::posix::{NamedFile, PosixMemory, PosixQueue, PosixSemaphore};
use super::reference::{Reference, Target};
use super::sysv::{Queue, Segment, SemaphoreSet};
use super::time::Time;

/// One IPC object of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A message queue.
    Queue(Queue),
    /// A shared memory segment.
    Segment(Segment),
    /// A semaphore set.
    SemaphoreSet(SemaphoreSet),
    /// A POSIX message queue.
    PosixQueue(PosixQueue),
    /// A POSIX shared memory object.
    PosixMemory(PosixMemory),
    /// A POSIX named semaphore.
    PosixSemaphore(PosixSemaphore),
}

impl Object {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Object::Queue(_) => Kind::Msg,
            Object::Segment(_) => Kind::Shm,
            Object::SemaphoreSet(_) => Kind::Sem,
            Object::PosixQueue(_) => Kind::Pmsg,
            Object::PosixMemory(_) => Kind::Pshm,
            Object::PosixSemaphore(_) => Kind::Psem,
        }
    }

    /// Its identifier; `None` for a POSIX object.
    pub fn id(&self) -> Option<i32> {
        match self {
            Object::Queue(queue) => Some(queue.id),
            Object::Segment(segment) => Some(segment.id),
            Object::SemaphoreSet(set) => Some(set.id),
            _ => None,
        }
    }

    /// Its file; `None` for a System V object.
    pub fn file(&self) -> Option<&NamedFile> {
        match self {
            Object::PosixQueue(queue) => Some(&queue.file),
            Object::PosixMemory(memory) => Some(&memory.file),
            Object::PosixSemaphore(semaphore) => Some(&semaphore.file),
            _ => None,
        }
    }

    /// The POSIX shared memory; `None` for other kinds.
    pub fn memory(&self) -> Option<&PosixMemory> {
        match self {
            Object::PosixMemory(memory) => Some(memory),
            Object::Queue(_)
            | Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixQueue(_)
            | Object::PosixSemaphore(_) => None,
        }
    }

    /// The reference that `list` prints: the id, which no later object shares, or the name.
    pub fn reference(&self) -> Reference {
        let kind = self.kind();
        match self {
            Object::Queue(Queue { id, .. })
            | Object::Segment(Segment { id, .. })
            | Object::SemaphoreSet(SemaphoreSet { id, .. }) => Reference::id(kind, *id),
            Object::PosixQueue(PosixQueue { file, .. })
            | Object::PosixMemory(PosixMemory { file, .. })
            | Object::PosixSemaphore(PosixSemaphore { file, .. }) => {
                Reference::name(kind, file.name.clone())
            }
        }
    }

    /// Whether `target` names this object, if it is of this kind.
    pub fn is_named(&self, target: &Target) -> bool {
        match target {
            Target::Id(id) => self.id() == Some(*id),
            Target::Key(key) => self.permissions().key == *key,
            Target::Name(name) => self.file().is_some_and(|file| file.name == *name),
        }
    }

    /// How many messages are on it; `None` if it is not a queue or that is not known.
    pub fn messages(&self) -> Option<u64> {
        match self {
            Object::Queue(queue) => Some(queue.messages),
            Object::PosixQueue(queue) => queue.messages,
            _ => None,
        }
    }

    /// Whether it is a queue that is certainly full.
    pub fn is_full(&self) -> bool {
        match self {
            Object::Queue(queue) => queue.is_full(),
            Object::PosixQueue(queue) => queue.is_full(),
            Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixMemory(_)
            | Object::PosixSemaphore(_) => false,
        }
    }

    /// Key, owners and mode.
    pub fn permissions(&self) -> &Permissions {
        match self {
            Object::Queue(queue) => &queue.permissions,
            Object::Segment(segment) => &segment.permissions,
            Object::SemaphoreSet(set) => &set.permissions,
            Object::PosixQueue(queue) => &queue.file.permissions,
            Object::PosixMemory(memory) => &memory.file.permissions,
            Object::PosixSemaphore(semaphore) => &semaphore.file.permissions,
        }
    }

    /// Whether it is a segment marked for destruction: it is destroyed when the last process detaches
    /// it.
    pub fn is_marked(&self) -> bool {
        matches!(self, Object::Segment(segment) if segment.status.is_marked())
    }

    /// Whether `later` is this object, possibly in another state, judged by what never changes.
    pub fn is_same(&self, later: &Object) -> bool {
        let (one, other) = (self.permissions(), later.permissions());
        let origin = |object: &Object| match object {
            Object::Segment(segment) => Some((segment.size, segment.creator_pid)),
            _ => None,
        };
        let identity = |object: &Object| object.file().map(|file| file.identity);
        self.reference() == later.reference()
            && identity(self) == identity(later)
            && (one.cuid, one.cgid) == (other.cuid, other.cgid)
            && origin(self) == origin(later)
    }

    /// Whether `later` is this object in the same state. How much of its memory is resident or swapped
    /// out does not count, nor do values that were not read.
    pub fn is_unchanged(&self, later: &Object) -> bool {
        let essence = |object: &Object| {
            let mut object = object.clone();
            match &mut object {
                Object::Queue(queue) => queue.max_bytes = None,
                Object::Segment(segment) => {
                    (segment.huge_page, segment.rss, segment.swap) = (None, None, None);
                }
                Object::PosixMemory(memory) => memory.rss = 0,
                Object::SemaphoreSet(_) | Object::PosixQueue(_) | Object::PosixSemaphore(_) => {}
            }
            object
        };
        essence(self) == essence(later)
    }

    /// When it was created or its owner or mode last changed; `None` for a POSIX object.
    pub fn changed(&self) -> Option<Time> {
        match self {
            Object::Queue(queue) => queue.changed,
            Object::Segment(segment) => segment.changed,
            Object::SemaphoreSet(set) => set.changed,
            _ => None,
        }
    }

    /// The earliest time at which it certainly existed, by its own records. A System V object does not
    /// record when it was created.
    pub fn made_before(&self) -> Option<Time> {
        let times = match self {
            Object::Queue(queue) => vec![queue.changed, queue.last_send, queue.last_recv],
            Object::Segment(segment) => {
                vec![segment.changed, segment.last_attach, segment.last_detach]
            }
            Object::SemaphoreSet(set) => vec![set.changed, set.last_op],
            Object::PosixQueue(PosixQueue { file, .. })
            | Object::PosixMemory(PosixMemory { file, .. })
            | Object::PosixSemaphore(PosixSemaphore { file, .. }) => vec![file.made_before],
        };
        times.into_iter().flatten().min()
    }

    /// Whether nothing has happened to it for at least this long, at the time `now`.
    pub fn is_idle(&self, least: Duration, now: Time) -> bool {
        self.last_operation().is_some_and(|last| last.age(now) >= least)
    }

    /// When it was last created, changed or used.
    pub fn last_operation(&self) -> Option<Time> {
        let used = match self {
            Object::Queue(queue) => queue.last_send.max(queue.last_recv),
            Object::Segment(segment) => segment.last_attach.max(segment.last_detach),
            Object::SemaphoreSet(set) => set.last_op,
            posix => posix.file().and_then(|file| file.modified),
        };
        used.max(self.changed())
    }
}

/// The slot of an id, its lower bits: the index in the kernel's table, which is reused when the object
/// is removed. It has 15 bits, or 24 if the kernel was booted with `ipcmni_extend`.
pub fn slot(id: i32, slot_bits: u32) -> i32 {
    id & ((1 << slot_bits) - 1)
}

/// The sequence number of an id, its upper bits. It grows as slots are reused.
pub fn sequence(id: i32, slot_bits: u32) -> i32 {
    id >> slot_bits
}
