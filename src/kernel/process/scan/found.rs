//! Which processes use which objects, as found by a scan.

use std::collections::HashMap;

use crate::ipc::posix::FileIdentity;
use crate::ipc::process::role::Role;
use crate::ipc::{Key, Kind, Object};
use crate::kernel::namespace::Identity;

/// The processes that use each object, and how.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The users of System V objects, by namespace, kind and id; one entry for each waiting thread.
    system_v: HashMap<(Identity, Kind, i32), Vec<(i32, Role)>>,
    /// The users of POSIX objects.
    files: HashMap<FileIdentity, Vec<(i32, Role)>>,
    /// The keys with which the attached segments were created, unless they are private.
    keys: HashMap<Segment, Key>,
    /// The attached segments with huge pages.
    huge: HashMap<Segment, HugePages>,
}

/// A segment: its namespace and its id.
type Segment = (Identity, i32);

/// The huge pages of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HugePages {
    /// Their size in bytes.
    pub(super) size: u64,
    /// How many bytes of them are in memory, if the caller may know that.
    pub(super) resident: Option<u64>,
}

impl Found {
    /// A process has a segment attached, at least once.
    pub(super) fn add_attached(&mut self, segment: Segment, key: Key, pid: i32) {
        if key != Key::PRIVATE {
            self.keys.insert(segment, key);
        }
        let (namespace, id) = segment;
        let users = self.system_v.entry((namespace, Kind::Shm, id)).or_default();
        add_once(users, pid, Role::Attached);
    }

    /// A thread of a process waits on a queue or set.
    pub(super) fn add_waiter(
        &mut self,
        namespace: Identity,
        (kind, id): (Kind, i32),
        pid: i32,
        role: Role,
    ) {
        self.system_v.entry((namespace, kind, id)).or_default().push((pid, role));
    }

    /// A process has a POSIX object open or mapped. Only its first role counts.
    pub(super) fn add_holder(&mut self, file: FileIdentity, pid: i32, role: Role) {
        add_once(self.files.entry(file).or_default(), pid, role);
    }

    /// A thread of a process waits on a POSIX object.
    pub(super) fn add_file_waiter(&mut self, file: FileIdentity, pid: i32, role: Role) {
        self.files.entry(file).or_default().push((pid, role));
    }

    /// A segment has huge pages.
    pub(super) fn add_huge(&mut self, segment: Segment, pages: HugePages) {
        self.huge.insert(segment, pages);
    }

    /// Adds the result for other processes.
    pub(super) fn extend(&mut self, other: Found) {
        self.keys.extend(other.keys);
        self.huge.extend(other.huge);
        for (object, users) in other.system_v {
            self.system_v.entry(object).or_default().extend(users);
        }
        for (file, users) in other.files {
            self.files.entry(file).or_default().extend(users);
        }
    }

    /// The processes that use an object of this namespace, and how.
    pub(super) fn of(&self, namespace: Identity, object: &Object) -> &[(i32, Role)] {
        let users = match (object.id(), object.file()) {
            (Some(id), _) => self.system_v.get(&(namespace, object.kind(), id)),
            (None, file) => file.and_then(|file| self.files.get(&file.identity)),
        };
        users.map_or(&[], Vec::as_slice)
    }

    /// The key with which an attached segment was created, if it had one.
    pub(super) fn key(&self, segment: Segment) -> Option<Key> {
        self.keys.get(&segment).copied()
    }

    /// The huge pages of a segment, if it has any.
    pub(super) fn huge(&self, segment: Segment) -> Option<&HugePages> {
        self.huge.get(&segment)
    }
}

/// Adds a process, unless it was the last one added.
fn add_once(users: &mut Vec<(i32, Role)>, pid: i32, role: Role) {
    if users.last().is_none_or(|(last, _)| *last != pid) {
        users.push((pid, role));
    }
}
