//! Bytes that came from elsewhere never reach a terminal raw.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;

use crate::ipc::words::is_unsafe;

/// Appends one line of text with every such character escaped, newlines too.
pub fn append(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(text.as_bytes());
    } else {
        lossless(text.as_bytes(), "", out);
    }
}

/// The same as a new string.
pub fn line(text: &str) -> String {
    let mut out = Vec::new();
    append(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A word as every shell takes it: in quotes, if it needs them. What may not be shown as it is, controls
/// and what is no text, `printf(1)` makes again.
pub fn shell_word<W: AsRef<OsStr> + ?Sized>(word: &W) -> String {
    let bytes = word.as_ref().as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:,+@%=".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(is_plain) => text.to_owned(),
        Ok(text) if !text.chars().any(is_unsafe) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => {
            let mut printed = String::from("\"$(printf '");
            for &byte in bytes {
                match byte {
                    b'%' => printed += "%%",
                    byte if is_plain(&byte) => printed.push(byte.into()),
                    byte => printed += &format!("\\{byte:03o}"),
                }
            }
            printed + "')\""
        }
    }
}

/// Appends a payload for a terminal: line breaks and tabs stay, as in `cat -v`, all other controls
/// and whatever is not UTF-8 are escaped.
pub fn append_payload(payload: &[u8], out: &mut Vec<u8>) {
    lossless(payload, "\n\t", out);
}

fn lossless(bytes: &[u8], kept: &str, out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_unsafe(character) && !kept.contains(character) {
                // Writing to a vector cannot fail.
                let _ = match character {
                    '\0'..='\u{7f}' => write!(out, "{}", (character as u8).escape_ascii()),
                    _ => write!(out, "{}", character.escape_unicode()),
                };
            } else {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
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

    #[test]
    fn words_for_a_shell() {
        assert_eq!(shell_word("pmsg:/jobs"), "pmsg:/jobs");
        assert_eq!(shell_word("pmsg:/two words"), "'pmsg:/two words'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("\u{e9}t\u{e9}"), "'\u{e9}t\u{e9}'");
        let raw = OsStr::from_bytes(b"/a b/\xff%\n'");
        assert_eq!(shell_word(raw), r#""$(printf '/a\040b/\377%%\012\047')""#);
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
