//! Patterns for the names of POSIX objects, as a shell has for the names of files, `glob(7)`.

use std::fmt;
use std::os::unix::ffi::OsStrExt;

use super::name::{Name, escaped};

/// A pattern for names: `*` stands for any characters, `?` for one, and `[…]` for one of a set, which `!`
/// or `^` at its start inverts. Unlike in a shell, they also match a dot at the start of a name. A
/// backslash takes the meaning of these characters away, and `\xHH` stands for a byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parsed: glob::Pattern,
}

/// Text that is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Nothing follows the slash.
    #[error("a pattern for names has at least one character after the slash")]
    Empty,
    /// It has a slash behind the first one, and no name has.
    #[error("'{0}' matches no name: a name has one slash, at the start")]
    Slashes(String),
    /// The set of characters is not valid.
    #[error("'{0}' is not a pattern for names: {1}")]
    Malformed(String, &'static str),
}

/// A piece of a pattern.
enum Piece {
    /// A byte that stands for itself.
    Byte(u8),
    /// A character that stands for itself although it has a meaning in patterns.
    Plain(u8),
    /// `*`.
    Any,
    /// `?`.
    One,
    /// `[…]`: whether it is inverted, and what is in it.
    Set(bool, String),
}

/// The characters that have a meaning in patterns.
pub(super) const SPECIAL: &[u8] = b"*?[";

impl Pattern {
    /// Reads a pattern. The slash at its start may be left out.
    pub fn parse(text: &str) -> Result<Pattern, InvalidPattern> {
        let rest = text.strip_prefix('/').unwrap_or(text);
        if rest.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        if rest.contains('/') {
            return Err(InvalidPattern::Slashes(text.to_owned()));
        }
        let mut glob = String::new();
        let mut literal = Vec::new();
        for piece in pieces(rest) {
            if let Piece::Byte(byte) | Piece::Plain(byte) = piece {
                literal.push(byte);
                continue;
            }
            glob += &glob::Pattern::escape(&characters(&literal));
            literal.clear();
            match piece {
                // The crate gives two stars a meaning of their own.
                Piece::Any if glob.ends_with('*') => {}
                Piece::Any => glob.push('*'),
                Piece::One => glob.push('?'),
                Piece::Set(is_inverted, set) => {
                    glob += if is_inverted { "[!" } else { "[" };
                    glob += &set;
                    glob.push(']');
                }
                Piece::Byte(_) | Piece::Plain(_) => {}
            }
        }
        glob += &glob::Pattern::escape(&characters(&literal));
        let parsed = glob::Pattern::new(&glob)
            .map_err(|error| InvalidPattern::Malformed(text.to_owned(), error.msg))?;
        Ok(Pattern { text: format!("/{rest}"), parsed })
    }

    /// Whether a name in this text is rather a pattern. What [`Target`](crate::ipc::Target) prints never is.
    pub fn is_in(text: &str) -> bool {
        text.starts_with('/') && pieces(text).any(|piece| !matches!(piece, Piece::Byte(_)))
    }

    /// Whether a name matches.
    pub fn matches(&self, name: &Name) -> bool {
        self.parsed.matches(&characters(name.behind_slash().as_bytes()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn pieces(text: &str) -> impl Iterator<Item = Piece> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let rest = text.as_bytes().get(place..).filter(|rest| !rest.is_empty())?;
        let (piece, length) = match rest {
            _ if escaped(rest).is_some() => {
                escaped(rest).map(|(byte, length)| (Piece::Byte(byte), length))?
            }
            [b'\\', special, ..] if SPECIAL.contains(special) => (Piece::Plain(*special), 2),
            [b'*', ..] => (Piece::Any, 1),
            [b'?', ..] => (Piece::One, 1),
            [b'[', ..] => set(&text[place..]).unwrap_or((Piece::Byte(b'['), 1)),
            [byte, ..] => (Piece::Byte(*byte), 1),
            [] => return None,
        };
        place += length;
        Some(piece)
    })
}

/// The set of characters at the start of this text, and its length. As in a shell, a bracket that is not
/// closed stands for itself, and so does a closing one that comes first in the set.
fn set(text: &str) -> Option<(Piece, usize)> {
    let inside = text.strip_prefix('[')?;
    let (is_inverted, inside) = match inside.strip_prefix(['!', '^']) {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    let first = inside.chars().next()?.len_utf8();
    let end = first + inside[first..].find(']')?;
    let length = text.len() - inside.len() + end + 1;
    Some((Piece::Set(is_inverted, inside[..end].to_owned()), length))
}

/// These bytes as text. Bytes that are none become characters that nobody uses, so that each is one
/// character.
fn characters(bytes: &[u8]) -> String {
    const PRIVATE: u32 = 0xf_ff00;
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        let invalid = chunk.invalid().iter();
        text.extend(invalid.filter_map(|&byte| char::from_u32(PRIVATE | u32::from(byte))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Kind, Reference};
    use proptest::prelude::*;
    use std::ffi::OsStr;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(&Name::of_file(OsStr::new(name)))
    }

    #[test]
    fn as_in_a_shell() {
        for (pattern, fits, others) in [
            ("/a", &["a"][..], &["b", "aa", ""][..]),
            ("/torch_*", &["torch_", "torch_1", "torch_*"], &["torch", "xtorch_1"]),
            ("torch_*", &["torch_1"], &["/torch_1"]),
            ("*", &["a", ".hidden", "ü"], &[]),
            ("/a**b", &["ab", "axxb"], &["a"]),
            ("/?", &["a", "ü"], &["", "ab"]),
            ("/[ab]", &["a", "b"], &["c", "ab", "["]),
            ("/[!ab]", &["c"], &["a", "b"]),
            ("/[^ab]", &["c", "^"], &["a", "b"]),
            ("/[a-c]1", &["a1", "c1"], &["d1"]),
            ("/[]x]", &["]", "x"], &["[]x]"]),
            ("/[!]x]", &["a"], &["]", "x"]),
            ("/[*]", &["*"], &["a"]),
            ("/a[", &["a["], &["a"]),
            ("/a]", &["a]"], &["a"]),
            ("/a{b,c}", &["a{b,c}"], &["ab"]),
            ("/!a", &["!a"], &["b"]),
            ("/\\*", &["*"], &["a", "\\*"]),
            ("/\\x2a", &["*"], &["a"]),
            ("/a\\nb*", &["a\\nb"], &["anb", "a\nb"]),
        ] {
            fits.iter().for_each(|name| assert!(matches(pattern, name), "{pattern} {name}"));
            others.iter().for_each(|name| assert!(!matches(pattern, name), "{pattern} {name}"));
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        let name = Name::of_file(OsStr::from_bytes(b"a\xffb"));
        for (pattern, is_matched) in [
            ("/a?b", true),
            ("/a*", true),
            ("/a\\xffb", true),
            ("/a\\xfeb", false),
            ("/a??b", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(&name), is_matched, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        let wrong = |text: &str| Pattern::parse(text).unwrap_err().to_string();
        assert!(wrong("").contains("at least one character"));
        assert!(wrong("/").contains("at least one character"));
        assert!(wrong("/a/*").contains("a name has one slash"));
    }

    #[test]
    fn a_name_is_a_pattern_if_a_character_has_a_meaning() {
        for text in ["/a*", "/?", "/[a]", "/\\*"] {
            assert!(Pattern::is_in(text), "{text}");
        }
        for text in ["/a", "/a[", "/\\x2a", "/a\\b", "a*", ""] {
            assert!(!Pattern::is_in(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_a_star_takes_all(text in "\\PC*", name in "[^/\0]+") {
            if let Ok(pattern) = Pattern::parse(&text) {
                let _ = pattern.matches(&Name::of_file(OsStr::new(&name)));
            }
            prop_assert!(matches("*", &name));
        }

        #[test]
        fn what_is_printed_is_no_pattern(bytes in "[ab*?\\[\\]\\\\x2]{1,12}") {
            prop_assume!(bytes != "." && bytes != "..");
            let name = Name::of_file(OsStr::new(&bytes));
            let printed = Reference::name(Kind::Pmsg, name.clone()).to_string();
            let name_in_it = printed.strip_prefix("pmsg:").unwrap();
            prop_assert!(!Pattern::is_in(name_in_it), "{printed}");
            prop_assert!(Pattern::parse(name_in_it).unwrap().matches(&name), "{printed}");
            prop_assert_eq!(printed.parse(), Ok(Reference::name(Kind::Pmsg, name)));
        }
    }
}
