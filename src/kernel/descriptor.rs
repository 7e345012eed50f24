//! What the kernel tells of an open file.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Whether whoever would read this pipe or socket has closed it, so that every write must fail.
pub fn is_abandoned(file: &impl AsFd) -> bool {
    // POLLERR is told without being asked for.
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::empty())];
    let polled = poll(&mut fds, PollTimeout::ZERO);
    polled.is_ok() && fds[0].revents().is_some_and(|told| told.contains(PollFlags::POLLERR))
}

/// Waits until this file takes more, where somebody else made it non-blocking. A signal ends the
/// wait, too.
pub fn wait_writable(file: &impl AsFd) {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
    let _ = poll(&mut fds, PollTimeout::NONE);
}

/// An error of the standard library in the words of `errno(3)`, with its name.
pub fn describe(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => {
            let errno = Errno::from_raw(number);
            format!("{} ({errno:?})", errno.desc())
        }
        None => error.to_string(),
    }
}
