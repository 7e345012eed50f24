//! Signals: which of them end this process, how they are noted or read, and waiting that they end.
//! `signal(7)`.
#![allow(unsafe_code)]

pub(in crate::kernel) mod deadly;
pub(in crate::kernel) mod inbox;
pub(in crate::kernel) mod interrupt;
pub mod wait;

pub use inbox::{Inbox, Notice};
pub use interrupt::{catch_signals, end_by, pending};

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

/// From now on, a file that may not grow any more (`RLIMIT_FSIZE`) is an error like others, and does not
/// end this process. The processes that it starts get back the setting that it was given.
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
/// ignores this signal in an orphaned process group.
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
