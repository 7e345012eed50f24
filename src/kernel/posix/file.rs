//! The files behind POSIX objects, each in the directory of its kind: `mq_overview(7)`,
//! `shm_overview(7)`, `sem_overview(7)`.
#![allow(unsafe_code)]

use std::ffi::{CString, OsStr};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use nix::errno::Errno;

use crate::ipc::posix::{FileIdentity, NamedFile};
use crate::ipc::{Change, Mode, Name, Permissions, Time};
use crate::kernel::call::{Call, CallError, CallName, call};
use crate::kernel::error::ReadError;
use crate::kernel::process;
use crate::kernel::sysv::permissions::Changed;

/// A directory of POSIX objects.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Keeps a private mount alive as long as this value.
    _mount: Option<File>,
}

impl Directory {
    /// A directory that all processes see.
    pub(in crate::kernel) fn at(path: impl Into<PathBuf>) -> Directory {
        Directory { path: path.into(), _mount: None }
    }

    /// The root of a mount that is not attached anywhere.
    pub(in crate::kernel) fn of_mount(mount: File) -> Directory {
        Directory {
            path: format!("/proc/self/fd/{}", mount.as_raw_fd()).into(),
            _mount: Some(mount),
        }
    }

    /// Whether the directory can be reached. A mount that is not attached can be reached only through
    /// `/proc`.
    pub(in crate::kernel) fn is_there(&self) -> io::Result<()> {
        match fs::metadata(&self.path) {
            Ok(_) => Ok(()),
            Err(error) => Err(process::check_proc().map_or_else(io::Error::other, |()| error)),
        }
    }

    /// The path of a file in it.
    pub(in crate::kernel) fn path(&self, file_name: &OsStr) -> PathBuf {
        self.path.join(file_name)
    }

    /// Passes the name and metadata of every wanted regular file to `visit`, in the order of the names.
    /// Files that disappear meanwhile are skipped.
    pub(in crate::kernel) fn read<E>(
        &self,
        is_wanted: impl Fn(&OsStr) -> bool,
        mut visit: impl FnMut(&OsStr, &Metadata) -> Result<(), E>,
    ) -> Result<(), VisitError<E>> {
        let entries = fs::read_dir(&self.path).map_err(VisitError::Io)?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<io::Result<Vec<_>>>().map_err(VisitError::Io)?;
        names.retain(|name| is_wanted(name));
        names.sort_unstable();
        for name in names {
            match fs::symlink_metadata(self.path(&name)) {
                Ok(data) if data.is_file() => visit(&name, &data).map_err(VisitError::By)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The metadata of a regular file.
    pub(in crate::kernel) fn find(&self, file_name: &OsStr) -> Result<Metadata, CallError> {
        match fs::symlink_metadata(self.path(file_name)) {
            Ok(data) if data.is_file() => Ok(data),
            // Any other type of file is not an object.
            Ok(_) => Err(CallError { name: CallName::Openat, errno: Errno::ENOENT }),
            Err(error) => Err(CallError { name: CallName::Stat, errno: errno(&error) }),
        }
    }

    /// Opens a file with `O_RDONLY` or `O_WRONLY` to inspect it; does not follow links and does not
    /// wait.
    pub(in crate::kernel) fn open(&self, file_name: &OsStr, access: i32) -> io::Result<File> {
        let flags = access | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let opened = open(&self.path(file_name), flags, Mode::from_bits(0));
        opened.map_err(|error| io::Error::from_raw_os_error(error.errno as i32))
    }

    /// Changes owner and mode of a file. The caller need not be able to open it.
    pub(in crate::kernel) fn change(
        &self,
        file_name: &OsStr,
        wanted: &Change,
    ) -> Result<Changed, CallError> {
        let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        change(&open(&self.path(file_name), flags, Mode::from_bits(0))?, wanted)
    }
}

/// Opens a file, or creates it with this mode if the flags say so.
pub(in crate::kernel) fn open(path: &Path, flags: i32, mode: Mode) -> Result<File, CallError> {
    // On 32-bit machines, a file above 2 GiB cannot be opened without O_LARGEFILE.
    let (path, flags, mode) = (c_string(path)?, flags | libc::O_LARGEFILE, mode.bits());
    // SAFETY: the path is a C string, which the call only reads; it returns a new descriptor.
    let descriptor = unsafe { libc::openat(libc::AT_FDCWD, path.as_ptr(), flags, mode) };
    let descriptor = call(descriptor, || Call::Openat {
        directory: libc::AT_FDCWD,
        path: path.to_bytes().into(),
        flags,
        mode,
    })?;
    // SAFETY: the descriptor is new, so nothing else owns it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// Sets the size of an open file in bytes.
pub(in crate::kernel) fn set_size(file: &File, size: u64) -> Result<(), CallError> {
    let descriptor = file.as_raw_fd();
    // SAFETY: takes and returns plain numbers. The kernel refuses a negative size (`EINVAL`).
    let set = unsafe { libc::ftruncate64(descriptor, size as libc::off64_t) };
    call(set, || Call::Ftruncate { descriptor, length: size })?;
    Ok(())
}

/// Removes the name of a file.
pub(in crate::kernel) fn unlink(path: &Path) -> Result<(), CallError> {
    let path = c_string(path)?;
    // SAFETY: the path is a C string, which the call only reads.
    let unlinked = unsafe { libc::unlinkat(libc::AT_FDCWD, path.as_ptr(), 0) };
    let directory = libc::AT_FDCWD;
    call(unlinked, || Call::Unlinkat { directory, path: path.to_bytes().into(), flags: 0 })?;
    Ok(())
}

/// Changes owner and mode of an open file.
pub(in crate::kernel) fn change(file: &File, change: &Change) -> Result<Changed, CallError> {
    let permissions = || -> Result<Permissions, CallError> {
        match file.metadata() {
            Ok(data) if data.is_file() => Ok(permissions_of(&data)),
            Ok(_) => Err(CallError { name: CallName::Openat, errno: Errno::ENOENT }),
            Err(error) => Err(CallError { name: CallName::Fstat, errno: errno(&error) }),
        }
    };
    let descriptor = file.as_raw_fd();
    let before = permissions()?;
    let after = change.apply(&before);
    if change.mode.is_some() {
        // fchmod does not accept an O_PATH descriptor.
        let path = c_string(Path::new(&format!("/proc/self/fd/{descriptor}")))?;
        let (directory, mode) = (libc::AT_FDCWD, after.mode.bits());
        // SAFETY: the path is a C string, which the call only reads.
        let changed = unsafe { libc::fchmodat(directory, path.as_ptr(), mode, 0) };
        call(changed, || Call::Fchmodat { directory, path: path.to_bytes().into(), mode })?;
    }
    if change.uid.is_some() || change.gid.is_some() {
        let unchanged = u32::MAX;
        let (uid, gid) = (change.uid.unwrap_or(unchanged), change.gid.unwrap_or(unchanged));
        let flags = libc::AT_EMPTY_PATH;
        // SAFETY: the path is a C string; empty, it means the descriptor itself.
        let changed = unsafe { libc::fchownat(descriptor, c"".as_ptr(), uid, gid, flags) };
        call(changed, || Call::Fchownat {
            directory: descriptor,
            path: b"".as_slice().into(),
            uid,
            gid,
            flags,
        })?;
    }
    Ok(Changed { before, after: permissions()? })
}

/// Why the read of a directory ended early.
#[derive(Debug)]
pub(in crate::kernel) enum VisitError<E> {
    /// The directory cannot be read.
    Io(io::Error),
    /// The visitor stopped with this error.
    By(E),
}

impl<E: From<ReadError>> VisitError<E> {
    /// The error of the visitor, or the read error that `explain` makes of the I/O error.
    pub(in crate::kernel) fn into_error(self, explain: impl FnOnce(io::Error) -> ReadError) -> E {
        match self {
            VisitError::Io(error) => explain(error).into(),
            VisitError::By(error) => error,
        }
    }
}

/// Whether an object was created or existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was created.
    Made,
    /// It existed.
    Found,
}

/// Creates an object or, unless `exclusive`, opens the existing one. Tries again if another process
/// creates or removes it in between.
pub(in crate::kernel) fn make_or_open<T>(
    exclusive: bool,
    make: impl Fn() -> Result<T, CallError>,
    open: impl Fn() -> Result<T, CallError>,
) -> Result<(T, Outcome), CallError> {
    loop {
        match without_umask(&make) {
            Err(error) if error.errno == Errno::EEXIST && !exclusive => {}
            made => return Ok((made?, Outcome::Made)),
        }
        match open() {
            Err(error) if error.errno == Errno::ENOENT => {}
            opened => return Ok((opened?, Outcome::Found)),
        }
    }
}

/// The file of an object.
pub(in crate::kernel) fn file(name: Name, data: &Metadata) -> NamedFile {
    let made = data.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    let made = made.and_then(|made| i64::try_from(made.as_secs()).ok());
    NamedFile {
        name,
        identity: identity(data),
        permissions: permissions_of(data),
        modified: Some(Time(data.mtime())),
        // A queue file has no birth time, and its ctime is the time of the last access to its
        // attributes.
        made_before: Some(Time(made.unwrap_or(data.ctime().min(data.mtime())))),
    }
}

/// The identity of a file.
pub(in crate::kernel) fn identity(data: &Metadata) -> FileIdentity {
    FileIdentity { device: data.dev(), inode: data.ino() }
}

/// The owner and mode of a file.
pub(in crate::kernel) fn permissions_of(data: &Metadata) -> Permissions {
    Permissions::of_file(data.uid(), data.gid(), Mode::from_bits(data.mode()))
}

/// The name as a C string.
pub(in crate::kernel) fn c_name(name: &Name) -> Result<CString, CallError> {
    let mut path = PathBuf::from("/").into_os_string();
    path.push(name.behind_slash());
    c_string(Path::new(&path))
}

fn c_string(path: &Path) -> Result<CString, CallError> {
    let invalid = |_| CallError { name: CallName::Openat, errno: Errno::EINVAL };
    CString::new(path.as_os_str().as_bytes()).map_err(invalid)
}

pub(in crate::kernel) fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// Makes a call that creates a file without a umask, so that the mode is the requested one.
fn without_umask<R>(make: impl FnOnce() -> R) -> R {
    // SAFETY: cannot fail, and no other thread of this program creates files at the same time.
    let mask = unsafe { libc::umask(0) };
    let made = make();
    // SAFETY: as above.
    unsafe { libc::umask(mask) };
    made
}
