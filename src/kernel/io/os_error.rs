//! Errors of the standard library in the words of `errno(3)`.

use std::io;

use nix::errno::Errno;

/// An error of the standard library in the words of `errno(3)`, with its name; where a crate has
/// wrapped it, without what that added.
pub fn describe(error: &io::Error) -> String {
    match parts(error) {
        (words, Some(errno)) => format!("{words} ({errno:?})"),
        (words, None) => words,
    }
}

/// The same in the words of `strerror(3)` alone.
pub fn strerror(error: &io::Error) -> String {
    parts(error).0
}

/// Its words, and its number if it has one. A crate that wraps an error keeps only the text.
fn parts(error: &io::Error) -> (String, Option<Errno>) {
    let text = error.to_string();
    let number = |(words, rest): (&str, &str)| {
        let errno = rest.split_once(')')?.0.parse().ok()?;
        Some((words.to_owned(), Some(Errno::from_raw(errno))))
    };
    text.split_once(" (os error ").and_then(number).unwrap_or((text, None))
}
