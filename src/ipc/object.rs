//! The objects themselves, as `/proc/sysvipc` and the `*_STAT` commands tell of them.

use super::kind::Kind;
use super::name::Name;
use super::permissions::Permissions;
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

/// The file that a POSIX object is, in a file system that lives in memory: `inode(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its name.
    pub name: Name,
    /// Its device and inode, which no other object has as long as it is there.
    pub identity: FileIdentity,
    /// Owner, group and mode.
    pub permissions: Permissions,
    /// When its content last changed: of a queue, when a message was last sent or received; of
    /// memory, when it was last written or resized by a system call, for the kernel takes no note
    /// of what goes through a mapping.
    pub modified: Option<Time>,
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device of its file system, as `stat(2)` gives it.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// A POSIX message queue, `mq_getattr(3)` and `mq_overview(7)`. What takes permission to open it is
/// absent where that is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixQueue {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// `mq_curmsgs`: messages now on it.
    pub messages: Option<u64>,
    /// `QSIZE`: bytes of payload now on it. Takes read permission.
    pub bytes: Option<u64>,
    /// `mq_maxmsg`: the most messages that it may hold.
    pub max_messages: Option<u64>,
    /// `mq_msgsize`: the most bytes that one message may have.
    pub message_size: Option<u64>,
    /// `NOTIFY_PID`: who asked to be told of the next message, `mq_notify(3)`. 0 for nobody, and
    /// where read permission is lacking.
    pub notified_pid: i32,
}

impl PosixQueue {
    /// The bytes that the kernel charges its owner for, [`reserved_bytes`].
    pub fn reserved_bytes(&self) -> Option<u64> {
        Some(reserved_bytes(self.max_messages?, self.message_size?))
    }

    /// Whether there is no room for another message.
    pub fn is_full(&self) -> bool {
        self.messages.zip(self.max_messages).is_some_and(|(now, most)| now >= most)
    }
}

/// The bytes that a POSIX queue of this shape takes of `RLIMIT_MSGQUEUE`: for its capacity and not
/// for its content, since Linux 3.5, `getrlimit(2)`.
pub fn reserved_bytes(max_messages: u64, message_size: u64) -> u64 {
    /// The size of `struct msg_msg`, and of `struct posix_msg_tree_node`.
    const STRUCT: u64 = if cfg!(target_pointer_width = "64") { 48 } else { 24 };
    const MQ_PRIO_MAX: u64 = 32_768;
    let tree = max_messages.saturating_add(max_messages.min(MQ_PRIO_MAX)).saturating_mul(STRUCT);
    tree.saturating_add(max_messages.saturating_mul(message_size))
}

/// A POSIX shared memory object, `shm_overview(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixMemory {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// Size in bytes.
    pub size: u64,
    /// Bytes that have been touched, and so take memory, swapped out or not.
    pub rss: u64,
}

/// A POSIX named semaphore, `sem_overview(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixSemaphore {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// Its value and who waits; nothing where it may not be read, or is laid out in a way that is
    /// not known.
    pub state: Option<SemaphoreState>,
}

/// What a named semaphore says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemaphoreState {
    /// Its value, 0 to 2,147,483,647, as `sem_getvalue(3)` gives it.
    pub value: u32,
    /// How many threads wait for it to grow.
    pub waiters: u32,
}

impl SemaphoreState {
    /// Reads the `sem_t` that the file of a named semaphore holds, without touching it. The layouts
    /// are those of the C libraries, which give no other way to look at one that may only be read:
    ///
    /// - glibc, 64 bits (32 bytes): a word of 64 bits with the value in its lower half and the number
    ///   of waiters in its upper one, then the mark 128 of a shared semaphore, then nothing;
    /// - glibc, 32 bits (16 bytes): twice the value (its lowest bit tells of waiters), 128, nothing,
    ///   waiters;
    /// - musl (32 or 16 bytes): the value (its highest bit tells of waiters), waiters, 0 for shared.
    pub fn from_file(bytes: &[u8]) -> Option<SemaphoreState> {
        const GLIBC_SHARED: u32 = 128;
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let words: Vec<u32> = words.iter().map(|word| u32::from_ne_bytes(*word)).collect();
        let state = match *words.as_slice() {
            [first, second, GLIBC_SHARED, 0, 0, 0, 0, 0] => {
                let (value, waiters) =
                    if cfg!(target_endian = "little") { (first, second) } else { (second, first) };
                SemaphoreState { value, waiters }
            }
            [doubled, GLIBC_SHARED, _, waiters] => SemaphoreState { value: doubled >> 1, waiters },
            [value, waiters, 0, ..] if matches!(words.len(), 4 | 8) => {
                SemaphoreState { value: value & i32::MAX as u32, waiters }
            }
            _ => return None,
        };
        (state.value <= i32::MAX as u32).then_some(state)
    }
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
    use proptest::prelude::*;

    #[test]
    fn the_layouts_of_a_named_semaphore() {
        let state = |words: &[u32]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            SemaphoreState::from_file(&bytes).map(|state| (state.value, state.waiters))
        };
        if cfg!(target_endian = "little") {
            assert_eq!(state(&[3, 2, 128, 0, 0, 0, 0, 0]), Some((3, 2)), "glibc, 64 bits");
        }
        assert_eq!(state(&[7, 128, 0, 1]), Some((3, 1)), "glibc, 32 bits");
        assert_eq!(state(&[3, 0, 0, 0, 0, 0, 0, 0]), Some((3, 0)), "musl, 64 bits");
        assert_eq!(state(&[0x8000_0000, 1, 0, 0]), Some((0, 1)), "musl, 32 bits, with a waiter");
        assert_eq!(state(&[3, 0, 7, 0, 0, 0, 0, 0]), None);
        assert_eq!(state(&[3, 0, 0]), None);
        assert_eq!(SemaphoreState::from_file(&[0; 33]), None);
    }

    #[test]
    fn what_a_queue_is_charged() {
        if cfg!(target_pointer_width = "64") {
            assert_eq!(reserved_bytes(10, 8192), 82_880);
            assert_eq!(reserved_bytes(65_536, 1), 65_536 * 48 + 32_768 * 48 + 65_536);
        }
    }

    proptest! {
        #[test]
        fn nothing_overflows(most: u64, size: u64, bytes: Vec<u8>) {
            let _ = (reserved_bytes(most, size), SemaphoreState::from_file(&bytes));
        }
    }
}
