//! A file for results. It is opened before anything is mounted over its path, and replaced as a whole when the
//! results are written. It keeps its owner, mode and links.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use crate::explain::{Failure, Reason};
use crate::ipc::Foreign;
use crate::kernel::io::directory::{self, Directory, Entry, Place};
use crate::kernel::io::fifo::{self, Fifo};
use crate::kernel::io::os_error;
use crate::kernel::io::stdio;
use crate::kernel::process::{self, accounts};

/// Where the results go.
pub(super) struct Destination {
    /// The verb that writes there.
    verb: &'static str,
    /// The option and the path, as the caller gave it.
    subject: String,
    way: Way,
}

enum Way {
    /// Write a new file in this directory, with owner and mode of the old one, and rename it.
    Replace { directory: Directory, file: OsString, old: Option<Entry> },
    /// Write into the existing file: a pipe, a device, a file that has several names, belongs to another
    /// user, or is in a directory that takes no new files. A regular file is truncated first.
    Into(File),
    /// Write into this pipe, which has no reader yet.
    Later(Fifo),
}

impl Destination {
    /// Checks that the file can be written, without changing it.
    pub fn open(verb: &'static str, option: &str, path: &Path) -> Result<Destination, Failure> {
        let subject = format!("{option} {}", Foreign::from(path));
        match find(path) {
            Ok(way) => Ok(Destination { verb, subject, way }),
            Err(error) => Err(failure(verb, &subject, &error)),
        }
    }

    /// Whether writing may have to wait for a reader.
    pub fn may_wait(&self) -> bool {
        match &self.way {
            Way::Replace { .. } => false,
            Way::Into(file) => !file.metadata().is_ok_and(|data| data.is_file()),
            Way::Later(_) => true,
        }
    }

    /// Writes all of the results.
    pub fn write(self, text: &[u8]) -> Result<(), Failure> {
        let written = match self.way {
            Way::Replace { directory, file, old } => replace(&directory, &file, old.as_ref(), text),
            Way::Into(file) => overwrite(file, text),
            Way::Later(fifo) => fifo.open().and_then(|file| overwrite(file, text)),
        };
        written.map_err(|error| failure(self.verb, &self.subject, &error))
    }
}

fn failure(verb: &'static str, subject: &str, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        ErrorKind::PermissionDenied => Reason::NotPermitted,
        _ => Reason::Failed,
    };
    let what = match fifo::has_no_reader(error) {
        true => "no process reads this pipe (ENXIO)".to_owned(),
        false => format!("cannot write: {}", os_error::describe(error)),
    };
    Failure::new(verb, subject, what, reason)
}

fn find(path: &Path) -> io::Result<Way> {
    if path == "-" {
        return Ok(Way::Into(stdio::standard_output()?.0));
    }
    let (directory, file, old) = match directory::locate(path)? {
        Place::Named(directory, file, old) => (directory, file, old),
        Place::Opened(entry) => return into(entry),
    };
    let old = match old {
        None => None,
        Some(old) => {
            let data = old.metadata()?;
            // The command may write to the same file, so it is not truncated.
            if data.file_type().is_fifo()
                && ![process::uid(), 0].contains(&data.uid())
                && directory.is_shared()?
            {
                let owner = accounts::user(data.uid());
                let what = format!(
                    "a pipe of user {owner} in a directory where others can create one is not used (EACCES)"
                );
                return Err(io::Error::new(ErrorKind::PermissionDenied, what));
            }
            if !data.is_file() || stdio::standard_stream(data.dev(), data.ino()).is_some() {
                return into(old);
            }
            if data.nlink() > 1 && is_safe_to_open(&directory, &old)? {
                return into(old);
            }
            Some(old)
        }
    };
    match (beside(&directory, old.as_ref()), old) {
        (Ok(_), old) => Ok(Way::Replace { directory, file, old }),
        (Err(error), Some(old)) => match is_safe_to_open(&directory, &old)? {
            true => into(old).map_err(|_| error),
            false => Err(error),
        },
        (Err(error), None) => Err(error),
    }
}

/// Whether no other user can have linked this name to a file elsewhere.
fn is_safe_to_open(directory: &Directory, old: &Entry) -> io::Result<bool> {
    Ok(old.metadata()?.nlink() == 1 || !directory.is_shared()?)
}

fn into(entry: Entry) -> io::Result<Way> {
    let data = entry.metadata()?;
    if let Some(stream) = stdio::standard_stream(data.dev(), data.ino()) {
        return Ok(Way::Into(stream));
    }
    if !data.file_type().is_fifo() {
        return Ok(Way::Into(entry.open_to_write(0)?));
    }
    let fifo = Fifo(entry);
    match fifo.open() {
        Err(error) if fifo::has_no_reader(&error) => Ok(Way::Later(fifo)),
        opened => opened.map(Way::Into),
    }
}

/// A new temporary file in the directory, with owner and mode of another file.
fn beside(directory: &Directory, like: Option<&Entry>) -> io::Result<tempfile::NamedTempFile> {
    // The crate's own way of opening puts the path into its errors and drops the errno.
    let mut access = OpenOptions::new();
    access.read(true).write(true).create_new(true).mode(0o666);
    let new = tempfile::Builder::new()
        .prefix(".ipctool-")
        .make_in(directory.path(), |path| access.open(path))?;
    if let Some(like) = like {
        let (own, data) = (new.as_file().metadata()?, like.metadata()?);
        if (own.uid(), own.gid()) != (data.uid(), data.gid()) {
            fchown(new.as_file(), Some(data.uid()), Some(data.gid()))?;
        }
        // Without the umask. Results are never set-user-ID.
        new.as_file().set_permissions(Permissions::from_mode(data.mode() & 0o777))?;
    }
    Ok(new)
}

fn replace(
    directory: &Directory,
    file: &OsStr,
    old: Option<&Entry>,
    text: &[u8],
) -> io::Result<()> {
    let replaced = beside(directory, old).and_then(|mut new| {
        new.as_file_mut().write_all(text).and_then(|()| new.as_file().sync_all())?;
        // The rename replaces a link instead of following it.
        Ok(new.persist(directory.path().join(file))?)
    });
    match (replaced, old) {
        (Ok(_), _) => Ok(()),
        // Something is mounted on it, it may not be replaced after all, or its group is not mapped in this
        // user namespace: so write into the old file.
        (Err(error), Some(old))
            if is_safe_to_open(directory, old)?
                && matches!(
                    error.kind(),
                    ErrorKind::ResourceBusy | ErrorKind::PermissionDenied | ErrorKind::InvalidInput
                ) =>
        {
            overwrite(old.open_to_write(0)?, text)
        }
        (Err(error), _) => Err(error),
    }
}

fn overwrite(mut file: File, text: &[u8]) -> io::Result<()> {
    let data = file.metadata()?;
    if data.is_file() && stdio::standard_stream(data.dev(), data.ino()).is_none() {
        file.set_len(0)?;
    }
    file.write_all(text)
}
