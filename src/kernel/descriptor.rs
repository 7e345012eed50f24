//! What the kernel tells of an open file.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::interrupt::Interruptible;

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

/// An error of the standard library in the words of `errno(3)`, with its name.
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.split_once(" (os error")) {
        (Some(number), Some((words, _))) => format!("{words} ({:?})", Errno::from_raw(number)),
        _ => text,
    }
}

/// Whether standard input and output were open when the program started. The standard library
/// opens `/dev/null` in place of a closed one before `main`: what is written there is lost without
/// an error.
static WERE_OPEN: [AtomicBool; 2] = [AtomicBool::new(true), AtomicBool::new(true)];

/// Called by the C library before `main` and before the standard library looks.
#[used]
// SAFETY: entries of this section are called as functions without a result.
#[unsafe(link_section = ".init_array")]
static NOTE_CLOSED: extern "C" fn() = note_closed;

extern "C" fn note_closed() {
    for (descriptor, was_open) in (0..).zip(&WERE_OPEN) {
        // SAFETY: asks for the flags of a descriptor, which may be closed.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
        was_open.store(flags >= 0, Ordering::Relaxed);
    }
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
    // Naming the entry keeps it in the program.
    std::hint::black_box(&NOTE_CLOSED);
    if !WERE_OPEN[number].load(Ordering::Relaxed) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    Ok(Interruptible(stream.as_fd().try_clone_to_owned()?.into()))
}
