//! Signals of a process that waits for others, read from a descriptor, so that none is lost and each
//! shows its sender. `signalfd(2)`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::deadly::{self, Set};
use super::{asks_to_end, interrupt};

/// Receives the signals of this process, and remembers how its caller had set them.
#[derive(Debug)]
pub struct Inbox {
    descriptor: File,
    /// The signal mask with which this process was started, and whether it was started with SIGCHLD ignored, which would
    /// hide how children end.
    inherited: Inherited,
}

/// How this process was started: the signals that were blocked, and whether SIGCHLD was ignored.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Inherited {
    pub mask: Set,
    pub ignored_children: bool,
}

/// How long after a signal to interrupt again, in case that the thread was about to call.
const AGAIN: Duration = Duration::from_millis(10);

/// The deadly signals that an [`Inbox`] receives.
static READ: AtomicU64 = AtomicU64::new(0);

/// A deadly signal that is waiting in the inbox of this process.
pub(in crate::kernel) fn waiting() -> Option<i32> {
    Set::pending().first_in(Set(READ.load(Ordering::Relaxed)))
}

/// Whether an inbox receives the deadly signals of this process, so that they interrupt nothing.
pub(in crate::kernel) fn are_read() -> bool {
    READ.load(Ordering::Relaxed) != 0
}

/// A received signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub signal: i32,
    /// The pid of the sender, 0 if it is in another process namespace; `None` if the kernel sent it,
    /// for example for a key on the terminal.
    pub sender: Option<i32>,
}

impl Inbox {
    /// Receives, from now on, the signals that would end this process, SIGCHLD and SIGCONT. Signals
    /// that the caller had ignored (as `nohup(1)` does) or blocked stay so.
    pub fn open() -> io::Result<Inbox> {
        Inbox::receive([libc::SIGCHLD, libc::SIGCONT].as_slice())
    }

    /// The same without SIGCHLD, which a tracer gets for each stop of a thread. While a signal is in the inbox, the
    /// blocking calls of this thread are interrupted again and again.
    pub fn open_to_interrupt() -> io::Result<Inbox> {
        let inbox = Inbox::receive([libc::SIGCONT].as_slice())?;
        let descriptor = inbox.descriptor.try_clone()?;
        // SAFETY: takes and returns plain numbers.
        let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
        let knock = move || {
            // They are for the thread that waits.
            let _ = Set(u64::MAX).change(libc::SIG_BLOCK);
            loop {
                // Whatever ended the wait, to knock once more does no harm.
                let readable = PollFd::new(descriptor.as_fd(), PollFlags::POLLIN);
                let _ = poll(&mut [readable], PollTimeout::NONE);
                // SAFETY: takes plain numbers.
                unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) };
                std::thread::sleep(AGAIN);
            }
        };
        std::thread::Builder::new().stack_size(64 << 10).spawn(knock)?;
        Ok(inbox)
    }

    fn receive(more: &[i32]) -> io::Result<Inbox> {
        // Without the timer, a signal would not end a write to standard error that is not read.
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
        more.iter().for_each(|&signal| wanted.add(signal));
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
        // SAFETY: the descriptor is new, so nothing else owns it.
        let descriptor = unsafe { File::from_raw_fd(descriptor as i32) };
        Ok(Inbox { descriptor, inherited: Inherited { mask, ignored_children } })
    }

    /// Closes the inbox: further signals end this process, as they would have without it.
    pub fn close(self) -> io::Result<()> {
        while self.next().is_some() {}
        READ.store(0, Ordering::Relaxed);
        self.inherited.mask.change(libc::SIG_SETMASK).map(drop)
    }

    /// How this process was started.
    pub(in crate::kernel) fn inherited(&self) -> Inherited {
        self.inherited
    }

    /// Takes the signals that came, up to one that asks this process to end; returns that.
    pub fn asked_to_end(&self) -> Option<i32> {
        std::iter::from_fn(|| self.next())
            .map(|notice| notice.signal)
            .find(|&signal| asks_to_end(signal))
    }

    /// The next received signal, if there is one.
    pub fn next(&self) -> Option<Notice> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        (&self.descriptor).read_exact(&mut bytes).ok()?;
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
        // SAFETY: both have this size, and any bytes are a valid structure.
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
