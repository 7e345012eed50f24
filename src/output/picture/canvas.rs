//! What a picture is drawn on: so many columns, these characters, with or without colour.

use unicode_width::UnicodeWidthStr;

use crate::output::escape;
use crate::output::screen::{self, Screen};
use crate::output::style::paint;
use crate::output::width::cut;

/// A picture is never wider than this, so that one look is enough.
const MOST_COLUMNS: usize = 100;

/// The width where a line may have any length, as in a file.
const USUAL_COLUMNS: usize = 80;

/// What a picture is drawn on.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// The most characters in a line.
    pub columns: usize,
    /// The characters it is drawn with.
    pub glyphs: Glyphs,
    /// Whether it has colours.
    pub screen: Screen,
}

/// The characters of a picture. Those of UTF-8 are in the fonts of Linux consoles too.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    /// The upper corners of a box, left and right.
    pub top: [&'static str; 2],
    /// Its lower corners.
    pub bottom: [&'static str; 2],
    /// Its edges above and below.
    pub horizontal: &'static str,
    /// Its edges at the sides.
    pub vertical: &'static str,
    /// The direction of messages, and the mark before processes that wait.
    pub arrow: &'static str,
    /// A slot with a message, and a free one.
    pub slot: [&'static str; 2],
    /// One of a semaphore's value, and the value 0.
    pub dot: [&'static str; 2],
    /// Memory that is resident, swapped out, and neither.
    pub bar: [&'static str; 3],
    /// The end of a text that is cut.
    pub cut: char,
}

impl Glyphs {
    /// For a locale with UTF-8.
    pub const UTF8: Glyphs = Glyphs {
        top: ["┌", "┐"],
        bottom: ["└", "┘"],
        horizontal: "─",
        vertical: "│",
        arrow: "◄",
        slot: ["■", "□"],
        dot: ["●", "○"],
        bar: ["█", "▒", "░"],
        cut: '…',
    };

    /// For any other locale.
    pub const ASCII: Glyphs = Glyphs {
        top: ["+", "+"],
        bottom: ["+", "+"],
        horizontal: "-",
        vertical: "|",
        arrow: "<",
        slot: ["#", "."],
        dot: ["o", "."],
        bar: ["#", "%", "."],
        cut: '~',
    };
}

impl Canvas {
    /// As wide as this screen, with the characters of the locale.
    pub fn of(screen: Screen) -> Canvas {
        Canvas {
            columns: screen.columns.unwrap_or(USUAL_COLUMNS).min(MOST_COLUMNS),
            glyphs: if screen::is_utf8() { Glyphs::UTF8 } else { Glyphs::ASCII },
            screen,
        }
    }
}

/// A line in parts, each with its colour.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Vec<(String, anstyle::Style)>);

impl Line {
    /// A line without colour.
    pub fn of(text: &str) -> Line {
        Line::default().plain(text)
    }

    /// Adds text without colour.
    pub fn plain(self, text: &str) -> Line {
        self.painted(text, anstyle::Style::new())
    }

    /// Adds text in a colour. All text of a picture passes here, so nothing reaches a terminal that is not
    /// escaped.
    pub fn painted(mut self, text: &str, style: anstyle::Style) -> Line {
        self.0.push((escape::line(text), style));
        self
    }

    /// Adds another line.
    pub fn joined(mut self, other: Line) -> Line {
        self.0.extend(other.0);
        self
    }

    /// Adds blanks up to a width.
    pub fn padded(self, width: usize) -> Line {
        let missing = width.saturating_sub(self.width());
        self.plain(&" ".repeat(missing))
    }

    /// Adds blanks at the start up to a width.
    pub fn padded_left(self, width: usize) -> Line {
        let missing = width.saturating_sub(self.width());
        Line::of(&" ".repeat(missing)).joined(self)
    }

    /// How many places it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.width()).sum()
    }

    /// The line, cut where the canvas ends, without blanks at its end.
    pub fn render(&self, canvas: &Canvas) -> String {
        let mut room = canvas.columns;
        let mut rest = self.width();
        let mut line = String::new();
        for (text, style) in &self.0 {
            let width = text.width();
            if rest > room && width >= room {
                // More text would follow, so even a part that just fits is cut: the blank makes it too long.
                let longer = format!("{text} ");
                let (start, _) = cut(&longer, room, canvas.glyphs.cut);
                line += &paint(&start, *style, &canvas.screen);
                break;
            }
            line += &paint(text, *style, &canvas.screen);
            (room, rest) = (room.saturating_sub(width), rest - width);
        }
        line.truncate(line.trim_end().len());
        line
    }
}
