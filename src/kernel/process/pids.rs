//! The processes and threads that exist: the numbers in `/proc`, `proc(5)`.

use std::fs;
use std::io;

/// The pids of all visible processes, unsorted, while `/proc` is read.
pub(in crate::kernel) fn listed() -> io::Result<impl Iterator<Item = io::Result<i32>>> {
    numbers("/proc")
}

/// The pids of all visible processes; skips errors.
pub fn all() -> impl Iterator<Item = i32> {
    listed().into_iter().flatten().flatten()
}

/// The pids of all visible processes. Fails if some may be hidden, for example by hidepid.
pub(super) fn all_visible() -> io::Result<Vec<i32>> {
    fs::metadata("/proc/1")?;
    listed()?.collect()
}

/// The threads of a process.
pub(in crate::kernel) fn threads(pid: i32) -> io::Result<Vec<i32>> {
    numbers(&format!("/proc/{pid}/task"))?.collect()
}

/// The numeric names in a directory.
fn numbers(directory: &str) -> io::Result<impl Iterator<Item = io::Result<i32>> + use<>> {
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let entries = fs::read_dir(directory)?;
    Ok(entries.filter_map(move |entry| entry.map(number).transpose()))
}
