//! Numbers as users write them, within a range.

use std::num::IntErrorKind;
use std::ops::RangeInclusive;

/// Text that is not a number, or not in the range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// It is not a number.
    #[error("'{0}' is not a number")]
    Malformed(String),
    /// It exceeds the type.
    #[error("'{0}' is too large a number")]
    TooLarge(String),
    /// It is below the minimum.
    #[error("{0} is less than {1}")]
    TooSmall(String, i128),
    /// It is outside the range of the option.
    #[error("{0} is not in {least}..={most}", least = .1.start(), most = .1.end())]
    Outside(i128, RangeInclusive<i128>),
}

/// A parser of numbers from `least` up to the maximum of the type.
pub fn from<T: TryFrom<i128>>(
    least: i128,
) -> impl Fn(&str) -> Result<T, InvalidNumber> + Clone + Send + Sync + 'static {
    move |text| match read(text, least)? {
        number if number < least => Err(InvalidNumber::TooSmall(number.to_string(), least)),
        number => T::try_from(number).map_err(|_| InvalidNumber::TooLarge(text.to_owned())),
    }
}

/// A parser of numbers in a range, which must fit the type.
pub fn within<T: TryFrom<i128>>(
    range: RangeInclusive<i128>,
) -> impl Fn(&str) -> Result<T, InvalidNumber> + Clone + Send + Sync + 'static {
    move |text| {
        let number = read(text, *range.start())?;
        let outside = || InvalidNumber::Outside(number, range.clone());
        let number = Some(number).filter(|number| range.contains(number)).ok_or_else(outside)?;
        T::try_from(number).map_err(|_| outside())
    }
}

fn read(text: &str, least: i128) -> Result<i128, InvalidNumber> {
    text.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => InvalidNumber::TooLarge(text.to_owned()),
        IntErrorKind::NegOverflow => InvalidNumber::TooSmall(text.to_owned(), least),
        _ => InvalidNumber::Malformed(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_number_is_said_in_words() {
        let pid = |text: &str| from::<i32>(1)(text).map_err(|error| error.to_string());
        assert_eq!((pid("1"), pid("2147483647")), (Ok(1), Ok(i32::MAX)));
        let far = format!("-{}", "9".repeat(60));
        for (text, why) in [
            ("", "'' is not a number"),
            ("x", "'x' is not a number"),
            ("1.5", "'1.5' is not a number"),
            ("0", "0 is less than 1"),
            ("-5", "-5 is less than 1"),
            (&far, &format!("{far} is less than 1")),
            ("2147483648", "'2147483648' is too large a number"),
            (&far[1..], &format!("'{}' is too large a number", &far[1..])),
        ] {
            assert_eq!(pid(text), Err(why.to_owned()));
        }
        let any = from::<i64>(i64::MIN.into());
        assert_eq!((any("-9223372036854775808"), any("7")), (Ok(i64::MIN), Ok(7)));
        assert!(any("-9223372036854775809").is_err() && any("9223372036854775808").is_err());
        let priority = |text: &str| within::<u32>(0..=9)(text).map_err(|error| error.to_string());
        assert_eq!((priority("0"), priority("9")), (Ok(0), Ok(9)));
        assert_eq!(priority("10"), Err("10 is not in 0..=9".to_owned()));
        assert_eq!(priority("-1"), Err("-1 is not in 0..=9".to_owned()));
    }
}
