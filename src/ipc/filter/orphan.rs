//! `--orphan`: objects that no process uses or is likely to use again.

use super::{Circumstances, Condition, Look, Reason, Subject};
use crate::ipc::{Object, Observed, Time, Verdict};

/// The object is an orphan, with this degree of certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// It is unused, every process that the kernel recorded for it is gone, and no living process is
    /// likely to use it again.
    Certain,
    /// It is unused, and every process that the kernel recorded for it is gone.
    Likely,
}

impl Condition for Orphan {
    fn look(&self) -> Look {
        match self {
            Orphan::Certain => Look::Heirs,
            Orphan::Likely => Look::Unused,
        }
    }

    fn may_match(&self, _: &Object, _: Time) -> bool {
        true
    }

    fn matches(&self, observed: &Observed, around: &Circumstances<'_>) -> Verdict {
        observed.is_orphan().and(|| match self {
            Orphan::Certain => has_no_heir(observed, around),
            Orphan::Likely => Verdict::Yes,
        })
    }

    fn reason(&self, observed: &Observed, _: Time) -> Option<Reason> {
        Some(Reason::new(Subject::Orphan, observed.orphan_proof()))
    }
}

fn has_no_heir(observed: &Observed, around: &Circumstances<'_>) -> Verdict {
    let Some(heirs) = around.heirs else {
        return Verdict::Unknown("which processes may still use it is not known".to_owned());
    };
    let is_settled = || match around.kinds.contains(&observed.kind()) {
        true => Verdict::Yes,
        false => heirs.is_settled(observed),
    };
    heirs.are_none_of(observed).and(is_settled).with_advice("--orphan=likely includes it")
}

#[cfg(test)]
mod tests {
    use super::super::cases::{NOW, queue};
    use super::*;
    use crate::ipc::process::observed::Users;

    #[test]
    fn certainty_takes_heirs_to_ask() {
        let around = Circumstances { now: NOW, heirs: None, kinds: &[] };
        let unused = Observed { users: Some(Users::default()), ..Observed::from(queue()) };
        assert_eq!(Orphan::Likely.matches(&unused, &around), Verdict::Yes);
        let unknown = Verdict::Unknown("which processes may still use it is not known".to_owned());
        assert_eq!(Orphan::Certain.matches(&unused, &around), unknown);
    }

    #[test]
    fn what_nobody_looked_at_is_no_orphan() {
        let around = Circumstances { now: NOW, heirs: None, kinds: &[] };
        let verdict = Orphan::Likely.matches(&Observed::from(queue()), &around);
        assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
    }
}
