//! What an object is waited for to be.

use std::fmt;
use std::str::FromStr;

use super::size::{self, InvalidSize};

/// A state of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// It exists.
    Exists,
    /// It does not exist, or not any more.
    Gone,
    /// It is a queue without messages.
    Empty,
    /// No process uses it.
    Unused,
    /// The number in one of its columns compares with another one.
    Column(String, Comparison, u64),
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

impl Comparison {
    /// All of them, the longer ones before those that they begin with.
    const ALL: [(&str, Comparison); 5] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<", Comparison::Less),
        (">", Comparison::More),
        ("=", Comparison::Equal),
    ];

    /// Whether it holds for these numbers.
    pub fn holds<T: PartialOrd>(self, one: T, other: T) -> bool {
        match self {
            Comparison::Less => one < other,
            Comparison::AtMost => one <= other,
            Comparison::Equal => one == other,
            Comparison::AtLeast => one >= other,
            Comparison::More => one > other,
        }
    }
}

/// Text that is no such state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUntil {
    /// It has not the form.
    #[error(
        "'{0}' is not a condition: write exists, gone, empty, unused, or a column and a number, such as 'messages>=10' (with < <= = >= >)"
    )]
    Malformed(String),
    /// The number is none.
    #[error(transparent)]
    Number(#[from] InvalidSize),
}

impl FromStr for Until {
    type Err = InvalidUntil;

    fn from_str(text: &str) -> Result<Until, InvalidUntil> {
        let malformed = || InvalidUntil::Malformed(text.to_owned());
        match text {
            "exists" => return Ok(Until::Exists),
            "gone" => return Ok(Until::Gone),
            "empty" => return Ok(Until::Empty),
            "unused" => return Ok(Until::Unused),
            _ => {}
        }
        let place = text.find(['<', '=', '>']).ok_or_else(malformed)?;
        let (column, rest) = text.split_at(place);
        let found = Comparison::ALL.iter().find_map(|(sign, comparison)| {
            rest.strip_prefix(sign).map(|number| (*comparison, number))
        });
        let (comparison, number) = found.ok_or_else(malformed)?;
        // As a person writes it.
        let (column, number) = (column.trim(), number.trim());
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if column.is_empty() || !column.bytes().all(is_name) || number.starts_with(['<', '=', '>'])
        {
            return Err(malformed());
        }
        Ok(Until::Column(column.to_owned(), comparison, size::parse(number)?))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Comparison::ALL.iter().find(|(_, one)| one == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Exists => f.write_str("exists"),
            Until::Gone => f.write_str("gone"),
            Until::Empty => f.write_str("empty"),
            Until::Unused => f.write_str("unused"),
            Until::Column(column, comparison, number) => write!(f, "{column}{comparison}{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_as_users_write_them() {
        let read = |text: &str| match text.parse::<Until>() {
            Ok(until) => until.to_string(),
            Err(error) => error.to_string(),
        };
        for (text, what) in [
            ("exists", "exists"),
            ("unused", "unused"),
            ("messages>=10", "messages>=10"),
            ("bytes < 1K", "bytes<1024"),
            ("attached=0", "attached=0"),
            ("value>0", "value>0"),
            ("max_bytes<=2M", "max_bytes<=2097152"),
            ("messages>=x", "'x' is not a size: write bytes, or 64K, 2M, 1GiB"),
            ("messages>=-1", "'-1' is not a size: write bytes, or 64K, 2M, 1GiB"),
        ] {
            assert_eq!(read(text), what);
        }
        for text in ["", "full", "messages", ">=1", "messages>==1", "messages=>1", "a b=1", "é=1"]
        {
            assert!(read(text).contains("is not a condition: write exists"), "{text}");
        }
    }

    #[test]
    fn what_holds() {
        let holding = |one: u64, other| {
            let all = Comparison::ALL.iter().filter(|(_, comparison)| comparison.holds(one, other));
            all.map(|(sign, _)| *sign).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(holding(1, 2), "<= <");
        assert_eq!(holding(2, 2), "<= >= =");
        assert_eq!(holding(3, 2), ">= >");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z_]*[<=>]*\\PC*") {
            let _ = text.parse::<Until>();
        }
    }
}
