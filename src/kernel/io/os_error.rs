//! Errors of the standard library, formatted as in `errno(3)`.

use std::io;

use nix::errno::Errno;

/// The message of `errno(3)` and the name of the error. Text that a crate added is left out.
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

/// The message, and the errno if there is one. A crate that wraps an error keeps only its text.
fn parts(error: &io::Error) -> (String, Option<Errno>) {
    let text = error.to_string();
    let number = |(words, rest): (&str, &str)| {
        let errno = rest.split_once(')')?.0.parse().ok()?;
        Some((words.to_owned(), Some(Errno::from_raw(errno))))
    };
    text.split_once(" (os error ").and_then(number).unwrap_or((text, None))
}
