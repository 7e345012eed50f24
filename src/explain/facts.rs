//! What of the system explains a failure: first which parts of it, then as they were seen.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::ipc::snapshot::Index;
use crate::ipc::{Caller, Foreign, Kind, Name, Object, Observed, Permissions, Reference, Snapshot};
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
    /// What has the names of these POSIX objects though it is no such object.
    pub impostors: HashSet<Reference>,
    /// Memory without a name that somebody holds.
    pub removed: bool,
    /// Which parts the kernel has.
    pub parts: bool,
}

impl Wanted {
    pub(super) fn object(&mut self, reference: &Reference) {
        self.objects.insert(reference.clone());
    }
}

/// What was seen. What was not wanted is absent.
#[derive(Debug, Default)]
pub struct Facts {
    /// The objects of the kinds that were wanted.
    pub snapshot: Snapshot,
    /// Where they are in it.
    pub index: Index,
    /// Single objects, with all that is known of them.
    pub objects: HashMap<Reference, Object>,
    /// Whether POSIX queues cannot be listed, since their file system is not mounted.
    pub queues_are_hidden: bool,
    /// Who asks, and what that allows.
    pub privileges: Privileges,
    /// The names of users and groups, as far as they matter.
    pub users: HashMap<u32, Foreign>,
    /// See `users`.
    pub groups: HashMap<u32, Foreign>,
    /// What confines this process besides permissions.
    pub confinement: Confinement,
    /// The values of limits. One that there is not has none.
    pub limits: Vec<(Limit, u64)>,
    /// Bytes in a page of memory.
    pub page_size: u64,
    /// Whether every descriptor that this process may have is open.
    pub is_out_of_descriptors: bool,
    /// The memory of the machine.
    pub memory: Option<Memory>,
    /// The group whose members may use huge pages, `vm.hugetlb_shm_group`.
    pub huge_page_group: u32,
    /// `RLIMIT_MEMLOCK` in bytes; nothing for no limit.
    pub locked_bytes: Option<u64>,
    /// The room of `/dev/shm`.
    pub space: Option<Space>,
    /// Who may make names there.
    pub directory: Option<Permissions>,
    /// The names that something else has: a directory, a link, a pipe.
    pub taken: HashSet<Reference>,
    /// The names of semaphores that programs with musl may have made.
    pub musl: HashSet<Name>,
    /// Memory without a name, with its holders.
    pub removed: Vec<Observed>,
    /// Files whose presence shows that the kernel has a part.
    pub signs: HashSet<&'static str>,
    /// Whether `msgrcv(2)` is there at all.
    pub has_receiving: bool,
}

/// Who asks the kernel, and what that allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// In the eyes of System V objects.
    pub system_v: Option<Caller>,
    /// In those of files.
    pub posix: Option<Caller>,
    /// The effective user id.
    pub uid: u32,
    /// Whether the caller may give files away (`CAP_CHOWN`).
    pub may_give_away: bool,
    /// Whether capabilities count in the IPC namespace.
    pub owns_namespace: bool,
    /// Whether every user id has a number in the caller's user namespace, as in the machine's own.
    pub has_every_id: bool,
    /// Owners and groups without a number there.
    pub unmapped: HashSet<(u32, u32)>,
}

impl Facts {
    /// The object that a reference means.
    pub(super) fn find(&self, reference: &Reference) -> Option<&Object> {
        self.objects.get(reference).or_else(|| self.index.find(&self.snapshot, reference))
    }

    /// The value of a limit.
    pub(super) fn limit(&self, limit: Limit) -> Option<u64> {
        self.limits.iter().find(|(other, _)| *other == limit).map(|&(_, value)| value)
    }

    /// Who asks for objects of this kind.
    pub(super) fn caller(&self, kind: Kind) -> Option<&Caller> {
        match kind.is_posix() {
            true => self.privileges.posix.as_ref(),
            false => self.privileges.system_v.as_ref(),
        }
    }

    /// The name of a user; the number where there is none.
    pub(super) fn user(&self, uid: u32) -> Foreign {
        self.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string().into())
    }

    /// The name of a group; the number where there is none.
    pub(super) fn group(&self, gid: u32) -> Foreign {
        self.groups.get(&gid).cloned().unwrap_or_else(|| gid.to_string().into())
    }
}
