//! Signals for a process that waits for others: read from a descriptor, so that none is lost and
//! each tells who sent it. `signalfd(2)`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::interrupt::ENDING;

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
    descriptor: SignalFd,
    /// The mask with which this process was started.
    pub(super) mask: SigSet,
    /// Whether it was started with SIGCHLD ignored, which would hide how children end.
    pub(super) ignored_children: bool,
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
        let mask = SigSet::thread_get_mask()?;
        let mut wanted = SigSet::empty();
        for signal in ENDING.into_iter().filter(|&signal| !mask.contains(signal)) {
            if !is_ignored(signal)? {
                wanted.add(signal);
            }
        }
        let ignored_children = is_ignored(Signal::SIGCHLD)?;
        if ignored_children {
            // SAFETY: installs no function.
            unsafe { sigaction(Signal::SIGCHLD, &plain(SigHandler::SigDfl)) }?;
        }
        wanted.add(Signal::SIGCHLD);
        wanted.add(Signal::SIGCONT);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&wanted), None)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let descriptor = SignalFd::with_flags(&wanted, flags)?;
        Ok(Inbox { descriptor, mask, ignored_children })
    }

    /// The next signal that has come, if one has.
    pub fn next(&self) -> Option<Notice> {
        let info = self.descriptor.read_signal().ok().flatten()?;
        let sender = (info.ssi_code <= 0).then_some(info.ssi_pid as i32);
        Some(Notice { signal: info.ssi_signo as i32, sender })
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

pub(super) fn plain(handler: SigHandler) -> SigAction {
    SigAction::new(handler, SaFlags::empty(), SigSet::empty())
}

fn is_ignored(signal: Signal) -> io::Result<bool> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: only asks, into a structure of which zero is a valid value.
    let (result, handler) = unsafe {
        let result = libc::sigaction(signal as i32, std::ptr::null(), action.as_mut_ptr());
        (result, action.assume_init().sa_sigaction)
    };
    match result {
        0 => Ok(handler == libc::SIG_IGN),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether a signal asks a process to end, so that once is enough: others may mean something each
/// time.
pub fn asks_to_end(signal: i32) -> bool {
    matches!(signal, libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT)
}

/// Stops this process as Ctrl-Z would, where there is a shell that can continue it: the kernel
/// passes this signal over in a group of processes that nobody looks after.
pub fn stop() {
    let _ = nix::sys::signal::raise(Signal::SIGTSTP);
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
