//! Starts a program that is traced from its first instruction.
#![allow(unsafe_code)]

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::filter::Filter;
use super::request::{self, Manner};
use crate::kernel::signals::inbox::Inherited;

/// A program that is about to be executed.
#[derive(Debug)]
pub(super) struct Launched {
    pub pid: i32,
    /// Where the child writes why it could not.
    error: File,
}

impl Launched {
    /// Why the program could not be executed. Call it when the process has ended.
    pub fn error(&mut self) -> Option<io::Error> {
        let mut number = [0; 4];
        self.error.read_exact(&mut number).ok()?;
        Some(io::Error::from_raw_os_error(i32::from_ne_bytes(number)))
    }
}

/// Starts a program and traces it.
pub(super) fn launch(
    words: &[OsString],
    inherited: &Inherited,
    filter: Option<&Filter>,
    manner: Manner,
) -> io::Result<Launched> {
    let words: Vec<CString> =
        words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
    let mut pointers: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).collect();
    pointers.push(ptr::null());
    let (may_start, start) = pipe()?;
    let (error, errors) = pipe()?;
    // SAFETY: this process has one thread here, and the child makes system calls alone.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let errno = begin(&pointers, inherited, filter, may_start.as_raw_fd(), start.as_raw_fd());
        let number = (errno as i32).to_ne_bytes();
        // SAFETY: writes these bytes and ends the child.
        unsafe {
            libc::write(errors.as_raw_fd(), number.as_ptr().cast(), number.len());
            libc::_exit(127);
        }
    }
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    drop((may_start, errors));
    if let Err(errno) = request::seize(pid, manner) {
        let _ = crate::kernel::descendants::child::kill(pid, libc::SIGKILL);
        let _ = waitpid(Pid::from_raw(pid), None);
        return Err(errno.into());
    }
    if manner == Manner::EachCall {
        // It stops before it does anything.
        let _ = request::interrupt(pid);
    }
    drop(start);
    Ok(Launched { pid, error: error.into() })
}

/// What the child does. Returns only if something fails.
fn begin(
    words: &[*const libc::c_char],
    inherited: &Inherited,
    filter: Option<&Filter>,
    may_start: RawFd,
    start: RawFd,
) -> Errno {
    let mut byte = 0u8;
    // SAFETY: closes a descriptor that nothing else in the child uses, and waits until the parent has closed it, too.
    unsafe {
        libc::close(start);
        while libc::read(may_start, (&raw mut byte).cast(), 1) < 0 && Errno::last() == Errno::EINTR
        {
        }
    }
    if let Err(error) = inherited.restore() {
        return Errno::from_raw(error.raw_os_error().unwrap_or(libc::EINVAL));
    }
    if let Some(filter) = filter
        && let Err(errno) = filter.install()
    {
        return errno;
    }
    // SAFETY: the words are C strings, with a null pointer behind them.
    unsafe { libc::execvp(words[0], words.as_ptr()) };
    Errno::last()
}

/// A pipe: the end to read and the end to write. A program that is executed gets neither.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the call fills both numbers.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both are new, so nothing else owns them.
    Ok(ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) }).into())
}
