//! What a line tells.

use std::sync::Arc;

use crate::ipc::changes::{Appearance, Change, Departure};
use crate::ipc::{Home, Observed, Reference};

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Present,
    Appeared,
    Gone,
    Changed,
}

impl Sign {
    pub fn text(self) -> &'static str {
        match self {
            Sign::Present => "=",
            Sign::Appeared => "+",
            Sign::Gone => "-",
            Sign::Changed => "~",
        }
    }
}

/// Why an event is not what it seems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// The object existed before.
    Matches,
    /// The object still exists.
    NoLongerMatches,
    /// Its namespace or its `/dev/shm` cannot be seen any more.
    OutOfSight,
    /// It had gone out of sight.
    BackInSight,
    /// It came and went between two looks.
    Brief,
}

impl Remark {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Remark::Matches => "existed before, matches now",
            Remark::NoLongerMatches => "still exists, no longer matches",
            Remark::OutOfSight => "may still exist, can no longer be seen",
            Remark::BackInSight => "seen again",
            Remark::Brief => "came and went between two looks",
        }
    }

    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Remark::Matches => "matches",
            Remark::NoLongerMatches => "no-longer-matches",
            Remark::OutOfSight => "out-of-sight",
            Remark::BackInSight => "back-in-sight",
            Remark::Brief => "brief",
        }
    }
}

/// What a line tells.
pub(super) struct Event<'a> {
    pub sign: Sign,
    pub reference: Reference,
    pub home: Option<&'a Arc<Home>>,
    /// The object; `None` if only its reference is known.
    pub observed: Option<&'a Observed>,
    /// Its state before it changed.
    pub before: Option<&'a Observed>,
    pub remark: Option<Remark>,
}

impl<'a> Event<'a> {
    /// The events of a change: two if an object came and went.
    pub fn of(change: &'a Change) -> Vec<Event<'a>> {
        let of = |sign, observed, remark| Event {
            sign,
            reference: change.reference(),
            home: change.home(),
            observed,
            before: None,
            remark,
        };
        match change {
            Change::Present(observed) => vec![of(Sign::Present, Some(observed), None)],
            Change::Appeared(observed, how) => {
                let remark = match how {
                    Appearance::Created => None,
                    Appearance::Matches => Some(Remark::Matches),
                    Appearance::SeenAgain => Some(Remark::BackInSight),
                };
                vec![of(Sign::Appeared, Some(observed), remark)]
            }
            Change::Gone(observed, how) => {
                let remark = match how {
                    Departure::Removed => None,
                    Departure::MatchesNoMore => Some(Remark::NoLongerMatches),
                    Departure::OutOfSight => Some(Remark::OutOfSight),
                };
                vec![of(Sign::Gone, Some(observed), remark)]
            }
            Change::Changed { before, after } => {
                vec![Event { before: Some(before), ..of(Sign::Changed, Some(after), None) }]
            }
            Change::CameAndWent { .. } => {
                [Sign::Appeared, Sign::Gone].map(|sign| of(sign, None, Some(Remark::Brief))).into()
            }
        }
    }
}
