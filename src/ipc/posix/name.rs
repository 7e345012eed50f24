//! Names of POSIX objects: `mq_overview(7)`, `shm_overview(7)`, `sem_overview(7)`.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt;

use crate::ipc::kind::Kind;
use crate::ipc::text::{is_unsafe, unescape};

/// The name of a POSIX object: a slash, followed by 1 to 255 bytes other than a slash.
///
/// Bytes that a line cannot show are printed as `\x0a` and read back from that form. So every name
/// survives a pipe.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// Text that is not a valid name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It does not start with a slash.
    #[error("'{0}' is not the name of a {noun}: write /{0}", noun = .1.noun())]
    NoSlash(String, Kind),
    /// Nothing follows the slash.
    #[error("a name is a slash followed by at least one character")]
    Empty,
    /// It is the file name of a named semaphore in glibc.
    #[error("'{0}' is the file of the semaphore psem:/{name}", name = &.0[1 + Name::SEMAPHORE_PREFIX.len()..])]
    Semaphore(String),
    /// It has more than one slash.
    #[error("'{0}' is not the name of a {noun}: it must have one slash, at the start{rest}", noun = .1.noun(), rest = below(*.1))]
    Slashes(String, Kind),
    /// It is `/.` or `/..`.
    #[error("'{0}' names a directory, not a {noun}", noun = .1.noun())]
    Dots(String, Kind),
    /// It contains a NUL byte.
    #[error("a name cannot contain a NUL byte")]
    Nul,
    /// It is too long for the file system.
    #[error("a name of {0} bytes is too long: the name of a {noun} has at most {most} after the slash", noun = .1.noun(), most = Name::longest(*.1))]
    TooLong(usize, Kind),
}

/// An addition to the message about slashes, for the kinds that may have files in subdirectories.
fn below(kind: Kind) -> &'static str {
    match kind {
        Kind::Pshm => "; a file in a subdirectory of /dev/shm is not an object",
        Kind::Msg | Kind::Shm | Kind::Sem | Kind::Pmsg | Kind::Psem => "",
    }
}

impl Name {
    /// Reads the name of an object of this kind. `\xHH` stands for a byte.
    pub fn parse(kind: Kind, text: &str) -> Result<Name, InvalidName> {
        let bytes = unescape(text.as_bytes(), escaped);
        let prefix = Name::SEMAPHORE_PREFIX.as_bytes();
        let Some(rest) = bytes.strip_prefix(b"/") else {
            return Err(match text {
                "" => InvalidName::Empty,
                _ => InvalidName::NoSlash(text.to_owned(), kind),
            });
        };
        match rest {
            b"" => Err(InvalidName::Empty),
            b"." | b".." => Err(InvalidName::Dots(text.to_owned(), kind)),
            _ if rest.contains(&b'/') => Err(InvalidName::Slashes(text.to_owned(), kind)),
            _ if rest.contains(&0) => Err(InvalidName::Nul),
            _ if kind == Kind::Pshm && rest.len() > prefix.len() && rest.starts_with(prefix) => {
                Err(InvalidName::Semaphore(text.to_owned()))
            }
            _ if rest.len() > Name::longest(kind) => Err(InvalidName::TooLong(rest.len(), kind)),
            _ => Ok(Name(rest.into())),
        }
    }

    /// The prefix that glibc adds to the name of a semaphore to get its file name.
    pub const SEMAPHORE_PREFIX: &str = "sem.";

    /// The maximum number of bytes after the slash.
    pub fn longest(kind: Kind) -> usize {
        /// The limit of the file system.
        const NAME_MAX: usize = 255;
        match kind {
            Kind::Psem => NAME_MAX - Name::SEMAPHORE_PREFIX.len(),
            _ => NAME_MAX,
        }
    }

    /// The name of the object with this file name in its directory.
    pub fn of_file(file_name: &OsStr) -> Name {
        Name(file_name.as_bytes().into())
    }

    /// The name without the slash.
    pub fn behind_slash(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// The name as a program passes it to `mq_open(3)`, if it is text.
    pub fn to_text(&self) -> String {
        match std::str::from_utf8(&self.0) {
            Ok(text) => format!("/{text}"),
            Err(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('/')?;
        let mut rest = &*self.0;
        while let Some((&byte, behind)) = rest.split_first() {
            let character = first_char(rest).filter(|character| !is_unsafe(*character));
            match character {
                Some('\\') if escaped(rest).is_some() => f.write_str("\\x5c")?,
                Some(character) => f.write_char(character)?,
                None => write!(f, "\\x{byte:02x}")?,
            }
            rest = match character {
                Some(character) => &rest[character.len_utf8()..],
                None => behind,
            };
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The character at the start of these bytes, if they start with one.
fn first_char(bytes: &[u8]) -> Option<char> {
    let chunk = bytes.utf8_chunks().next()?;
    chunk.valid().chars().next()
}

/// The byte that the escape sequence at the start of this text stands for, and the length of that
/// sequence.
pub(super) fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    let digits = text.strip_prefix(b"\\x")?.get(..2)?;
    let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    Some((u8::from_str_radix(digits, 16).ok()?, 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_name_may_be() {
        let memory = |text| Name::parse(Kind::Pshm, text).map_err(|error| error.to_string());
        assert_eq!(
            memory("/sem.x"),
            Err("'/sem.x' is the file of the semaphore psem:/x".to_owned())
        );
        assert!(memory("/sem.").is_ok());
        for good in ["/a", "/a b", "/.hidden", "/...", "/ü", "/sem.x"] {
            assert_eq!(Name::parse(Kind::Pmsg, good).unwrap().to_string(), good);
        }
        let wrong = |text: &str| Name::parse(Kind::Pmsg, text).unwrap_err().to_string();
        assert!(wrong("jobs").contains("write /jobs"));
        assert!(wrong("/").contains("followed by at least one character"));
        assert!(wrong("").contains("followed by at least one character"));
        assert!(wrong("/a/b").contains("must have one slash"));
        assert!(wrong("//a").contains("must have one slash"));
        assert!(wrong("/..").contains("directory"));
        assert!(wrong("/a\\x00").contains("NUL"));
    }

    #[test]
    fn how_long_it_may_be() {
        let fits = |kind, length| Name::parse(kind, &format!("/{}", "n".repeat(length))).is_ok();
        assert!(fits(Kind::Pmsg, 255) && !fits(Kind::Pmsg, 256));
        assert!(fits(Kind::Pshm, 255) && !fits(Kind::Pshm, 256));
        assert!(fits(Kind::Psem, 251) && !fits(Kind::Psem, 252));
    }

    #[test]
    fn a_line_shows_every_byte() {
        let name = |bytes: &[u8]| Name(bytes.into()).to_string();
        assert_eq!(name(b"two\nlines"), "/two\\x0alines");
        assert_eq!(name(b"\xff"), "/\\xff");
        assert_eq!(name(b"back\\slash"), "/back\\slash");
        assert_eq!(name(b"\\x41"), "/\\x5cx41");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(bytes in "[ -~\\x01\\n\\\\xaf0]{1,40}|\\PC{1,20}") {
            prop_assume!(!bytes.contains('/') && bytes != "." && bytes != "..");
            let name = Name(bytes.as_bytes().into());
            prop_assert_eq!(Name::parse(Kind::Pmsg, &name.to_string()), Ok(name));
        }

        #[test]
        fn so_is_what_is_no_text(bytes in proptest::collection::vec(1u8.., 3..40)) {
            prop_assume!(!bytes.contains(&b'/'));
            let name = Name(bytes.into());
            prop_assert_eq!(Name::parse(Kind::Pmsg, &name.to_string()), Ok(name));
        }
    }
}
