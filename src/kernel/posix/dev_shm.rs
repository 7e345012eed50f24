//! The objects in `/dev/shm`: POSIX shared memory and named semaphores, `shm_overview(7)`,
//! `sem_overview(7)`.
#![allow(unsafe_code)]

mod removed;
mod rest;
mod space;

use crate::ipc::Foreign;
pub use removed::Removed;
pub use rest::{Tree, Unread};
pub use space::Space;

use std::ffi::{OsStr, OsString};
use std::fs::{File, FileType, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use rustix::fs::{CWD, RenameFlags, renameat_with};

pub use super::file::Outcome;
use super::file::{self, Directory, VisitError};
use crate::ipc::posix::{FileIdentity, FileKind, MemoryStatus, SemaphoreState};
use crate::ipc::{
    Change, Kind, Mode, Name, Object, Permissions, PosixMemory, PosixSemaphore, Reference, Target,
};
use crate::kernel::call::{Call, CallError, CallName, call};
use crate::kernel::error::ReadError;
use crate::kernel::sysv::permissions::Changed;

/// The directory that the C libraries on Linux use.
const USUAL_PATH: &str = "/dev/shm";

/// The directory of POSIX shared memory and named semaphores.
#[derive(Clone, Debug)]
pub struct DevShm {
    path: PathBuf,
    /// That of another process, which may be in another mount namespace.
    open: Option<Arc<File>>,
}

impl DevShm {
    /// The directory of the calling process.
    pub(in crate::kernel) fn own() -> DevShm {
        DevShm { path: USUAL_PATH.into(), open: None }
    }

    /// No directory.
    pub(in crate::kernel) fn none() -> DevShm {
        DevShm { path: "/proc/self/fd/none".into(), open: None }
    }

    /// The directory that a process sees. Links on the way to it stay below the root directory of that
    /// process, so that a container cannot lead the caller to other files.
    pub(in crate::kernel) fn of_process(pid: i32) -> io::Result<DevShm> {
        let root = File::open(format!("/proc/{pid}/root"))?;
        let how = OpenHow::new()
            .flags(OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        // Linux 5.6. Without it, no part of the path may be a link.
        let open = match openat2(&root, &USUAL_PATH[1..], how) {
            Ok(directory) => directory.into(),
            Err(Errno::ENOSYS) => open_without_links(root)?,
            Err(error) => return Err(error.into()),
        };
        Ok(DevShm {
            path: format!("/proc/self/fd/{}", open.as_raw_fd()).into(),
            open: Some(Arc::new(open)),
        })
    }

    /// Whether it is that of the calling process.
    pub(super) fn is_own(&self) -> bool {
        self.open.is_none()
    }

    /// What no other such directory shares; `None` if there is none.
    pub fn identity(&self) -> Option<FileIdentity> {
        std::fs::metadata(&self.path).ok().map(|data| file::identity(&data))
    }

    /// The device of its file system; 0 if there is no such directory.
    pub fn device(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |data| data.dev())
    }

    /// The device of its file system, see [`device_name`]; `None` if there is no such directory.
    pub fn device_name(&self) -> Option<String> {
        Some(device_name(std::fs::metadata(&self.path).ok()?.dev()))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub(in crate::kernel) fn directory(&self) -> Directory {
        Directory::at(&self.path)
    }

    /// Passes every object of this kind to `visit`.
    pub(in crate::kernel) fn read_all<E: From<ReadError>>(
        &self,
        wanted: Kind,
        mut visit: impl FnMut(Object) -> Result<(), E>,
    ) -> Result<(), E> {
        let directory = self.directory();
        let all = directory.read(
            |file_name| object_name(file_name).0 == wanted,
            |file_name, data| {
                visit(of(wanted, object_name(file_name).1, data, || {
                    open_to_read(&directory, file_name)
                }))
            },
        );
        match all {
            // Without the directory, there are no objects.
            Err(VisitError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
            all => all.map_err(|stop| {
                stop.into_error(|error| ReadError::Io {
                    path: Foreign::from(Path::new(USUAL_PATH)),
                    error,
                })
            }),
        }
    }

    /// The current state of an object.
    pub fn read(&self, kind: Kind, name: &Name) -> Result<Object, CallError> {
        let directory = self.directory();
        let file_name = file_name(kind, name);
        let data = directory.find(&file_name)?;
        Ok(of(kind, name.clone(), &data, || open_to_read(&directory, &file_name)))
    }

    /// The semaphore that a musl program may have created under this name, in `/dev/shm/NAME` without
    /// the `sem.` of glibc. Other memory of that size can look the same, [`SemaphoreState::from_musl`].
    pub fn musl_semaphore(&self, name: &Name) -> Option<SemaphoreState> {
        let (directory, file_name) = (self.directory(), file_name(Kind::Pshm, name));
        let data = directory.find(&file_name).ok()?;
        let open = || open_to_read(&directory, &file_name);
        SemaphoreState::from_musl(&content(&data, open)?)
    }

    /// Creates shared memory of `size` bytes or, unless `exclusive`, opens the existing object; that
    /// must be at least as large (`EINVAL`). The umask does not apply. New memory is zeroed and
    /// allocated when it is touched.
    pub fn create_memory(
        &self,
        name: &Name,
        size: u64,
        mode: Mode,
        exclusive: bool,
    ) -> Result<Outcome, CallError> {
        let path = self.directory().path(&file_name(Kind::Pshm, name));
        // The same as shm_open(3) of the C library.
        let open = |flags: i32| {
            let flags = libc::O_RDWR | flags | libc::O_NOFOLLOW | libc::O_CLOEXEC;
            file::open(&path, flags, mode).map_err(|error| match error.errno {
                Errno::EISDIR => CallError { name: CallName::ShmOpen, errno: Errno::EINVAL },
                _ => error.named(CallName::ShmOpen),
            })
        };
        let make = || open(libc::O_CREAT | libc::O_EXCL);
        let (file, outcome) = file::make_or_open(exclusive, make, || open(0))?;
        match outcome {
            Outcome::Made => file::set_size(&file, size).inspect_err(|_| {
                // Do not leave an empty object behind. It is new, so removing the name affects no other
                // one.
                let _ = self.unlink(Kind::Pshm, name, None);
            })?,
            Outcome::Found if file.metadata().is_ok_and(|data| data.size() < size) => {
                return Err(CallError { name: CallName::ShmOpen, errno: Errno::EINVAL });
            }
            Outcome::Found => {}
        }
        Ok(outcome)
    }

    /// Creates a semaphore with this value or, unless `exclusive`, opens the existing one, which keeps
    /// its value. The umask does not apply.
    pub fn create_semaphore(
        &self,
        name: &Name,
        value: u32,
        mode: Mode,
        exclusive: bool,
    ) -> Result<Outcome, CallError> {
        let outcome = match self.open {
            None => {
                let open = |flags| {
                    let semaphore = sem_open(name, flags, mode, value)?;
                    // SAFETY: sem_open returned it, and nothing uses it.
                    unsafe { libc::sem_close(semaphore.as_ptr()) };
                    Ok(())
                };
                let make = || open(libc::O_CREAT | libc::O_EXCL);
                file::make_or_open(exclusive, make, || open(0))?.1
            }
            Some(_) => {
                let path = self.directory().path(&file_name(Kind::Psem, name));
                let make = || self.write_semaphore(&path, mode, value);
                let flags = libc::O_RDWR | libc::O_NOFOLLOW | libc::O_CLOEXEC;
                let open = || {
                    let opened = file::open(&path, flags, Mode::from_bits(0));
                    opened.map(drop).map_err(|error| error.named(CallName::SemOpen))
                };
                file::make_or_open(exclusive, make, open)?.1
            }
        };
        Ok(outcome)
    }

    /// Makes a semaphore in the `/dev/shm` of another process, which `sem_open(3)` cannot reach: with the
    /// content that the C library gives a semaphore, under a name of its own until it is complete, as there.
    fn write_semaphore(&self, path: &Path, mode: Mode, value: u32) -> Result<(), CallError> {
        let failed =
            |error: io::Error| CallError { name: CallName::SemOpen, errno: file::errno(&error) };
        let content = initial(value)?;
        let permissions = std::fs::Permissions::from_mode(mode.bits());
        let draft = tempfile::Builder::new().permissions(permissions).tempfile_in(&self.path);
        let mut draft = draft.map_err(failed)?;
        draft.write_all(&content).map_err(failed)?;
        draft.persist_noclobber(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Gives an object another name, at once. `EEXIST` if there is one of that name, unless it is replaced.
    pub fn rename(
        &self,
        kind: Kind,
        from: &Name,
        to: &Name,
        replaces: bool,
    ) -> Result<(), CallError> {
        let path = |name| self.directory().path(&file_name(kind, name));
        let flags = if replaces { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, path(from), CWD, path(to), flags).map_err(|error| CallError {
            name: if kind == Kind::Psem { CallName::SemOpen } else { CallName::ShmOpen },
            errno: Errno::from_raw(error.raw_os_error()),
        })
    }

    /// Who may create and remove names in `/dev/shm`.
    pub fn directory_permissions(&self) -> Option<Permissions> {
        let data = std::fs::metadata(&self.path).ok()?;
        Some(file::permissions_of(&data))
    }

    /// Whether the name of an object belongs to a file that is not one: a directory, a link, a pipe.
    pub fn is_something_else(&self, reference: &Reference) -> bool {
        let Target::Name(name) = &reference.target else { return false };
        let file_name = file_name(reference.kind, name);
        self.directory().find(&file_name).is_err()
            && std::fs::symlink_metadata(self.directory().path(&file_name)).is_ok()
    }

    /// Removes a name; if a file is given, only if the name belongs to it. The object is destroyed when
    /// the last process unmaps and closes it.
    pub fn unlink(
        &self,
        kind: Kind,
        name: &Name,
        file: Option<FileIdentity>,
    ) -> Result<(), CallError> {
        let function = match kind {
            Kind::Pshm => CallName::ShmUnlink,
            Kind::Psem => CallName::SemUnlink,
            Kind::Msg | Kind::Shm | Kind::Sem | Kind::Pmsg => {
                return Err(CallError { name: CallName::Unlinkat, errno: Errno::EINVAL });
            }
        };
        let (directory, file_name) = (self.directory(), file_name(kind, name));
        // Any other file with that name is not the object.
        let found = file::identity(&directory.find(&file_name)?);
        if file.is_some_and(|file| file != found) {
            return Err(CallError { name: CallName::Stat, errno: Errno::ENOENT });
        }
        // The same as the functions of the C library, which accept no file in a subdirectory.
        if file_name.as_bytes().contains(&b'/') {
            return Err(CallError { name: function, errno: Errno::EINVAL });
        }
        file::unlink(&directory.path(&file_name)).map_err(|error| match error.errno {
            Errno::EPERM => CallError { name: function, errno: Errno::EACCES },
            _ => error.named(function),
        })
    }

    /// Changes owner and mode of an object.
    pub(in crate::kernel) fn change(
        &self,
        kind: Kind,
        name: &Name,
        change: &Change,
    ) -> Result<Changed, CallError> {
        self.directory().change(&file_name(kind, name), change)
    }
}

/// Opens a semaphore in `/dev/shm`: `sem_open(3)`.
pub(super) fn sem_open(
    name: &Name,
    flags: i32,
    mode: Mode,
    value: u32,
) -> Result<NonNull<libc::sem_t>, CallError> {
    let (c_name, mode) = (file::c_name(name)?, mode.bits());
    // SAFETY: the name is a C string, which the call only reads.
    let semaphore = unsafe { libc::sem_open(c_name.as_ptr(), flags, mode, value) };
    let name = c_name.to_bytes();
    let semaphore =
        call(semaphore, || Call::SemOpen { name: name.into(), flags: Some(flags), mode, value })?;
    // Only a failed call returns null.
    NonNull::new(semaphore).ok_or(CallError { name: CallName::SemOpen, errno: Errno::EINVAL })
}

/// The content of a new semaphore that processes share: `sem_init(3)`. `EINVAL` above `SEM_VALUE_MAX`.
fn initial(value: u32) -> Result<Vec<u8>, CallError> {
    // SAFETY: zero is a valid value of every byte.
    let mut semaphore: libc::sem_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a sem_t, which the call fills.
    let made = unsafe { libc::sem_init(&mut semaphore, 1, value) };
    if made != 0 {
        return Err(CallError { name: CallName::SemOpen, errno: Errno::last() });
    }
    // SAFETY: a sem_t consists of plain bytes, all of which have a value.
    let bytes = unsafe {
        std::slice::from_raw_parts((&raw const semaphore).cast::<u8>(), size_of::<libc::sem_t>())
    };
    Ok(bytes.to_vec())
}

/// A device as `MAJOR:MINOR`, which tells one `/dev/shm` from another.
pub fn device_name(device: u64) -> String {
    format!("{}:{}", libc::major(device), libc::minor(device))
}

/// Opens `/dev/shm` below this directory.
fn open_without_links(root: File) -> io::Result<File> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    USUAL_PATH[1..].split('/').try_fold(root, |parent, name| {
        Ok(openat(&parent, name, flags, nix::sys::stat::Mode::empty())?.into())
    })
}

/// The file name of an object.
pub(in crate::kernel) fn file_name(kind: Kind, name: &Name) -> OsString {
    let mut file_name = OsString::new();
    if kind == Kind::Psem {
        file_name.push(Name::SEMAPHORE_PREFIX);
    }
    file_name.push(name.behind_slash());
    file_name
}

/// The object with this file name.
fn object_name(file_name: &OsStr) -> (Kind, Name) {
    match file_name.as_bytes().strip_prefix(Name::SEMAPHORE_PREFIX.as_bytes()) {
        Some(name @ [_, ..]) => (Kind::Psem, Name::of_file(OsStr::from_bytes(name))),
        _ => (Kind::Pshm, Name::of_file(file_name)),
    }
}

fn kind_of(file: FileType) -> FileKind {
    match () {
        () if file.is_dir() => FileKind::Directory,
        () if file.is_fifo() => FileKind::Pipe,
        () if file.is_socket() => FileKind::Socket,
        () if file.is_symlink() => FileKind::Link,
        () if file.is_block_device() || file.is_char_device() => FileKind::Device,
        () => FileKind::Regular,
    }
}

fn open_to_read(directory: &Directory, file_name: &OsStr) -> io::Result<File> {
    directory.open(file_name, libc::O_RDONLY)
}

/// The state of an object, from its file. `open` opens it if that is necessary.
pub(in crate::kernel) fn of(
    kind: Kind,
    name: Name,
    data: &Metadata,
    open: impl FnOnce() -> io::Result<File>,
) -> Object {
    let status = match name.behind_slash().as_bytes().contains(&b'/') {
        true => MemoryStatus::Subdirectory,
        false => MemoryStatus::Named,
    };
    match kind {
        Kind::Psem => Object::PosixSemaphore(PosixSemaphore {
            state: semaphore(data, open),
            file: file::file(name, data),
        }),
        Kind::Msg | Kind::Shm | Kind::Sem | Kind::Pmsg | Kind::Pshm => {
            Object::PosixMemory(PosixMemory {
                file: file::file(name, data),
                size: data.size(),
                // st_blocks is in units of 512 bytes, whatever the block size.
                rss: data.blocks() * 512,
                file_kind: kind_of(data.file_type()),
                status,
            })
        }
    }
}

/// Reads a semaphore without waiting on it or opening it as a semaphore.
fn semaphore(data: &Metadata, open: impl FnOnce() -> io::Result<File>) -> Option<SemaphoreState> {
    SemaphoreState::from_file(&content(data, open)?)
}

/// The content of a file that is small enough for a semaphore.
pub(super) fn content(data: &Metadata, open: impl FnOnce() -> io::Result<File>) -> Option<Vec<u8>> {
    // Larger than any layout of a semaphore.
    if data.size() > 64 {
        return None;
    }
    let mut bytes = [0; 64];
    let length = open().ok()?.read_at(&mut bytes, 0).ok()?;
    Some(bytes[..length].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semaphores_are_told_from_memory() {
        let name = |file: &str| {
            let (kind, name) = object_name(OsStr::new(file));
            assert_eq!(file_name(kind, &name), file);
            format!("{kind}:{name}")
        };
        assert_eq!(name("sem.lock"), "psem:/lock");
        assert_eq!(name("cache"), "pshm:/cache");
        assert_eq!(name("sem."), "pshm:/sem.");
    }
}
