//! `--ignore`: leaves out objects that exist on purpose.

use super::{Condition, Reason};
use crate::ipc::{Expected, Object, Observed, Time};

/// The object is none of these.
#[derive(Clone, Debug)]
pub struct NoneOf(pub Vec<Expected>);

impl Condition for NoneOf {
    /// Excluding objects does not select the others.
    fn is_narrow(&self) -> bool {
        false
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        !self.0.iter().any(|expected| expected.is(object))
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;
    use crate::ipc::Key;

    #[test]
    fn what_is_spared() {
        try_each(&[
            (NoneOf(vec![Expected::Key(Key(0xbeef))]), false, true),
            (NoneOf(vec![Expected::Owner(1)]), false, false),
            (NoneOf(vec![Expected::Owner(2), Expected::Key(Key(0xbeef))]), false, true),
        ]);
    }
}
