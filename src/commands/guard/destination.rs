//! The file for the report: found where the caller sees it, before anything is mounted over, and
//! replaced as a whole when there is something to write.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::VERB;
use crate::explain::{Failure, Reason};
use crate::kernel::descriptor;

/// Where the report goes.
pub(super) struct Destination {
    /// As the caller named it.
    name: PathBuf,
    way: Way,
}

enum Way {
    /// Written beside the file, in this directory, and then put in its place.
    Replace { directory: File, file: PathBuf, mode: u32 },
    /// Written into it: a pipe, a device, a file in a directory that takes no new ones. What a
    /// regular file held is cut off first.
    Into(File),
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
            Way::Replace { directory, file, mode } => replace(&directory, &file, mode, text),
            Way::Into(file) => overwrite(file, text),
        };
        written.map_err(|error| failure(&self.name, &error))
    }
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        io::ErrorKind::PermissionDenied => Reason::NotPermitted,
        _ => Reason::Failed,
    };
    let subject = format!("--report {}", path.display());
    Failure::new(VERB, subject, format!("cannot write: {}", descriptor::describe(error)), reason)
}

fn find(path: &Path) -> io::Result<Way> {
    if path == "-" {
        return Ok(Way::Into(descriptor::standard_output()?.0));
    }
    let (path, mode) = match fs::metadata(path) {
        Ok(data) if !data.is_file() => {
            return Ok(Way::Into(OpenOptions::new().write(true).open(path)?));
        }
        Ok(data) => {
            // Where the command writes, too, nothing is cut off.
            if let Some(stream) = descriptor::standard_stream(data.dev(), data.ino()) {
                return Ok(Way::Into(stream));
            }
            (fs::canonicalize(path)?, data.mode() & 0o777)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), 0o666),
        Err(error) => return Err(error),
    };
    let parent = path.parent().filter(|parent| *parent != "");
    let directory = descriptor::open_directory(parent.unwrap_or(Path::new(".")))?;
    let Some(file) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
    match beside(&directory, mode) {
        Ok(_) => Ok(Way::Replace { file: file.into(), directory, mode }),
        Err(error) => match OpenOptions::new().write(true).open(&path) {
            Ok(file) => Ok(Way::Into(file)),
            Err(_) => Err(error),
        },
    }
}

/// A new file in the directory, gone again unless it is kept.
fn beside(directory: &File, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".ipctool-guard-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(inside(directory))
}

/// The path of an open directory, whatever has been mounted over it since.
fn inside(directory: &File) -> PathBuf {
    format!("/proc/self/fd/{}", directory.as_raw_fd()).into()
}

fn replace(directory: &File, file: &Path, mode: u32, text: &[u8]) -> io::Result<()> {
    let path = inside(directory).join(file);
    let mut new = beside(directory, mode)?;
    new.write_all(text).and_then(|()| new.as_file().sync_all())?;
    match new.persist(&path) {
        Ok(_) => Ok(()),
        // Something is mounted on it: it stays, and gets other contents.
        Err(error) if error.error.kind() == io::ErrorKind::ResourceBusy => {
            overwrite(OpenOptions::new().write(true).open(&path)?, text)
        }
        Err(error) => Err(error.error),
    }
}

fn overwrite(mut file: File, text: &[u8]) -> io::Result<()> {
    let data = file.metadata()?;
    if data.is_file() && descriptor::standard_stream(data.dev(), data.ino()).is_none() {
        file.set_len(0)?;
    }
    file.write_all(text)
}
