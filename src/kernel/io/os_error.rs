//! What the kernel tells of an open file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::inherited;
use crate::kernel::signals::wait::Interruptible;

/// Whether whoever would read this pipe or socket has closed it, so that every write must fail.
pub fn is_abandoned(file: &impl AsFd) -> bool {
    // POLLERR is told without being asked for.
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::empty())];
    let polled = poll(&mut fds, PollTimeout::ZERO);
    polled.is_ok() && fds[0].revents().is_some_and(|told| told.contains(PollFlags::POLLERR))
}

/// Whether this file takes more at once, or fails at once: of a pipe, `PIPE_BUF` bytes.
pub fn is_writable(file: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// Waits until this file takes more, where somebody else made it non-blocking. A signal ends the
/// wait, too.
pub fn wait_writable(file: &impl AsFd) {
    wait_for(file, PollFlags::POLLOUT);
}

/// The same until there is something to read.
pub fn wait_readable(file: &impl AsFd) {
    wait_for(file, PollFlags::POLLIN);
}

fn wait_for(file: &impl AsFd, what: PollFlags) {
    // Whatever comes of it, the next attempt tells.
    let _ = poll(&mut [PollFd::new(file.as_fd(), what)], PollTimeout::NONE);
}

/// Takes the last bytes that were written to a regular file away again, if nothing was written behind
/// them.
pub fn cut_back(mut file: &File, bytes: u64) {
    let mut cut = || {
        let data = file.metadata().ok().filter(|data| data.is_file() && bytes > 0)?;
        let end = file.stream_position().ok().filter(|&end| end == data.len())?;
        let start = end.checked_sub(bytes)?;
        file.set_len(start).ok()?;
        file.seek(SeekFrom::Start(start)).ok()
    };
    // What cannot be taken away stays.
    let _ = cut();
}

/// An error of the standard library in the words of `errno(3)`, with its name; where a crate has
/// wrapped it, without what that added.
pub fn describe(error: &io::Error) -> String {
    match parts(error) {
        (words, Some(errno)) => format!("{words} ({errno:?})"),
        (words, None) => words,
    }
}

/// The same in the words of `strerror(3)` alone.
pub fn strerror(error: &io::Error) -> String {
    parts(error).0
}

/// Its words, and its number if it has one. A crate that wraps an error keeps only the text.
fn parts(error: &io::Error) -> (String, Option<Errno>) {
    let text = error.to_string();
    let number = |(words, rest): (&str, &str)| {
        let errno = rest.split_once(')')?.0.parse().ok()?;
        Some((words.to_owned(), Some(Errno::from_raw(errno))))
    };
    text.split_once(" (os error ").and_then(number).unwrap_or((text, None))
}

/// Standard input, unbuffered. `EBADF` where it was closed.
pub fn standard_input() -> io::Result<Interruptible> {
    open_from_start(0, &io::stdin())
}

/// Standard output, unbuffered. `EBADF` where it was closed.
pub fn standard_output() -> io::Result<Interruptible> {
    open_from_start(1, &io::stdout())
}

fn open_from_start(number: usize, stream: &impl AsFd) -> io::Result<Interruptible> {
    if !inherited::was_open(number) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    Ok(Interruptible(stream.as_fd().try_clone_to_owned()?.into()))
}

/// Standard output or error, if that is the file with this device and inode.
pub fn standard_stream(device: u64, inode: u64) -> Option<File> {
    let is_it = |stream: &File| {
        stream.metadata().is_ok_and(|data| (data.dev(), data.ino()) == (device, inode))
    };
    let streams =
        [io::stdout().as_fd().try_clone_to_owned(), io::stderr().as_fd().try_clone_to_owned()];
    streams.into_iter().flatten().map(File::from).find(is_it)
}
