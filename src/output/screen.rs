//! The terminal that an output goes to, if it goes to one: its size, and whether it shows colours.

use std::env;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use terminal_size::terminal_size_of;

/// The width of a terminal that does not report any.
const USUAL_COLUMNS: usize = 80;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// Colour on a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Colour everywhere, even in a file.
    Always,
    /// No colour.
    Never,
}

/// Where an output is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Whether to use colours.
    pub color: bool,
    /// The number of characters in a line; `None` if lines may have any length.
    pub columns: Option<usize>,
    /// The number of lines that are visible at once; `None` if that is unknown.
    pub rows: Option<usize>,
}

impl Screen {
    /// No terminal: any number of lines of any length, without colour.
    pub const NONE: Screen = Screen { is_terminal: false, color: false, columns: None, rows: None };

    /// Where standard output goes.
    pub fn of_stdout(color: Color) -> Screen {
        Screen::of(&io::stdout(), color)
    }

    /// Where standard error goes.
    pub fn of_stderr(color: Color) -> Screen {
        Screen::of(&io::stderr(), color)
    }

    /// The size comes from the terminal, because COLUMNS may be that of an older window. Without a
    /// terminal, COLUMNS limits the width of tables.
    fn of(stream: &(impl AsFd + IsTerminal), color: Color) -> Screen {
        let is_terminal = stream.is_terminal();
        let size = if is_terminal { terminal_size_of(stream) } else { None };
        let columns = size.map(|(width, _)| width.0.into()).or_else(columns_by_environment);
        Screen {
            is_terminal,
            color: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_terminal && are_colors_welcome(),
            },
            columns: columns.or(is_terminal.then_some(USUAL_COLUMNS)),
            rows: size.map(|(_, height)| height.0.into()),
        }
    }
}

/// The value of COLUMNS, if it is set to a number above 0.
fn columns_by_environment() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok().filter(|&columns| columns > 0)
}

/// Whether the environment allows colours: see <https://no-color.org>.
fn are_colors_welcome() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What a cut text ends with.
pub fn end_of_cut() -> char {
    if is_utf8() { '…' } else { '~' }
}

/// Whether the terminal displays UTF-8, by `locale(7)`. If no locale is set, it probably does.
pub fn is_utf8() -> bool {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
