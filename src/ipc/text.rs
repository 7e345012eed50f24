//! Words and numbers as people read and write them.

/// A number of things: `1 message`, `2 messages`.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Whether a character could do anything but show itself: controls, and the invisible ones that
/// reorder text.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Text in which some bytes stand as escapes, with these bytes. `escaped` tells for which byte an
/// escape at the start of a text stands, and how long it is.
pub fn unescape(mut text: &[u8], escaped: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some(&byte) = text.first() {
        let (meant, length) = escaped(text).unwrap_or((byte, 1));
        bytes.push(meant);
        text = &text[length..];
    }
    bytes
}
