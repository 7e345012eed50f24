//! `--ignore`: all but what is kept on purpose.

use super::{Condition, Reason};
use crate::ipc::{Expected, Object, Observed, Time};

/// None of these, which are kept on purpose.
#[derive(Clone, Debug)]
pub struct NoneOf(pub Vec<Expected>);

impl Condition for NoneOf {
    /// To spare some is not to ask for the others.
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
