//! Files of `/dev/shm` as the calls of the C library that use them: `shm_overview(7)`, `sem_overview(7)`.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use libc::c_int;

use crate::kernel::call::{Call, Pointed};

/// Where the C library has its shared memory and semaphores.
const DIRECTORY: &[u8] = b"/dev/shm/";

/// What the C library puts before the name of a semaphore, `sem_overview(7)`.
const SEMAPHORE: &[u8] = b"sem.";

/// How a call on a file is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// `open(2)` with these flags and this mode.
    Opened(c_int, u32),
    /// `openat(2)`, with the directory first.
    OpenedAt(c_int, c_int, u32),
    Unlinked,
    /// `unlinkat(2)`: the directory and the flags.
    UnlinkedAt(c_int, c_int),
    Truncated(u64),
    /// `link(2)`, of which only the new name counts.
    Linked,
    /// `sem_open(3)`, put together from several calls: its flags, mode and value. The path is the name.
    Semaphore(Option<c_int>, u32, u32),
    /// `sem_unlink(3)`. The path is the name.
    SemaphoreUnlinked,
}

/// Flags that `shm_open(3)` always adds.
const OF_SHM_OPEN: c_int = libc::O_NOFOLLOW | libc::O_CLOEXEC;

impl Shown {
    pub fn opened(flags: c_int, mode: u32) -> Shown {
        Shown::Opened(flags, mode)
    }

    pub fn opened_at(directory: c_int, flags: c_int, mode: u32) -> Shown {
        Shown::OpenedAt(directory, flags, mode)
    }

    /// The flags and the mode with which the file is opened.
    pub fn opening(self) -> Option<(c_int, u32)> {
        match self {
            Shown::Opened(flags, mode) => Some((flags, mode)),
            Shown::OpenedAt(libc::AT_FDCWD, flags, mode) => Some((flags, mode)),
            _ => None,
        }
    }

    /// Whether it removes the name of the file.
    pub fn is_unlinking(self) -> bool {
        matches!(self, Shown::Unlinked | Shown::UnlinkedAt(libc::AT_FDCWD, 0))
    }

    /// The call on the file with this path, in the words of the C library where only that makes such a call.
    pub fn call(self, path: &[u8]) -> Call<'_> {
        let whole = Pointed::from(path);
        if let (Some((flags, mode)), Some(name)) = (self.opening(), memory_of(path))
            && flags & OF_SHM_OPEN == OF_SHM_OPEN
        {
            let flags = flags & !OF_SHM_OPEN;
            return Call::ShmOpen { name: name.into(), flags, mode };
        }
        match self {
            Shown::Opened(flags, mode) => Call::Open { path: whole, flags, mode },
            Shown::OpenedAt(directory, flags, mode) => {
                Call::Openat { directory, path: whole, flags, mode }
            }
            Shown::Unlinked => match memory_of(path) {
                Some(name) => Call::ShmUnlink { name: name.into() },
                None => Call::Unlink { path: whole },
            },
            Shown::UnlinkedAt(directory, flags) => Call::Unlinkat { directory, path: whole, flags },
            Shown::Truncated(length) => Call::Truncate { path: whole, length },
            // What is linked is no call of its own.
            Shown::Linked => Call::SemOpen { name: whole, flags: None, mode: 0, value: 0 },
            Shown::Semaphore(flags, mode, value) => {
                Call::SemOpen { name: whole, flags, mode, value }
            }
            Shown::SemaphoreUnlinked => Call::SemUnlink { name: whole },
        }
    }
}

/// Whether a path is that of a file of `/dev/shm`.
pub(super) fn is_of_dev_shm(path: &[u8]) -> bool {
    file_name(path).is_some()
}

/// Whether a descriptor of a thread is of such a file, with or without a name.
pub(super) fn is_open_in_dev_shm(thread: i32, descriptor: c_int) -> bool {
    fs::read_link(format!("/proc/{thread}/fd/{descriptor}"))
        .is_ok_and(|path| is_of_dev_shm(path.as_os_str().as_bytes()))
}

fn file_name(path: &[u8]) -> Option<&[u8]> {
    let name = path.strip_prefix(DIRECTORY)?;
    (!name.is_empty() && !name.contains(&b'/')).then_some(name)
}

/// The name of shared memory, with its slash.
fn memory_of(path: &[u8]) -> Option<&[u8]> {
    let name = file_name(path)?;
    let is_semaphore = name.starts_with(SEMAPHORE) && name.len() > SEMAPHORE.len();
    // The path ends with the name, and the slash is right before.
    (!is_semaphore).then(|| &path[DIRECTORY.len() - 1..])
}

/// The name of a semaphore, with a slash, by the path of its file.
pub(super) fn semaphore_of(path: &[u8]) -> Option<Vec<u8>> {
    let name = file_name(path)?.strip_prefix(SEMAPHORE).filter(|name| !name.is_empty())?;
    Some([b"/", name].concat())
}

/// Whether `sem_open(3)` opens a semaphore with these flags that should be there.
pub(super) fn opens_semaphore(path: &[u8], flags: c_int) -> bool {
    let own = libc::O_RDWR | libc::O_NOFOLLOW;
    semaphore_of(path).is_some() && flags & !libc::O_CLOEXEC == own
}

/// Whether `sem_open(3)` creates the file with these flags that gets the name of a semaphore later.
pub(super) fn creates_semaphore(path: &[u8], flags: c_int) -> bool {
    /// A slash and what `mkstemp(3)` would choose.
    const RANDOM: usize = 1 + 6;
    let own = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
    semaphore_of(path)
        .is_some_and(|name| name.len() == RANDOM && name[1..].iter().all(u8::is_ascii_alphanumeric))
        && flags & !(libc::O_CLOEXEC | libc::O_NOFOLLOW) == own
}
