//! Text in a given number of places on a terminal.

use std::borrow::Cow;

use textwrap::{Options, WordSeparator, WordSplitter, wrap};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many places a text takes.
pub fn of(text: &str) -> usize {
    text.width()
}

/// The text in at most this many places, and how many it takes. If it is cut, it ends with `end`, which
/// takes one.
pub fn cut(text: &str, places: usize, end: char) -> (Cow<'_, str>, usize) {
    let whole = text.width();
    if whole <= places {
        return (Cow::Borrowed(text), whole);
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        let more = character.width().unwrap_or(0);
        if used + more > places {
            break;
        }
        used += more;
        kept.push(character);
    }
    kept.push(end);
    (Cow::Owned(kept), used)
}

/// Lines of so many places that end only where there is a space; a longer word is cut.
pub fn between_words(places: usize) -> Options<'static> {
    Options::new(places)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// The text in such lines. Escape sequences in it take no place.
pub fn wrapped(text: &str, options: Options<'_>) -> Vec<String> {
    wrap(text, options).into_iter().map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_its_width() {
        assert_eq!(cut("short", 5, '…'), ("short".into(), 5));
        assert_eq!(cut("longer", 5, '…'), ("long…".into(), 5));
        // Each of these takes two places.
        assert_eq!(cut("消息队列", 6, '…'), ("消息…".into(), 5));
        assert_eq!(cut("消息队列", 1, '…'), ("…".into(), 1));
    }
}
