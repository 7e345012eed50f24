//! `--owner`, `--creator` and `--group`: objects by owner, creator and group.

use super::{Condition, Reason, Subject};
use crate::ipc::{Kind, Object, Observed, Time};

/// The user with this id owns the object.
#[derive(Clone, Copy, Debug)]
pub struct Owner(pub u32);

/// The user with this id created the object. The creator of a POSIX object is not recorded.
#[derive(Clone, Copy, Debug)]
pub struct Creator(pub u32);

/// The group with this id owns the object.
#[derive(Clone, Copy, Debug)]
pub struct Group(pub u32);

impl Condition for Owner {
    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.permissions().uid == self.0
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Whose, "owner"))
    }
}

impl Condition for Creator {
    fn fits(&self, kind: Kind) -> bool {
        !kind.is_posix()
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.permissions().cuid == self.0
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Whose, "creator"))
    }
}

impl Condition for Group {
    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.permissions().gid == self.0
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Whose, "group"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    #[test]
    fn whose_it_is() {
        try_each(&[(Owner(1), true, true), (Owner(2), false, false)]);
        try_each(&[(Creator(2), true, true), (Creator(1), false, false)]);
        try_each(&[(Group(10), true, true), (Group(20), false, false)]);
    }
}
