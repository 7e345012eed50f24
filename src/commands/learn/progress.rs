//! Which lessons were done: an empty file for each, so that nothing is lost when two end at once.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::commands::state;

/// The directory; `None` if the environment does not tell.
fn directory() -> Option<PathBuf> {
    state::directory().map(|state| state.join("learn"))
}

/// Whether a lesson was done.
pub(super) fn is_done(lesson: &str) -> bool {
    directory().is_some_and(|directory| directory.join(lesson).exists())
}

/// Notes that a lesson was done. Without a place for it, nothing is noted.
pub(super) fn note(lesson: &str) -> io::Result<()> {
    let Some(directory) = directory() else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    File::create(directory.join(lesson)).map(drop)
}

/// Forgets these lessons, or all; returns how many were noted.
pub(super) fn forget(lessons: &[String]) -> io::Result<usize> {
    let Some(directory) = directory() else { return Ok(0) };
    let paths = match lessons {
        [_, ..] => lessons.iter().map(|lesson| directory.join(lesson)).collect(),
        [] => match fs::read_dir(&directory) {
            Ok(entries) => {
                entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        },
    };
    paths.iter().try_fold(0, |count, path| Ok(count + usize::from(remove(path)?)))
}

fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
