//! Objects on which the test cases of every condition run, and others.

use super::Condition;
use crate::ipc::posix::{FileIdentity, FileKind, MemoryStatus, NamedFile};
use crate::ipc::sysv::SegmentStatus;
use crate::ipc::{Key, Kind, Mode, Name, Object, Permissions, PosixMemory, Queue, Segment, Time};

/// The current time in the test cases.
pub(super) const NOW: Time = Time(1_000_000);

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

/// An empty queue with key 0xbeef, owned by user 1, created by user 2, last used 50 seconds ago.
pub(crate) fn queue() -> Object {
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

/// A private segment of the same users, marked for destruction, created 100 seconds ago.
pub(crate) fn marked_segment() -> Object {
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

/// Shared memory with this name, of the same users.
pub(crate) fn memory(name: &str) -> Object {
    Object::PosixMemory(PosixMemory {
        file: NamedFile {
            name: Name::parse(Kind::Pshm, name).unwrap(),
            identity: FileIdentity { device: 1, inode: 2 },
            permissions: Permissions { key: Key::PRIVATE, ..permissions() },
            modified: None,
            made_before: None,
        },
        size: 4096,
        rss: 0,
        file_kind: FileKind::Regular,
        status: MemoryStatus::Named,
    })
}

/// Checks for each condition whether it matches the queue and the segment.
pub(super) fn try_each<C: Condition>(cases: &[(C, bool, bool)]) {
    for (condition, takes_queue, takes_segment) in cases {
        assert_eq!(condition.may_match(&queue(), NOW), *takes_queue, "{condition:?}");
        assert_eq!(condition.may_match(&marked_segment(), NOW), *takes_segment, "{condition:?}");
    }
}
