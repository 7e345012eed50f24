//! `KIND:REF`, the way in which every command prints and takes an object.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::key::Key;
use super::kind::Kind;

/// An object as a user names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub target: Target,
}

/// What follows the colon: a decimal number is always an id, a `0x…` number always a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The identifier that `msgget(2)` and its like return: `sequence × 32768 + slot`, never negative.
    Id(i32),
    /// The key under which the object was made.
    Key(Key),
}

impl Reference {
    /// The object of this kind with this id.
    pub fn id(kind: Kind, id: i32) -> Reference {
        Reference { kind, target: Target::Id(id) }
    }

    /// Reads a reference whose `KIND:` may be left out, because only one kind makes sense.
    pub fn with_default_kind(text: &str, kind: Kind) -> anyhow::Result<Reference> {
        let reference = match text.split_once(':') {
            Some(_) => text.parse()?,
            None => Reference { kind, target: text.parse()? },
        };
        if reference.kind != kind {
            anyhow::bail!(
                "'{text}' is a {}, and a {} is needed",
                reference.kind.noun(),
                kind.noun()
            );
        }
        Ok(reference)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.target)
    }
}

impl Serialize for Reference {
    /// As it is printed.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Id(id) => write!(f, "{id}"),
            Target::Key(key) => write!(f, "{key}"),
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text.starts_with("0x") || text.starts_with("0X") {
            return Ok(Target::Key(text.parse()?));
        }
        match text.parse() {
            Ok(id) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Target::Id(id)),
            _ => anyhow::bail!(
                "'{text}' is neither an id (a decimal number up to {}) nor a key (0x…)",
                i32::MAX
            ),
        }
    }
}

impl FromStr for Reference {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let Some((kind, target)) = text.split_once(':') else {
            if text.parse::<Target>().is_ok() {
                anyhow::bail!("'{text}' names no kind: write msg:{text}, shm:{text} or sem:{text}");
            }
            anyhow::bail!(
                "'{text}' is not a reference: write KIND:ID or KIND:0xKEY, such as msg:32768"
            );
        };
        Ok(Reference { kind: kind.parse()?, target: target.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reads(text: &str) -> String {
        match text.parse::<Reference>() {
            Ok(reference) => reference.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn decimal_is_an_id_and_hex_is_a_key() {
        assert_eq!(reads("msg:32768"), "msg:32768");
        assert_eq!(reads("queue:1"), "msg:1");
        assert_eq!(reads("shm:0xbeef"), "shm:0x0000beef");
        assert_eq!(reads("sem:0XFFFFFFFF"), "sem:0xffffffff");
        assert_eq!(reads("msg:010"), "msg:10", "a decimal number is always an id");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(reads("msg:0x0").contains("IPC_PRIVATE"));
        assert!(reads("5").contains("write msg:5, shm:5 or sem:5"));
        assert!(reads("five").contains("KIND:ID"));
        assert!(reads("foo:5").contains("'foo'"));
        for bad in ["msg:", "msg:-1", "msg:+1", "msg:2147483648", "msg:1x", "msg:beef", ":1", ""] {
            assert!(reads(bad).starts_with("error"), "{bad:?}");
        }
    }

    #[test]
    fn the_kind_can_be_left_out_where_only_one_makes_sense() {
        let queue = |text| Reference::with_default_kind(text, Kind::Msg).map(|r| r.to_string());
        assert_eq!(queue("7").unwrap(), "msg:7");
        assert_eq!(queue("0x7").unwrap(), "msg:0x00000007");
        assert_eq!(queue("msg:7").unwrap(), "msg:7");
        assert!(queue("shm:7").is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(id in 0..=i32::MAX, key in 1..=i32::MAX) {
            for target in [Target::Id(id), Target::Key(Key(key)), Target::Key(Key(-key))] {
                for kind in Kind::ALL {
                    let reference = Reference { kind, target };
                    prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
                }
            }
        }

        #[test]
        fn no_text_panics(text in "(msg:|shm:|)\\PC*") {
            let _ = text.parse::<Reference>();
        }
    }
}
