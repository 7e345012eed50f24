//! Signals for a process that waits for others: read from a descriptor, so that none is lost and
//! each tells who sent it. `signalfd(2)`.

pub(in crate::kernel) mod deadly;
pub mod wait;

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use deadly::Set;

/// SIGINT, SIGTERM, SIGKILL, SIGCONT and SIGCHLD, `signal(7)`.
pub const INTERRUPT: i32 = libc::SIGINT;
/// See [`INTERRUPT`].
pub const TERMINATE: i32 = libc::SIGTERM;
/// See [`INTERRUPT`].
pub const KILL: i32 = libc::SIGKILL;
/// See [`INTERRUPT`].
pub const CONTINUE: i32 = libc::SIGCONT;
/// See [`INTERRUPT`].
pub const CHILD: i32 = libc::SIGCHLD;

/// The signals of this process, and how its caller had set them.
#[derive(Debug)]
pub struct Inbox {
    descriptor: File,
    /// The mask with which this process was started.
    pub(super) mask: Set,
    /// Whether it was started with SIGCHLD ignored, which would hide how children end.
    pub(super) ignored_children: bool,
}

/// The deadly signals that an [`Inbox`] reads.
static READ: AtomicU64 = AtomicU64::new(0);

/// A deadly signal that waits in the inbox of this process.
pub(super) fn waiting() -> Option<i32> {
    Set::pending().first_in(Set(READ.load(Ordering::Relaxed)))
}

/// Whether the deadly signals of this process go to an inbox, and interrupt nothing.
pub(super) fn are_read() -> bool {
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
        // Without it, what is told on standard error is not given up for a signal.
        let _ = wait::make_timer();
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

/// A file that may grow no more (`RLIMIT_FSIZE`) is an error like others from now on, and ends nobody:
/// what was begun is finished or undone. Those that this process starts get back what it was given.
pub fn ignore_file_limit() {
    // Fails for no signal that can be ignored.
    let _ = deadly::ignore(libc::SIGXFSZ);
}

/// Whether a signal asks a process to end, so that once is enough: others may mean something each
/// time.
pub fn asks_to_end(signal: i32) -> bool {
    matches!(signal, libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT)
}

/// Stops this process as Ctrl-Z would, where there is a shell that can continue it: the kernel
/// passes this signal over in a group of processes that nobody looks after.
pub fn stop() {
    // SAFETY: takes a plain number.
    unsafe { libc::raise(libc::SIGTSTP) };
}

/// Whether this signal reached the whole foreground group of a terminal when the kernel sent it to
/// this process. A hangup is sent to the leader of the session alone.
pub fn is_shared(signal: i32) -> bool {
    match signal {
        libc::SIGINT | libc::SIGQUIT => true,
        libc::SIGHUP => {
            nix::unistd::getsid(None).is_ok_and(|leader| leader != nix::unistd::getpid())
        }
        _ => false,
    }
}
