//! `ftok(3)`: computes keys from paths that programs agree on.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::ipc::{Key, Project};
use crate::kernel::call::{Call, CallError, note};
use crate::kernel::posix::file::errno;

/// The key of a path, which must exist: `ENOENT` if not, `EACCES` if it cannot be reached. Unlike the C
/// library function, it distinguishes an error from the key -1.
pub fn ftok(path: &Path, project: Project) -> Result<Key, CallError> {
    let data = fs::metadata(path);
    let key = data.as_ref().map(|data| Key::from_file(data.dev(), data.ino(), project));
    let returned = match key {
        Ok(key) => Ok((key.0 as u32).into()),
        Err(error) => Err(errno(error)),
    };
    let path = path.as_os_str().as_bytes();
    let returned = note(returned, || Call::Ftok { path: path.into(), project: project.number() })?;
    Ok(Key(returned as i32))
}

/// What a search found at one place.
#[derive(Debug)]
pub enum Found {
    /// This path has the key.
    Path(PathBuf),
    /// A directory that cannot be read, or a file that cannot be looked at: paths may be missing.
    Unread(PathBuf, io::Error),
}

/// Whether a search met a file that could have the key as far as its device is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// A file on a device with the low 8 bits of the key.
    pub has_device: bool,
}

/// Passes the paths that have this key to `visit`, whatever the project: `directory` and everything below
/// it, in the order of their names. Like `ftok(3)`, it takes a link for the file that the link leads to;
/// it does not search what a link leads to. `visit` can stop the search by returning an error.
pub fn find<E>(
    key: Key,
    directory: &Path,
    is_one_file_system: bool,
    mut visit: impl FnMut(Found) -> Result<(), E>,
) -> Result<Searched, E> {
    let mut searched = Searched::default();
    let device = key.parts().device;
    let walk = WalkDir::new(directory).follow_root_links(true).sort_by_file_name();
    for entry in walk.same_file_system(is_one_file_system) {
        let path = match entry {
            Ok(entry) => entry.into_path(),
            Err(error) => {
                let path = error.path().unwrap_or(directory).to_owned();
                // Only a search that follows links meets anything but errors of the system.
                let Some(error) = error.into_io_error() else { continue };
                // Removed while it was looked at.
                if error.kind() != ErrorKind::NotFound || path == directory {
                    visit(Found::Unread(path, error))?;
                }
                continue;
            }
        };
        match fs::metadata(&path) {
            Ok(data) => {
                searched.has_device |= data.dev() as u8 == device;
                if key.is_from_file(data.dev(), data.ino()) {
                    visit(Found::Path(path))?;
                }
            }
            // A link to nothing, or to itself: ftok(3) makes no key from it.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ELOOP)) => {}
            Err(error) => visit(Found::Unread(path, error))?,
        }
    }
    Ok(searched)
}
