//! The limits of IPC in `/proc/sys/kernel`, `/proc/sys/fs/mqueue`, `/dev/shm` and the pool of huge pages:
//! `proc_sys_kernel(5)`, `proc_sys_vm(5)`, `mq_overview(7)`, `tmpfs(5)`, `getrlimit(2)`.
//!
//! A limit is one entry in one table: its name, its source, its unit, its range and how much of it an
//! object uses. Everything that reads, sets, lists or checks limits uses this table.

mod huge_pages;
mod registry;
mod survey;
pub(in crate::kernel) mod sysctl;

pub use registry::Limit;
use registry::Scope;
pub use survey::{Load, survey};
pub use sysctl::{is_writable, read, write};

use std::fmt;
use std::fs;
use std::io;
use std::ops::RangeInclusive;

use nix::sys::resource::Resource;

use crate::ipc::limit::Unit;
use crate::ipc::{Kind, Object};
use crate::kernel::process::{self, Subject};

/// The source of a limit's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file under `/proc/sys`, by its sysctl name, and the position of the number in it.
    Sysctl(&'static str, usize),
    /// A constant in the kernel.
    Constant(u64),
    /// `getrlimit(2)`, the soft limit.
    Soft(Resource),
    /// `getrlimit(2)`, the hard limit.
    Hard(Resource),
    /// The file system `/dev/shm`, `statfs(2)`.
    DevShm {
        /// Whether it is the number of inodes; otherwise it is the bytes.
        inodes: bool,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Sysctl("kernel.sem", place) => {
                write!(f, "kernel.sem (number {} of 4)", place + 1)
            }
            Source::Sysctl(name, _) => f.write_str(name),
            Source::Constant(_) => f.write_str("constant"),
            Source::Soft(_) => f.write_str("getrlimit, soft"),
            Source::Hard(_) => f.write_str("getrlimit, hard"),
            Source::DevShm { inodes: false } => f.write_str("tmpfs, size"),
            Source::DevShm { inodes: true } => f.write_str("tmpfs, nr_inodes"),
        }
    }
}

impl Limit {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The limit with exactly this name, as [`Limit::name`] gives it.
    pub fn named(name: &str) -> Option<Limit> {
        Limit::ALL.into_iter().find(|limit| limit.name() == name)
    }

    /// The source of its value.
    pub fn source(self) -> Source {
        self.entry().source
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        self.entry().unit
    }

    /// Whether it applies to an IPC namespace or its `/dev/shm`, not to a user or the whole machine.
    pub fn is_of_namespace(self) -> bool {
        self.entry().scope == Scope::Namespace
    }

    /// Whether it applies per user, not to the whole IPC namespace.
    pub fn is_of_user(self) -> bool {
        self.entry().scope == Scope::User
    }

    /// Whether it matters to this kind.
    pub fn is_about(self, kind: Kind) -> bool {
        self.entry().kinds.contains(&kind)
    }

    /// Whether its value means that there is no limit in practice: the default of the kernel for shared
    /// memory, `ULONG_MAX - 2^24`, and what is above, `shmget(2)`.
    pub fn is_practically_unlimited(self, value: u64) -> bool {
        let most = usize::MAX as u64;
        self.range().is_some_and(|range| *range.end() == most)
            && self.entry().used_by.is_none()
            && value >= most - (1 << 24)
    }

    /// What it limits.
    pub fn help(self) -> &'static str {
        self.entry().help
    }

    /// The range of values; `None` if it cannot be set.
    pub fn range(self) -> Option<RangeInclusive<u64>> {
        self.entry().range.map(|range| range())
    }

    /// The kind of objects whose total it limits, if any.
    pub fn counted_kind(self) -> Option<Kind> {
        self.entry().counted.map(|(kind, _)| kind)
    }

    /// How much of it an object uses; `None` if the limit does not count such objects, or that is
    /// unknown.
    pub fn share(self, object: &Object) -> Option<u64> {
        let (kind, share) = self.entry().counted?;
        if object.kind() == kind { share(object) } else { None }
    }

    /// The limits with this name, in upper or lower case, with or without the prefix of its sysctl: one,
    /// none, or all four for `kernel.sem`, in the order of its numbers.
    pub fn find_all(name: &str) -> Vec<Limit> {
        let is_of_sysctl = |limit: &Limit| match limit.source() {
            Source::Sysctl(sysctl, _) => is_name(name, sysctl),
            _ => false,
        };
        let mut found: Vec<Limit> = Limit::ALL
            .into_iter()
            .filter(|limit| is_name(name, limit.name()) || is_of_sysctl(limit))
            .collect();
        found.sort_by_key(|limit| match limit.source() {
            Source::Sysctl(_, place) => place,
            _ => 0,
        });
        found
    }

    /// Its current value; `None` if it is unlimited or unknown.
    pub fn value(self) -> Option<u64> {
        self.read().ok()?
    }

    /// Its current value for a process; `None` if it is unlimited or unknown.
    pub fn value_for(self, subject: Subject) -> Option<u64> {
        match self.source() {
            Source::Soft(resource) => subject.rlimit(resource)?[0],
            Source::Hard(resource) => subject.rlimit(resource)?[1],
            Source::Constant(_) | Source::Sysctl(..) | Source::DevShm { .. } => self.value(),
        }
    }

    /// Its current value; `None` if it is unlimited. `ENOENT` if this kernel does not have it. The values of
    /// `/dev/shm` belong to a namespace: they are those of its [`Space`].
    ///
    /// [`Space`]: crate::kernel::posix::dev_shm::Space
    pub fn read(self) -> io::Result<Option<u64>> {
        let limit_of = |resource, place: usize| {
            process::rlimit(resource)
                .map(|limits| limits[place])
                .ok_or_else(io::Error::last_os_error)
        };
        match self.source() {
            Source::Constant(value) => Ok(Some(value)),
            Source::Soft(resource) => limit_of(resource, 0),
            Source::Hard(resource) => limit_of(resource, 1),
            Source::Sysctl(name, place) => {
                let text = read(name)?;
                let number = text.split_ascii_whitespace().nth(place);
                let number = number.and_then(|number| number.parse().ok());
                number.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
            }
            Source::DevShm { .. } => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Whether `name` is this name, or its last part, in upper or lower case.
fn is_name(name: &str, full: &str) -> bool {
    let short = full.rsplit('.').next().unwrap_or_default();
    name.eq_ignore_ascii_case(full) || name.eq_ignore_ascii_case(short)
}

/// The names and texts of all sysctls that limit an IPC namespace and exist on this kernel.
pub fn texts() -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> = Vec::new();
    for limit in Limit::ALL {
        if let Source::Sysctl(name, _) = limit.source()
            && limit.entry().scope != Scope::System
            && texts.iter().all(|(other, _)| *other != name)
            && let Ok(text) = read(name)
        {
            texts.push((name, text));
        }
    }
    texts
}

/// How many bytes a process may lock in memory, `RLIMIT_MEMLOCK`; `None` for unlimited.
pub fn locked_bytes(subject: Subject) -> Option<u64> {
    subject.rlimit(Resource::RLIMIT_MEMLOCK)?[0]
}

/// How many bits of an id are the slot, by the kernel parameter `ipcmni_extend`.
pub fn slot_bits() -> u32 {
    let options = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    match options.split_ascii_whitespace().any(|option| option == "ipcmni_extend") {
        true => 24,
        false => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_limit_has_a_name_of_its_own_by_which_it_is_found() {
        let names: HashSet<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        assert_eq!(names.len(), Limit::ALL.len());
        for limit in Limit::ALL {
            assert_eq!(Limit::find_all(limit.name()), [limit]);
        }
        for name in ["kernel.msgmax", "msgmax", "MSGMAX", "Kernel.MsgMax"] {
            assert_eq!(Limit::find_all(name), [Limit::Msgmax], "{name}");
        }
        assert_eq!(Limit::find_all("msg_max"), [Limit::MqueueMsgMax]);
        let four = [Limit::Semmsl, Limit::Semmns, Limit::Semopm, Limit::Semmni];
        assert_eq!(Limit::find_all("kernel.sem"), four);
        assert_eq!(Limit::find_all("SEM"), four);
        assert_eq!(Limit::find_all("pizza"), []);
    }

    #[test]
    fn what_is_a_sysctl_can_be_set() {
        for limit in Limit::ALL {
            let is_sysctl = matches!(limit.source(), Source::Sysctl(..));
            assert_eq!(limit.range().is_some(), is_sysctl, "{}", limit.name());
        }
    }

    #[test]
    fn every_limit_has_a_unit_and_matters_to_a_kind() {
        for limit in Limit::ALL {
            assert!(!limit.unit().name().is_empty(), "{}", limit.name());
            assert!(Kind::ALL.into_iter().any(|kind| limit.is_about(kind)), "{}", limit.name());
        }
    }

    #[test]
    fn the_default_of_the_kernel_is_no_limit() {
        let default = usize::MAX as u64 - (1 << 24);
        assert!(Limit::Shmmax.is_practically_unlimited(default));
        assert!(Limit::Shmall.is_practically_unlimited(u64::MAX));
        assert!(!Limit::Shmall.is_practically_unlimited(default - 1));
        assert!(!Limit::NrHugepages.is_practically_unlimited(default));
        assert!(!Limit::Msgmni.is_practically_unlimited(default));
    }
}
