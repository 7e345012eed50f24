//! The colours and characters that the screen is drawn with.

use ratatui::style::{Color, Modifier, Style};

use crate::output::screen::is_utf8;
use crate::output::width;

/// What suits the terminal. The colours are those that are legible on dark and on light.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands::top) struct Theme {
    has_color: bool,
    is_utf8: bool,
}

/// A bar by eighths, and what is left of it.
const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// The heights of a history.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_HEIGHTS: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

impl Theme {
    /// By the locale.
    pub fn new(has_color: bool) -> Theme {
        Theme { has_color, is_utf8: is_utf8() }
    }

    #[cfg(test)]
    pub fn of(has_color: bool, is_utf8: bool) -> Theme {
        Theme { has_color, is_utf8 }
    }

    /// As the rest of the text.
    pub fn plain(&self) -> Style {
        Style::new()
    }

    /// A heading, or a key.
    pub fn title(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is good to know.
    pub fn aside(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The selected row.
    pub fn selected(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Something that is wrong.
    pub fn alarm(&self) -> Style {
        self.painted(Color::Red)
    }

    /// A warning, or a question.
    pub fn warning(&self) -> Style {
        self.painted(Color::Magenta)
    }

    /// A note.
    pub fn note(&self) -> Style {
        self.painted(Color::Cyan)
    }

    fn painted(&self, color: Color) -> Style {
        match self.has_color {
            true => self.title().fg(color),
            false => self.title(),
        }
    }

    /// What a cut text ends with.
    pub fn end_of_cut(&self) -> char {
        if self.is_utf8 { '…' } else { '~' }
    }

    /// A line across.
    pub fn rule(&self, columns: usize) -> String {
        (if self.is_utf8 { "─" } else { "-" }).repeat(columns)
    }

    /// A bar of so many columns that shows how much of a limit is used. Only a full one is filled, and only an empty
    /// one is blank.
    pub fn bar(&self, used: u64, limit: u64, columns: usize) -> String {
        let steps = if self.is_utf8 { 8 } else { 1 };
        let all = columns * steps;
        let share = u128::from(used) * all as u128 / u128::from(limit.max(1));
        let filled = match used {
            0 => 0,
            used if used >= limit => all,
            _ => (share as usize).clamp(1, all.saturating_sub(1).max(1)),
        };
        let (whole, empty) = if self.is_utf8 { ("█", "░") } else { ("#", ".") };
        let part = if self.is_utf8 { EIGHTHS[filled % 8] } else { "" };
        let bar = whole.repeat(filled / steps) + part;
        let rest = columns.saturating_sub(width::of(&bar));
        bar + &empty.repeat(rest)
    }

    /// Numbers as heights, the greatest as the highest; 0 is the lowest alone.
    pub fn heights(&self, numbers: &[u64]) -> String {
        let most = numbers.iter().max().copied().unwrap_or(0).max(1);
        let heights = if self.is_utf8 { HEIGHTS } else { ASCII_HEIGHTS };
        let height = |&number: &u64| match number {
            0 => heights[0],
            number => heights[(u128::from(number) * 7).div_ceil(u128::from(most)) as usize],
        };
        numbers.iter().map(height).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_full_as_what_they_show() {
        let (fine, coarse) = (Theme::of(false, true), Theme::of(false, false));
        for (used, limit, fine_bar, coarse_bar) in [
            (0, 100, "░░░░░", "....."),
            (1, 1000, "▏░░░░", "#...."),
            (50, 100, "██▌░░", "##..."),
            (999, 1000, "████▉", "####."),
            (100, 100, "█████", "#####"),
            (7, 0, "█████", "#####"),
        ] {
            assert_eq!(fine.bar(used, limit, 5), fine_bar, "{used} of {limit}");
            assert_eq!(coarse.bar(used, limit, 5), coarse_bar, "{used} of {limit}");
        }
    }

    #[test]
    fn a_history_shows_the_course() {
        assert_eq!(Theme::of(false, true).heights(&[0, 1, 4, 7]), "▁▂▅█");
        assert_eq!(Theme::of(false, false).heights(&[0, 1, 4, 7]), "_.=#");
        assert_eq!(Theme::of(false, true).heights(&[0, 0]), "▁▁");
        assert_eq!(Theme::of(false, true).heights(&[u64::MAX, 1]), "█▂");
    }
}
