//! Which objects a user means: the filters that `list` and `rm` share.

use std::time::Duration;

use super::attribution::expected::Expected;
use super::kind::Kind;
use super::object::Object;
use super::process::heirs::Heirs;
use super::process::observed::{Observed, Verdict};
use super::process::role::State;
use super::sysv::key::Key;
use super::time::Time;

/// Conditions that an object must meet, all of them. The default lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these kinds; any if empty.
    pub kinds: Vec<Kind>,
    /// Owned by this user id.
    pub owner: Option<u32>,
    /// Made by this user id.
    pub creator: Option<u32>,
    /// Owned by this group id.
    pub group: Option<u32>,
    /// Has this key.
    pub key: Option<Key>,
    /// A queue with no message.
    pub empty: bool,
    /// Nothing has happened to it for this long.
    pub idle: Option<Duration>,
    /// A segment marked for destruction.
    pub marked: bool,
    /// This process made it, used it last, is attached or waits.
    pub pid: Option<i32>,
    /// Nobody is attached or waits.
    pub unused: bool,
    /// An orphan, with this much certainty.
    pub orphan: Option<Certainty>,
    /// None of these, which are kept on purpose.
    pub ignore: Vec<Expected>,
}

/// How certain it must be that an object is an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Unused, every process that the kernel recorded for it is gone, and nobody living looks like
    /// its heir.
    Certain,
    /// The first two alone.
    Likely,
}

impl Filter {
    /// The kinds that can pass, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|&kind| {
            let is_system_v = !kind.is_posix();
            (self.kinds.is_empty() || self.kinds.contains(&kind))
                && (is_system_v || (self.key.is_none() && self.creator.is_none()))
                && (kind == Kind::Shm || !self.marked)
                && (kind.is_queue() || !self.empty)
        })
    }

    /// Whether it asks for anything beyond the kinds: to spare some is not to ask for the others.
    pub fn is_narrow(&self) -> bool {
        let (kinds, ignore) = (self.kinds.clone(), self.ignore.clone());
        *self != Filter { kinds, ignore, ..Filter::default() }
    }

    /// Whether it takes a look at the processes to tell.
    pub fn needs_users(&self) -> bool {
        self.pid.is_some() || self.needs_unused()
    }

    /// Whether only what nobody uses can pass.
    pub fn needs_unused(&self) -> bool {
        self.unused || self.orphan.is_some()
    }

    /// Whether an object meets every condition that takes no look at processes, at the time `now`.
    pub fn may_match(&self, object: &Object, now: Time) -> bool {
        let permissions = object.permissions();
        (self.kinds.is_empty() || self.kinds.contains(&object.kind()))
            && self.owner.is_none_or(|uid| permissions.uid == uid)
            // Nobody remembers who made a POSIX object.
            && self.creator.is_none_or(|uid| permissions.cuid == uid && !object.kind().is_posix())
            && self.group.is_none_or(|gid| permissions.gid == gid)
            && self.key.is_none_or(|key| permissions.key == key)
            && (!self.empty || object.messages() == Some(0))
            && (!self.marked || object.is_marked())
            && self.idle.is_none_or(|least| object.is_idle(least, now))
            && !self.ignore.iter().any(|expected| expected.is(object))
    }

    /// Whether an object meets every condition. `heirs` are those who use objects of its kind, without
    /// whom nothing is certain to be an orphan.
    pub fn matches(&self, observed: &Observed, now: Time, heirs: Option<&Heirs>) -> Verdict {
        let is_user = |pid| {
            observed.users().iter().any(|user| user.pid == pid && user.state != State::Reused)
        };
        Verdict::from(self.may_match(&observed.object, now))
            .and(|| match self.pid {
                Some(pid) if !is_user(pid) && observed.may_miss_users() => {
                    Verdict::Unknown("not every process could be inspected".to_owned())
                }
                pid => pid.is_none_or(is_user).into(),
            })
            .and(|| if self.unused { observed.is_unused() } else { Verdict::Yes })
            .and(|| if self.orphan.is_some() { observed.is_orphan() } else { Verdict::Yes })
            .and(|| match self.orphan {
                Some(Certainty::Certain) => match heirs {
                    Some(heirs) => heirs
                        .are_none_of(observed)
                        .and(|| match () {
                            () if self.kinds.contains(&observed.kind()) => Verdict::Yes,
                            () => heirs.is_settled(observed),
                        })
                        .with_advice("--orphan=likely takes it"),
                    None => Verdict::Unknown("its heirs are not known".to_owned()),
                },
                Some(Certainty::Likely) | None => Verdict::Yes,
            })
    }

    /// Why an object that matches was selected, in words.
    pub fn reason(&self, observed: &Observed, now: Time) -> String {
        let mut reasons = Vec::new();
        if self.orphan.is_some() {
            reasons.push(observed.orphan_proof());
        } else if self.unused {
            reasons.push(observed.unused_proof().to_owned());
        }
        if let Some(pid) = self.pid {
            reasons.push(format!("process {pid} has to do with it"));
        }
        if self.idle.is_some() {
            let idle = observed.object.last_operation().map_or(0, |last| last.age(now).as_secs());
            reasons.push(format!("idle for {idle} s"));
        }
        for (is_asked, reason) in [
            (self.empty, "no message"),
            (self.marked, "marked for destruction"),
            (self.owner.is_some(), "owner"),
            (self.creator.is_some(), "creator"),
            (self.group.is_some(), "group"),
            (self.key.is_some(), "key"),
            (!self.kinds.is_empty(), "kind"),
        ] {
            if is_asked {
                reasons.push(reason.to_owned());
            }
        }
        match reasons.as_slice() {
            [] => "all".to_owned(),
            reasons => reasons.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::sysv::SegmentStatus;
    use crate::ipc::{Mode, Permissions, Queue, Segment};

    const NOW: Time = Time(1_000_000);

    fn permissions() -> Permissions {
        Permissions {
            key: Key(0xbeef),
            uid: 1,
            gid: 10,
            cuid: 2,
            cgid: 20,
            mode: Mode::from_bits(0o600),
        }
    }

    fn queue() -> Object {
        Object::Queue(Queue {
            id: 0,
            permissions: permissions(),
            changed: Some(Time(NOW.0 - 100)),
            bytes: 0,
            messages: 0,
            max_bytes: None,
            last_send_pid: 7,
            last_send: Some(Time(NOW.0 - 50)),
            last_recv_pid: 8,
            last_recv: Some(Time(NOW.0 - 60)),
        })
    }

    fn marked_segment() -> Object {
        Object::Segment(Segment {
            id: 0,
            permissions: Permissions { key: Key::PRIVATE, ..permissions() },
            changed: Some(Time(NOW.0 - 100)),
            size: 1,
            attached: 1,
            status: SegmentStatus::from_mode(0o1600),
            huge_page: None,
            rss: None,
            swap: None,
            creator_pid: 7,
            last_pid: 7,
            last_attach: None,
            last_detach: None,
        })
    }

    #[test]
    fn each_condition_alone() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let all = Filter::default();
        for (filter, takes_queue, takes_segment) in [
            (all.clone(), true, true),
            (Filter { kinds: vec![Kind::Msg], ..all.clone() }, true, false),
            (Filter { owner: Some(1), ..all.clone() }, true, true),
            (Filter { owner: Some(2), ..all.clone() }, false, false),
            (Filter { creator: Some(2), ..all.clone() }, true, true),
            (Filter { creator: Some(1), ..all.clone() }, false, false),
            (Filter { group: Some(10), ..all.clone() }, true, true),
            (Filter { group: Some(20), ..all.clone() }, false, false),
            (Filter { key: Some(Key(0xbeef)), ..all.clone() }, true, false),
            (Filter { empty: true, ..all.clone() }, true, false),
            (Filter { marked: true, ..all.clone() }, false, true),
            (Filter { idle: seconds(50), ..all.clone() }, true, true),
            (Filter { idle: seconds(51), ..all.clone() }, false, true),
            (Filter { idle: seconds(101), ..all.clone() }, false, false),
            (Filter { ignore: vec![Expected::Key(Key(0xbeef))], ..all.clone() }, false, true),
            (Filter { ignore: vec![Expected::Owner(1)], ..all.clone() }, false, false),
            (Filter { empty: true, marked: true, ..all }, false, false),
        ] {
            assert_eq!(filter.may_match(&queue(), NOW), takes_queue, "{filter:?}");
            assert_eq!(filter.may_match(&marked_segment(), NOW), takes_segment, "{filter:?}");
        }
    }
}
