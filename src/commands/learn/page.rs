//! A lesson as a text: for a pipe, or as Markdown.

use std::io::Write;

use super::drawn::Draw;
use super::stage::{Heading, Item, ItemKind, Stage};
use super::world::Halt;
use crate::kernel::io::interruptible::Interruptible;
use crate::lesson::Choice;
use crate::output::{OutputError, stdout};

/// How a text is marked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Markup {
    /// As on a terminal, one screen below the other.
    None,
    Markdown,
}

/// A text on standard output.
pub(super) struct Page {
    out: Interruptible,
    markup: Markup,
    draw: Draw,
    last: Option<ItemKind>,
    /// Whether a block of Markdown is open.
    is_in_block: bool,
    is_first: bool,
}

impl Page {
    /// As on a terminal, one screen below the other.
    pub fn plain(draw: Draw) -> Result<Page, Halt> {
        Page::new(Markup::None, draw)
    }

    /// As Markdown.
    pub fn markdown() -> Result<Page, Halt> {
        Page::new(Markup::Markdown, Draw::page())
    }

    fn new(markup: Markup, draw: Draw) -> Result<Page, Halt> {
        let out = stdout::file()?;
        Ok(Page { out, markup, draw, last: None, is_in_block: false, is_first: true })
    }

    fn write(&mut self, text: &str) -> Result<(), Halt> {
        Ok(self.out.write_all(text.as_bytes()).map_err(OutputError)?)
    }

    /// What a piece is in Markdown.
    fn marked_up(&self, item: &Item<'_>) -> Vec<String> {
        match item {
            Item::Text(text) => vec![text.to_string()],
            Item::List(texts) => texts.iter().map(|text| format!("- {text}")).collect(),
            Item::Condition { text, is_met } => {
                vec![format!("- [{}] {text}", if *is_met { 'x' } else { ' ' })]
            }
            Item::Missing(text) => vec![format!("- [ ] {text}")],
            Item::Choices(choices) => choices.iter().enumerate().flat_map(choice).collect(),
            // It stands below its answer.
            Item::Reply(..) => Vec::new(),
            Item::Source { content, .. } => content.lines().map(str::to_owned).collect(),
            Item::Remark(text) => vec![format!("*{text}*")],
            Item::Drawing(_)
            | Item::Command(_)
            | Item::Calls(_)
            | Item::Output(..)
            | Item::Picture { .. } => self.draw.lines(item),
        }
    }
}

/// An answer in Markdown, with what is said to it.
fn choice((number, choice): (usize, &Choice)) -> Vec<String> {
    let mark = if choice.is_right { " **Right.**" } else { "" };
    let mut lines = Vec::new();
    if number > 0 {
        lines.push(String::new());
    }
    lines.push(format!("{}. {}{mark}", number + 1, choice.answer));
    for text in &choice.reply {
        lines.extend([String::new(), format!("   {text}")]);
    }
    lines
}

/// The language of the block in which a piece is.
fn block(item: &Item<'_>) -> Option<&'static str> {
    match item {
        Item::Command(_) | Item::Calls(_) | Item::Output(..) => Some("console"),
        Item::Drawing(_) | Item::Picture { .. } => Some("text"),
        Item::Source { .. } => Some("c"),
        Item::Text(_)
        | Item::List(_)
        | Item::Condition { .. }
        | Item::Missing(_)
        | Item::Choices(_)
        | Item::Reply(..)
        | Item::Remark(_) => None,
    }
}

impl Stage for Page {
    fn begin(&mut self, heading: &Heading) -> Result<(), Halt> {
        self.end()?;
        let gap = if self.is_first { "" } else { "\n" };
        let line = match self.markup {
            Markup::None => self.draw.heading(heading),
            Markup::Markdown => {
                format!("{} {}", if self.is_first { "#" } else { "##" }, heading.title)
            }
        };
        self.is_first = false;
        self.last = None;
        self.write(&format!("{gap}{line}\n"))
    }

    fn solve(&mut self) -> Result<(), Halt> {
        match self.markup {
            Markup::None => Ok(()),
            Markup::Markdown => self.write("\n**Solution**\n"),
        }
    }

    fn show(&mut self, item: &Item<'_>) -> Result<(), Halt> {
        if self.markup == Markup::Markdown && matches!(item, Item::Reply(..)) {
            return Ok(());
        }
        let is_apart = item.kind().is_apart(self.last);
        let mut text = String::new();
        let lines = match self.markup {
            Markup::None => self.draw.lines(item),
            Markup::Markdown => self.marked_up(item),
        };
        if is_apart {
            self.end()?;
            text.push('\n');
            if let Some(language) = block(item).filter(|_| self.markup == Markup::Markdown) {
                if let Item::Source { file, .. } = item {
                    text += &format!("`{file}`:\n\n");
                }
                text += &format!("```{language}\n");
                self.is_in_block = true;
            }
        }
        text.extend(lines.into_iter().map(|line| line + "\n"));
        self.last = Some(item.kind());
        self.write(&text)
    }

    fn end(&mut self) -> Result<(), Halt> {
        match std::mem::take(&mut self.is_in_block) {
            true => self.write("```\n"),
            false => Ok(()),
        }
    }
}
