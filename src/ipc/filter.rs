//! Filters: the conditions by which `list` and `rm` select objects.
//!
//! A [`Condition`] is a value in a file of its own: it parses its option's argument, matches objects
//! and gives the reason for a match, with its test cases below it. Its option is a field of
//! `cli::Filters`; no other code depends on it.

#[cfg(test)]
pub(crate) mod cases;
mod empty;
mod idle;
mod ignore;
mod key;
mod marked;
mod name;
mod orphan;
mod owner;
mod pid;
mod size;
mod unused;

pub use empty::Empty;
pub use idle::Idle;
pub use ignore::NoneOf;
pub use key::{InvalidKeys, Keyed};
pub use marked::Marked;
pub use name::Named;
pub use orphan::Orphan;
pub use owner::{Creator, Group, Owner};
pub use pid::UsedBy;
pub use size::Sized;
pub use unused::Unused;

use std::fmt;

use super::kind::Kind;
use super::object::Object;
use super::process::heirs::Heirs;
use super::process::observed::{Observed, Verdict};
use super::time::Time;

/// A condition that an object must meet.
pub trait Condition: fmt::Debug + Sync {
    /// Whether objects of this kind can meet it at all.
    fn fits(&self, _: Kind) -> bool {
        true
    }

    /// How much must be inspected to decide.
    fn look(&self) -> Look {
        Look::Object
    }

    /// Whether it selects objects, and does not only exclude some.
    fn is_narrow(&self) -> bool {
        true
    }

    /// Whether an object of a fitting kind meets it at the time `now`, as far as that is known without
    /// an inspection of processes.
    fn may_match(&self, object: &Object, now: Time) -> bool;

    /// Whether an object that may match meets it, after the processes were inspected.
    fn matches(&self, _: &Observed, _: &Circumstances<'_>) -> Verdict {
        Verdict::Yes
    }

    /// What the user should know about it, whatever matches.
    fn caution(&self) -> Option<String> {
        None
    }

    /// Why a matching object was selected.
    fn reason(&self, observed: &Observed, now: Time) -> Option<Reason>;
}

/// How much must be inspected to decide a condition; each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// The object alone.
    Object,
    /// The processes that use the object.
    Users,
    /// The processes, and proof that none uses it.
    Unused,
    /// All of that, and the processes that use other objects of its kind.
    Heirs,
}

/// What an inspection of the processes showed, beyond the users of one object.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// When the processes were inspected.
    pub now: Time,
    /// The processes that use objects of its kind. Without them no object is certainly an orphan.
    pub heirs: Option<&'a Heirs>,
    /// The kinds that the user named.
    pub kinds: &'a [Kind],
}

/// Why an object was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    subject: Subject,
    text: String,
}

/// The subject of a reason. Reasons are listed in this order, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Orphan,
    Unused,
    User,
    Age,
    State,
    Whose,
}

impl Reason {
    fn new(subject: Subject, text: impl Into<String>) -> Reason {
        Reason { subject, text: text.into() }
    }
}

/// Conditions that an object must all meet. The default matches every object.
#[derive(Debug, Default)]
pub struct Filter {
    /// The object must be one of these kinds; any kind if empty.
    pub kinds: Vec<Kind>,
    conditions: Vec<Box<dyn Condition>>,
}

impl Filter {
    /// A filter for these kinds, or all if empty, with these conditions.
    pub fn new(kinds: Vec<Kind>, conditions: Vec<Box<dyn Condition>>) -> Filter {
        Filter { kinds, conditions }
    }

    /// The filter with one more condition, if one is given.
    pub fn and(mut self, condition: Option<impl Condition + 'static>) -> Filter {
        self.conditions.extend(condition.map(|condition| Box::new(condition) as _));
        self
    }

    /// The kinds that can match, in order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|&kind| self.fits(kind))
    }

    fn fits(&self, kind: Kind) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.conditions.iter().all(|condition| condition.fits(kind))
    }

    /// Whether it has any conditions, including ones that only exclude objects.
    pub fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Whether it selects by more than the kind. Conditions that only exclude objects do not count.
    pub fn is_narrow(&self) -> bool {
        self.conditions.iter().any(|condition| condition.is_narrow())
    }

    /// What the user should know about the conditions, whatever matches.
    pub fn cautions(&self) -> impl Iterator<Item = String> {
        self.conditions.iter().filter_map(|condition| condition.caution())
    }

    fn look(&self) -> Look {
        let looks = self.conditions.iter().map(|condition| condition.look());
        looks.max().unwrap_or(Look::Object)
    }

    /// Whether it takes an inspection of the processes to decide.
    pub fn needs_users(&self) -> bool {
        self.look() >= Look::Users
    }

    /// Whether only unused objects can match.
    pub fn needs_unused(&self) -> bool {
        self.look() >= Look::Unused
    }

    /// Whether it takes an inspection of the users of all objects of a kind to decide about one.
    pub fn needs_heirs(&self) -> bool {
        self.look() >= Look::Heirs
    }

    /// Whether an object meets every condition that needs no inspection of processes, at the time
    /// `now`.
    pub fn may_match(&self, object: &Object, now: Time) -> bool {
        self.fits(object.kind())
            && self.conditions.iter().all(|condition| condition.may_match(object, now))
    }

    /// Whether an object meets every condition. `heirs` are the processes that use objects of its kind;
    /// without them no object is certainly an orphan.
    pub fn matches(&self, observed: &Observed, now: Time, heirs: Option<&Heirs>) -> Verdict {
        let around = Circumstances { now, heirs, kinds: &self.kinds };
        let may_match = Verdict::from(self.may_match(&observed.object, now));
        self.conditions.iter().fold(may_match, |verdict, condition| {
            verdict.and(|| condition.matches(observed, &around))
        })
    }

    /// Why a matching object was selected.
    pub fn reason(&self, observed: &Observed, now: Time) -> String {
        let reasons = self.conditions.iter().filter_map(|one| one.reason(observed, now));
        let mut reasons: Vec<Reason> = reasons.collect();
        reasons.sort_by_key(|reason| reason.subject);
        let is_orphan = reasons.first().is_some_and(|first| first.subject == Subject::Orphan);
        // An orphan is unused anyway.
        reasons.retain(|reason| !(is_orphan && reason.subject == Subject::Unused));
        let words: Vec<String> = reasons.into_iter().map(|reason| reason.text).collect();
        match words.as_slice() {
            [] if self.kinds.is_empty() => "all".to_owned(),
            // The reference shows the kind, so it is a reason only if it is the only one.
            [] => "kind".to_owned(),
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
        assert_eq!(kinds(filter(&[]).and(Some(Keyed::from(Key(7))))), Kind::SYSTEM_V);
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
    fn the_most_important_reason_comes_first() {
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
            "no process is attached or waiting; idle for 50 s; no messages; owner"
        );
        let orphan = filter(&[]).and(Some(Unused)).and(Some(Orphan::Likely));
        assert_eq!(reason(orphan), "no process is attached or waiting, and none ever used it");
    }
}
