//! System V keys, `key_t` in `sysvipc(7)`, and how `ftok(3)` makes them.

use std::fmt;
use std::str::FromStr;

/// A System V key: the 32-bit number by which unrelated programs find the same object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub i32);

impl Key {
    /// `IPC_PRIVATE`: not a key, but a request for an object without one.
    pub const PRIVATE: Key = Key(0);

    /// The return value of `ftok(3)` on failure, which careless programs use as a key.
    pub const FTOK_FAILED: Key = Key(-1);

    /// What a user should know who gives the key [`Key::FTOK_FAILED`].
    pub const FTOK_CAUTION: &str =
        "key 0xffffffff is what ftok returns when its path is missing: check the path";

    /// The key that `ftok(3)` computes from the low 8 bits of the project, the low 8 bits of the device
    /// and the low 16 bits of the inode of a file.
    pub fn from_file(device: u64, inode: u64, project: Project) -> Key {
        let bits =
            u32::from(project.0) << 24 | ((device & 0xff) as u32) << 16 | (inode & 0xffff) as u32;
        Key(bits as i32)
    }

    /// The parts that `ftok(3)` puts together.
    pub fn parts(self) -> KeyParts {
        let bits = self.0 as u32;
        KeyParts { project: (bits >> 24) as u8, device: (bits >> 16) as u8, inode: bits as u16 }
    }

    /// Whether `ftok(3)` makes this key from a file, with one project or another.
    pub fn is_from_file(self, device: u64, inode: u64) -> bool {
        let KeyParts { device: low_device, inode: low_inode, .. } = self.parts();
        device as u8 == low_device && inode as u16 == low_inode
    }

    /// Reads a number as `ipcrm` does: decimal, octal with a leading `0`, hexadecimal with `0x`.
    pub fn from_number(text: &str) -> Result<Key, InvalidKey> {
        let (digits, radix) = match text.as_bytes() {
            [b'0', b'x' | b'X', ..] => (&text[2..], 16),
            [b'0', _, ..] => (&text[1..], 8),
            _ => (text, 10),
        };
        let invalid = || InvalidKey(text.to_owned());
        // `from_str_radix` would accept a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid());
        }
        match u32::from_str_radix(digits, radix) {
            Ok(bits) => Ok(Key(bits as i32)),
            Err(_) => Err(invalid()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

/// What a key says about the file it was made from, if `ftok(3)` made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyParts {
    /// The low 8 bits of the project.
    pub project: u8,
    /// The low 8 bits of the device number, which belong to its minor number.
    pub device: u8,
    /// The low 16 bits of the inode number.
    pub inode: u16,
}

impl fmt::Display for KeyParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KeyParts { project, device, inode } = self;
        write!(f, "project 0x{project:02x}")?;
        if project.is_ascii_graphic() {
            write!(f, " ('{}')", char::from(*project))?;
        }
        write!(
            f,
            ", a device number that ends in 0x{device:02x}, an inode number that ends in 0x{inode:04x}"
        )
    }
}

/// Why text is not the key of an object.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not a key.
    #[error(transparent)]
    Invalid(#[from] InvalidKey),
    /// It is key 0, which no object has.
    #[error(transparent)]
    Private(#[from] PrivateKey),
}

/// Text that is not a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a key: a key is a 32-bit number, such as 0x0000beef")]
pub struct InvalidKey(String);

impl FromStr for Key {
    type Err = KeyError;

    /// Reads any key that an object can have, so not [`Key::PRIVATE`]: as a number of `ipcrm`, or in
    /// decimal with a sign, as programs print a `key_t`.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let signed = || text.starts_with('-').then(|| text.parse().ok()).flatten().map(Key);
        match signed().map_or_else(|| Key::from_number(text), Ok)? {
            Key::PRIVATE => Err(KeyError::Private(PrivateKey)),
            key => Ok(key),
        }
    }
}

/// Key 0 was given to name an object.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "key 0x0 is IPC_PRIVATE, which names no object: each one created with it is new and has only an id"
)]
pub struct PrivateKey;

/// The project number of `ftok(3)`: its low 8 bits, which are not all 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Project(u8);

impl Project {
    /// The low 8 bits.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl Default for Project {
    fn default() -> Self {
        Project(1)
    }
}

impl From<std::num::NonZero<u8>> for Project {
    fn from(low: std::num::NonZero<u8>) -> Self {
        Project(low.get())
    }
}

/// Text that is not a project.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProject {
    /// It is neither a number nor a single character.
    #[error("'{0}' is neither a number nor one ASCII character")]
    Malformed(String),
    /// Its low 8 bits are 0.
    #[error(
        "project {0} is 0 in its low 8 bits, the only ones that ftok uses: POSIX leaves that undefined"
    )]
    Zero(String),
}

impl FromStr for Project {
    type Err = InvalidProject;

    /// Reads a number (decimal or `0x…`), or one character other than a digit, which stands for its
    /// code.
    fn from_str(text: &str) -> Result<Self, InvalidProject> {
        let number = match text.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_digit() => u32::from(*byte),
            [b'0', b'x' | b'X', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit) => {
                u32::from_str_radix(&text[2..], 16)
                    .map_err(|_| InvalidProject::Malformed(text.to_owned()))?
            }
            digits if digits.iter().all(u8::is_ascii_digit) => {
                text.parse().map_err(|_| InvalidProject::Malformed(text.to_owned()))?
            }
            _ => return Err(InvalidProject::Malformed(text.to_owned())),
        };
        match number as u8 {
            0 => Err(InvalidProject::Zero(text.to_owned())),
            low => Ok(Project(low)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_three_bases() {
        assert_eq!(Key::from_number("0xbeef"), Ok(Key(0xbeef)));
        assert_eq!(Key::from_number("0XBEEF"), Ok(Key(0xbeef)));
        assert_eq!(Key::from_number("010"), Ok(Key(8)));
        assert_eq!(Key::from_number("0"), Ok(Key::PRIVATE));
        assert_eq!(Key::from_number("4294967295"), Ok(Key::FTOK_FAILED));
        for bad in ["", "0x", "beef", "+1", "-1", "0x+1", "08", "0x100000000", "1 "] {
            assert!(Key::from_number(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn programs_print_keys_with_a_sign() {
        assert_eq!("-559038737".parse(), Ok(Key(0xdead_beef_u32 as i32)));
        assert_eq!("-2147483648".parse(), Ok(Key(i32::MIN)));
        for bad in ["-", "--1", "-0x1", "-2147483649", "-1 "] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?}");
        }
        assert!(matches!("-0".parse::<Key>(), Err(KeyError::Private(_))));
    }

    #[test]
    fn ftok_takes_the_low_bits() {
        let key = Key::from_file(0xfe01, 0x12345, Project(b'A'));
        assert_eq!(key.to_string(), "0x41012345");
    }

    #[test]
    fn the_parts_of_a_key() {
        let key = Key::from_file(0xfe01, 0x12345, Project(b'A'));
        assert_eq!(
            key.parts().to_string(),
            "project 0x41 ('A'), a device number that ends in 0x01, an inode number that ends in 0x2345"
        );
        assert!(key.is_from_file(0x01, 0x2345));
        assert!(!key.is_from_file(0x02, 0x2345) && !key.is_from_file(0x01, 0x2346));
        assert!(Key(1).parts().to_string().starts_with("project 0x00, "));
    }

    #[test]
    fn projects() {
        assert_eq!("1".parse(), Ok(Project(1)));
        assert_eq!("A".parse(), Ok(Project(65)));
        assert_eq!("0x41".parse(), Ok(Project(65)));
        assert_eq!("257".parse(), Ok(Project(1)));
        for bad in ["", "AB", "é", "-1", "0x", "99999999999"] {
            assert!(bad.parse::<Project>().is_err(), "{bad:?}");
        }
        assert!(matches!("0".parse::<Project>(), Err(InvalidProject::Zero(_))));
        assert!(matches!("256".parse::<Project>(), Err(InvalidProject::Zero(_))));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(bits: i32) {
            prop_assert_eq!(Key::from_number(&Key(bits).to_string()), Ok(Key(bits)));
        }

        #[test]
        fn a_file_has_the_keys_that_are_made_from_it(device: u64, inode: u64, project in 1..=255_u8) {
            let key = Key::from_file(device, inode, Project(project));
            prop_assert!(key.is_from_file(device, inode));
            prop_assert_eq!(key.parts().project, project);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Key>();
            let _ = text.parse::<Project>();
        }
    }
}
