//! `--marked`: segments marked for destruction.

use super::{Condition, Reason, Subject};
use crate::ipc::{Kind, Object, Observed, Time};

/// The segment is marked for destruction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marked;

impl Condition for Marked {
    fn fits(&self, kind: Kind) -> bool {
        kind == Kind::Shm
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.is_marked()
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::State, "marked for destruction"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    #[test]
    fn a_marked_segment() {
        try_each(&[(Marked, false, true)]);
    }
}
