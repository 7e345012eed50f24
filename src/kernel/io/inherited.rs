//! What this process got from its caller, recorded before its start changes it, [`crate::kernel::start`].
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use crate::kernel::signals::deadly;

/// Whether standard input, output and error were open at the start. `/dev/null` is opened in place of a
/// closed one, so writes to it would be lost without an error.
static WERE_OPEN: [AtomicBool; 3] = [const { AtomicBool::new(true) }; 3];

/// Whether the signals that this program ignores were ignored at the start: SIGPIPE and SIGXFSZ.
static WERE_IGNORED: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];
const IGNORED: [i32; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// Called by the C library before `main`, and before anything is changed.
#[used]
// SAFETY: entries of this section are called as functions without a result.
#[unsafe(link_section = ".init_array")]
static NOTE: extern "C" fn() = note;

extern "C" fn note() {
    for (descriptor, was_open) in (0..).zip(&WERE_OPEN) {
        // SAFETY: asks for the flags of a descriptor, which may be closed.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
        was_open.store(flags >= 0, Ordering::Relaxed);
    }
    for (signal, was_ignored) in IGNORED.into_iter().zip(&WERE_IGNORED) {
        was_ignored.store(deadly::is_ignored(signal), Ordering::Relaxed);
    }
}

/// Whether standard input (0), output (1) or error (2) was open at the start.
pub fn was_open(descriptor: usize) -> bool {
    // This use keeps the linker from dropping the entry.
    std::hint::black_box(&NOTE);
    WERE_OPEN[descriptor].load(Ordering::Relaxed)
}

/// The signals that this program ignores, and whether each was ignored at the start.
pub fn ignored() -> impl Iterator<Item = (i32, bool)> {
    std::hint::black_box(&NOTE);
    let were = WERE_IGNORED.iter().map(|was_ignored| was_ignored.load(Ordering::Relaxed));
    IGNORED.into_iter().zip(were)
}

/// The signal by which a write to a closed pipe would have ended a C program; `None` if it was ignored.
pub fn signal_of_closed_pipe() -> Option<i32> {
    ignored().find(|&observed| observed == (libc::SIGPIPE, false)).map(|(signal, _)| signal)
}
