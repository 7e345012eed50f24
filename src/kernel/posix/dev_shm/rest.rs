//! All files in `/dev/shm`, objects or not.
#![deny(unsafe_code)]

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{DevShm, USUAL_PATH, of, open_to_read};
use crate::ipc::posix::{FileKind, MemoryStatus};
use crate::ipc::{Foreign, Kind, Name, Object};
use crate::kernel::io::os_error;

/// A file or directory that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {}", Foreign::from(path.as_path()), os_error::describe(error))]
pub struct Unread {
    /// Its path, as the processes that use it see it.
    path: PathBuf,
    /// The error.
    error: io::Error,
}

/// The files with a name in the file system of `/dev/shm`.
#[derive(Debug)]
pub struct Tree {
    pub(super) shm: DevShm,
    /// The names below the directory and their metadata, unsorted. What is mounted over a directory is
    /// left out.
    pub(super) entries: Vec<(OsString, Metadata)>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

impl Tree {
    /// Reads all names. Without the directory there are none.
    pub fn read(shm: &DevShm) -> Tree {
        let mut tree = Tree { shm: shm.clone(), entries: Vec::new(), unread: Vec::new() };
        let mut directories = vec![OsString::new()];
        let device = shm.device();
        while let Some(name) = directories.pop() {
            let path = shm.directory().path(&name);
            let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let entries = entries.unwrap_or_else(|error| {
                tree.note(&path, error);
                Vec::new()
            });
            for entry in entries {
                let name: OsString = Path::new(&name).join(entry.file_name()).into();
                match fs::symlink_metadata(entry.path()) {
                    Ok(data) if data.dev() != device => {}
                    Ok(data) => {
                        if data.is_dir() {
                            directories.push(name.clone());
                        }
                        tree.entries.push((name, data));
                    }
                    Err(error) => tree.note(&entry.path(), error),
                }
            }
        }
        tree.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        tree
    }

    /// Records an error, unless the file disappeared meanwhile.
    fn note(&mut self, path: &Path, error: io::Error) {
        if error.kind() != ErrorKind::NotFound {
            let below = path.strip_prefix(self.shm.path()).unwrap_or(path);
            self.unread.push(Unread { path: Path::new(USUAL_PATH).join(below), error });
        }
    }

    /// How many bytes the files may still grow in memory: their sizes less what is touched so far.
    pub fn promised(&self) -> u64 {
        let mut seen = HashSet::new();
        let files =
            self.entries.iter().filter(|(_, data)| data.is_file() && seen.insert(data.ino()));
        // st_blocks is in units of 512 bytes, whatever the block size.
        let promised = files.map(|(_, data)| data.size().saturating_sub(data.blocks() * 512));
        // The sum of three files of the maximum size would overflow.
        promised.fold(0, u64::saturating_add)
    }

    /// Everything that is not an object: files in subdirectories, empty directories, and files that are
    /// not regular.
    pub fn rest(&self) -> Vec<Object> {
        let filled: HashSet<&Path> =
            self.entries.iter().filter_map(|(name, _)| Path::new(name).parent()).collect();
        let is_rest = |(name, data): &&(OsString, Metadata)| match data.is_dir() {
            true => !filled.contains(Path::new(name)),
            false => !data.is_file() || name.as_bytes().contains(&b'/'),
        };
        let object = |(name, data): &(OsString, Metadata)| {
            let open = || open_to_read(&self.shm.directory(), name);
            of(Kind::Pshm, Name::of_file(name), data, open)
        };
        self.entries.iter().filter(is_rest).map(object).collect()
    }

    /// The files in subdirectories, which cannot be opened as shared memory.
    pub fn below(&self) -> impl Iterator<Item = Object> {
        let is_memory = |object: &Object| {
            object.memory().is_some_and(|memory| {
                memory.file_kind == FileKind::Regular && memory.status == MemoryStatus::Subdirectory
            })
        };
        self.rest().into_iter().filter(is_memory)
    }
}
