//! What is on one screen of a terminal, and how much room is left there.

use textwrap::core::display_width;

use super::drawn::Draw;
use super::stage::{Heading, Item, ItemKind};
use crate::output::full_screen::CLEAR;
use crate::output::screen::end_of_cut;
use crate::output::style::{ASIDE, paint};
use crate::output::{Screen, width};

/// The rows of a terminal that does not say, and the fewest that are of any use.
const USUAL_ROWS: usize = 24;
const FEWEST_ROWS: usize = 5;

/// A screen: the heading, what is below it, and a line for the keys at the bottom.
pub(super) struct Sheet {
    draw: Draw,
    is_big: bool,
    rows: usize,
    heading: Option<Heading>,
    lines: Vec<String>,
    last: Option<ItemKind>,
    /// Where what was said to the last answer begins, which the next one replaces.
    reply: Option<usize>,
}

impl Sheet {
    pub fn new(screen: Screen, is_big: bool) -> Sheet {
        Sheet {
            draw: Draw::new(screen, is_big),
            is_big,
            rows: rows(screen),
            heading: None,
            lines: Vec::new(),
            last: None,
            reply: None,
        }
    }

    pub fn draw(&self) -> &Draw {
        &self.draw
    }

    /// Fits it to the size of this screen, and returns whether that is another one. What is there stays as it was laid
    /// out.
    pub fn fit(&mut self, screen: Screen) -> bool {
        let is_other = (screen.columns, rows(screen)) != (self.draw.screen().columns, self.rows);
        if is_other {
            self.draw = Draw::new(screen, self.is_big);
            self.rows = rows(screen);
        }
        is_other
    }

    pub fn begin(&mut self, heading: &Heading) {
        self.heading = Some(heading.clone());
        self.turn();
    }

    /// Another page under the same heading.
    pub fn turn(&mut self) {
        self.lines.clear();
        self.last = None;
        self.reply = None;
    }

    /// Takes back what was said to the last answer.
    pub fn take_back(&mut self) {
        if let Some(start) = self.reply.take() {
            self.lines.truncate(start);
            self.last = None;
        }
    }

    /// How many lines are free, but for the heading with the empty line below it, and the keys.
    pub fn room(&self) -> usize {
        self.rows.saturating_sub(self.lines.len() + 3)
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Begins a piece, with an empty line above it if it is apart.
    pub fn begin_item(&mut self, item: &Item<'_>) {
        match item {
            Item::Reply(..) | Item::Missing(_) => {
                self.reply.get_or_insert(self.lines.len());
            }
            _ => self.reply = None,
        }
        if !self.is_empty() && item.kind().is_apart(self.last) {
            self.lines.push(String::new());
        }
        self.last = Some(item.kind());
    }

    pub fn add(&mut self, lines: impl IntoIterator<Item = String>) {
        self.lines.extend(lines);
    }

    /// All of its lines.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let heading = self.heading.iter().map(|heading| self.draw.heading(heading));
        heading.chain([String::new()]).chain(self.lines.iter().cloned())
    }

    /// What draws it, with these keys at its bottom.
    pub fn drawn(&self, keys: &str) -> String {
        let mut text = String::from(CLEAR);
        let screen = self.draw.screen();
        let columns = screen.columns.unwrap_or(80);
        // After the terminal has become smaller, a line may take several, and not all fit.
        let mut room = self.rows - 1;
        for line in self.lines() {
            let height = display_width(&line).div_ceil(columns).max(1);
            if height > room {
                break;
            }
            room -= height;
            text += &line;
            text += "\r\n";
        }
        if !keys.is_empty() {
            let keys = width::cut(keys, columns.saturating_sub(1), end_of_cut()).0;
            text += &format!("\x1b[{};1H{}", self.rows, paint(&keys, ASIDE, &screen));
        }
        text
    }
}

fn rows(screen: Screen) -> usize {
    screen.rows.unwrap_or(USUAL_ROWS).max(FEWEST_ROWS)
}
