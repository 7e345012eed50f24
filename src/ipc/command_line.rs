//! Commands as a user types them into `sh(1)`. Every command in a hint, a fix or a note is built here.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt;

use super::text::is_unsafe;

/// A command that works when it is pasted into a shell, whatever the names in it.
///
/// ```
/// # use ipctool::ipc::command_line::CommandLine;
/// let remove = CommandLine::new("ipctool rm").word("pshm:/two words");
/// assert_eq!(remove.to_string(), "ipctool rm 'pshm:/two words'");
/// ```
///
/// In a sentence it comes last, after a colon: its quotes would end quotes around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    text: String,
    /// Whether `--` has ended the options.
    takes_operands: bool,
}

impl CommandLine {
    /// A command that starts with this text, unquoted: the program, its verb and fixed options.
    pub fn new(start: &'static str) -> CommandLine {
        CommandLine { text: start.to_owned(), takes_operands: start.ends_with(" --") }
    }

    /// Adds a word that cannot start with a dash, such as a reference; quoted if necessary.
    pub fn word(self, word: impl fmt::Display) -> CommandLine {
        self.bytes(word.to_string().as_bytes())
    }

    /// Adds a word as it was typed, which may be an option; quoted if necessary.
    pub fn word_of(self, word: impl AsRef<OsStr>) -> CommandLine {
        self.bytes(word.as_ref().as_bytes())
    }

    /// Adds a word from outside, such as a user name or a file path. One that starts with a dash gets
    /// `--` before it.
    pub fn operand(mut self, word: impl AsRef<[u8]>) -> CommandLine {
        let word = word.as_ref();
        if word.starts_with(b"-") && !self.takes_operands {
            self.text += " --";
            self.takes_operands = true;
        }
        self.bytes(word)
    }

    /// Adds `NAME=VALUE`.
    pub fn setting(mut self, name: &'static str, value: impl fmt::Display) -> CommandLine {
        // Writing to a string cannot fail.
        let _ = write!(self.text, " {name}={}", shell_word(&value.to_string()));
        self
    }

    fn bytes(mut self, word: &[u8]) -> CommandLine {
        self.text.push(' ');
        self.text += &shell_word(word);
        self
    }
}

impl fmt::Display for CommandLine {
    /// Formats the command as one line without control characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a shell reads this as one word with no special meaning.
fn is_plain_word(word: &str) -> bool {
    let is_plain = |character: char| match character.is_ascii() {
        true => character.is_ascii_alphanumeric() || "-_./:,+@%=".contains(character),
        false => !character.is_whitespace() && !is_unsafe(character),
    };
    !word.is_empty() && word.chars().all(is_plain)
}

/// The text that was quoted as [`shell_word`] quotes it, with `'`; `None` for any other text.
///
/// ```
/// # use ipctool::ipc::command_line::unquoted;
/// assert_eq!(unquoted("'pshm:/two words'").as_deref(), Some("pshm:/two words"));
/// assert_eq!(unquoted("'/it'\\''s'").as_deref(), Some("/it's"));
/// assert_eq!(unquoted("/plain"), None);
/// ```
pub fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let inner = inner.replace("'\\''", "\0");
    (!inner.contains('\'')).then(|| inner.replace('\0', "'"))
}

/// A word in shell syntax, quoted if necessary. What a line cannot show (control characters, bytes that
/// are not UTF-8) is written as a call of `printf(1)`.
pub fn shell_word(word: &(impl AsRef<[u8]> + ?Sized)) -> String {
    let word = word.as_ref();
    match std::str::from_utf8(word) {
        Ok(text) if is_plain_word(text) => text.to_owned(),
        Ok(text) if !text.contains(is_unsafe) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => printed(word),
    }
}

/// A text in double quotes, as a shell reads it back.
pub fn double_quoted(text: &str) -> String {
    if text.contains(is_unsafe) {
        return printed(text.as_bytes());
    }
    let mut quoted = String::from('"');
    for character in text.chars() {
        if "\"\\$`".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted + "\""
}

/// A word as a call of `printf(1)`.
fn printed(word: &[u8]) -> String {
    let end = word.iter().rposition(|&byte| byte != b'\n').map_or(0, |last| last + 1);
    let (word, newlines) = word.split_at(end);
    let mut text = "\"$(printf '".to_owned();
    for (number, chunk) in word.utf8_chunks().enumerate() {
        for (place, character) in chunk.valid().char_indices() {
            let starts_option = character == '-' && (number, place) == (0, 0);
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            // In double quotes, `$(…)` starts a new context, in which only these characters are
            // special.
            match starts_option || is_unsafe(character) || "'%\\".contains(character) {
                true => octal(bytes, &mut text),
                false => text.push(character),
            }
        }
        octal(chunk.invalid(), &mut text);
    }
    text += "')";
    // The shell strips newlines from the end of a command's output. IFS is blank, tab and newline, so
    // its last character is one.
    text += &"${IFS#??}".repeat(newlines.len());
    text + "\""
}

fn octal(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_quoted_where_they_need_it() {
        for (word, quoted) in [
            ("pmsg:/jobs", "pmsg:/jobs"),
            ("pmsg:/two words", "'pmsg:/two words'"),
            ("it's", "'it'\\''s'"),
            ("$(date)", "'$(date)'"),
            ("", "''"),
            ("two\nlines", "\"$(printf 'two\\012lines')\""),
            ("-\n", "\"$(printf '\\055')${IFS#??}\""),
        ] {
            assert_eq!(shell_word(word), quoted, "{word:?}");
        }
        assert_eq!(shell_word(b"\xff1'"), "\"$(printf '\\3771\\047')\"");
    }

    #[test]
    fn no_operand_is_taken_for_an_option() {
        let line = |words: &[&str], start| {
            let line = words.iter().fold(CommandLine::new(start), CommandLine::operand);
            line.to_string()
        };
        assert_eq!(line(&["a", "b"], "rm"), "rm a b");
        assert_eq!(line(&["a", "-b", "-c"], "rm"), "rm a -- -b -c");
        assert_eq!(line(&["-b"], "rm --"), "rm -- -b");
    }

    #[test]
    fn a_setting_shows_its_name_before_the_quotes() {
        let line = CommandLine::new("sysctl -w").setting("kernel.sem", "1 2 3 4");
        assert_eq!(line.to_string(), "sysctl -w kernel.sem='1 2 3 4'");
    }

    /// The words into which sh splits a command.
    fn read_by_sh(words: &[Vec<u8>]) -> Vec<u8> {
        let start = CommandLine::new("printf '%s\\0' --");
        let line = words.iter().fold(start, CommandLine::operand).to_string();
        assert!(!line.contains(is_unsafe), "{line:?}");
        std::process::Command::new("sh").args(["-c", &line]).output().expect("sh runs").stdout
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_gets_every_word_back(words in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![1u8.., Just(b'\''), Just(b'"'), Just(b'\n'), Just(b'\\'), Just(b'$'), Just(b'%'), Just(b'-'), Just(b'`')],
            0..12,
        ), 1..12)) {
            let mut expected = b"--\0".to_vec();
            for word in &words {
                expected.extend_from_slice(word);
                expected.push(0);
            }
            prop_assert_eq!(read_by_sh(&words), expected);
        }
    }
}
