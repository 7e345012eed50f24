//! A page about one thing: labels on the left, what is to be said on the right.

use std::fmt::{self, Write};

use super::escape;
use super::style::{Style, TimeFormat, human_size};
use super::value::Value;
use crate::ipc::Caller;
use crate::ipc::posix::SemaphoreState;
use crate::kernel::limits::Limit;

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

    /// Adds a block of text, each line of it further to the right, under a heading of its own.
    pub fn block(&mut self, heading: &str, text: &str) {
        self.text += &format!("  {heading}\n");
        for line in text.lines() {
            self.text += &format!("    {line}\n");
        }
    }

    /// The whole page.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// What a page tells an object against: who asks, and what the limits are.
pub struct Surroundings<'a> {
    /// How values look.
    pub style: &'a Style,
    /// Who asks.
    pub caller: Caller,
    /// The value of a limit; nothing where there is none, or it is not known.
    pub limit: fn(Limit) -> Option<u64>,
    /// What a file of shared memory is if a program with musl made it as a semaphore; nothing where none
    /// has made it, and for any other object.
    pub musl_semaphore: Option<SemaphoreState>,
}

/// How a column stands on a page.
#[derive(Clone, Copy, Debug)]
pub enum OnPage<T: 'static> {
    /// As a line: its name, and its value in full; where it has none, this text.
    Line {
        /// What stands there instead of a value.
        missing: &'static str,
    },
    /// As what this function writes, where a value alone tells too little.
    By(fn(&T, &Surroundings<'_>, &mut Page)),
    /// In what is told with another column, or in a part of the page that is no column.
    With(&'static str),
}

impl<T> OnPage<T> {
    /// The title of a page.
    pub const TITLE: &'static str = "the title";
    /// The table of processes that ends a page.
    pub const PROCESSES: &'static str = "the processes";
}

/// A value with everything that a person may want to know of it.
pub(super) fn in_full(value: &Value<'_>, style: &Style) -> String {
    match value {
        Value::Time(time) => format!(
            "{} ({})",
            style.time_as(*time, TimeFormat::Iso),
            style.time_as(*time, TimeFormat::Relative)
        ),
        Value::Bytes(bytes) => format!("{}: {bytes} bytes", human_size(*bytes)),
        Value::Percent(percent) => format!("{percent:.1} %"),
        Value::Mode(mode) => format!("{} ({mode})", mode.symbolic()),
        Value::Key(key) if *key == crate::ipc::Key::FTOK_FAILED => format!("{key} (ftok failed)"),
        Value::Missing
        | Value::Reference(_)
        | Value::Key(_)
        | Value::Count(_)
        | Value::Pid(_)
        | Value::User(_)
        | Value::Group(_)
        | Value::Text(_)
        | Value::Foreign(_)
        | Value::List(_)
        | Value::Pids(_) => {
            let mut text = Vec::new();
            value.write(style, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

/// How much of a limit is used, where it is one: `5 of 16384 (max_bytes), 0 %`.
pub fn share_of(used: u64, limit: Option<u64>, name: &str) -> String {
    match limit {
        Some(limit @ 1..) => {
            let percent = u128::from(used) * 100 / u128::from(limit);
            format!("{used} of {limit} {name}, {percent} %")
        }
        Some(0) | None => used.to_string(),
    }
}
