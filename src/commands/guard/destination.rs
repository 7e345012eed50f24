//! The file for the report: found where the caller sees it, before anything is mounted over, and
//! replaced as a whole when there is something to write. It keeps its owner, mode and links.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::VERB;
use crate::explain::{Failure, Reason};
use crate::kernel::descriptor;
use crate::kernel::fifo::{self, Fifo};

/// Where the report goes.
pub(super) struct Destination {
    /// As the caller named it.
    name: PathBuf,
    way: Way,
}

enum Way {
    /// Written beside the file, in this directory, and then put in its place, like what is there.
    Replace { directory: File, file: PathBuf, like: Option<Metadata> },
    /// Written into it: a pipe, a device, a file that has several names, is somebody else's, or lies
    /// in a directory that takes no new ones. What a regular file held is cut off first.
    Into(File),
    /// Written into this pipe, which nobody reads yet.
    Later(Fifo),
}

impl Destination {
    /// Makes sure that the file can be written, and leaves it as it is.
    pub fn open(path: &Path) -> Result<Destination, Failure> {
        let name = path.to_owned();
        match find(path) {
            Ok(way) => Ok(Destination { name, way }),
            Err(error) => Err(failure(&name, &error)),
        }
    }

    /// Writes all of it.
    pub fn write(self, text: &[u8]) -> Result<(), Failure> {
        let written = match self.way {
            Way::Replace { directory, file, like } => {
                replace(&directory, &file, like.as_ref(), text)
            }
            Way::Into(file) => overwrite(file, text),
            Way::Later(fifo) => fifo.open().and_then(|file| overwrite(file, text)),
        };
        written.map_err(|error| failure(&self.name, &error))
    }
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        ErrorKind::PermissionDenied => Reason::NotPermitted,
        _ => Reason::Failed,
    };
    let subject = format!("--report {}", path.display());
    let what = match fifo::has_no_reader(error) {
        true => "nobody reads this pipe (ENXIO)".to_owned(),
        false => format!("cannot write: {}", descriptor::describe(error)),
    };
    Failure::new(VERB, subject, what, reason)
}

fn find(path: &Path) -> io::Result<Way> {
    if path == "-" {
        return Ok(Way::Into(descriptor::standard_output()?.0));
    }
    let path = follow(path)?;
    let like = match fs::metadata(&path) {
        Ok(data) if data.file_type().is_fifo() => {
            let fifo = Fifo::at(&path)?;
            return match fifo.open() {
                Err(error) if fifo::has_no_reader(&error) => Ok(Way::Later(fifo)),
                opened => opened.map(Way::Into),
            };
        }
        Ok(data) if !data.is_file() => {
            return Ok(Way::Into(OpenOptions::new().write(true).open(path)?));
        }
        Ok(data) => {
            // Where the command writes, too, nothing is cut off.
            if let Some(stream) = descriptor::standard_stream(data.dev(), data.ino()) {
                return Ok(Way::Into(stream));
            }
            Some(data)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let parent = path.parent().filter(|parent| *parent != "");
    let directory = descriptor::open_directory(parent.unwrap_or(Path::new(".")))?;
    let Some(file) = path.file_name() else { return Err(ErrorKind::IsADirectory.into()) };
    let into = || OpenOptions::new().write(true).open(&path).map(Way::Into);
    if like.as_ref().is_some_and(|data| data.nlink() > 1) {
        return into();
    }
    match beside(&directory, like.as_ref()) {
        Ok(_) => Ok(Way::Replace { file: file.into(), directory, like }),
        Err(error) => into().map_err(|_| error),
    }
}

/// The file that a link leads to, which need not be there.
fn follow(path: &Path) -> io::Result<PathBuf> {
    /// As many as the kernel follows.
    const MOST: u32 = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            // These lead to what has no path.
            Ok(_) if path.starts_with("/proc") || path.starts_with("/dev/fd") => return Ok(path),
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(path),
        }
    }
    // Let the kernel say it.
    fs::metadata(&path).map(|_| path)
}

/// A new file in the directory, with owner and mode of another, gone again unless it is kept.
fn beside(directory: &File, like: Option<&Metadata>) -> io::Result<tempfile::NamedTempFile> {
    let new = tempfile::Builder::new()
        .prefix(".ipctool-guard-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(inside(directory))?;
    if let Some(data) = like {
        let own = new.as_file().metadata()?;
        if (own.uid(), own.gid()) != (data.uid(), data.gid()) {
            fchown(new.as_file(), Some(data.uid()), Some(data.gid()))?;
        }
        // No umask applies.
        new.as_file().set_permissions(Permissions::from_mode(data.mode() & 0o7777))?;
    }
    Ok(new)
}

/// The path of an open directory, whatever has been mounted over it since.
fn inside(directory: &File) -> PathBuf {
    format!("/proc/self/fd/{}", directory.as_raw_fd()).into()
}

fn replace(directory: &File, file: &Path, like: Option<&Metadata>, text: &[u8]) -> io::Result<()> {
    let path = inside(directory).join(file);
    let replaced = beside(directory, like).and_then(|mut new| {
        new.write_all(text).and_then(|()| new.as_file().sync_all())?;
        Ok(new.persist(&path)?)
    });
    match replaced {
        Ok(_) => Ok(()),
        // Something is mounted on it, it may not be replaced after all, or its group counts for
        // nothing in this user namespace: it stays, and gets other contents.
        Err(error)
            if like.is_some()
                && matches!(
                    error.kind(),
                    ErrorKind::ResourceBusy | ErrorKind::PermissionDenied | ErrorKind::InvalidInput
                ) =>
        {
            overwrite(OpenOptions::new().write(true).open(&path)?, text)
        }
        Err(error) => Err(error),
    }
}

fn overwrite(mut file: File, text: &[u8]) -> io::Result<()> {
    let data = file.metadata()?;
    if data.is_file() && descriptor::standard_stream(data.dev(), data.ino()).is_none() {
        file.set_len(0)?;
    }
    file.write_all(text)
}
