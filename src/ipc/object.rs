//! The objects themselves, as `/proc/sysvipc` and the `*_STAT` commands tell of them.

use super::kind::Kind;
use super::permissions::Permissions;
use super::posix::{NamedFile, PosixMemory, PosixQueue, PosixSemaphore};
use super::reference::{Reference, Target};
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

/// A System V message queue, `struct msqid_ds` in `msgctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was made or last changed by `IPC_SET`.
    pub changed: Option<Time>,
    /// `msg_cbytes`: bytes of payload now on it.
    pub bytes: u64,
    /// `msg_qnum`: messages now on it.
    pub messages: u64,
    /// `msg_qbytes`: the most bytes it may hold. `/proc/sysvipc/msg` does not tell it.
    pub max_bytes: Option<u64>,
    /// Who last sent, and when; pid 0 for nobody.
    pub last_send_pid: i32,
    /// See `last_send_pid`.
    pub last_send: Option<Time>,
    /// Who last received, and when; pid 0 for nobody.
    pub last_recv_pid: i32,
    /// See `last_recv_pid`.
    pub last_recv: Option<Time>,
}

/// A System V shared memory segment, `struct shmid_ds` in `shmctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was made or last changed by `IPC_SET`.
    pub changed: Option<Time>,
    /// Size in bytes, as asked for when it was made.
    pub size: u64,
    /// `shm_nattch`: how often it is attached now.
    pub attached: u64,
    /// What the mode says beyond permissions.
    pub status: SegmentStatus,
    /// Bytes in memory; older kernels do not tell.
    pub rss: Option<u64>,
    /// Bytes swapped out; older kernels do not tell.
    pub swap: Option<u64>,
    /// Who made it.
    pub creator_pid: i32,
    /// Who last attached or detached it; 0 for nobody.
    pub last_pid: i32,
    /// When it was last attached.
    pub last_attach: Option<Time>,
    /// When it was last detached.
    pub last_detach: Option<Time>,
}

/// A System V semaphore set, `struct semid_ds` in `semctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemaphoreSet {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was made or last changed by `IPC_SET` or `SETVAL`.
    pub changed: Option<Time>,
    /// How many semaphores it has.
    pub nsems: u64,
    /// When `semop(2)` last succeeded on it.
    pub last_op: Option<Time>,
}

/// The bits of a segment's mode that are not permissions, `shmctl(2)` and the kernel's `shm.h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentStatus(u32);

impl SegmentStatus {
    const NAMES: [(u32, &'static str); 4] =
        [(0o1000, "dest"), (0o2000, "locked"), (0o4000, "hugetlb"), (0o10000, "noreserve")];

    /// The bits of a raw mode.
    pub fn from_mode(mode: u32) -> SegmentStatus {
        SegmentStatus(mode & !0o777)
    }

    /// The bits, as they stand in the raw mode.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Locked into memory.
    pub fn is_locked(self) -> bool {
        self.0 & 0o2000 != 0
    }

    /// Marked for destruction: it goes when the last process detaches.
    pub fn is_marked(self) -> bool {
        self.0 & 0o1000 != 0
    }

    /// The names of the bits that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(bit, _)| self.0 & bit != 0).map(|&(_, name)| name)
    }
}

/// One semaphore of a set, `semctl(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semaphore {
    /// Its number in the set, from 0.
    pub index: u32,
    /// `GETVAL`, 0 to 32,767.
    pub value: u32,
    /// `GETNCNT`: how many wait for it to grow.
    pub ncount: u32,
    /// `GETZCNT`: how many wait for it to be zero.
    pub zcount: u32,
    /// `GETPID`: who last operated on it; 0 for nobody.
    pub last_pid: i32,
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
                Object::Segment(segment) => (segment.rss, segment.swap) = (None, None),
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
