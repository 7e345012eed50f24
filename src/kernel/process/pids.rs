//! Which processes there are, and which threads: the numbers in `/proc`, `proc(5)`.

use std::fs;
use std::io;

/// The ids of all processes that may be seen, in no order, as `/proc` is read.
pub(in crate::kernel) fn listed() -> io::Result<impl Iterator<Item = io::Result<i32>>> {
    numbers("/proc")
}

/// The same, without those that cannot be listed.
pub fn all() -> impl Iterator<Item = i32> {
    listed().into_iter().flatten().flatten()
}

/// The same. An error where not all may be seen, be it that `/proc` hides those of others.
pub(super) fn all_visible() -> io::Result<Vec<i32>> {
    fs::metadata("/proc/1")?;
    listed()?.collect()
}

/// The threads of a process.
pub(in crate::kernel) fn threads(pid: i32) -> io::Result<Vec<i32>> {
    numbers(&format!("/proc/{pid}/task"))?.collect()
}

/// The entries of a directory whose names are numbers.
fn numbers(directory: &str) -> io::Result<impl Iterator<Item = io::Result<i32>> + use<>> {
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let entries = fs::read_dir(directory)?;
    Ok(entries.filter_map(move |entry| entry.map(number).transpose()))
}
