//! Waits until a descriptor is ready: `poll(2)`.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::time::TimeSpec;

/// Whether this pipe or socket has no reader any more, so that every write fails.
pub fn is_abandoned(file: &impl AsFd) -> bool {
    // All of them are always reported: POLLERR for a pipe, POLLHUP for a socket.
    let ends = PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL;
    shows(file, PollFlags::empty(), ends)
}

/// Waits until it has no reader any more, a signal arrives, or the time is up.
pub fn wait_abandoned(file: &impl AsFd, time: Duration) {
    // What `is_abandoned` looks for is always reported.
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::empty())];
    // The caller looks again, whatever ended it.
    let _ = ppoll(&mut fds, Some(TimeSpec::from(time)), None);
}

/// Whether nobody can write to this pipe any more. What is in it does not count.
pub fn is_hung_up(pipe: &impl AsFd) -> bool {
    // It is always reported.
    shows(pipe, PollFlags::empty(), PollFlags::POLLHUP)
}

/// Waits until nobody can write to this pipe any more, or the other descriptor is readable.
pub fn wait_hung_up(pipe: &impl AsFd, other: &impl AsFd) {
    let mut fds = [
        PollFd::new(pipe.as_fd(), PollFlags::empty()),
        PollFd::new(other.as_fd(), PollFlags::POLLIN),
    ];
    // The caller looks at both again, whatever ended the wait.
    let _ = poll(&mut fds, PollTimeout::NONE);
}

/// Whether a write to this file succeeds or fails without waiting; for a pipe, one of up to `PIPE_BUF`
/// bytes.
pub fn is_writable(file: &impl AsFd) -> bool {
    shows(file, PollFlags::POLLOUT, PollFlags::all())
}

/// Waits until this file is writable, for files that another process made non-blocking. A signal also
/// ends the wait.
pub fn wait_writable(file: &impl AsFd) {
    wait_for(file, PollFlags::POLLOUT);
}

/// Whether a read of this file does not wait.
pub fn is_readable(file: &impl AsFd) -> bool {
    shows(file, PollFlags::POLLIN, PollFlags::all())
}

/// Whether the kernel reports any of these for a file, if asked for that.
fn shows(file: &impl AsFd, asked: PollFlags, wanted: PollFlags) -> bool {
    let mut fds = [PollFd::new(file.as_fd(), asked)];
    let polled = poll(&mut fds, PollTimeout::ZERO);
    polled.is_ok() && fds[0].revents().is_some_and(|told| told.intersects(wanted))
}

/// Waits until this file is readable. A signal also ends the wait.
pub fn wait_readable(file: &impl AsFd) {
    wait_for(file, PollFlags::POLLIN);
}

fn wait_for(file: &impl AsFd, what: PollFlags) {
    // An error appears at the next read or write.
    let _ = poll(&mut [PollFd::new(file.as_fd(), what)], PollTimeout::NONE);
}

/// Waits until one of these is readable, a signal arrives, or the timeout passes; without a timeout, as
/// long as it takes.
pub fn wait_any_readable(descriptors: &[BorrowedFd<'_>], timeout: Option<Duration>) {
    let mut fds: Vec<_> =
        descriptors.iter().map(|&descriptor| PollFd::new(descriptor, PollFlags::POLLIN)).collect();
    // At most 68 years, the maximum on 32-bit machines.
    let timeout = timeout.map(|time| time.min(Duration::from_secs(i32::MAX as u64)));
    // The caller checks all of them again, whatever ended the wait.
    let _ = ppoll(&mut fds, timeout.map(TimeSpec::from), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_pipe_or_socket_without_a_reader() {
        let (reader, writer) = std::io::pipe().unwrap();
        assert!(!is_abandoned(&writer));
        drop(reader);
        assert!(is_abandoned(&writer));
        let (one, other) = UnixStream::pair().unwrap();
        assert!(!is_abandoned(&one));
        drop(other);
        assert!(is_abandoned(&one));
    }
}
