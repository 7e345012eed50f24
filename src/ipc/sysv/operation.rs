//! Operations on semaphores, as `semop(2)` does them.

use std::fmt;
use std::str::FromStr;

use crate::ipc::number::{self, InvalidNumber};

/// The highest value that a semaphore of a set can have, `SEMVMX`. No kernel has another one.
pub const SEMVMX: u32 = 32_767;

/// An operation on a semaphore, `struct sembuf` in `semop(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The number of the semaphore in the set.
    pub semaphore: u16,
    /// What to add to its value; 0 to wait for the value 0.
    pub change: i16,
}

/// What to do with one semaphore, as users write it: `INDEX:+N`, `INDEX:-N`, `INDEX:0`, `INDEX:=N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of the semaphore in the set, if it is given.
    pub index: Option<u16>,
    /// What to do with it.
    pub act: Act,
}

/// What to do with a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Add this to its value, at least 1.
    Add(u32),
    /// Wait until its value is at least this, 1 or more, and subtract it.
    Subtract(u32),
    /// Wait until its value is 0.
    WaitForZero,
    /// Set it to this value, `SETVAL`.
    Set(u32),
}

/// Text that is no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStep {
    /// It has not the form.
    #[error(
        "'{0}' is not an operation: write +N, -N, 0 or =N, with INDEX: in front for one of a set, such as 2:-1"
    )]
    Malformed(String),
    /// The number of the semaphore is none.
    #[error("the semaphore before the colon: {0}")]
    Index(InvalidNumber),
    /// The number behind the sign is none.
    #[error("the number behind '{0}': {1}")]
    Number(char, InvalidNumber),
}

impl FromStr for Step {
    type Err = InvalidStep;

    fn from_str(text: &str) -> Result<Step, InvalidStep> {
        let (index, act) = match text.split_once(':') {
            None => (None, text),
            Some((index, act)) => {
                let index = number::within(0..=u16::MAX.into())(index).map_err(InvalidStep::Index);
                (Some(index?), act)
            }
        };
        let number = |sign, least, rest: &str| {
            // A second sign would be read as one.
            let is_plain = rest.starts_with(|first: char| first.is_ascii_digit());
            let malformed = || InvalidNumber::Malformed(rest.to_owned());
            let number = match is_plain {
                true => number::within(least..=i32::MAX.into())(rest),
                false => Err(malformed()),
            };
            number.map_err(|error| InvalidStep::Number(sign, error))
        };
        let act = match act.split_at_checked(1) {
            Some(("+", rest)) => Act::Add(number('+', 1, rest)?),
            Some(("-", rest)) => Act::Subtract(number('-', 1, rest)?),
            Some(("=", rest)) => Act::Set(number('=', 0, rest)?),
            Some(("0", "")) => Act::WaitForZero,
            _ => return Err(InvalidStep::Malformed(text.to_owned())),
        };
        Ok(Step { index, act })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Add(number) => write!(f, "+{number}"),
            Act::Subtract(number) => write!(f, "-{number}"),
            Act::WaitForZero => f.write_str("0"),
            Act::Set(number) => write!(f, "={number}"),
        }
    }
}

impl Act {
    /// The change in the form of `semop(2)`; `None` if it does not fit, and for [`Act::Set`].
    pub fn change(self) -> Option<i16> {
        match self {
            Act::Add(number) => i16::try_from(number).ok(),
            Act::Subtract(number) => i16::try_from(-i64::from(number)).ok(),
            Act::WaitForZero => Some(0),
            Act::Set(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn operations_as_users_write_them() {
        let read = |text: &str| match text.parse::<Step>() {
            Ok(Step { index: Some(index), act }) => format!("{index} {act}"),
            Ok(Step { index: None, act }) => act.to_string(),
            Err(error) => error.to_string(),
        };
        for (text, what) in [
            ("+1", "+1"),
            ("-1", "-1"),
            ("0", "0"),
            ("=0", "=0"),
            ("3:-32767", "3 -32767"),
            ("65535:=5", "65535 =5"),
            ("0:+2147483647", "0 +2147483647"),
            ("65536:0", "the semaphore before the colon: 65536 is not in 0..=65535"),
            ("x:0", "the semaphore before the colon: 'x' is not a number"),
            ("+0", "the number behind '+': 0 is not in 1..=2147483647"),
            ("-", "the number behind '-': '' is not a number"),
            ("--1", "the number behind '-': '-1' is not a number"),
            ("=x", "the number behind '=': 'x' is not a number"),
        ] {
            assert_eq!(read(text), what, "{text}");
        }
        for text in ["", "1", "00", "0:", "0:1", "é", "0:0:0"] {
            assert!(read(text).contains("is not an operation: write +N"), "{text}");
        }
    }

    #[test]
    fn what_the_kernel_can_be_asked() {
        assert_eq!(Act::Add(32_767).change(), Some(i16::MAX));
        assert_eq!(Act::Subtract(32_768).change(), Some(i16::MIN));
        assert_eq!(Act::Add(32_768).change(), None);
        assert_eq!(Act::Set(1).change(), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9]*:?[-+=]?\\PC*") {
            let _ = text.parse::<Step>();
        }
    }
}
