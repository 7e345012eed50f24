//! `--empty`: queues without messages.

use super::{Condition, Reason, Subject};
use crate::ipc::{Kind, Object, Observed, Time};

/// The queue has no messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl Condition for Empty {
    fn fits(&self, kind: Kind) -> bool {
        kind.is_queue()
    }

    fn may_match(&self, object: &Object, _: Time) -> bool {
        object.messages() == Some(0)
    }

    fn reason(&self, _: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::State, "no messages"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::try_each;
    use super::*;

    #[test]
    fn a_queue_with_no_message() {
        try_each(&[(Empty, true, false)]);
    }
}
