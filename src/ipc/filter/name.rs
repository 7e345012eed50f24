//! `--name`, and patterns in references: POSIX objects by their names.

use std::str::FromStr;

use super::{Condition, Reason, Subject};
use crate::ipc::posix::{InvalidPattern, Pattern};
use crate::ipc::{Kind, Object, Observed, Time};

/// The name of the object matches one of these patterns, each for objects of one kind or of all. A System
/// V object has no name.
#[derive(Clone, Debug)]
pub struct Named(pub Vec<(Option<Kind>, Pattern)>);

impl FromStr for Named {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Named, InvalidPattern> {
        Ok(Named(vec![(None, Pattern::parse(text)?)]))
    }
}

fn is_for(kind: Kind, of: Option<Kind>) -> bool {
    of.is_none_or(|of| of == kind)
}

impl Condition for Named {
    fn fits(&self, kind: Kind) -> bool {
        kind.is_posix() && self.0.iter().any(|(of, _)| is_for(kind, *of))
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.file().is_some_and(|file| {
            let kind = object.kind();
            self.0.iter().any(|(of, pattern)| is_for(kind, *of) && pattern.matches(&file.name))
        })
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Whose, "name"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{NOW, memory, try_each};
    use super::*;

    #[test]
    fn names() {
        let named = |text: &str| text.parse::<Named>().unwrap();
        for (text, is_named) in
            [("/torch_*", true), ("torch_*", true), ("*7", true), ("/torch_", false)]
        {
            assert_eq!(named(text).may_match(&memory("/torch_7"), NOW), is_named, "{text}");
        }
        try_each(&[(named("*"), false, false)]);
    }

    #[test]
    fn a_pattern_can_be_for_one_kind() {
        let any = || Pattern::parse("/*").unwrap();
        for (kind, matches) in [(None, true), (Some(Kind::Pshm), true), (Some(Kind::Psem), false)] {
            let named = Named(vec![(kind, any())]);
            assert_eq!(named.may_match(&memory("/torch_7"), NOW), matches, "{kind:?}");
            assert_eq!(named.fits(Kind::Pshm), matches, "{kind:?}");
            assert!(!named.fits(Kind::Shm));
        }
    }
}
