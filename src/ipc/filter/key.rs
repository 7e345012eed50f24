//! `--key`: System V objects with a key, or with one of a range of keys.

use std::str::FromStr;

use super::{Condition, Reason, Subject};
use crate::ipc::sysv::key::KeyError;
use crate::ipc::{Key, Kind, Object, Observed, Time};

/// The object has a key in this range, which includes both ends. A POSIX object has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed {
    first: Key,
    last: Key,
}

impl From<Key> for Keyed {
    fn from(key: Key) -> Keyed {
        Keyed { first: key, last: key }
    }
}

/// Text that is neither a key nor a range of keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// One of the keys is not valid, or is 0.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The last key is before the first one.
    #[error("no key is in the range from {0} to {1}: the smaller one comes first")]
    Reversed(Key, Key),
}

impl FromStr for Keyed {
    type Err = InvalidKeys;

    /// Reads `KEY` or `KEY-KEY`. Keys are compared as unsigned numbers, as `list` prints them.
    fn from_str(text: &str) -> Result<Keyed, InvalidKeys> {
        // A minus at the start is a sign.
        let dash = text.char_indices().skip(1).find(|&(_, character)| character == '-');
        let Some((dash, _)) = dash else {
            return Ok(text.parse::<Key>()?.into());
        };
        let (first, last): (Key, Key) = (text[..dash].parse()?, text[dash + 1..].parse()?);
        match unsigned(first) <= unsigned(last) {
            true => Ok(Keyed { first, last }),
            false => Err(InvalidKeys::Reversed(first, last)),
        }
    }
}

fn unsigned(key: Key) -> u32 {
    key.0 as u32
}

impl Condition for Keyed {
    fn fits(&self, kind: Kind) -> bool {
        !kind.is_posix()
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        // No range includes `IPC_PRIVATE`, which is 0.
        (unsigned(self.first)..=unsigned(self.last)).contains(&unsigned(object.permissions().key))
    }

    fn caution(&self) -> Option<String> {
        let is_failure = *self == Keyed::from(Key::FTOK_FAILED);
        is_failure.then(|| Key::FTOK_CAUTION.to_owned())
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Whose, "key"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    fn keys(text: &str) -> Keyed {
        text.parse().unwrap()
    }

    #[test]
    fn one_key() {
        try_each(&[
            (keys("0xbeef"), true, false),
            (keys("48879"), true, false),
            (keys("0137357"), true, false),
            (keys("7"), false, false),
        ]);
        assert_eq!(keys("-559038737"), keys("0xdeadbeef"));
        assert_eq!(keys("-1"), keys("0xffffffff"));
    }

    #[test]
    fn ranges_of_keys() {
        try_each(&[
            (keys("0xbeef-0xbeef"), true, false),
            (keys("0xbe00-0xbeff"), true, false),
            (keys("48878-48880"), true, false),
            (keys("0xbef0-0xbeff"), false, false),
            (keys("0xbe00-0xbeee"), false, false),
            (keys("1--1"), true, false),
            (keys("-5--1"), false, false),
        ]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |text: &str| text.parse::<Keyed>().unwrap_err().to_string();
        for private in ["0", "0x0", "0-5"] {
            assert!(wrong(private).contains("IPC_PRIVATE"), "{private}");
        }
        assert_eq!(
            wrong("0xbeef-0xbe00"),
            "no key is in the range from 0x0000beef to 0x0000be00: the smaller one comes first"
        );
        for bad in ["", "-", "--", "5-", "-5-", "1-2-3", "x", "é-é"] {
            assert!(bad.parse::<Keyed>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_failure_of_ftok_is_pointed_out() {
        assert!(keys("-1").caution().is_some_and(|caution| caution.contains("ftok")));
        assert_eq!(keys("1--1").caution(), None);
    }
}
