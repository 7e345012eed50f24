//! The limits of IPC in `/proc/sys/kernel`, `/proc/sys/fs/mqueue`, `/dev/shm` and the pool of huge pages:
//! `proc_sys_kernel(5)`, `proc_sys_vm(5)`, `mq_overview(7)`, `tmpfs(5)`, `getrlimit(2)`.
//!
//! A limit is one entry in one table: its name, its source, its unit, its range and how much of it an
//! object uses. Everything that reads, sets, lists or checks limits uses this table.

mod huge_pages;
mod survey;
mod sysctl;

pub use survey::survey;
pub use sysctl::{is_writable, read, write};

use std::fmt;
use std::fs;
use std::io;
use std::ops::RangeInclusive;

use nix::sys::resource::Resource;

use crate::ipc::limit::Unit;
use crate::ipc::{Kind, Object};
use crate::kernel::process;

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

/// What a limit applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The IPC namespace.
    Namespace,
    /// Each user.
    User,
    /// The system, whatever the namespaces.
    System,
}

/// How much of a limit an object uses; `None` if that is unknown.
type Share = fn(&Object) -> Option<u64>;

/// The definition of a limit.
struct Entry {
    name: &'static str,
    /// What it limits.
    help: &'static str,
    source: Source,
    unit: Unit,
    /// The range of values; `None` if it cannot be set.
    range: Option<fn() -> RangeInclusive<u64>>,
    /// The kinds that it matters to.
    kinds: &'static [Kind],
    /// The kind of objects whose total it limits, and how much each of them uses. `None` if it does not
    /// limit a total.
    counted: Option<(Kind, Share)>,
    /// How much of it is used, if that is not the sum over objects.
    used_by: Option<fn() -> Option<u64>>,
    scope: Scope,
}

/// Declares the limits with their entries.
macro_rules! limits {
    ($($limit:ident = $entry:expr;)+) => {
        /// A limit, by its name in `msgget(2)`, `shmget(2)`, `semget(2)`, `mq_overview(7)`,
        /// `getrlimit(2)`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "established names, each described in its entry")]
        pub enum Limit {
            $($limit,)+
        }

        impl Limit {
            /// All limits, in the order of `ipctool limits`.
            pub const ALL: [Limit; [$(Limit::$limit),+].len()] = [$(Limit::$limit),+];

            fn entry(self) -> &'static Entry {
                match self {
                    $(Limit::$limit => {
                        static ENTRY: Entry = $entry;
                        &ENTRY
                    })+
                }
            }
        }
    };
}

const MSG: &[Kind] = &[Kind::Msg];
const SHM: &[Kind] = &[Kind::Shm];
const SEM: &[Kind] = &[Kind::Sem];
const PMSG: &[Kind] = &[Kind::Pmsg];
/// The kinds in `/dev/shm`.
const FILES: &[Kind] = &[Kind::Pshm, Kind::Psem];
/// The kinds that a process holds by descriptors.
const DESCRIPTORS: &[Kind] = &[Kind::Pmsg, Kind::Pshm];

limits! {
    Msgmni = Entry::sysctl("msgmni", "kernel.msgmni", MSG, "message queues")
        .takes(slots)
        .counts(Kind::Msg, "queues", one);
    Msgmax = Entry::sysctl("msgmax", "kernel.msgmax", MSG, "bytes in one message").in_bytes();
    Msgmnb = Entry::sysctl("msgmnb", "kernel.msgmnb", MSG, "max_bytes of a new queue").in_bytes();
    Shmmni = Entry::sysctl("shmmni", "kernel.shmmni", SHM, "segments")
        .takes(slots)
        .counts(Kind::Shm, "segments", one);
    Shmmax = Entry::sysctl("shmmax", "kernel.shmmax", SHM, "bytes in one segment")
        .in_bytes()
        .takes(any_long);
    Shmall = Entry::sysctl("shmall", "kernel.shmall", SHM, "pages in all segments")
        .takes(any_long)
        .counts(Kind::Shm, PAGES, pages);
    Shmmin = Entry::new("shmmin", Source::Constant(1), SHM, "minimum bytes in a segment").in_bytes();
    ShmRmidForced = Entry::sysctl(
        "shm_rmid_forced",
        "kernel.shm_rmid_forced",
        SHM,
        "1: segments are destroyed with the last process",
    )
        .switches();
    NrHugepages = Entry::sysctl(
        "vm.nr_hugepages",
        "vm.nr_hugepages",
        SHM,
        "huge pages in the pool, for SHM_HUGETLB",
    )
        .takes(any_long)
        .in_count(PAGES)
        .used_by(huge_pages::used)
        .of_system();
    Semmni = Entry::sysctl("semmni", "kernel.sem", SEM, "semaphore sets")
        .at(3)
        .takes(slots)
        .counts(Kind::Sem, "sets", one);
    Semmns = Entry::sysctl("semmns", "kernel.sem", SEM, "semaphores in all sets")
        .at(1)
        .counts(Kind::Sem, SEMAPHORES, semaphores);
    Semmsl =
        Entry::sysctl("semmsl", "kernel.sem", SEM, "semaphores in one set").in_count(SEMAPHORES);
    Semopm = Entry::sysctl("semopm", "kernel.sem", SEM, "operations in one semop")
        .at(2)
        .in_count("operations");
    Semvmx =
        Entry::new("semvmx", Source::Constant(32_767), SEM, "value of a semaphore").in_count("value");
    MqueueQueuesMax =
        Entry::sysctl("fs.mqueue.queues_max", "fs.mqueue.queues_max", PMSG, "POSIX queues")
            .counts(Kind::Pmsg, "queues", one);
    // mq_overview(7): at most HARD_MSGMAX and HARD_MSGSIZEMAX.
    MqueueMsgMax = Entry::sysctl(
        "fs.mqueue.msg_max",
        "fs.mqueue.msg_max",
        PMSG,
        "messages in one POSIX queue",
    )
        .takes(|| 1..=65_536)
        .in_count(MESSAGES);
    MqueueMsgsizeMax = Entry::sysctl(
        "fs.mqueue.msgsize_max",
        "fs.mqueue.msgsize_max",
        PMSG,
        "bytes in one message of a POSIX queue",
    )
        .in_bytes()
        .takes(|| 128..=16_777_216);
    MqueueMsgDefault = Entry::sysctl(
        "fs.mqueue.msg_default",
        "fs.mqueue.msg_default",
        PMSG,
        "default number of messages in a POSIX queue",
    )
        .takes(|| 1..=65_536)
        .in_count(MESSAGES);
    MqueueMsgsizeDefault = Entry::sysctl(
        "fs.mqueue.msgsize_default",
        "fs.mqueue.msgsize_default",
        PMSG,
        "default message size of a POSIX queue",
    )
        .in_bytes()
        .takes(|| 128..=16_777_216);
    RlimitMsgqueue = Entry::new(
        "RLIMIT_MSGQUEUE",
        Source::Soft(Resource::RLIMIT_MSGQUEUE),
        PMSG,
        "bytes charged to a user for POSIX queues",
    )
        .of_user()
        .counts(Kind::Pmsg, "", reserved_bytes)
        .in_bytes();
    RlimitMsgqueueHard = Entry::new(
        "RLIMIT_MSGQUEUE_HARD",
        Source::Hard(Resource::RLIMIT_MSGQUEUE),
        PMSG,
        "how far RLIMIT_MSGQUEUE can be raised",
    )
        .in_bytes()
        .of_user();
    RlimitNofile = Entry::new(
        "RLIMIT_NOFILE",
        Source::Soft(Resource::RLIMIT_NOFILE),
        DESCRIPTORS,
        "descriptors of a process",
    )
        .in_count("descriptors");
    DevShmBytes = Entry::new(
        "/dev/shm",
        Source::DevShm { inodes: false },
        FILES,
        "bytes of memory in POSIX shared memory and semaphores",
    )
        .in_bytes();
    DevShmInodes = Entry::new(
        "/dev/shm:inodes",
        Source::DevShm { inodes: true },
        FILES,
        "files in /dev/shm",
    )
        .in_count("inodes");
}

const PAGES: &str = "pages";
const MESSAGES: &str = "messages";
const SEMAPHORES: &str = "semaphores";

impl Entry {
    const fn new(
        name: &'static str,
        source: Source,
        kinds: &'static [Kind],
        help: &'static str,
    ) -> Entry {
        Entry {
            name,
            help,
            source,
            unit: Unit::Count(""),
            range: None,
            kinds,
            counted: None,
            used_by: None,
            scope: Scope::Namespace,
        }
    }

    /// The first number of a sysctl, which the kernel stores as a settable `int`.
    const fn sysctl(
        name: &'static str,
        sysctl: &'static str,
        kinds: &'static [Kind],
        help: &'static str,
    ) -> Entry {
        Entry::new(name, Source::Sysctl(sysctl, 0), kinds, help).takes(|| 0..=i32::MAX as u64)
    }

    /// Selects the number at this position of the sysctl, from 0.
    const fn at(mut self, place: usize) -> Entry {
        if let Source::Sysctl(name, _) = self.source {
            self.source = Source::Sysctl(name, place);
        }
        self
    }

    const fn takes(mut self, range: fn() -> RangeInclusive<u64>) -> Entry {
        self.range = Some(range);
        self
    }

    const fn switches(mut self) -> Entry {
        self.unit = Unit::Switch;
        self.takes(|| 0..=1)
    }

    const fn in_bytes(mut self) -> Entry {
        self.unit = Unit::Bytes;
        self
    }

    const fn in_count(mut self, things: &'static str) -> Entry {
        self.unit = Unit::Count(things);
        self
    }

    const fn of_user(mut self) -> Entry {
        self.scope = Scope::User;
        self
    }

    const fn of_system(mut self) -> Entry {
        self.scope = Scope::System;
        self
    }

    /// Counts the objects of a kind, or these things in them.
    const fn counts(mut self, kind: Kind, things: &'static str, share: Share) -> Entry {
        self.counted = Some((kind, share));
        self.in_count(things)
    }

    const fn used_by(mut self, used: fn() -> Option<u64>) -> Entry {
        self.used_by = Some(used);
        self
    }
}

/// The range of an `unsigned long`.
fn any_long() -> RangeInclusive<u64> {
    0..=usize::MAX as u64
}

/// The range of a number of objects: at most as many as there are slots.
fn slots() -> RangeInclusive<u64> {
    0..=1 << slot_bits()
}

fn one(_: &Object) -> Option<u64> {
    Some(1)
}

/// The number of pages of a segment.
fn pages(object: &Object) -> Option<u64> {
    match object {
        Object::Segment(segment) => Some(segment.size.div_ceil(process::page_size())),
        Object::Queue(_)
        | Object::SemaphoreSet(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => None,
    }
}

/// The number of semaphores of a set.
fn semaphores(object: &Object) -> Option<u64> {
    match object {
        Object::SemaphoreSet(set) => Some(set.nsems),
        Object::Queue(_)
        | Object::Segment(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => None,
    }
}

/// The bytes charged for a POSIX queue, if its shape is known.
fn reserved_bytes(object: &Object) -> Option<u64> {
    match object {
        Object::PosixQueue(queue) => queue.reserved_bytes(),
        Object::Queue(_)
        | Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => None,
    }
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

    /// The source of its value.
    pub fn source(self) -> Source {
        self.entry().source
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        self.entry().unit
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
pub fn locked_bytes() -> Option<u64> {
    process::rlimit(Resource::RLIMIT_MEMLOCK)?[0]
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
