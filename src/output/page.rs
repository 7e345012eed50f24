//! A page about one thing: labels on the left, what is to be said on the right.

use std::fmt::{self, Write};

use super::escape;

/// Lines of a label and a text, aligned, under a title.
#[derive(Debug)]
pub struct Page {
    text: String,
}

impl Page {
    /// A page with this title.
    pub fn new(title: impl fmt::Display) -> Page {
        Page { text: format!("{}\n", escape::line(&title.to_string())) }
    }

    /// Adds a line.
    pub fn line(&mut self, label: &str, text: impl fmt::Display) {
        let text = escape::line(&text.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "  {label:<12} {text}");
    }

    /// The whole page.
    pub fn into_text(self) -> String {
        self.text
    }
}
