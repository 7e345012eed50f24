//! Durations as users write them.

use std::time::Duration;

use jiff::fmt::friendly::{Spacing, SpanPrinter};
use jiff::{Span, SpanRelativeTo};

/// Text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a duration: write 30s, 10m, 2h or 7d")]
pub struct InvalidDuration(String);

/// Reads a duration: `30s`, `10m`, `2h`, `7d`, `1h30m`, `250ms`; a bare number is seconds, as for
/// `sleep(1)`. A day is 24 hours.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    // The crate also accepts signs, "ago" and ISO 8601, which are not part of the command line.
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.contains([' ', ',']) {
        return Err(invalid());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let seconds = text.parse().map_err(|_| invalid())?;
        return Duration::try_from_secs_f64(seconds).map_err(|_| invalid());
    }
    let span: Span = text.parse().map_err(|_| invalid())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(invalid)
}

/// Formats a duration so that [`parse`] reads it: `10m`, `1h30m`, `200ms`. Days become hours.
pub fn show(duration: Duration) -> String {
    let printer = SpanPrinter::new().spacing(Spacing::None);
    printer.unsigned_duration_to_string(&duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_is_shown_as_it_is_read() {
        for text in ["10m", "1h30m", "200ms", "2h", "168h", "1s500ms", "30s"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn units() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1500),
            ("5", 5000),
            ("0.5", 500),
            ("0", 0),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
        for bad in [
            "",
            "s",
            "-5s",
            "5 s",
            "5x",
            "1.2.3",
            "5s ago",
            "P1D",
            "1mo",
            "99999999999999999999",
            "1e3",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9.]*\\PC*") {
            let _ = parse(&text);
        }
    }
}
