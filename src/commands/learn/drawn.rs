//! How pieces of a lesson look, as lines of a terminal.

use unicode_width::UnicodeWidthChar;

use super::stage::{Heading, Item};
use crate::lesson::{Choice, Look, Text};
use crate::output::screen::is_utf8;
use crate::output::style::{ALARM, ASIDE, NOTE, TITLE, paint};
use crate::output::width::{between_words, wrapped};
use crate::output::{Screen, escape};

/// The widest text that is good to read.
const READABLE: usize = 76;
/// The width of text for a projector.
const BIG: usize = 38;

/// The colour of what is met.
const MET: anstyle::Style = anstyle::AnsiColor::Green.on_default().bold();
/// The colour of what is typed or printed, in a text.
const CODE: anstyle::Style = anstyle::AnsiColor::Cyan.on_default();

/// Turns pieces into lines.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    screen: Screen,
    /// The most places that a line has.
    columns: usize,
    /// The most that a line of text has.
    width: usize,
    is_utf8: bool,
}

impl Draw {
    /// For this screen.
    pub fn new(screen: Screen, is_big: bool) -> Draw {
        let columns = screen.columns.unwrap_or(80).max(20);
        let most = if is_big { BIG } else { READABLE };
        Draw { screen, columns, width: most.min(columns - 2), is_utf8: is_utf8() }
    }

    /// For a screen without colours of the usual size.
    pub fn plain() -> Draw {
        Draw::new(Screen::NONE, false)
    }

    /// For a page: what was printed stays in its lines.
    pub fn page() -> Draw {
        Draw { columns: usize::MAX / 2, ..Draw::plain() }
    }

    /// The screen.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Between what a person may choose from.
    pub fn separator(&self) -> &'static str {
        if self.is_utf8 { " · " } else { " | " }
    }

    pub fn heading(&self, heading: &Heading) -> String {
        let Heading { title, number, total } = heading;
        format!(
            "{}  {}",
            paint(&format!("{number}/{total}"), ASIDE, &self.screen),
            paint(title, TITLE, &self.screen)
        )
    }

    /// A command as it is typed.
    pub fn command(&self, command: &str) -> Vec<String> {
        self.typed(&format!("$ {command}"), self.columns)
    }

    pub fn lines(&self, item: &Item<'_>) -> Vec<String> {
        match item {
            Item::Text(text) => self.paragraph(text, "", ""),
            Item::List(items) => items.iter().flat_map(|text| self.point(text)).collect(),
            Item::Drawing(text) => self.verbatim(text, ""),
            Item::Source { file, content } => {
                let title = paint(&format!("{file}:"), ASIDE, &self.screen);
                std::iter::once(title).chain(self.verbatim(content, "  ")).collect()
            }
            Item::Command(command) => {
                let lines = self.command(command);
                lines.iter().map(|line| paint(line, TITLE, &self.screen)).collect()
            }
            Item::Calls(calls) => calls.iter().flat_map(|call| self.call(call)).collect(),
            Item::Output(text, _) => self.printed(text),
            Item::Picture { text, .. } => {
                text.lines().flat_map(|line| folded(line, self.columns)).collect()
            }
            Item::Condition { text, is_met: true } => {
                self.marked(text, if self.is_utf8 { "✓" } else { "+" }, MET)
            }
            Item::Condition { text, is_met: false } => {
                self.unmet(&format!("this does not hold: {text}"))
            }
            Item::Missing(text) => self.unmet(&format!("still missing: {text}")),
            Item::Choices(choices) => {
                let lines = choices.iter().enumerate().flat_map(|(number, choice)| {
                    self.paragraph(&choice.answer, &format!("  {}) ", number + 1), "     ")
                });
                lines.collect()
            }
            Item::Reply(number, choice) => self.reply(*number, choice),
            Item::Remark(text) => self
                .wrapped(text, "", "")
                .iter()
                .map(|line| paint(line, NOTE, &self.screen))
                .collect(),
        }
    }

    fn reply(&self, number: usize, choice: &Choice) -> Vec<String> {
        let (word, style) = if choice.is_right { ("Right", MET) } else { ("No", ALARM) };
        let title = paint(&format!("{}) {word}.", number + 1), style, &self.screen);
        let mut lines = Vec::new();
        for (place, text) in choice.reply.iter().enumerate() {
            let first = if place == 0 { format!("{title} ") } else { String::new() };
            lines.extend(self.paragraph(text, &first, ""));
        }
        lines
    }

    /// A call, with its further lines indented.
    fn call(&self, call: &str) -> Vec<String> {
        let bar = if self.is_utf8 { "│ " } else { "| " };
        let lines = self.typed(call, self.columns.saturating_sub(3));
        lines.iter().map(|line| paint(&format!("{bar}{line}"), ASIDE, &self.screen)).collect()
    }

    /// What a program has printed. Sentences that are too long are folded between words.
    fn printed(&self, text: &str) -> Vec<String> {
        let fold = |line: &str| {
            let line = escape::line(&untabbed(line));
            wrapped(&line, between_words(self.columns))
        };
        text.trim_end_matches('\n').lines().flat_map(fold).collect()
    }

    /// Lines as they were written. Those that are too long are folded.
    fn verbatim(&self, text: &str, margin: &str) -> Vec<String> {
        let fold = |line: &str| {
            let line = escape::line(&untabbed(line));
            folded(&line, self.columns - margin.len())
        };
        text.trim_end_matches('\n')
            .lines()
            .flat_map(fold)
            .map(|line| format!("{margin}{line}"))
            .collect()
    }

    fn point(&self, text: &Text) -> Vec<String> {
        let mark = if self.is_utf8 { "• " } else { "- " };
        self.paragraph(text, mark, "  ")
    }

    fn unmet(&self, text: &str) -> Vec<String> {
        self.marked(text, if self.is_utf8 { "✗" } else { "-" }, ALARM)
    }

    fn marked(&self, text: &str, mark: &str, style: anstyle::Style) -> Vec<String> {
        self.wrapped(&escape::line(text), &format!("{} ", paint(mark, style, &self.screen)), "  ")
    }

    fn paragraph(&self, text: &Text, first: &str, rest: &str) -> Vec<String> {
        let painted = text.spans.iter().map(|span| match span.look {
            Look::Plain => escape::line(&span.text),
            Look::Stressed => paint(&escape::line(&span.text), TITLE, &self.screen),
            // Without colours, quotes keep it apart.
            Look::Code if !self.screen.color => format!("`{}`", escape::line(&span.text)),
            Look::Code => paint(&escape::line(&span.text), CODE, &self.screen),
        });
        self.wrapped(&painted.collect::<String>(), first, rest)
    }

    fn wrapped(&self, text: &str, first: &str, rest: &str) -> Vec<String> {
        wrapped(text, between_words(self.width).initial_indent(first).subsequent_indent(rest))
    }

    /// A line in pieces, between words where there is a space; further ones are indented.
    fn typed(&self, line: &str, places: usize) -> Vec<String> {
        wrapped(&escape::line(line), between_words(places).subsequent_indent("  "))
    }
}

/// A line in pieces of at most so many places.
fn folded(line: &str, places: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut piece = String::new();
    let mut used = 0;
    for character in line.chars() {
        let more = character.width().unwrap_or(0);
        if used + more > places {
            lines.push(std::mem::take(&mut piece));
            used = 0;
        }
        used += more;
        piece.push(character);
    }
    lines.push(piece);
    lines
}

/// A line with spaces in place of tabs.
fn untabbed(line: &str) -> String {
    let mut text = String::new();
    let mut used = 0;
    for character in line.chars().filter(|&character| character != '\r') {
        let more = if character == '\t' { 8 - used % 8 } else { character.width().unwrap_or(0) };
        match character {
            '\t' => text.extend(std::iter::repeat_n(' ', more)),
            _ => text.push(character),
        }
        used += more;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Look;

    fn text(words: &str) -> Text {
        let mut text = Text::default();
        text.push(words, Look::Plain);
        text
    }

    #[test]
    fn text_is_wrapped_and_output_is_folded() {
        let draw = Draw { columns: 20, width: 18, is_utf8: true, ..Draw::plain() };
        let lines = |item: Item<'_>| draw.lines(&item);
        assert_eq!(
            lines(Item::Text(&text("one two three four five"))),
            ["one two three four", "five"]
        );
        assert_eq!(
            lines(Item::Output("0123456789012345678901\n", 0)),
            ["01234567890123456789", "01"]
        );
        assert_eq!(lines(Item::Output("a\tb\r\n\u{1b}[2J", 0)), ["a       b", "\\x1b[2J"]);
        assert_eq!(
            lines(Item::Calls(&["msgget(0xbeef, 0) = 0".to_owned()])),
            ["│ msgget(0xbeef, 0)", "│   = 0"]
        );
        assert_eq!(lines(Item::List(&[text("a"), text("b")])), ["• a", "• b"]);
        assert_eq!(lines(Item::Missing("so")), ["✗ still missing:", "  so"]);
    }

    #[test]
    fn a_projector_gets_few_words_a_line() {
        let long = "word ".repeat(40);
        let widest = |is_big| {
            let lines = Draw::new(Screen::NONE, is_big).lines(&Item::Text(&text(&long)));
            lines.iter().map(String::len).max()
        };
        assert_eq!((widest(false), widest(true)), (Some(74), Some(34)));
    }
}
