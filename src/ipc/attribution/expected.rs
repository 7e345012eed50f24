//! Objects that exist on purpose, which `--ignore` leaves out.

use std::ffi::OsStr;

use crate::ipc::kind::Kind;
use crate::ipc::object::Object;
use crate::ipc::posix::name::{InvalidName, Name};
use crate::ipc::sysv::key::{InvalidKey, Key, PrivateKey};

/// Objects that exist on purpose: `KEY
/// /NAME
/// USER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// System V objects with this key.
    Key(Key),
    /// POSIX objects with this name.
    Name(Name),
    /// Objects that this user owns.
    Owner(u32),
    /// A decimal number, which matches both: objects with this key and objects of this user.
    Number(u32),
}

/// Text that is not a key, a name or a user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpected {
    /// It looks like a name but is not a valid one.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Key 0.
    #[error(transparent)]
    PrivateKey(#[from] PrivateKey),
    /// It looks like a key but is not a valid one.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// It is neither a key nor the name of a user.
    #[error("'{0}' is not a key (0xbeef), a name (/jobs) or a user on this system")]
    Unknown(String),
}

impl Expected {
    /// Reads `0x…` (or `0…`, octal) as a key, `/…` as a name, decimal digits as a key and as a user id,
    /// and anything else as a user name, whose id `user_id` returns.
    pub fn parse(
        text: &str,
        user_id: impl Fn(&str) -> Option<u32>,
    ) -> Result<Expected, InvalidExpected> {
        if let Some(path) = text.strip_prefix('/') {
            return Ok(Expected::Name(match Name::parse(Kind::Pshm, text) {
                // A file in a subdirectory of `/dev/shm`.
                Err(InvalidName::Slashes(..)) => Name::of_file(OsStr::new(path)),
                name => name?,
            }));
        }
        if let Some(uid) = user_id(text).filter(|_| !text.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Ok(Expected::Owner(uid));
        }
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(InvalidExpected::Unknown(text.to_owned()));
        }
        match (Key::from_number(text)?, text.starts_with('0') && text != "0") {
            (Key::PRIVATE, true) => Err(PrivateKey.into()),
            (key, true) => Ok(Expected::Key(key)),
            (key, false) => Ok(Expected::Number(key.0 as u32)),
        }
    }

    /// Whether this object is one of them.
    pub fn is(&self, object: &Object) -> bool {
        // A private object has no key, so key 0 matches none.
        let has_key = |key: Key| key != Key::PRIVATE && object.permissions().key == key;
        let is_of = |uid| object.permissions().uid == uid;
        match self {
            Expected::Key(key) => has_key(*key),
            Expected::Name(name) => object.file().is_some_and(|file| file.name == *name),
            Expected::Owner(uid) => is_of(*uid),
            Expected::Number(number) => has_key(Key(*number as i32)) || is_of(*number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Mode, Permissions, Queue};

    fn read(text: &str) -> Result<Expected, String> {
        let user_id = |name: &str| match name {
            "alice" => Some(1000),
            "0day" => Some(1001),
            _ => None,
        };
        Expected::parse(text, user_id).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_names_and_users() {
        assert_eq!(read("0xbeef"), Ok(Expected::Key(Key(0xbeef))));
        assert_eq!(read("010"), Ok(Expected::Key(Key(8))));
        assert_eq!(read("0"), Ok(Expected::Number(0)));
        assert_eq!(read("61453"), Ok(Expected::Number(61453)));
        assert_eq!(read("alice"), Ok(Expected::Owner(1000)));
        assert_eq!(read("0day"), Ok(Expected::Owner(1001)));
        assert!(matches!(read("/jobs"), Ok(Expected::Name(_))));
        assert!(matches!(read("/d/e/f"), Ok(Expected::Name(_))));
        assert!(read("0x0").unwrap_err().contains("IPC_PRIVATE"));
        assert!(read("0xpizza").unwrap_err().contains("is not a key"));
        assert!(read("pizza").unwrap_err().contains("or a user"));
        for bad in ["", "/", "-1", "4294967296"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_is_a_key_and_a_user() {
        let queue = |key, uid| {
            let mode = Mode::from_bits(0o600);
            Object::Queue(Queue {
                id: 0,
                permissions: Permissions { key, uid, gid: 0, cuid: 0, cgid: 0, mode },
                changed: None,
                bytes: 0,
                messages: 0,
                max_bytes: None,
                last_send_pid: 0,
                last_send: None,
                last_recv_pid: 0,
                last_recv: None,
            })
        };
        assert!(Expected::Number(7).is(&queue(Key(7), 1)));
        assert!(Expected::Number(7).is(&queue(Key(8), 7)));
        assert!(!Expected::Number(7).is(&queue(Key(8), 8)));
        assert!(!Expected::Number(0).is(&queue(Key::PRIVATE, 1)), "no key is not key 0");
        assert!(!Expected::Key(Key(7)).is(&queue(Key(8), 7)));
    }
}
