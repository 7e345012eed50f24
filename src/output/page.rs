//! A page about one thing: labels on the left, values on the right.

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
    /// By how many blanks the lines of a block are indented.
    pub const INDENT: usize = 4;

    /// A page with this title.
    pub fn new(title: impl fmt::Display) -> Page {
        Page { text: format!("{}\n", escape::line(&title.to_string())) }
    }

    /// Adds a line. An empty label continues the line above.
    pub fn line(&mut self, label: &str, text: impl fmt::Display) {
        let text = escape::line(&text.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "  {label:<12} {text}");
    }

    /// Adds a block of text, indented under its own heading.
    pub fn block(&mut self, heading: &str, text: &str) {
        self.text += &format!("  {heading}\n");
        for line in text.lines() {
            self.text += &format!("{:1$}{line}\n", "", Page::INDENT);
        }
    }

    /// The text of the page.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// What a page compares an object with: the caller and the limits.
pub struct Surroundings<'a> {
    /// How to format values.
    pub style: &'a Style,
    /// The credentials of the caller.
    pub caller: Caller,
    /// Returns the value of a limit; `None` if it is unlimited or unknown.
    pub limit: fn(Limit) -> Option<u64>,
    /// For a file of shared memory, the value and waiters that it has if a musl program created it as a
    /// semaphore. `None` if that is impossible, and for any other object.
    pub musl_semaphore: Option<SemaphoreState>,
}

/// How a column appears on a page.
#[derive(Clone, Copy, Debug)]
pub enum OnPage<T: 'static> {
    /// As a line: its name and its full value.
    Line {
        /// The text shown if there is no value.
        missing: &'static str,
    },
    /// As this function writes it, if the value alone says too little.
    By(fn(&T, &Surroundings<'_>, &mut Page)),
    /// As part of another column, or of a part of the page that is not a column.
    With(&'static str),
}

impl<T> OnPage<T> {
    /// The title of a page.
    pub const TITLE: &'static str = "the title";
    /// The table of processes at the end of a page.
    pub const PROCESSES: &'static str = "the processes";
}

/// A value in full, with its other notations.
pub(in crate::output) fn in_full(value: &Value<'_>, style: &Style) -> String {
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
        | Value::Unlimited
        | Value::Reference(_)
        | Value::Key(_)
        | Value::Count(_)
        | Value::Pid(_)
        | Value::User(_)
        | Value::Group(_)
        | Value::Name(_)
        | Value::Fill { .. }
        | Value::Text(_)
        | Value::Foreign(_)
        | Value::List(_)
        | Value::Pids(_)
        | Value::Number(_)
        | Value::Flag(_)
        | Value::Part(_)
        | Value::Parts(_) => {
            let mut text = Vec::new();
            value.write(style, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

/// How much of a limit is used, if it is known: `5 of 16384 (max_bytes), 0 %`.
pub fn share_of(used: u64, limit: Option<u64>, name: &str) -> String {
    match limit {
        Some(limit @ 1..) => {
            let percent = u128::from(used) * 100 / u128::from(limit);
            format!("{used} of {limit} {name}, {percent} %")
        }
        Some(0) | None => used.to_string(),
    }
}
