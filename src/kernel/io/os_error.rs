//! Errors of the standard library, formatted as in `errno(3)`.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;

use nix::errno::Errno;

/// The message of `errno(3)` for an error, with the name of the error.
pub fn describe(error: &io::Error) -> String {
    match parts(error) {
        (words, Some(errno)) => format!("{words} ({errno:?})"),
        (words, None) => words,
    }
}

/// The message of `strerror(3)` alone.
pub fn strerror(error: &io::Error) -> String {
    parts(error).0
}

/// The message, and the errno if there is one.
fn parts(error: &io::Error) -> (String, Option<Errno>) {
    match error.raw_os_error() {
        Some(number) => (words(number), Some(Errno::from_raw(number))),
        None => (error.to_string(), None),
    }
}

/// The message of `strerror(3)` for an errno.
pub(in crate::kernel) fn words(errno: i32) -> String {
    let mut buffer = [0 as libc::c_char; 256];
    // SAFETY: the call writes at most the given length and ends it with a NUL; the last byte is 0 in
    // any case.
    let words = unsafe {
        libc::strerror_r(errno, buffer.as_mut_ptr(), buffer.len() - 1);
        CStr::from_ptr(buffer.as_ptr())
    };
    words.to_string_lossy().into_owned()
}
