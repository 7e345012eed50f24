//! `--unused`: objects that no process uses.

use super::{Circumstances, Condition, Look, Reason, Subject};
use crate::ipc::{Object, Observed, Time, Verdict};

/// No process has the object attached, mapped or open, or waits on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unused;

impl Condition for Unused {
    fn look(&self) -> Look {
        Look::Unused
    }

    fn may_match(&self, _: &Object, _: Time) -> bool {
        true
    }

    fn matches(&self, observed: &Observed, _: &Circumstances<'_>) -> Verdict {
        observed.is_unused()
    }

    fn reason(&self, observed: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Unused, observed.unused_proof()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{NOW, marked_segment, queue};
    use super::*;
    use crate::ipc::process::observed::Users;

    #[test]
    fn who_is_not_seen_may_use_it() {
        let around = Circumstances { now: NOW, heirs: None, kinds: &[] };
        let verdict =
            |object, users| Unused.matches(&Observed { users, ..Observed::from(object) }, &around);
        let looked = |suspects| Some(Users { suspects, ..Users::default() });
        assert_eq!(verdict(queue(), looked(0)), Verdict::Yes);
        assert!(matches!(verdict(queue(), looked(1)), Verdict::Unknown(_)));
        assert!(matches!(verdict(queue(), None), Verdict::Unknown(_)), "no process was inspected");
        assert_eq!(verdict(marked_segment(), looked(0)), Verdict::No, "it is attached once");
    }
}
