//! Access to files by an open directory, which stays the same when its path changes, and the resolution
//! of paths without following links of other users: `openat(2)`, `path_resolution(7)`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

use crate::kernel::process::{self, accounts};

/// The maximum number of links in a path, as in the kernel.
const MOST_LINKS: u32 = 40;

/// An open directory.
#[derive(Debug)]
pub struct Directory(File);

/// The target of a path.
#[derive(Debug)]
pub enum Place {
    /// A name in a directory, and what exists under that name, if anything.
    Named(Directory, OsString, Option<Entry>),
    /// A file that is open already, reached through `/proc`. It need not have a name.
    Opened(Entry),
}

/// A file of any type, or a link, under its name in a directory. It is not opened, so it can be
/// inspected without permission on it.
#[derive(Debug)]
pub struct Entry(File);

impl Entry {
    /// Its owner, type and identity.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Opens exactly this file for writing, whatever has its name by now. It is not truncated.
    pub fn open_to_write(&self, flags: i32) -> io::Result<File> {
        OpenOptions::new().write(true).custom_flags(flags).open(path_of(&self.0))
    }

    /// The target, if it is a link.
    pub fn target(&self) -> io::Result<PathBuf> {
        Ok(readlinkat(&self.0, "")?.into())
    }

    fn is_link(&self) -> io::Result<bool> {
        Ok(self.metadata()?.file_type().is_symlink())
    }
}

/// The path of an open file in `/proc`.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

impl Directory {
    /// Opens the directory at this path.
    pub fn open(path: &Path) -> io::Result<Directory> {
        let entry = match locate(path)? {
            Place::Named(_, _, None) => return Err(Errno::ENOENT.into()),
            Place::Named(_, _, Some(entry)) | Place::Opened(entry) => entry,
        };
        match entry.metadata()?.is_dir() {
            true => Ok(Directory(entry.0)),
            false => Err(Errno::ENOTDIR.into()),
        }
    }

    /// A path to this directory that works only in this process, even if another one is mounted over
    /// it.
    pub fn path(&self) -> PathBuf {
        path_of(&self.0)
    }

    /// Its owner, mode and identity.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// The entry with this name; a link is not followed. `ENOENT` if there is none.
    pub fn find(&self, name: &OsStr) -> io::Result<Entry> {
        self.at(name, OFlag::O_NOFOLLOW)
    }

    /// The entry with this name; a link is followed.
    pub fn follow(&self, name: &OsStr) -> io::Result<Entry> {
        self.at(name, OFlag::empty())
    }

    /// Creates a link with this name. `EEXIST` if the name is in use.
    pub fn link(&self, name: &OsStr, target: &Path) -> io::Result<()> {
        Ok(symlinkat(target, &self.0, name)?)
    }

    /// Removes a name, unless it is a directory.
    pub fn unlink(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Whether a user other than root can create names in it: all users can, as in `/tmp`, or one owns
    /// it.
    pub fn is_shared(&self) -> io::Result<bool> {
        let data = self.metadata()?;
        Ok(data.mode() & 0o002 != 0 || ![process::uid(), 0].contains(&data.uid()))
    }

    /// Whether all users can create names in it but remove only their own: it is sticky, as `/tmp` is.
    fn is_sticky(&self) -> io::Result<bool> {
        Ok(self.metadata()?.mode() & 0o1002 == 0o1002)
    }

    fn at(&self, name: &OsStr, flags: OFlag) -> io::Result<Entry> {
        let flags = flags | OFlag::O_PATH | OFlag::O_CLOEXEC;
        Ok(Entry(openat(&self.0, name, flags, Mode::empty())?.into()))
    }

    /// Whether it is in `/proc`, where links may lead to files without a path.
    fn is_proc(&self) -> io::Result<bool> {
        Ok(fstatfs(&self.0)?.filesystem_type() == PROC_SUPER_MAGIC)
    }

    /// Applies `fs.protected_symlinks` of `proc_sys_fs(5)` even if it is off: in a sticky directory, a
    /// link of another user is not followed. The last link of a path, where a file will be written, is
    /// not followed in any directory in which other users can create it.
    fn may_follow(&self, link: &Entry, is_last: bool) -> io::Result<()> {
        let link = link.metadata()?;
        let is_trap = match is_last {
            true => self.is_shared()? && link.uid() != 0,
            false => self.is_sticky()? && link.uid() != self.metadata()?.uid(),
        };
        if !is_trap || link.uid() == process::uid() {
            return Ok(());
        }
        let what = format!(
            "a link of user {} in a directory where others can create one is not followed (EACCES)",
            accounts::user(link.uid())
        );
        Err(io::Error::new(ErrorKind::PermissionDenied, what))
    }
}

/// Resolves a path, following links as far as that is safe. The last name need not exist.
pub fn locate(path: &Path) -> io::Result<Place> {
    let start = |path: &[u8]| {
        let start = if path.starts_with(b"/") { "/" } else { "." };
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(start)?;
        io::Result::Ok(Directory(file))
    };
    let path = path.as_os_str().as_bytes();
    let mut directory = start(path)?;
    let mut names = VecDeque::new();
    prepend(path, &mut names);
    let mut links = 0;
    while let Some(name) = names.pop_front() {
        let entry = match directory.find(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound && names.is_empty() => {
                return Ok(Place::Named(directory, name, None));
            }
            entry => entry?,
        };
        let is_link = entry.is_link()?;
        let is_last = names.is_empty();
        if is_link && directory.is_proc()? {
            let entry = directory.follow(&name)?;
            if is_last {
                return Ok(Place::Opened(entry));
            }
            directory = Directory(entry.0);
        } else if is_link {
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::ELOOP.into());
            }
            directory.may_follow(&entry, is_last)?;
            let target = entry.target()?;
            let target = target.as_os_str().as_bytes();
            if target.starts_with(b"/") {
                directory = start(target)?;
            }
            prepend(target, &mut names);
        } else if is_last {
            return Ok(Place::Named(directory, name, Some(entry)));
        } else {
            directory = Directory(entry.0);
        }
    }
    Err(Errno::ENOENT.into())
}

/// Puts the names of a path in front of `names`. A slash at the end, or a path of slashes only, means a
/// directory.
fn prepend(path: &[u8], names: &mut VecDeque<OsString>) {
    let mut parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let ends_in_slash = parts.len() > 1 && parts.last() == Some(&&b""[..]);
    parts.retain(|part| !part.is_empty());
    if ends_in_slash {
        parts.push(b".");
    }
    for part in parts.into_iter().rev() {
        names.push_front(OsString::from_vec(part.to_vec()));
    }
}
