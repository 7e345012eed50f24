//! The parts of the system that explain a failure: which of them are wanted, and what was seen.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::ipc::snapshot::Index;
use crate::ipc::{
    Caller, Foreign, Home, Kind, Name, Object, Observed, Permissions, Reference, Snapshot,
};
use crate::kernel::limits::Limit;
use crate::kernel::memory::Memory;
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process::confinement::Confinement;

/// What to look at before some failures are explained.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Every object of these kinds.
    pub kinds: BTreeSet<Kind>,
    /// These objects.
    pub objects: HashSet<Reference>,
    /// What the caller may do: [`Facts::privileges`], the owners' names, [`Facts::confinement`].
    pub privileges: bool,
    /// The limits.
    pub limits: bool,
    /// The memory of the machine.
    pub memory: bool,
    /// The file system of `/dev/shm`.
    pub space: bool,
    /// Files that have the names of these POSIX objects but are something else.
    pub impostors: HashSet<Reference>,
    /// Shared memory that was removed but that a process still holds.
    pub removed: bool,
    /// Which optional parts the kernel has.
    pub parts: bool,
    /// Other IPC namespaces that have objects with the keys or names of these.
    pub elsewhere: HashSet<Reference>,
    /// The bytes for which the caller's POSIX queues in other IPC namespaces are charged.
    pub charged: bool,
}

impl Wanted {
    pub(super) fn object(&mut self, reference: &Reference) {
        self.objects.insert(reference.clone());
    }
}

/// What was seen. A part that was not wanted is empty.
#[derive(Debug, Default)]
pub struct Facts {
    /// The objects of the kinds that were wanted.
    pub snapshot: Snapshot,
    /// An index of the snapshot.
    pub index: Index,
    /// Single objects, read completely.
    pub objects: HashMap<Reference, Object>,
    /// Whether POSIX queues cannot be listed because their file system is not mounted.
    pub queues_are_hidden: bool,
    /// The caller, and what the caller may do.
    pub privileges: Privileges,
    /// The names of the users that messages mention.
    pub users: HashMap<u32, Foreign>,
    /// The names of the groups that messages mention.
    pub groups: HashMap<u32, Foreign>,
    /// What confines this process besides permissions.
    pub confinement: Confinement,
    /// The values of limits. A limit that the kernel does not have is missing.
    pub limits: Vec<(Limit, u64)>,
    /// The size of a page, in bytes.
    pub page_size: u64,
    /// Whether this process has reached its limit of file descriptors.
    pub is_out_of_descriptors: bool,
    /// The memory of the machine.
    pub memory: Option<Memory>,
    /// The group whose members may use huge pages, `vm.hugetlb_shm_group`.
    pub huge_page_group: u32,
    /// `RLIMIT_MEMLOCK` in bytes; `None` for no limit.
    pub locked_bytes: Option<u64>,
    /// The size of `/dev/shm`, and how much of it is used.
    pub space: Option<Space>,
    /// The permissions of `/dev/shm`, which decide who may create names in it.
    pub directory: Option<Permissions>,
    /// The names that belong to something else: a directory, a link, a pipe.
    pub taken: HashSet<Reference>,
    /// The names of files that may be semaphores of programs that use musl.
    pub musl: HashSet<Name>,
    /// Shared memory without a name, with the processes that hold it.
    pub removed: Vec<Observed>,
    /// Those of [`signs`](super::signs) that exist.
    pub signs: HashSet<&'static str>,
    /// Where else an object has this key or name.
    pub elsewhere: HashMap<Reference, Vec<Home>>,
    /// For how many bytes the caller's POSIX queues in other IPC namespaces are charged.
    pub charged: Vec<(Home, u64)>,
    /// Whether `msgrcv(2)` can be called at all.
    pub has_receiving: bool,
}

/// The caller, and what the kernel allows the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// The process that made the call, if it was another one.
    pub process: Option<i32>,
    /// The caller as System V objects see it.
    pub system_v: Option<Caller>,
    /// The caller as files see it.
    pub posix: Option<Caller>,
    /// The effective user id.
    pub uid: u32,
    /// Whether the caller may give files away (`CAP_CHOWN`).
    pub may_give_away: bool,
    /// Whether the caller's capabilities apply to the IPC namespace.
    pub owns_namespace: bool,
    /// Whether every user id is mapped in the caller's user namespace, as in the initial one.
    pub has_every_id: bool,
    /// Owners and groups that are not mapped there.
    pub unmapped: HashSet<(u32, u32)>,
}

impl Facts {
    /// The object that a reference names.
    pub(super) fn find(&self, reference: &Reference) -> Option<&Object> {
        self.objects.get(reference).or_else(|| self.index.find(&self.snapshot, reference))
    }

    /// The value of a limit.
    pub(super) fn limit(&self, limit: Limit) -> Option<u64> {
        self.limits.iter().find(|(other, _)| *other == limit).map(|&(_, value)| value)
    }

    /// The caller as objects of this kind see it.
    pub(super) fn caller(&self, kind: Kind) -> Option<&Caller> {
        match kind.is_posix() {
            true => self.privileges.posix.as_ref(),
            false => self.privileges.system_v.as_ref(),
        }
    }

    /// The name of a user, or the number if there is no name.
    pub(super) fn user(&self, uid: u32) -> Foreign {
        self.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string().into())
    }

    /// The name of a group, or the number if there is no name.
    pub(super) fn group(&self, gid: u32) -> Foreign {
        self.groups.get(&gid).cloned().unwrap_or_else(|| gid.to_string().into())
    }
}
