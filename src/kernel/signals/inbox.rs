//! Signals for a process that waits for others: read from a descriptor, so that none is lost and
//! each shows its sender. `signalfd(2)`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use super::deadly::{self, Set};
use super::interrupt;

/// The signals of this process, and how its caller had set them.
#[derive(Debug)]
pub struct Inbox {
    descriptor: File,
    /// The mask with which this process was started.
    pub(in crate::kernel) mask: Set,
    /// Whether it was started with SIGCHLD ignored, which would hide how children end.
    pub(in crate::kernel) ignored_children: bool,
}

/// The deadly signals that an [`Inbox`] reads.
static READ: AtomicU64 = AtomicU64::new(0);

/// A deadly signal that waits in the inbox of this process.
pub(in crate::kernel) fn waiting() -> Option<i32> {
    Set::pending().first_in(Set(READ.load(Ordering::Relaxed)))
}

/// Whether the deadly signals of this process go to an inbox, and interrupt nothing.
pub(in crate::kernel) fn are_read() -> bool {
    READ.load(Ordering::Relaxed) != 0
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub signal: i32,
    /// The process that sent it, 0 for one of another process namespace; nothing where the kernel
    /// did, as at the keys of a terminal.
    pub sender: Option<i32>,
}

impl Inbox {
    /// From now on, what would end this process is to be read, and so is what children do, and
    /// SIGCONT. What the caller had ignored (as `nohup(1)` does) or blocked stays so.
    pub fn open() -> io::Result<Inbox> {
        // Without it, a signal does not end a write to standard error that nobody reads.
        let _ = interrupt::make_timer();
        let mask = Set::blocked()?;
        let mut wanted = Set::default();
        deadly::signals()
            .filter(|&signal| !mask.contains(signal) && !deadly::is_ignored(signal))
            .for_each(|signal| wanted.add(signal));
        READ.store(wanted.0, Ordering::Relaxed);
        let ignored_children = deadly::is_ignored(libc::SIGCHLD);
        if ignored_children {
            deadly::set_default(libc::SIGCHLD)?;
        }
        wanted.add(libc::SIGCHLD);
        wanted.add(libc::SIGCONT);
        wanted.change(libc::SIG_BLOCK)?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: the pointer is to a set of this size, which the call reads; it returns a new
        // descriptor.
        let descriptor = unsafe {
            libc::syscall(libc::SYS_signalfd4, -1, &raw const wanted, size_of::<Set>(), flags)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, so nobody else owns it.
        let descriptor = unsafe { File::from_raw_fd(descriptor as i32) };
        Ok(Inbox { descriptor, mask, ignored_children })
    }

    /// Reads no more: what comes from now on ends this process, as it would have without an inbox.
    pub fn close(self) -> io::Result<()> {
        while self.next().is_some() {}
        READ.store(0, Ordering::Relaxed);
        self.mask.change(libc::SIG_SETMASK).map(drop)
    }

    /// The next signal that has come, if one has.
    pub fn next(&self) -> Option<Notice> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        (&self.descriptor).read_exact(&mut bytes).ok()?;
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
        // SAFETY: both have this size, and every value of the bytes is one of the structure.
        let info = unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), info.as_mut_ptr().cast(), bytes.len());
            info.assume_init()
        };
        let sender = (info.ssi_code <= 0).then_some(info.ssi_pid as i32);
        Some(Notice { signal: info.ssi_signo as i32, sender })
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
