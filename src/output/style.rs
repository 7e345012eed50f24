//! How values are formatted for people: units, times, names.

use std::collections::HashSet;
use std::fmt;

use anstyle::AnsiColor;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::screen::{Color, Screen};
use crate::ipc::Time;
use crate::kernel::process::accounts::Names;

/// Something that is wrong. Colours are those that are legible on dark and on light.
pub const ALARM: anstyle::Style = AnsiColor::Red.on_default().bold();
/// A warning.
pub const WARNING: anstyle::Style = AnsiColor::Magenta.on_default().bold();
/// A note.
pub const NOTE: anstyle::Style = AnsiColor::Cyan.on_default().bold();
/// The pid of a process that is gone.
pub const GONE: anstyle::Style = AnsiColor::Magenta.on_default();
/// What is good to know, beside the results.
pub const ASIDE: anstyle::Style = anstyle::Style::new().dimmed();
/// The title of a table.
pub const TITLE: anstyle::Style = anstyle::Style::new().bold();

/// A text with its colour, if colours are enabled.
pub fn paint(text: &str, paint: anstyle::Style, screen: &Screen) -> String {
    match screen.color {
        true => format!("{paint}{text}{paint:#}"),
        false => text.to_owned(),
    }
}

/// How `--time-format` formats times, in local time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TimeFormat {
    /// `14:03` today, `Nov21` this year, `2025-Nov21` before.
    #[default]
    Short,
    /// `2026-11-21T14:03:00+01:00`.
    Iso,
    /// `Sat Nov 21 14:03:00 2026`.
    Full,
    /// `5m ago`.
    Relative,
}

/// The choices that apply to every value of an output.
#[derive(Debug)]
pub struct Style {
    /// Formats sizes as `1.5K` instead of bytes.
    pub human_sizes: bool,
    /// How times are formatted.
    pub time_format: TimeFormat,
    /// Formats modes as `0660` instead of `rw-rw----`.
    pub numeric_perms: bool,
    /// Where the output is shown. On a terminal, control characters are escaped in every format.
    pub screen: Screen,
    /// When to use colour.
    pub color: Color,
    /// Which of the shown pids belong to processes that are gone: a table with colours marks them.
    pub gone: HashSet<i32>,
    /// The current time, for relative times.
    pub now: Time,
    /// The names of users and groups.
    pub names: Names,
    /// The local time zone, loaded at the first time that is written.
    zone: std::sync::OnceLock<TimeZone>,
}

impl Style {
    /// Exact values without colour, as programs read them.
    pub fn new(now: Time) -> Style {
        Style {
            human_sizes: false,
            time_format: TimeFormat::default(),
            numeric_perms: false,
            screen: Screen::NONE,
            color: Color::Never,
            gone: HashSet::new(),
            now,
            names: Names::default(),
            zone: std::sync::OnceLock::new(),
        }
    }

    /// The same for what is printed on standard error.
    pub fn on_stderr(mut self) -> Style {
        self.screen = Screen::of_stderr(self.color);
        self
    }

    fn local(&self, time: Time) -> Option<Zoned> {
        let zone = self.zone.get_or_init(TimeZone::system);
        Some(timestamp(time)?.to_zoned(zone.clone()))
    }

    /// A moment in local time, RFC 3339 with milliseconds.
    pub fn moment(&self, moment: Timestamp) -> String {
        let zone = self.zone.get_or_init(TimeZone::system);
        moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
    }

    /// A time in the chosen [`TimeFormat`].
    pub fn time(&self, time: Time) -> impl fmt::Display {
        self.time_as(time, self.time_format)
    }

    /// A time in this format.
    pub fn time_as(&self, time: Time, format: TimeFormat) -> String {
        if format == TimeFormat::Relative {
            return age(time, self.now);
        }
        let (Some(then), Some(now)) = (self.local(time), self.local(self.now)) else {
            // The time is outside the range of the calendar.
            return format!("@{}", time.0);
        };
        let pattern = match format {
            TimeFormat::Iso => "%Y-%m-%dT%H:%M:%S%:z",
            TimeFormat::Full => "%a %b %e %H:%M:%S %Y",
            _ if then.date() == now.date() => "%H:%M",
            _ if then.year() == now.year() => "%b%d",
            _ => "%Y-%b%d",
        };
        then.strftime(pattern).to_string()
    }
}

/// A time on the calendar, which is printed as RFC 3339 in UTC.
pub fn timestamp(time: Time) -> Option<Timestamp> {
    Timestamp::from_second(time.0).ok()
}

/// The age of a time in the largest unit that fits: `5m ago`.
pub fn age(time: Time, now: Time) -> String {
    let seconds = time.age(now).as_secs();
    let (number, unit) = match seconds {
        0 if time > now => return "in the future".to_owned(),
        0..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "m"),
        3600..86_400 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number}{unit} ago")
}

/// A size in the largest unit of 1024 that fits, with one decimal if it is not whole: `1.5K`.
pub fn human_size(bytes: u64) -> String {
    // The crate that parses sizes formats them with logarithms, which loads the maths library at every
    // start.
    let exponent = bytes.checked_ilog2().unwrap_or(0) / 10;
    let unit = ["B", "K", "M", "G", "T", "P", "E"][exponent as usize];
    let tenths = (u128::from(bytes) * 10) >> (10 * exponent);
    match tenths % 10 {
        0 => format!("{}{unit}", tenths / 10),
        tenth => format!("{}.{tenth}{unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let show = human_size;
        assert_eq!(show(0), "0B");
        assert_eq!(show(16_384), "16K");
        assert_eq!(show(1536), "1.5K");
        assert_eq!(show(1023), "1023B");
        assert_eq!(show(3 << 30), "3G");
        assert_eq!(show(u64::MAX), "15.9E");
    }

    #[test]
    fn ages() {
        let show = |seconds: i64| age(Time(1000), Time(1000 + seconds));
        assert_eq!(show(0), "0s ago");
        assert_eq!(show(61), "1m ago");
        assert_eq!(show(7200), "2h ago");
        assert_eq!(show(86_400 * 3), "3d ago");
        assert_eq!(show(-5), "in the future");
    }
}
