//! Text for people: counted nouns, and characters that are not safe to print.

/// A number with its noun: `1 message`, `2 messages`.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Whether a character does anything but display itself: control characters, and invisible ones that
/// reorder text.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether all bytes are ASCII characters that display themselves. It looks at all of them, many at a time, and
/// not at one after the other up to the first that is not.
pub fn is_plain(bytes: &[u8]) -> bool {
    let is_odd = |byte: u8| u8::from(byte.wrapping_sub(b' ') > b'~' - b' ');
    bytes.iter().fold(0, |odd, &byte| odd | is_odd(byte)) == 0
}

/// Replaces escape sequences with the bytes that they stand for. `escaped` returns the byte and the
/// length of the escape sequence at the start of a text, if there is one.
pub fn unescape(mut text: &[u8], escaped: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some(&byte) = text.first() {
        let (meant, length) = escaped(text).unwrap_or((byte, 1));
        bytes.push(meant);
        text = &text[length..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_displays_itself() {
        for byte in 0..=u8::MAX {
            let is_one = byte.is_ascii_graphic() || byte == b' ';
            assert_eq!(is_plain(&[byte]), is_one, "{byte}");
            assert_eq!(is_plain(&[[b'x'; 40].as_slice(), &[byte]].concat()), is_one, "{byte}");
        }
        assert!(is_plain(b""));
    }
}
