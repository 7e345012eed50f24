//! `--orphan`: objects that nobody uses, and nobody will come back to.

use super::{Circumstances, Condition, Look, Reason, Telling};
use crate::ipc::{Object, Observed, Time, Verdict};

/// An orphan, and how certain that must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// Unused, every process that the kernel recorded for it is gone, and nobody living looks like
    /// its heir.
    Certain,
    /// The first two alone.
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
        Some(Reason::new(Telling::Orphan, observed.orphan_proof()))
    }
}

fn has_no_heir(observed: &Observed, around: &Circumstances<'_>) -> Verdict {
    let Some(heirs) = around.heirs else {
        return Verdict::Unknown("its heirs are not known".to_owned());
    };
    let is_settled = || match around.kinds.contains(&observed.kind()) {
        true => Verdict::Yes,
        false => heirs.is_settled(observed),
    };
    heirs.are_none_of(observed).and(is_settled).with_advice("--orphan=likely takes it")
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
        let unknown = Verdict::Unknown("its heirs are not known".to_owned());
        assert_eq!(Orphan::Certain.matches(&unused, &around), unknown);
    }

    #[test]
    fn what_nobody_looked_at_is_no_orphan() {
        let around = Circumstances { now: NOW, heirs: None, kinds: &[] };
        let verdict = Orphan::Likely.matches(&Observed::from(queue()), &around);
        assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
    }
}
