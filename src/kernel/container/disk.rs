//! What runtimes leave on disk. Some of these files belong to ordinary users, so any may be huge, malformed or a
//! pipe.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::kernel::process::{self, accounts};

/// Larger files are not read.
const MOST_BYTES: u64 = 16 << 20;

/// The most names that are read from a directory.
const MOST_NAMES: usize = 10_000;

/// The files of a machine.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    /// The home directory of a user.
    home: fn(u32) -> Option<PathBuf>,
    /// The user who made the user namespace of a process.
    namespace_owner: fn(i32) -> Option<u32>,
}

impl Disk {
    /// The files of this machine.
    pub(super) fn of_machine() -> Disk {
        let namespace_owner = process::user_namespace_owner;
        Disk { root: "/".into(), home: accounts::home, namespace_owner }
    }

    /// The files under a directory, in place of those under `/`. For tests, the user namespace of each process
    /// was made by the user whose uid equals the pid.
    #[cfg(test)]
    pub(super) fn at(root: &Path) -> Disk {
        let home = |uid| Some(format!("/home/{uid}").into());
        Disk { root: root.into(), home, namespace_owner: |pid| u32::try_from(pid).ok() }
    }

    /// The home directory of a user.
    pub(super) fn home(&self, uid: u32) -> Option<PathBuf> {
        (self.home)(uid)
    }

    /// The user who made the user namespace of a process.
    pub(super) fn namespace_owner(&self, pid: i32) -> Option<u32> {
        (self.namespace_owner)(pid)
    }

    /// The content of a regular file. Fails if it is too large.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Opening a pipe would wait for a writer.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(self.place(path))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        read_capped(&file)
    }

    /// The value in a JSON file; `None` if it is missing, unreadable or malformed.
    pub(super) fn json<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        serde_json::from_slice(&self.read(path).ok()?).ok()
    }

    /// The names in a directory that are UTF-8, sorted; none if it cannot be read.
    pub(super) fn names(&self, directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(self.place(directory)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.take(MOST_NAMES).collect();
        names.sort();
        names
    }

    /// Where a link leads.
    pub(super) fn target(&self, link: &Path) -> io::Result<PathBuf> {
        fs::read_link(self.place(link))
    }

    fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

fn read_capped(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(io::Error::other("too large")),
        false => Ok(bytes),
    }
}
