//! Text with words that stand out.

use std::fmt;

/// How words look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Like the text.
    Plain,
    /// As they are typed or printed.
    Code,
    /// With stress.
    Stressed,
}

/// Words that look alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The words.
    pub text: String,
    /// How they look.
    pub look: Look,
}

/// A paragraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Its parts.
    pub spans: Vec<Span>,
}

impl Text {
    /// Adds words at the end.
    pub fn push(&mut self, text: &str, look: Look) {
        match self.spans.last_mut() {
            Some(last) if last.look == look && look != Look::Code => last.text.push_str(text),
            _ => self.spans.push(Span { text: text.to_owned(), look }),
        }
    }

    /// The number of words.
    pub fn words(&self) -> usize {
        self.spans.iter().map(|span| span.text.split_whitespace().count()).sum()
    }
}

/// As Markdown.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|Span { text, look }| match look {
            Look::Plain => f.write_str(text),
            Look::Code if text.contains('`') => write!(f, "`` {text} ``"),
            Look::Code => write!(f, "`{text}`"),
            Look::Stressed => write!(f, "*{text}*"),
        })
    }
}
