//! The objects themselves, as `/proc/sysvipc` and the `*_STAT` commands tell of them.

use std::time::Duration;

use super::access::permissions::Permissions;
use super::kind::Kind;
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
    /// Size in bytes of the huge pages that hold it, `SHM_HUGETLB` in `shmget(2)`; nothing for ordinary
    /// pages, and where that is not known: the kernel does not say so of a segment that nobody has
    /// attached.
    pub huge_page: Option<u64>,
    /// Bytes in memory; older kernels do not tell, see also [`Segment::set_huge_page`].
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

impl Segment {
    /// The words for its state: `dest`, `locked`, `hugetlb`. There is none for `SHM_NORESERVE`, of
    /// which the kernel keeps no trace that anybody can see.
    pub fn status_names(&self) -> impl Iterator<Item = &'static str> {
        self.status.names().chain(self.huge_page.map(|_| "hugetlb"))
    }

    /// Notes that pages of this size hold it, where ordinary ones have `page` bytes, and corrects
    /// `rss`: since Linux 6.7, the kernel takes the number of ordinary pages for that of huge ones.
    /// `resident` is what is in memory, in bytes, where somebody else knows it. Otherwise `rss` stays
    /// where it can be true, becomes what it must mean where it cannot, and is not known where it may be
    /// either.
    pub fn set_huge_page(&mut self, huge_page: u64, page: u64, resident: Option<u64>) {
        let room = self.size.div_ceil(huge_page).saturating_mul(huge_page);
        let factor = huge_page / page;
        self.huge_page = Some(huge_page);
        self.rss = match (self.rss, resident) {
            (Some(_), Some(resident)) => Some(resident),
            (Some(rss), None) if rss > room => Some(rss / factor),
            (Some(rss @ 1..), None) if rss % (huge_page * factor) == 0 => None,
            (rss, None) => rss,
            (None, _) => None,
        };
    }

    /// The size of its huge pages, one of `sizes`, if its `rss` proves that it has such pages: it is
    /// larger than the segment, as none of ordinary pages of `page` bytes can be.
    pub fn proven_huge_page(&self, sizes: &[u64], page: u64) -> Option<u64> {
        let rss = self.rss?;
        let is_proven = |&&huge_page: &&u64| {
            let factor = huge_page / page;
            let room = self.size.div_ceil(huge_page).saturating_mul(huge_page);
            rss > room && rss % (huge_page * factor) == 0 && rss / factor <= room
        };
        sizes.iter().find(is_proven).copied()
    }
}

/// The bits of a segment's mode that are not permissions, as the kernel's `shm.h` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentStatus(u32);

impl SegmentStatus {
    /// `SHM_HUGETLB` and `SHM_NORESERVE` are flags of `shmget(2)` alone: no mode has them.
    const NAMES: [(u32, &'static str); 2] = [(0o1000, "dest"), (0o2000, "locked")];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Key, Mode};

    const PAGE: u64 = 4096;
    const SIZES: [u64; 2] = [2 << 20, 1 << 30];

    fn segment(size: u64, rss: u64) -> Segment {
        let mode = Mode::from_bits(0o600);
        let permissions = Permissions { key: Key::PRIVATE, uid: 0, gid: 0, cuid: 0, cgid: 0, mode };
        Segment {
            id: 0,
            permissions,
            changed: None,
            size,
            attached: 0,
            status: SegmentStatus::default(),
            huge_page: None,
            rss: Some(rss),
            swap: Some(0),
            creator_pid: 0,
            last_pid: 0,
            last_attach: None,
            last_detach: None,
        }
    }

    #[test]
    fn more_in_memory_than_there_is_proves_huge_pages() {
        let proven = |size, rss| segment(size, rss).proven_huge_page(&SIZES, PAGE);
        assert_eq!(proven(4 << 20, 1 << 30), Some(2 << 20), "one of two pages");
        assert_eq!(proven(1 << 30, 1 << 48), Some(1 << 30), "the only page");
        assert_eq!(proven(4 << 20, 4 << 20), None);
        assert_eq!(proven(5000, 8192), None);
        assert_eq!(proven(5000, 2 << 20), None, "a transparent huge page");
        assert_eq!(proven(4 << 20, 3 << 30), None, "three of two pages");
    }

    #[test]
    fn what_is_in_memory_is_in_the_right_unit_or_not_known() {
        let mended = |size, rss, resident| {
            let mut segment = segment(size, rss);
            segment.set_huge_page(2 << 20, PAGE, resident);
            assert_eq!(segment.status_names().collect::<Vec<_>>(), ["hugetlb"]);
            segment.rss
        };
        assert_eq!(mended(4 << 20, 1 << 30, None), Some(2 << 20));
        assert_eq!(mended(4 << 20, 0, None), Some(0));
        assert_eq!(mended(4 << 20, 2 << 20, None), Some(2 << 20), "Linux before 6.7");
        assert_eq!(mended(2 << 30, 1 << 30, None), None, "half of it, or one page");
        assert_eq!(mended(2 << 30, 1 << 30, Some(2 << 20)), Some(2 << 20));
    }
}
