//! Which objects a user means: the conditions that `list` and `rm` share.
//!
//! A [`Condition`] is a value in a file of its own, which reads itself from what its option is given,
//! matches objects, and says why one matched; its cases stand right under it. Its option is a field of
//! `cli::Filters`, and nothing else knows of it.

#[cfg(test)]
mod cases;
mod empty;
mod idle;
mod ignore;
mod key;
mod marked;
mod orphan;
mod owner;
mod pid;
mod unused;

pub use empty::Empty;
pub use idle::Idle;
pub use ignore::NoneOf;
pub use key::Keyed;
pub use marked::Marked;
pub use orphan::Orphan;
pub use owner::{Creator, Group, Owner};
pub use pid::UsedBy;
pub use unused::Unused;

use std::fmt;

use super::kind::Kind;
use super::object::Object;
use super::process::heirs::Heirs;
use super::process::observed::{Observed, Verdict};
use super::time::Time;

/// Something that an object must meet.
pub trait Condition: fmt::Debug {
    /// Whether an object of this kind can meet it at all.
    fn fits(&self, _: Kind) -> bool {
        true
    }

    /// What must be looked at to tell.
    fn look(&self) -> Look {
        Look::Object
    }

    /// Whether it asks for some objects, and does not only leave some out.
    fn is_narrow(&self) -> bool {
        true
    }

    /// Whether an object of a kind that fits meets it at the time `now`, as far as that takes no look at
    /// processes.
    fn may_match(&self, object: &Object, now: Time) -> bool;

    /// Whether an object that may match meets it, from a look at processes.
    fn matches(&self, _: &Observed, _: &Circumstances<'_>) -> Verdict {
        Verdict::Yes
    }

    /// Why an object that matches was selected.
    fn reason(&self, observed: &Observed, now: Time) -> Option<Reason>;
}

/// What must be looked at to tell whether an object meets a condition: each more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// The object alone.
    Object,
    /// The processes: who uses it.
    Users,
    /// The same, and what proves that nobody does.
    Unused,
    /// The same, and the users of all other objects of its kind.
    Heirs,
}

/// What a look at the processes has told, beyond the users of an object.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The time of the look.
    pub now: Time,
    /// Those who use objects of its kind, without whom nothing is certain to be an orphan.
    pub heirs: Option<&'a Heirs>,
    /// The kinds that were asked for by name.
    pub kinds: &'a [Kind],
}

/// Why an object was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    telling: Telling,
    text: String,
}

/// What a reason tells of, the most telling first: that is how reasons are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    Orphan,
    Unused,
    User,
    Age,
    State,
    Whose,
}

impl Reason {
    fn new(telling: Telling, text: impl Into<String>) -> Reason {
        Reason { telling, text: text.into() }
    }
}

/// Conditions that an object must meet, all of them. The default lets everything pass.
#[derive(Debug, Default)]
pub struct Filter {
    /// One of these kinds; any if empty.
    pub kinds: Vec<Kind>,
    conditions: Vec<Box<dyn Condition>>,
}

impl Filter {
    /// One of these kinds, or of any if there is none, under these conditions.
    pub fn new(kinds: Vec<Kind>, conditions: Vec<Box<dyn Condition>>) -> Filter {
        Filter { kinds, conditions }
    }

    /// With one more condition, if it is given.
    pub fn and(mut self, condition: Option<impl Condition + 'static>) -> Filter {
        self.conditions.extend(condition.map(|condition| Box::new(condition) as _));
        self
    }

    /// The kinds that can pass, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|&kind| self.fits(kind))
    }

    fn fits(&self, kind: Kind) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.conditions.iter().all(|condition| condition.fits(kind))
    }

    /// Whether it has conditions, be it to spare some.
    pub fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Whether it asks for anything beyond the kinds: to spare some is not to ask for the others.
    pub fn is_narrow(&self) -> bool {
        self.conditions.iter().any(|condition| condition.is_narrow())
    }

    fn look(&self) -> Look {
        let looks = self.conditions.iter().map(|condition| condition.look());
        looks.max().unwrap_or(Look::Object)
    }

    /// Whether it takes a look at the processes to tell.
    pub fn needs_users(&self) -> bool {
        self.look() >= Look::Users
    }

    /// Whether only what nobody uses can pass.
    pub fn needs_unused(&self) -> bool {
        self.look() >= Look::Unused
    }

    /// Whether it takes a look at the users of all objects of a kind to tell of one.
    pub fn needs_heirs(&self) -> bool {
        self.look() >= Look::Heirs
    }

    /// Whether an object meets every condition that takes no look at processes, at the time `now`.
    pub fn may_match(&self, object: &Object, now: Time) -> bool {
        self.fits(object.kind())
            && self.conditions.iter().all(|condition| condition.may_match(object, now))
    }

    /// Whether an object meets every condition. `heirs` are those who use objects of its kind, without
    /// whom nothing is certain to be an orphan.
    pub fn matches(&self, observed: &Observed, now: Time, heirs: Option<&Heirs>) -> Verdict {
        let around = Circumstances { now, heirs, kinds: &self.kinds };
        let may_match = Verdict::from(self.may_match(&observed.object, now));
        self.conditions.iter().fold(may_match, |verdict, condition| {
            verdict.and(|| condition.matches(observed, &around))
        })
    }

    /// Why an object that matches was selected, in words.
    pub fn reason(&self, observed: &Observed, now: Time) -> String {
        let reasons = self.conditions.iter().filter_map(|one| one.reason(observed, now));
        let mut reasons: Vec<Reason> = reasons.collect();
        reasons.sort_by_key(|reason| reason.telling);
        let is_orphan = reasons.first().is_some_and(|first| first.telling == Telling::Orphan);
        // An orphan is unused.
        reasons.retain(|reason| !(is_orphan && reason.telling == Telling::Unused));
        let mut words: Vec<String> = reasons.into_iter().map(|reason| reason.text).collect();
        if !self.kinds.is_empty() {
            words.push("kind".to_owned());
        }
        match words.as_slice() {
            [] => "all".to_owned(),
            words => words.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cases::{NOW, marked_segment, queue};
    use super::*;
    use crate::ipc::{Expected, Key};
    use std::time::Duration;

    fn filter(kinds: &[Kind]) -> Filter {
        Filter::new(kinds.to_vec(), Vec::new())
    }

    #[test]
    fn all_conditions_must_hold() {
        for (filter, takes_queue, takes_segment) in [
            (filter(&[]), true, true),
            (filter(&[Kind::Msg]), true, false),
            (filter(&[]).and(Some(Owner(1))).and(Some(Creator(2))), true, true),
            (filter(&[]).and(Some(Owner(1))).and(Some(Creator(1))), false, false),
            (filter(&[]).and(Some(Empty)).and(Some(Marked)), false, false),
            (filter(&[Kind::Shm]).and(Some(Empty)), false, false),
        ] {
            assert_eq!(filter.may_match(&queue(), NOW), takes_queue, "{filter:?}");
            assert_eq!(filter.may_match(&marked_segment(), NOW), takes_segment, "{filter:?}");
        }
    }

    #[test]
    fn kinds_that_can_pass() {
        let kinds = |filter: Filter| filter.kinds().collect::<Vec<_>>();
        assert_eq!(kinds(filter(&[])), Kind::ALL);
        assert_eq!(kinds(filter(&[]).and(Some(Keyed(Key(7))))), Kind::SYSTEM_V);
        assert_eq!(kinds(filter(&[]).and(Some(Creator(7))).and(Some(Empty))), [Kind::Msg]);
        assert_eq!(kinds(filter(&[]).and(Some(Empty))), [Kind::Msg, Kind::Pmsg]);
        assert_eq!(kinds(filter(&[Kind::Sem]).and(Some(Marked))), []);
    }

    #[test]
    fn to_spare_some_is_not_to_ask_for_the_others() {
        let spares = filter(&[Kind::Msg]).and(Some(NoneOf(vec![Expected::Owner(1)])));
        assert!(spares.has_conditions() && !spares.is_narrow());
        assert!(filter(&[]).and(Some(Owner(1))).is_narrow());
        assert!(!filter(&[Kind::Msg]).is_narrow());
    }

    #[test]
    fn the_most_telling_reason_comes_first() {
        let observed = Observed::from(queue());
        let reason = |filter: Filter| filter.reason(&observed, NOW);
        assert_eq!(reason(filter(&[])), "all");
        assert_eq!(reason(filter(&[Kind::Msg])), "kind");
        let many = filter(&[Kind::Msg])
            .and(Some(Owner(1)))
            .and(Some(Empty))
            .and(Some(Idle(Duration::from_secs(1))))
            .and(Some(Unused));
        assert_eq!(
            reason(many),
            "nobody is attached or waits; idle for 50 s; no message; owner; kind"
        );
        let orphan = filter(&[]).and(Some(Unused)).and(Some(Orphan::Likely));
        assert_eq!(reason(orphan), "nobody is attached or waits, and no process ever used it");
    }
}
