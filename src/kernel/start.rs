//! The start of the program.
//!
//! The C library calls the program's `main` directly. The runtime of the standard library would first find
//! out where the stack of the main thread ends, only to name an overflow in a message. For that it reads
//! and parses `/proc/self/maps`, which takes longer than all of `/proc/sysvipc`.
#![allow(unsafe_code)]

use crate::kernel::io::inherited;
use crate::kernel::signals::deadly;

/// Declares the `main` of a program: a function without parameters that returns an exit status.
///
/// Only the GNU C library hands the arguments to the standard library by itself. Elsewhere the program
/// starts as usual.
#[macro_export]
macro_rules! program {
    ($run:path) => {
        #[cfg(all(target_env = "gnu", not(test)))]
        // SAFETY: the C library calls a symbol of this name with this signature, and nothing else does.
        #[unsafe(no_mangle)]
        extern "C" fn main(
            _count: ::std::ffi::c_int,
            _arguments: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            $crate::kernel::start::prepare();
            ::std::ffi::c_int::from($run())
        }

        #[cfg(not(all(target_env = "gnu", not(test))))]
        fn main() -> ::std::process::ExitCode {
            ::std::process::ExitCode::from($run())
        }
    };
}

/// Does what the rest of the program expects of that runtime: the standard streams are open, so that
/// no other file gets their numbers, and a write to a closed pipe fails instead of ending the program.
pub fn prepare() {
    for _ in (0..3).filter(|&number| !inherited::was_open(number)) {
        // The lowest free number, which is that of the first closed stream.
        // SAFETY: takes a text that ends with NUL, and flags.
        if unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } < 0 {
            // Without it, a file could be taken for a standard stream and be overwritten.
            std::process::abort();
        }
    }
    // Cannot fail for a signal that can be ignored.
    let _ = deadly::ignore(libc::SIGPIPE);
}

/// `pow(3)`, of which the program needs no more than an estimate on a progress bar. To load the C library's
/// mathematics for that would take a tenth of the time of a short `list`, at every start.
// SAFETY: has the name and the signature of the function that it stands for.
#[cfg(all(target_env = "gnu", not(test)))]
#[unsafe(no_mangle)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}
