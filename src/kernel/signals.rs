//! Signals: which ones end this process, how they are received, and how waits end: `signal(7)`.
#![allow(unsafe_code)]

use std::sync::OnceLock;

pub(in crate::kernel) mod deadly;
pub(in crate::kernel) mod inbox;
pub(in crate::kernel) mod interrupt;
pub mod wait;

pub use inbox::{Inbox, Notice};
pub use interrupt::{catch_signals, end_by, pending};

/// SIGINT, SIGTERM, SIGKILL, SIGCONT and SIGCHLD, `signal(7)`.
pub const INTERRUPT: i32 = libc::SIGINT;
/// SIGHUP, `signal(7)`.
pub const HANG_UP: i32 = libc::SIGHUP;
/// See [`INTERRUPT`].
pub const TERMINATE: i32 = libc::SIGTERM;
/// See [`INTERRUPT`].
pub const KILL: i32 = libc::SIGKILL;
/// See [`INTERRUPT`].
pub const CONTINUE: i32 = libc::SIGCONT;
/// See [`INTERRUPT`].
pub const CHILD: i32 = libc::SIGCHLD;

/// Makes writes beyond the file size limit (`RLIMIT_FSIZE`) fail like others instead of ending this
/// process. Commands that it starts get the original setting back.
pub fn ignore_file_limit() {
    // Cannot fail for a signal that can be ignored.
    let _ = deadly::ignore(libc::SIGXFSZ);
}

/// The name of a signal: `SIGTERM`, or `SIGRTMIN+2` for a real-time one.
pub fn name(signal: i32) -> String {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("SIGRTMIN+{}", signal - libc::SIGRTMIN()),
    }
}

/// Whether a signal asks a process to end, so that one is enough. Others may have a meaning each time.
pub fn asks_to_end(signal: i32) -> bool {
    matches!(signal, libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT)
}

/// What is written when memory that this process uses goes away: SIGBUS.
static BUS_ERROR: OnceLock<String> = OnceLock::new();

/// From now on, if a file is truncated whose memory this process uses, these words are written to standard error, and
/// the process ends with status 1. Without that the signal ends it.
pub fn explain_bus_error(words: String) {
    if BUS_ERROR.set(words).is_ok() {
        // Without a handler it ends as before.
        let _ = deadly::install(libc::SIGBUS, end_by_bus_error);
    }
}

extern "C" fn end_by_bus_error(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    if let Some(words) = BUS_ERROR.get() {
        // SAFETY: the words live as long as the process. Both calls are async-signal-safe.
        unsafe { libc::write(2, words.as_ptr().cast(), words.len()) };
    }
    // SAFETY: ends this process.
    unsafe { libc::_exit(1) };
}

/// Stops this process as Ctrl-Z does, if a shell can continue it: the kernel ignores the signal in an
/// orphaned process group.
pub fn stop() {
    // SAFETY: takes a plain number.
    unsafe { libc::raise(libc::SIGTSTP) };
}

/// The same with the whole process group, as the terminal does: a script that waits for this process stops, too.
pub fn stop_group() {
    // SAFETY: takes plain numbers; 0 is the group of this process.
    unsafe { libc::kill(0, libc::SIGTSTP) };
}

/// Whether the kernel sends this signal to the whole foreground process group of a terminal. It sends a
/// hangup only to the session leader.
pub fn is_shared(signal: i32) -> bool {
    match signal {
        libc::SIGINT | libc::SIGQUIT => true,
        libc::SIGHUP => {
            nix::unistd::getsid(None).is_ok_and(|leader| leader != nix::unistd::getpid())
        }
        _ => false,
    }
}
