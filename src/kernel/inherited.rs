//! What this process was given by its caller, noted before the standard library changes it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard input, output and error were open when the program started. The standard
/// library opens `/dev/null` in place of a closed one before `main`: what is written there is lost
/// without an error.
static WERE_OPEN: [AtomicBool; 3] = [const { AtomicBool::new(true) }; 3];

/// Whether SIGPIPE was ignored, as the standard library makes it.
static IGNORED_PIPES: AtomicBool = AtomicBool::new(false);

/// Called by the C library before `main` and before the standard library looks.
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
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: only asks, into a structure of which zero is a valid value.
    let handler = unsafe {
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction
    };
    IGNORED_PIPES.store(handler == libc::SIG_IGN, Ordering::Relaxed);
}

/// Whether standard input (0), output (1) or error (2) was open.
pub fn was_open(descriptor: usize) -> bool {
    // Naming the entry keeps it in the program.
    std::hint::black_box(&NOTE);
    WERE_OPEN[descriptor].load(Ordering::Relaxed)
}

/// Whether SIGPIPE was ignored.
pub fn ignored_pipes() -> bool {
    std::hint::black_box(&NOTE);
    IGNORED_PIPES.load(Ordering::Relaxed)
}

/// The signal by which writing to a closed pipe would have ended a program of C; nothing where it
/// was ignored.
pub fn signal_of_closed_pipe() -> Option<i32> {
    (!ignored_pipes()).then_some(libc::SIGPIPE)
}
