//! Bytes as C string literals in printable ASCII, as `strace(1)` writes them.

use std::fmt::{self, Write as _};

/// Bytes that a call was given or filled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Quoted<'a> {
    /// A path or a name, in full.
    Path(&'a [u8]),
    /// The start of a message of this many bytes, of which so many are shown.
    Message(&'a [u8], usize, usize),
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, is_cut) = match *self {
            Quoted::Path(path) => (path, false),
            Quoted::Message(message, size, shown) => {
                (&message[..size.min(shown).min(message.len())], size > shown)
            }
        };
        f.write_char('"')?;
        for (place, &byte) in bytes.iter().enumerate() {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                b' '..=b'~' => f.write_char(byte.into())?,
                b'\t' => f.write_str("\\t")?,
                b'\n' => f.write_str("\\n")?,
                b'\x0b' => f.write_str("\\v")?,
                b'\x0c' => f.write_str("\\f")?,
                b'\r' => f.write_str("\\r")?,
                // A digit that follows would otherwise be read as part of the number.
                _ => match bytes.get(place + 1) {
                    Some(b'0'..=b'7') => write!(f, "\\{byte:03o}")?,
                    _ => write!(f, "\\{byte:o}")?,
                },
            }
        }
        f.write_str(if is_cut { "\"..." } else { "\"" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_strace_writes() {
        let message = |bytes: &[u8]| Quoted::Message(bytes, bytes.len(), 32).to_string();
        assert_eq!(message(b"hello"), r#""hello""#);
        assert_eq!(message(b""), r#""""#);
        assert_eq!(message(b"\0\x011\n\t\r\x0b\x0c\"\\"), r#""\0\0011\n\t\r\v\f\"\\""#);
        assert_eq!(message(b"\x7f\x80\xff2\x7f8a\x1b[3"), r#""\177\200\3772\1778a\33[3""#);
        assert_eq!(message(&[b'x'; 32]), format!("\"{}\"", "x".repeat(32)));
        assert_eq!(message(&[b'x'; 33]), format!("\"{}\"...", "x".repeat(32)));
        // A digit that is cut off does not matter.
        assert_eq!(
            message(&[[1; 32].as_slice(), b"1"].concat()),
            format!("\"{}\"...", r"\1".repeat(32))
        );
        let name = "x".repeat(255);
        assert_eq!(Quoted::Path(name.as_bytes()).to_string(), format!("\"{name}\""));
    }

    proptest! {
        #[test]
        fn only_printable_ascii_is_left(bytes: Vec<u8>, size in 0usize..99) {
            for text in [Quoted::Path(&bytes).to_string(), Quoted::Message(&bytes, size, 32).to_string()] {
                prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
            }
        }
    }
}
