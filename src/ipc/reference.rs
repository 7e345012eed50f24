//! References, `KIND:REF`: how every command prints objects and accepts them.

use crate::ipc::command_line::unquoted;
use crate::ipc::kind::UnknownKind;
use crate::ipc::posix::InvalidPattern;
use crate::ipc::posix::name::InvalidName;
use crate::ipc::sysv::key::KeyError;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::kind::{Family, Kind};
use super::posix::name::Name;
use super::sysv::key::Key;

/// A reference to an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Its kind.
    pub kind: Kind,
    /// Its id, key or name.
    pub target: Target,
}

/// The part after the colon: a decimal number is always an id, a `0x…` number always a key, and text
/// that starts with a slash always a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The identifier that `msgget(2)` and the like return: `sequence × 32768 + slot`, never negative.
    Id(i32),
    /// The key with which the object was created.
    Key(Key),
    /// The name of a POSIX object.
    Name(Name),
}

impl Reference {
    /// The object of this kind with this id.
    pub fn id(kind: Kind, id: i32) -> Reference {
        Reference { kind, target: Target::Id(id) }
    }

    /// The POSIX object of this kind with this name.
    pub fn name(kind: Kind, name: Name) -> Reference {
        Reference { kind, target: Target::Name(name) }
    }

    /// Reads a reference to one of a family. `KIND:` is optional: a name means a POSIX object and a number a
    /// System V object.
    pub fn of_family(family: Family, text: &str) -> Result<Reference, InvalidReference> {
        let posix = family.posix();
        let reference = match text {
            _ if text.starts_with('/') => {
                Reference { kind: posix, target: Target::parse(posix, text)? }
            }
            _ if text.contains(':') => text.parse::<Reference>()?,
            _ => {
                let target = Target::parse(family.system_v(), text)
                    .map_err(|error| InvalidReference::NoTarget(Box::new(error)))?;
                Reference { kind: family.system_v(), target }
            }
        };
        if reference.kind.family() != family {
            return Err(InvalidReference::OtherKind(text.to_owned(), reference.kind, family));
        }
        Ok(reference)
    }
}

/// Text that is not a reference.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// It does not have the form KIND:REF.
    #[error("'{0}' is not a reference: write KIND:ID, KIND:0xKEY or KIND:/NAME, such as msg:32768")]
    Malformed(String),
    /// It is an id, a key or a name without a kind, which these kinds may have.
    #[error("'{0}' has no kind: write {one}:{0}, {two}:{0} or {three}:{0}", one = .1[0], two = .1[1], three = .1[2])]
    NoKind(String, [Kind; 3]),
    /// The part before the colon is not a kind.
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    /// It is neither an id nor a key.
    #[error("'{0}' is neither an id (a decimal number up to {most}) nor a key (0x…)", most = i32::MAX)]
    NoNumber(String),
    /// The key is not valid, or is 0.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The name is not valid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The pattern for names is not valid.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
    /// It gives a name for a System V object.
    #[error("'{0}' is a name, but a {noun} has an id or a key", noun = .1.noun())]
    NameOfSystemV(String, Kind),
    /// It is neither an id, a key nor a name.
    #[error("{0}, nor a name (/…)")]
    NoTarget(Box<InvalidReference>),
    /// The object is of another family.
    #[error("'{0}' is a {noun}, not {one}", noun = .1.noun(), one = .2.one())]
    OtherKind(String, Kind, Family),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.target)
    }
}

impl Serialize for Reference {
    /// Serializes the reference as it is printed.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Id(id) => write!(f, "{id}"),
            Target::Key(key) => write!(f, "{key}"),
            // A name with one of these would be read as a pattern.
            Target::Name(name) => {
                name.to_string().chars().try_for_each(|character| match character {
                    '*' | '?' | '[' => write!(f, "\\x{:02x}", character as u32),
                    character => f.write_char(character),
                })
            }
        }
    }
}

impl Target {
    /// Reads the id, key or name of an object of this kind.
    pub fn parse(kind: Kind, text: &str) -> Result<Target, InvalidReference> {
        if kind.is_posix() {
            return Ok(Target::Name(Name::parse(kind, text)?));
        }
        if text.starts_with('/') {
            return Err(InvalidReference::NameOfSystemV(text.to_owned(), kind));
        }
        if text.starts_with("0x") || text.starts_with("0X") {
            return Ok(Target::Key(text.parse()?));
        }
        match text.parse() {
            Ok(id) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Target::Id(id)),
            _ => Err(InvalidReference::NoNumber(text.to_owned())),
        }
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        // Plain lists quote names that a shell would split. Who reads them line by line need not care.
        if let Some(text) = unquoted(text) {
            return text.parse();
        }
        // The name of a POSIX object may contain a colon.
        let Some((kind, target)) = text.split_once(':').filter(|_| !text.starts_with('/')) else {
            for kinds in [Kind::SYSTEM_V, [Kind::Pmsg, Kind::Pshm, Kind::Psem]] {
                if Target::parse(kinds[0], text).is_ok() {
                    return Err(InvalidReference::NoKind(text.to_owned(), kinds));
                }
            }
            return Err(InvalidReference::Malformed(text.to_owned()));
        };
        let kind = kind.parse()?;
        Ok(Reference { kind, target: Target::parse(kind, target)? })
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
        assert!(reads("/jobs").contains("write pmsg:/jobs, pshm:/jobs or psem:/jobs"));
        assert!(reads("msg:/jobs").contains("has an id or a key"));
        assert!(reads("pmsg:5").contains("write /5"));
        assert!(reads("five").contains("KIND:ID"));
        assert!(reads("foo:5").contains("'foo'"));
        for bad in ["msg:", "msg:-1", "msg:+1", "msg:2147483648", "msg:1x", "msg:beef", ":1", ""] {
            assert!(reads(bad).starts_with("error"), "{bad:?}");
        }
    }

    #[test]
    fn the_kind_can_be_left_out_where_only_one_makes_sense() {
        let queue =
            |text| Reference::of_family(Family::Queues, text).map(|queue| queue.to_string());
        assert_eq!(queue("7").unwrap(), "msg:7");
        assert_eq!(queue("0x7").unwrap(), "msg:0x00000007");
        assert_eq!(queue("msg:7").unwrap(), "msg:7");
        assert_eq!(queue("/jobs").unwrap(), "pmsg:/jobs");
        assert_eq!(queue("/a:b").unwrap(), "pmsg:/a:b");
        assert_eq!(queue("mq:/jobs").unwrap(), "pmsg:/jobs");
        assert!(queue("shm:7").is_err());
        assert!(queue("psem:/jobs").is_err());
        let memory = |text| Reference::of_family(Family::Memory, text).map(|it| it.to_string());
        assert_eq!(memory("7").unwrap(), "shm:7");
        assert_eq!(memory("/cache").unwrap(), "pshm:/cache");
        assert_eq!(
            memory("sem:7").unwrap_err().to_string(),
            "'sem:7' is a semaphore set, not shared memory"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(id in 0..=i32::MAX, key in 1..=i32::MAX) {
            for target in [Target::Id(id), Target::Key(Key(key)), Target::Key(Key(-key))] {
                for kind in Kind::SYSTEM_V {
                    let reference = Reference { kind, target: target.clone() };
                    prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
                }
            }
        }

        #[test]
        fn no_text_panics(text in "(msg:|shm:|psem:/|)\\PC*") {
            let _ = text.parse::<Reference>();
        }
    }
}
