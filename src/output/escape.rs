//! Escaping, so that bytes from outside never reach a terminal raw.

use std::fmt;

pub use crate::ipc::command_line::shell_word;
use crate::ipc::foreign;

/// Appends text as one line, with all unsafe characters and newlines escaped.
pub fn append(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(text.as_bytes());
    } else {
        lossless(text.as_bytes(), "", out);
    }
}

/// Text as one line, with all unsafe characters and newlines escaped.
pub fn line(text: &str) -> String {
    let mut out = Vec::new();
    append(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends a payload for a terminal: line breaks and tabs stay, as in `cat -v`; other control
/// characters and bytes that are not UTF-8 are escaped.
pub fn append_payload(payload: &[u8], out: &mut Vec<u8>) {
    lossless(payload, "\n\t", out);
}

/// Appends a payload as one line: all unsafe characters, newlines and bytes that are not UTF-8 are escaped.
pub fn append_bytes(payload: &[u8], out: &mut Vec<u8>) {
    lossless(payload, "", out);
}

/// Allocates nothing while `out` has room: memory may be short, and a received message must not be
/// lost.
fn lossless(bytes: &[u8], kept: &str, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = foreign::escape(bytes, kept, &mut Appended(out));
}

/// A writer that appends to a vector.
struct Appended<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_are_shown_and_not_obeyed() {
        assert_eq!(line("plain words, ünïcode"), "plain words, ünïcode");
        assert_eq!(line("\x1b[31mred\n\u{9b}1m\u{202e}"), "\\x1b[31mred\\n\\u{9b}1m\\u{202e}");
        let mut out = Vec::new();
        append_payload(b"two\nlines\tand \x07 \xff", &mut out);
        assert_eq!(out, b"two\nlines\tand \\x07 \\xff");
    }

    proptest! {
        #[test]
        fn no_control_byte_is_left(payload: Vec<u8>) {
            let mut out = Vec::new();
            append_payload(&payload, &mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        }
    }
}
