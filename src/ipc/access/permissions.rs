//! Owners, permission bits and the access that they grant.

use super::mode::Mode;
use crate::ipc::sysv::key::Key;

/// Owner, creator and mode of an object: `struct ipc_perm` in `sysvipc(7)`. A POSIX object is a file
/// without key and creator, so the creator fields repeat the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The key; [`Key::PRIVATE`] for an object without one and for a segment marked for destruction.
    pub key: Key,
    /// Effective user id of the owner.
    pub uid: u32,
    /// Effective group id of the owner.
    pub gid: u32,
    /// Effective user id of the creator. Never changes.
    pub cuid: u32,
    /// Effective group id of the creator. Never changes.
    pub cgid: u32,
    /// The permission bits.
    pub mode: Mode,
}

/// The credentials with which a process accesses an object, `credentials(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id and supplementary groups.
    pub groups: Vec<u32>,
    /// Bypasses the mode: the process has `CAP_IPC_OWNER` in the user namespace that owns the IPC
    /// namespace, or `CAP_DAC_OVERRIDE` for a POSIX object.
    pub overrides_mode: bool,
    /// Bypasses ownership, so may change and remove objects of others: the process has `CAP_SYS_ADMIN`
    /// in that user namespace, or `CAP_FOWNER` for a POSIX object.
    pub overrides_ownership: bool,
}

/// The three bits of a mode that the kernel checks. The first class that matches decides alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The owner or, of a System V object, the creator.
    Owner,
    /// The group of the owner or, of a System V object, the group of the creator.
    Group,
    /// All other users.
    Others,
}

impl Class {
    /// The three bits of this class: 4 to read, 2 to write.
    pub fn bits(self, mode: Mode) -> u32 {
        let shift = match self {
            Class::Owner => 6,
            Class::Group => 3,
            Class::Others => 0,
        };
        mode.bits() >> shift & 7
    }
}

/// What one process may do with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Read: receive, attach read-only, see the state.
    pub read: bool,
    /// Write; for a semaphore set, alter.
    pub write: bool,
    /// Change mode and owner, and remove.
    pub control: bool,
}

impl Permissions {
    /// The permissions of a file.
    pub fn of_file(uid: u32, gid: u32, mode: Mode) -> Permissions {
        Permissions { key: Key::PRIVATE, uid, gid, cuid: uid, cgid: gid, mode }
    }

    /// The class of `caller`, as in `sysvipc(7)`, "Resource access permissions".
    pub fn class(&self, caller: &Caller) -> Class {
        if caller.uid == self.uid || caller.uid == self.cuid {
            Class::Owner
        } else if caller.groups.contains(&self.gid) || caller.groups.contains(&self.cgid) {
            Class::Group
        } else {
            Class::Others
        }
    }

    /// Whether the creator gave the object to another user, as a server does that starts as root.
    pub fn was_given_away(&self) -> bool {
        self.uid != self.cuid
    }

    /// What the kernel grants `caller`, by the bits of their class and their privileges.
    pub fn access(&self, caller: &Caller) -> Access {
        let class = self.class(caller);
        let bits = class.bits(self.mode);
        Access {
            read: bits & 4 != 0 || caller.overrides_mode,
            write: bits & 2 != 0 || caller.overrides_mode,
            control: class == Class::Owner || caller.overrides_ownership,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_matches_decides() {
        let object = |mode| Permissions {
            key: Key::PRIVATE,
            uid: 1,
            gid: 10,
            cuid: 2,
            cgid: 20,
            mode: Mode::from_bits(mode),
        };
        let caller = |uid, group| Caller {
            uid,
            groups: vec![group],
            overrides_mode: false,
            overrides_ownership: false,
        };
        let may = |mode, caller: &Caller| {
            let access = object(mode).access(caller);
            (access.read, access.write, access.control)
        };
        assert_eq!(may(0o600, &caller(1, 99)), (true, true, true), "owner");
        assert_eq!(may(0o600, &caller(2, 99)), (true, true, true), "creator");
        assert_eq!(may(0o066, &caller(1, 10)), (false, false, true), "locked out");
        assert_eq!(may(0o640, &caller(3, 10)), (true, false, false), "group");
        assert_eq!(may(0o620, &caller(3, 20)), (false, true, false), "creator's group");
        assert_eq!(may(0o664, &caller(3, 99)), (true, false, false), "other");
        let root = Caller { overrides_mode: true, overrides_ownership: true, ..caller(0, 0) };
        assert_eq!(may(0, &root), (true, true, true), "capabilities");
    }
}
