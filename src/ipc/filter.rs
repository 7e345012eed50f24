//! Which objects a user means: the filters that `list` and `rm` share.

use std::time::Duration;

use super::key::Key;
use super::kind::Kind;
use super::object::Object;
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
}

impl Filter {
    /// The kinds that can pass, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| self.kinds.is_empty() || self.kinds.contains(kind))
    }

    /// Whether it says anything beyond the kinds.
    pub fn is_narrow(&self) -> bool {
        *self != Filter { kinds: self.kinds.clone(), ..Filter::default() }
    }

    /// Whether `object` meets every condition at the time `now`.
    pub fn matches(&self, object: &Object, now: Time) -> bool {
        let permissions = object.permissions();
        (self.kinds.is_empty() || self.kinds.contains(&object.kind()))
            && self.owner.is_none_or(|uid| permissions.uid == uid)
            && self.creator.is_none_or(|uid| permissions.cuid == uid)
            && self.group.is_none_or(|gid| permissions.gid == gid)
            && self.key.is_none_or(|key| permissions.key == key)
            && (!self.empty || matches!(object, Object::Queue(queue) if queue.messages == 0))
            && (!self.marked
                || matches!(object, Object::Segment(segment) if segment.status.is_marked()))
            && self.idle.is_none_or(|least| {
                object.last_operation().is_some_and(|last| last.age(now) >= least)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mode, Permissions, Queue, Segment};
    use super::*;
    use crate::ipc::object::SegmentStatus;

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
            (Filter { empty: true, marked: true, ..all }, false, false),
        ] {
            assert_eq!(filter.matches(&queue(), NOW), takes_queue, "{filter:?}");
            assert_eq!(filter.matches(&marked_segment(), NOW), takes_segment, "{filter:?}");
        }
    }
}
