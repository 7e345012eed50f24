//! Text from outside: user names, file names, command lines, messages of other programs.
//!
//! Such text may contain control characters: a line break followed by a forged message, or an escape
//! sequence that the terminal executes. This type escapes them wherever it is printed. Only formats for
//! programs use [`Foreign::as_raw`].

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::text::{is_plain, is_unsafe};

/// How many bytes of a command line people see at most.
pub const SHOWN: usize = 256;

/// Text from outside. It prints as one line without anything that a terminal would execute:
///
/// ```
/// # use ipctool::ipc::Foreign;
/// let name = Foreign::from("x\nhint: \x1b[31m");
/// assert_eq!(name.to_string(), "x\\nhint: \\x1b[31m");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign {
    bytes: Box<[u8]>,
    /// After this many bytes, people see `…`.
    shown: usize,
    /// Whether the text is only the start of a longer one.
    is_part: bool,
}

impl Foreign {
    /// A command line, words separated by blanks. People see its first [`SHOWN`] bytes. `is_part` says
    /// that the command line continues after the part that was read.
    pub fn command(text: impl Into<Vec<u8>>, is_part: bool) -> Foreign {
        Foreign { bytes: text.into().into(), shown: SHOWN, is_part }
    }

    /// The unescaped text, for formats that escape it themselves. Bytes that are not UTF-8 are
    /// replaced; it ends with `…` if the end was not read.
    pub fn as_raw(&self) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(&self.bytes);
        if self.is_part { Cow::Owned(format!("{text}…")) } else { text }
    }

    /// The name of the program in a command line, without its directory.
    pub fn program(&self) -> Foreign {
        let end = self.bytes.iter().position(|&byte| byte == b' ');
        let word = &self.bytes[..end.unwrap_or(self.bytes.len())];
        let start = word.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        Foreign::command(&word[start..], self.is_part && end.is_none())
    }

    /// The text as it prints, if that takes no escaping and no cut: nearly always.
    pub fn plain(&self) -> Option<&[u8]> {
        let is_whole = !self.is_part && self.bytes.len() <= self.shown;
        (is_whole && is_plain(&self.bytes)).then_some(&self.bytes)
    }

    /// Its length in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl From<&[u8]> for Foreign {
    fn from(bytes: &[u8]) -> Foreign {
        Foreign { bytes: bytes.into(), shown: usize::MAX, is_part: false }
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Foreign {
        text.as_bytes().into()
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Foreign {
        text.as_bytes().into()
    }
}

impl From<&OsStr> for Foreign {
    fn from(text: &OsStr) -> Foreign {
        text.as_bytes().into()
    }
}

impl From<&Path> for Foreign {
    fn from(path: &Path) -> Foreign {
        path.as_os_str().into()
    }
}

/// The bytes, for uses that take them unchanged: a word of a command, a cell of a util-linux table.
impl AsRef<[u8]> for Foreign {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bytes.len() <= self.shown {
            escape(&self.bytes, "", f)?;
            return if self.is_part { f.write_char('…') } else { Ok(()) };
        }
        // Cut between characters, not inside one.
        let is_inner = |&&byte: &&u8| byte & 0xc0 == 0x80;
        let inner = self.bytes[..=self.shown].iter().rev().take(3).take_while(is_inner).count();
        escape(&self.bytes[..self.shown - inner], "", f)?;
        f.write_char('…')
    }
}

impl Serialize for Foreign {
    /// Serializes the whole text; escaping is up to the format.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_raw())
    }
}

/// Writes text and escapes all characters that do more than display themselves: control characters,
/// invisible ones that reorder text, and bytes that are not UTF-8. The characters in `kept` stay.
pub fn escape(bytes: &[u8], kept: &str, out: &mut impl Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                _ if !is_unsafe(character) || kept.contains(character) => {
                    out.write_char(character)?;
                }
                '\0'..='\u{7f}' => write!(out, "{}", (character as u8).escape_ascii())?,
                _ => write!(out, "{}", character.escape_unicode())?,
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_command_is_cut_for_a_person() {
        let long = "é".repeat(SHOWN);
        let command = Foreign::command(long.as_bytes(), false);
        assert_eq!(command.to_string(), format!("{}…", "é".repeat(SHOWN / 2)));
        assert_eq!(command.as_raw(), long);
        let odd = Foreign::command(format!("x{long}").as_bytes(), false);
        assert_eq!(odd.to_string(), format!("x{}…", "é".repeat(SHOWN / 2 - 1)));
        let whole = Foreign::command("x".repeat(SHOWN), false);
        assert_eq!(whole.to_string(), "x".repeat(SHOWN));
        assert_eq!(Foreign::command("perl", true).to_string(), "perl…");
        assert_eq!(Foreign::command("perl", true).as_raw(), "perl…");
    }

    #[test]
    fn the_program_of_a_command() {
        let program = |text: &str, is_part| Foreign::command(text, is_part).program().to_string();
        assert_eq!(program("/usr/bin/perl /x/y", false), "perl");
        assert_eq!(program("perl\n/a b", false), "a");
        assert_eq!(program("/very/long/pa", true), "pa…");
        assert_eq!(program("", false), "");
    }

    proptest! {
        #[test]
        fn one_line_without_controls(bytes: Vec<u8>, is_part: bool) {
            for text in [Foreign::from(&*bytes), Foreign::command(bytes.clone(), is_part)] {
                prop_assert!(!text.to_string().contains(is_unsafe));
            }
        }
    }
}
