//! What an argument names where several objects may be meant.

use std::str::FromStr;

use super::command_line::unquoted;
use super::kind::Kind;
use super::posix::{Name, Pattern};
use super::reference::{InvalidReference, Reference, Target};

/// An argument that names objects, for verbs that take several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// One object, by its reference.
    One(Reference),
    /// The one object that has this key or name, whatever its kind.
    Bare(Target),
    /// Every POSIX object of this kind, or of all, whose name matches.
    Like(Option<Kind>, Pattern),
}

impl FromStr for Operand {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Operand, InvalidReference> {
        // As in a reference.
        if let Some(text) = unquoted(text) {
            return text.parse();
        }
        if Pattern::is_in(text) {
            return Ok(Operand::Like(None, Pattern::parse(text)?));
        }
        if text.starts_with('/') {
            return Ok(Operand::Bare(Target::Name(Name::parse(Kind::Pmsg, text)?)));
        }
        if text.starts_with("0x") || text.starts_with("0X") {
            return Ok(Operand::Bare(Target::Key(text.parse()?)));
        }
        if let Some((kind, name)) = text.split_once(':').filter(|(_, name)| Pattern::is_in(name)) {
            let kind: Kind = kind.parse()?;
            return match kind.is_posix() {
                true => Ok(Operand::Like(Some(kind), Pattern::parse(name)?)),
                false => Err(InvalidReference::NameOfSystemV(name.to_owned(), kind)),
            };
        }
        text.parse().map(Operand::One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        match text.parse::<Operand>() {
            Ok(Operand::One(reference)) => format!("one {reference}"),
            Ok(Operand::Bare(target)) => format!("bare {target}"),
            Ok(Operand::Like(Some(kind), pattern)) => format!("{kind} like {pattern}"),
            Ok(Operand::Like(None, pattern)) => format!("like {pattern}"),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn references_keys_names_and_patterns() {
        for (text, operand) in [
            ("msg:0", "one msg:0"),
            ("shm:0xbeef", "one shm:0x0000beef"),
            ("pmsg:/jobs", "one pmsg:/jobs"),
            ("pshm:/a\\x2ab", "one pshm:/a\\x2ab"),
            ("pshm:/a[b", "one pshm:/a\\x5bb"),
            ("0xbeef", "bare 0x0000beef"),
            ("/jobs", "bare /jobs"),
            ("/a:b", "bare /a:b"),
            ("pshm:/torch_*", "pshm like /torch_*"),
            ("'pshm:/two words*'", "pshm like /two words*"),
            ("mq:/?", "pmsg like /?"),
            ("/torch_*", "like /torch_*"),
            ("/a:*", "like /a:*"),
        ] {
            assert_eq!(read(text), operand, "{text}");
        }
        assert!(read("5").contains("write msg:5, shm:5 or sem:5"));
        assert!(read("shm:/x*").contains("has an id or a key"));
        assert!(read("msg:*").contains("neither an id"));
        assert!(read("pmsg:*").contains("write /*"));
        assert!(read("foo:/x*").contains("'foo'"));
        assert!(read("0x0").contains("IPC_PRIVATE"));
        assert!(read("pshm:/a/*").contains("one slash"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(msg:|pshm:/|/|)\\PC*") {
            let _ = text.parse::<Operand>();
        }
    }
}
