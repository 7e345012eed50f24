//! `ftok(3)`: computes keys from paths that programs agree on.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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
    let returned = note(returned, || Call::Ftok { path, project: project.number() })?;
    Ok(Key(returned as i32))
}
