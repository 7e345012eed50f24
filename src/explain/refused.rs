//! Why an operation was refused (`EACCES` and `EPERM`): the class of permission bits that applied, the
//! capability that is missing, or something besides permissions.

use super::facts::Facts;
use crate::ipc::{Caller, Class, CommandLine, Object, Permissions};
use crate::kernel::process::confinement::Confinement;

/// What the kernel requires of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: every process may look up a key or create an object.
    Nothing,
    /// These bits of the caller's class: 4 for read, 2 for write.
    Bits(u32),
    /// To be the owner or creator of the object.
    Ownership,
    /// The capability; owning the object is not enough.
    Capability,
    /// The call alone does not show it.
    Unknown,
}

/// A refusal, and everything that decides it.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    pub needs: Needs,
    /// The object, if it exists.
    pub object: Option<&'a Object>,
    pub caller: &'a Caller,
    /// The capability that would allow the call anyway.
    pub capability: &'static str,
    pub is_capable: bool,
    /// Whether the owner of the object is mapped in the caller's user namespace.
    pub is_mapped: bool,
    /// The directory that needs write permission, if the call creates or removes a name.
    pub directory: Option<Permissions>,
    /// What confines the caller, and the names of users.
    pub facts: &'a Facts,
}

impl Refusal<'_> {
    /// Whether the permissions allow the call, so something else refused it.
    fn is_unexplained(&self) -> bool {
        let is_capable = self.is_capable && self.is_mapped;
        let Some(permissions) = self.object.map(Object::permissions) else { return true };
        let class = permissions.class(self.caller);
        is_capable
            || match self.needs {
                Needs::Nothing => true,
                Needs::Bits(bits) => bits & !class.bits(permissions.mode) == 0,
                Needs::Ownership => class == Class::Owner,
                Needs::Capability | Needs::Unknown => false,
            }
    }

    /// The directory, if the caller may not write to it.
    fn closed_directory(&self) -> Option<Permissions> {
        let directory = self.directory?;
        (!directory.access(self.caller).write).then_some(directory)
    }

    /// Whether the call takes ownership and the caller is neither the owner nor privileged.
    pub fn takes_ownership(&self) -> bool {
        self.needs == Needs::Ownership
            && self.closed_directory().is_none()
            && !self.is_unexplained()
    }

    /// The permissions, the caller, and what would allow the call.
    pub fn hint(&self) -> String {
        if let Some(directory) = self.closed_directory() {
            let of_directory = Refusal {
                object: None,
                capability: "CAP_DAC_OVERRIDE",
                is_capable: false,
                ..*self
            };
            return format!(
                "/dev/shm {}, but creating or removing a name in it takes write permission",
                of_directory.applied(&directory)
            );
        }
        let object = match self.object {
            Some(object) if self.needs != Needs::Nothing => object,
            _ => {
                return format!(
                    "this needs no permission, so {}",
                    confined(&self.facts.confinement)
                );
            }
        };
        let permissions = object.permissions();
        if self.is_unexplained() {
            return format!(
                "{} {}, so permissions allow this, and {}",
                object.reference(),
                self.identity(permissions, true),
                confined(&self.facts.confinement)
            );
        }
        let needed = match self.needs {
            Needs::Bits(bits) => Some(bits),
            Needs::Unknown => None,
            Needs::Nothing | Needs::Ownership | Needs::Capability => {
                return format!("{} {}", object.reference(), self.identity(permissions, false));
            }
        };
        let class = permissions.class(self.caller);
        let bits = class.bits(permissions.mode);
        let mut hint = format!(
            "{} {}: they allow {}",
            object.reference(),
            self.applied(permissions),
            access(bits)
        );
        if let Some(needed) = needed {
            hint += &format!(", but this needs {} ({})", access(needed), letters(needed));
        }
        // chmod of ipctool sets only the bits for read and write.
        let missing = needed.unwrap_or(6) & !bits;
        match class {
            Class::Owner if missing & 6 != 0 => {
                let command = CommandLine::new("ipctool chmod u+rw").word(object.reference());
                format!("{hint}; to regain access: {command}")
            }
            Class::Owner | Class::Group | Class::Others => hint,
        }
    }

    /// The mode, and the class of bits that applies.
    fn applied(&self, permissions: &Permissions) -> String {
        let class = permissions.class(self.caller);
        let of = match class {
            Class::Owner => "the owner",
            Class::Group => "the group",
            Class::Others => "others",
        };
        format!(
            "{}, so the bits for {of} apply ({})",
            self.identity(permissions, false),
            letters(class.bits(permissions.mode)),
        )
    }

    /// Mode, owner and caller. A capability that the caller lacks is named only if it would help.
    fn identity(&self, permissions: &Permissions, is_allowed: bool) -> String {
        let Refusal { caller, capability, facts, .. } = self;
        // Only System V objects have a creator.
        let creator = match self.object {
            Some(object) if !object.kind().is_posix() => {
                format!(", creator {}", facts.user(permissions.cuid))
            }
            _ => String::new(),
        };
        let privilege = match (self.is_capable, self.is_mapped) {
            (false, _) if is_allowed => String::new(),
            (false, _) => format!(" without {capability}"),
            (true, true) => format!(" with {capability}"),
            (true, false) => format!(
                " with {capability}, which does not apply because the owner or the group is not mapped in your user namespace"
            ),
        };
        format!(
            "has mode {} ({}), owner {}:{}{creator}; {} {} (uid {}){privilege}",
            permissions.mode,
            permissions.mode.symbolic(),
            facts.user(permissions.uid),
            facts.group(permissions.gid),
            match facts.privileges.process {
                None => "you are".to_owned(),
                Some(pid) => format!("process {pid} is"),
            },
            facts.user(caller.uid),
            caller.uid,
        )
    }
}

/// What else can refuse a call that the permissions allow, and which signs of it this process shows.
pub(super) fn confined(confinement: &Confinement) -> String {
    let what = "a security module (SELinux, AppArmor, Smack) or a seccomp filter refuses it";
    let filters = match confinement.filters {
        0 => None,
        1 => Some("1 seccomp filter".to_owned()),
        filters => Some(format!("{filters} seccomp filters")),
    };
    let label = confinement.label.as_ref().map(|label| format!("the security label {label}"));
    match (filters, label) {
        (None, None) => format!("{what}, although this process shows no label and no filter"),
        (Some(one), None) | (None, Some(one)) => format!("{what}; this process has {one}"),
        (Some(filters), Some(label)) => format!("{what}; this process has {filters} and {label}"),
    }
}

/// Why `shmget(2)` refuses to create a segment of huge pages (`EPERM`).
pub(super) fn huge_pages(group: u32, needed: u64, most: Option<u64>) -> String {
    let most = most.map_or("unlimited".to_owned(), |most| most.to_string());
    format!(
        "huge pages need CAP_IPC_LOCK, membership in the group with gid {group} (vm.hugetlb_shm_group), or {needed} bytes of RLIMIT_MEMLOCK, which is {most}"
    )
}

fn letters(bits: u32) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')]
        .map(|(bit, letter)| if bits & bit != 0 { letter } else { '-' })
        .iter()
        .collect()
}

/// What bits allow. The kernel compares the execute bit as well, although nothing can be executed.
fn access(bits: u32) -> String {
    let all = [(4, "read"), (2, "write"), (1, "execute")];
    let actions: Vec<_> =
        all.into_iter().filter_map(|(bit, action)| (bits & bit != 0).then_some(action)).collect();
    match actions.as_slice() {
        [] => "no access".to_owned(),
        [one] => format!("{one} access"),
        [most @ .., last] => format!("{} and {last} access", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::posix::{FileIdentity, NamedFile};
    use crate::ipc::{Key, Kind, Mode, Name, PosixMemory, Queue};

    fn permissions(uid: u32, gid: u32, mode: u32) -> Permissions {
        Permissions { key: Key(1), uid, gid, cuid: uid, cgid: gid, mode: Mode::from_bits(mode) }
    }

    fn queue(mode: u32) -> Object {
        Object::Queue(Queue {
            id: 7,
            permissions: permissions(77_001, 77_002, mode),
            changed: None,
            bytes: 0,
            messages: 0,
            max_bytes: None,
            last_send_pid: 0,
            last_send: None,
            last_recv_pid: 0,
            last_recv: None,
        })
    }

    fn memory(uid: u32) -> Object {
        Object::PosixMemory(PosixMemory {
            file: NamedFile {
                name: Name::parse(Kind::Pshm, "/two words").unwrap(),
                identity: FileIdentity { device: 0, inode: 0 },
                permissions: permissions(uid, uid, 0o600),
                modified: None,
                made_before: None,
            },
            size: 0,
            rss: 0,
            file_kind: crate::ipc::posix::FileKind::Regular,
            status: crate::ipc::posix::MemoryStatus::Named,
        })
    }

    /// A refusal to a caller with this uid and group.
    fn hint(
        object: Option<&Object>,
        needs: Needs,
        (uid, group): (u32, u32),
        change: impl FnOnce(&mut Refusal<'_>),
    ) -> String {
        let caller =
            Caller { uid, groups: vec![group], overrides_mode: false, overrides_ownership: false };
        let facts = Facts {
            users: [(0, "root".to_owned().into())].into(),
            groups: [(0, "root".to_owned().into())].into(),
            ..Facts::default()
        };
        let mut refusal = Refusal {
            needs,
            object,
            caller: &caller,
            capability: "CAP_IPC_OWNER",
            is_capable: false,
            is_mapped: true,
            directory: None,
            facts: &facts,
        };
        change(&mut refusal);
        refusal.hint()
    }

    #[test]
    fn the_class_of_bits_that_applied_is_named() {
        for (mode, caller, needs, expected) in [
            (
                0o600,
                (77_005, 77_005),
                4,
                "bits for others apply (---): they allow no access, but this needs read access (r--)",
            ),
            (
                0o620,
                (5, 77_002),
                4,
                "bits for the group apply (-w-): they allow write access, but this needs read access (r--)",
            ),
            (
                0o466,
                (77_001, 77_005),
                2,
                "bits for the owner apply (r--): they allow read access, but this needs write access (-w-); to regain access: ipctool chmod u+rw msg:7",
            ),
            (
                0o600,
                (77_001, 77_005),
                7,
                "they allow read and write access, but this needs read, write and execute access (rwx)",
            ),
        ] {
            let hint = hint(Some(&queue(mode)), Needs::Bits(needs), caller, |_| {});
            assert!(hint.contains(expected), "{hint}");
            assert!(hint.contains("without CAP_IPC_OWNER"), "{hint}");
            assert_eq!(hint.contains("chmod"), mode == 0o466, "{hint}");
        }
    }

    #[test]
    fn a_refusal_despite_permissions_is_attributed_to_confinement() {
        let capable = |refusal: &mut Refusal<'_>| refusal.is_capable = true;
        for (mode, caller, needs, is_capable) in [
            (0o666, (77_005, 77_005), Needs::Bits(6), false),
            (0o600, (77_001, 77_005), Needs::Ownership, false),
            (0o000, (0, 0), Needs::Bits(4), true),
            (0o000, (0, 0), Needs::Ownership, true),
            (0o000, (0, 0), Needs::Unknown, true),
        ] {
            let change = |refusal: &mut Refusal<'_>| {
                if is_capable {
                    capable(refusal)
                }
            };
            let hint = hint(Some(&queue(mode)), needs, caller, change);
            assert!(
                hint.contains("so permissions allow this, and a security module (SELinux"),
                "{hint}"
            );
            assert_eq!(hint.contains(" CAP_IPC_OWNER"), is_capable, "{hint}");
        }
        for object in [Some(&queue(0)), None] {
            let hint = hint(object, Needs::Nothing, (77_005, 77_005), |_| {});
            assert!(hint.starts_with("this needs no permission, so a security module"), "{hint}");
        }
    }

    #[test]
    fn bits_do_not_replace_ownership_or_a_capability() {
        for needs in [Needs::Ownership, Needs::Capability] {
            let hint = hint(Some(&queue(0o666)), needs, (77_005, 77_005), |_| {});
            assert!(hint.ends_with("you are 77005 (uid 77005) without CAP_IPC_OWNER"), "{hint}");
        }
    }

    #[test]
    fn a_capability_applies_to_mapped_owners_only() {
        let change = |refusal: &mut Refusal<'_>| {
            (refusal.is_capable, refusal.is_mapped) = (true, false);
        };
        let hint = hint(Some(&memory(65_534)), Needs::Bits(4), (0, 0), change);
        assert!(hint.contains("with CAP_IPC_OWNER, which does not apply because"), "{hint}");
        assert!(!hint.contains("seccomp"), "{hint}");
    }

    #[test]
    fn a_closed_directory_comes_first() {
        let change = |refusal: &mut Refusal<'_>| refusal.directory = Some(permissions(0, 0, 0o755));
        let hint = hint(Some(&memory(77_005)), Needs::Ownership, (77_005, 77_005), change);
        assert!(
            hint.starts_with("/dev/shm has mode 0755 (rwxr-xr-x), owner root:root; you"),
            "{hint}"
        );
        assert!(hint.contains("others apply (r-x), but creating or removing a name"), "{hint}");
    }

    #[test]
    fn what_confines_the_process_is_shown() {
        let hint = |filters, label: Option<&str>| {
            confined(&Confinement { filters, label: label.map(str::to_owned) })
        };
        assert!(hint(0, None).ends_with("although this process shows no label and no filter"));
        assert!(hint(1, None).ends_with("; this process has 1 seccomp filter"));
        assert!(
            hint(2, Some("a (enforce)"))
                .ends_with("2 seccomp filters and the security label a (enforce)")
        );
    }

    #[test]
    fn huge_pages_need_a_privilege() {
        assert_eq!(
            huge_pages(27, 2 << 20, Some(65_536)),
            "huge pages need CAP_IPC_LOCK, membership in the group with gid 27 (vm.hugetlb_shm_group), or 2097152 bytes of RLIMIT_MEMLOCK, which is 65536"
        );
    }
}
