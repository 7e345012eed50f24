//! `--key`: System V objects with a key.

use std::str::FromStr;

use super::{Condition, Reason, Subject};
use crate::ipc::{Key, Kind, Object, Observed, Time};

/// The object has this key. A POSIX object has none.
#[derive(Clone, Copy, Debug)]
pub struct Keyed(pub Key);

impl FromStr for Keyed {
    type Err = <Key as FromStr>::Err;

    fn from_str(text: &str) -> Result<Keyed, Self::Err> {
        text.parse().map(Keyed)
    }
}

impl Condition for Keyed {
    fn fits(&self, kind: Kind) -> bool {
        !kind.is_posix()
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.permissions().key == self.0
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Whose, "key"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    #[test]
    fn keys() {
        let key = |text: &str| text.parse::<Keyed>().unwrap();
        try_each(&[(key("0xbeef"), true, false), (key("48879"), true, false)]);
        try_each(&[(key("7"), false, false)]);
        assert!("0".parse::<Keyed>().is_err(), "a private object has none");
    }
}
