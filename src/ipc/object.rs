//! The objects themselves, as `/proc/sysvipc` and the `*_STAT` commands tell of them.

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
    /// What it is.
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

    /// Its identifier, if it is of System V.
    pub fn id(&self) -> Option<i32> {
        match self {
            Object::Queue(queue) => Some(queue.id),
            Object::Segment(segment) => Some(segment.id),
            Object::SemaphoreSet(set) => Some(set.id),
            _ => None,
        }
    }

    /// Its file, if it is of POSIX.
    pub fn file(&self) -> Option<&NamedFile> {
        match self {
            Object::PosixQueue(queue) => Some(&queue.file),
            Object::PosixMemory(memory) => Some(&memory.file),
            Object::PosixSemaphore(semaphore) => Some(&semaphore.file),
            _ => None,
        }
    }

    /// What it is as POSIX shared memory, if it is that.
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

    /// The reference that `list` prints: by id, which names this object and no later one, or by
    /// name.
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

    /// Whether this is the object that a reference means, if it is of its kind.
    pub fn is_named(&self, target: &Target) -> bool {
        match target {
            Target::Id(id) => self.id() == Some(*id),
            Target::Key(key) => self.permissions().key == *key,
            Target::Name(name) => self.file().is_some_and(|file| file.name == *name),
        }
    }

    /// How many messages lie on it, if it is a queue and tells.
    pub fn messages(&self) -> Option<u64> {
        match self {
            Object::Queue(queue) => Some(queue.messages),
            Object::PosixQueue(queue) => queue.messages,
            _ => None,
        }
    }

    /// Whether it is a queue that certainly takes no further message.
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

    /// Whether it is a segment that goes when the last process detaches it.
    pub fn is_marked(&self) -> bool {
        matches!(self, Object::Segment(segment) if segment.status.is_marked())
    }

    /// Whether this is the same object, in whatever state, as far as what never changes tells.
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

    /// Whether this is the same object in the same state: what the kernel does with its memory, and
    /// what was not asked for, does not count.
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

    /// When it was made or its owner or mode last changed, if it is of System V.
    pub fn changed(&self) -> Option<Time> {
        match self {
            Object::Queue(queue) => queue.changed,
            Object::Segment(segment) => segment.changed,
            Object::SemaphoreSet(set) => set.changed,
            _ => None,
        }
    }

    /// The earliest time by which it was certainly there, as its own records tell: when it was made
    /// is not among them, of System V.
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

    /// Whether nothing has happened to it for so long, at the time `now`.
    pub fn is_idle(&self, least: Duration, now: Time) -> bool {
        self.last_operation().is_some_and(|last| last.age(now) >= least)
    }

    /// When anything last happened to it: it was made, changed or used.
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

/// The slot of an id, its lower bits: the index in the kernel's table, used again when the object
/// is gone. Slots have 15 bits, or 24 where the kernel was booted with `ipcmni_extend`.
pub fn slot(id: i32, slot_bits: u32) -> i32 {
    id & ((1 << slot_bits) - 1)
}

/// The sequence of an id, its upper bits: it grows each time slots are used again.
pub fn sequence(id: i32, slot_bits: u32) -> i32 {
    id >> slot_bits
}
