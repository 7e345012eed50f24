//! POSIX objects: `mq_overview(7)`, `shm_overview(7)`, `sem_overview(7)`.

pub mod name;

use super::access::permissions::Permissions;
use super::time::Time;
use name::Name;

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
    /// When it was made, or where the file system does not tell, when anything of it last changed,
    /// which nobody can set.
    pub made_before: Option<Time>,
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
    /// What it is.
    pub file_kind: FileKind,
    /// Whether a name of shared memory reaches it.
    pub status: MemoryStatus,
}

impl PosixMemory {
    /// How many bytes it is larger than what it holds: as much as touching it all would take.
    pub fn promised(&self) -> u64 {
        self.size.saturating_sub(self.rss)
    }
}

/// Whether a file of `/dev/shm` is an object: `shm_open(3)` reaches only what lies in that directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryStatus {
    /// It has a name there.
    Named,
    /// It lies in a subdirectory, and no program that shares memory by name can open it.
    Subdirectory,
    /// It was removed, and stays as long as somebody has it open or mapped.
    Deleted,
}

impl MemoryStatus {
    /// The word for it, if it is no object.
    pub fn name(self) -> Option<&'static str> {
        match self {
            MemoryStatus::Named => None,
            MemoryStatus::Subdirectory => Some("subdirectory"),
            MemoryStatus::Deleted => Some("deleted"),
        }
    }
}

/// What lies in `/dev/shm`, `inode(7)`. Only regular files are shared memory; the others are told
/// where everything there counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    Regular,
    /// A directory.
    Directory,
    /// A named pipe, `fifo(7)`.
    Pipe,
    /// A socket, `unix(7)`.
    Socket,
    /// A symbolic link, `symlink(7)`.
    Link,
    /// A device, `mknod(2)`.
    Device,
}

impl FileKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Regular => "file",
            FileKind::Directory => "directory",
            FileKind::Pipe => "named pipe",
            FileKind::Socket => "socket",
            FileKind::Link => "symbolic link",
            FileKind::Device => "device",
        }
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SemaphoreState {
    /// Its value, 0 to 2,147,483,647, as `sem_getvalue(3)` gives it.
    pub value: u32,
    /// How many threads wait for it to grow, as the C library counts them: one that was killed while it
    /// waited stays in this count.
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
    /// - musl, which has its own place for them, [`SemaphoreState::from_musl`].
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
            _ => return SemaphoreState::from_musl(bytes),
        };
        (state.value <= i32::MAX as u32).then_some(state)
    }

    /// Reads what may be a `sem_t` of musl: 32 bytes, or 16 on a machine of 32 bits, with the value, the
    /// number of waiters, and 0 for shared. The highest bit of the value says that somebody waits, and is
    /// no part of it; before musl 1.2.4, -1 says so of a semaphore of value 0. What follows is not
    /// initialised. So no rule can tell a semaphore from any other memory of this size, which is as often
    /// full of zeros: this is for those who know, or say, that it may be one.
    pub fn from_musl(bytes: &[u8]) -> Option<SemaphoreState> {
        /// The most threads that Linux has.
        const MOST: u32 = 1 << 22;
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let [value, waiters, shared, _, rest @ ..] = words else { return None };
        let [value, waiters, shared] =
            [value, waiters, shared].map(|word| u32::from_ne_bytes(*word));
        let is_one = matches!(rest.len(), 0 | 4) && shared == 0 && waiters <= MOST;
        let value = if value == u32::MAX { 0 } else { value & i32::MAX as u32 };
        is_one.then_some(SemaphoreState { value, waiters })
    }
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
        assert_eq!(state(&[0x8000_0002, 1, 0, 0, 0, 0, 0, 0]), Some((2, 1)), "with a waiter");
        assert_eq!(state(&[u32::MAX, 1, 0, 0, 0, 0, 0, 0]), Some((0, 1)), "an older musl");
        assert_eq!(
            state(&[3, 0, 0, 0, 9, 9, 9, 9]),
            Some((3, 0)),
            "musl leaves the rest as it was"
        );
        assert_eq!(state(&[3, 0, 7, 0, 0, 0, 0, 0]), None);
        assert_eq!(state(&[3, 0x6c6c_6568, 0, 0, 0, 0, 0, 0]), None, "text");
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
