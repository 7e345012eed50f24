//! A message for a person, as it is printed on standard error.

use std::fmt;

use super::{Explanation, Failure};
use crate::ipc::foreign::escape;

/// One line, and perhaps a second one, `hint: …`. Each part is escaped to a single line without control
/// bytes, so text from outside can neither add a line nor act on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    line: String,
    hint: Option<String>,
}

impl Notice {
    /// A line without a hint.
    pub fn new(line: impl fmt::Display) -> Notice {
        Notice { line: one_line(line), hint: None }
    }

    /// Adds a hint.
    pub fn with_hint(self, hint: impl fmt::Display) -> Notice {
        Notice { hint: Some(one_line(hint)), ..self }
    }

    /// A failure that has been explained.
    pub fn of(failure: &Failure, explained: &Explanation) -> Notice {
        let Failure { verb, subject, .. } = failure;
        let gap = if subject.is_empty() { "" } else { " " };
        let notice = Notice::new(format_args!("{verb}{gap}{subject}: {}", explained.what));
        explained.hint.iter().fold(notice, Notice::with_hint)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<fmt::Arguments<'_>> for Notice {
    fn from(line: fmt::Arguments<'_>) -> Notice {
        Notice::new(line)
    }
}

fn one_line(text: impl fmt::Display) -> String {
    let mut line = String::new();
    // Writing to a string cannot fail.
    let _ = escape(text.to_string().as_bytes(), "", &mut line);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Facts, Reason};

    #[test]
    fn no_part_can_add_a_line() {
        let forged = "x\nhint: \x1b[2Jforged\r";
        let failure = Failure::new("rm", forged, forged, Reason::Failed).with_hint(forged);
        let explained = failure.explain(&Facts::default());
        for notice in [Notice::of(&failure, &explained), Notice::new(forged).with_hint(forged)] {
            let text = notice.to_string();
            assert_eq!(text.lines().count(), 2, "{text}");
            assert_eq!(text.matches("\nhint: ").count(), 1, "{text}");
            assert!(text.ends_with("\nhint: x\\nhint: \\x1b[2Jforged\\r"), "{text}");
        }
    }
}
