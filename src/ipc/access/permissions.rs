//! Who owns an object and who may do what with it.

use super::mode::Mode;
use crate::ipc::sysv::key::Key;

/// Who owns an object, and its mode: `struct ipc_perm` in `sysvipc(7)`. A POSIX object is a file,
/// which has no key and no creator: the owner stands for the creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// [`Key::PRIVATE`] for an object without a key, and for a segment marked for destruction.
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

/// The identity with which a process asks the kernel for access, `credentials(7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id and supplementary groups.
    pub groups: Vec<u32>,
    /// Bypasses the mode: has `CAP_IPC_OWNER` in the user namespace that owns the IPC namespace; for
    /// a POSIX object, `CAP_DAC_OVERRIDE`.
    pub overrides_mode: bool,
    /// May change and remove what others own: has `CAP_SYS_ADMIN` there; for a POSIX object,
    /// `CAP_FOWNER`.
    pub overrides_ownership: bool,
}

/// Which of the three groups of bits in a mode the kernel goes by: the first that fits, and only that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The owner, and for a System V object the creator.
    Owner,
    /// The group of the owner, and for a System V object that of the creator.
    Group,
    /// Everybody else.
    Others,
}

impl Class {
    /// The three bits of this class: 4 for reading, 2 for writing.
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
    /// Read it: receive, attach read-only, see its state.
    pub read: bool,
    /// Write (for a set: alter) it.
    pub write: bool,
    /// Change its mode and owner, and remove it.
    pub control: bool,
}

impl Permissions {
    /// Those of a file.
    pub fn of_file(uid: u32, gid: u32, mode: Mode) -> Permissions {
        Permissions { key: Key::PRIVATE, uid, gid, cuid: uid, cgid: gid, mode }
    }

    /// The class to which `caller` belongs, as in `sysvipc(7)`, "Resource access permissions".
    pub fn class(&self, caller: &Caller) -> Class {
        if caller.uid == self.uid || caller.uid == self.cuid {
            Class::Owner
        } else if caller.groups.contains(&self.gid) || caller.groups.contains(&self.cgid) {
            Class::Group
        } else {
            Class::Others
        }
    }

    /// Whether its creator has made somebody else its owner, as a server does that starts as root.
    pub fn was_given_away(&self) -> bool {
        self.uid != self.cuid
    }

    /// What the kernel would grant `caller`, by the bits of their class and by their privileges.
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
