//! The limits of IPC in `/proc/sys/kernel` and `/proc/sys/fs/mqueue`: `proc_sys_kernel(5)`,
//! `mq_overview(7)`, `getrlimit(2)`.
//!
//! A limit is one entry in one table: its name, its source, its unit, its range and how much of it an
//! object uses. Everything that reads, sets, lists or checks limits uses this table.

mod survey;
mod sysctl;

pub use survey::survey;
pub use sysctl::{is_writable, read, write};

use std::fmt;
use std::fs;
use std::io;
use std::ops::RangeInclusive;

use nix::sys::resource::Resource;

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
}

/// The unit of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of objects, pages or the like.
    Count,
    /// Bytes.
    Bytes,
    /// 0 or 1.
    Switch,
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
    /// The kind of objects whose total it limits, and how much each of them uses. `None` if it does not
    /// limit a total.
    counted: Option<(Kind, Share)>,
    /// Whether it applies per user, not to the whole IPC namespace.
    is_of_user: bool,
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

limits! {
    Msgmni = Entry::sysctl("msgmni", "kernel.msgmni", "message queues")
        .takes(slots)
        .counts(Kind::Msg, one);
    Msgmax = Entry::sysctl("msgmax", "kernel.msgmax", "bytes in one message").in_bytes();
    Msgmnb = Entry::sysctl("msgmnb", "kernel.msgmnb", "max_bytes of a new queue").in_bytes();
    Shmmni = Entry::sysctl("shmmni", "kernel.shmmni", "segments")
        .takes(slots)
        .counts(Kind::Shm, one);
    Shmmax = Entry::sysctl("shmmax", "kernel.shmmax", "bytes in one segment")
        .in_bytes()
        .takes(|| 0..=usize::MAX as u64);
    Shmall = Entry::sysctl("shmall", "kernel.shmall", "pages in all segments")
        .takes(|| 0..=usize::MAX as u64)
        .counts(Kind::Shm, pages);
    Shmmin = Entry::new("shmmin", Source::Constant(1), "minimum bytes in a segment").in_bytes();
    ShmRmidForced = Entry::sysctl(
        "shm_rmid_forced",
        "kernel.shm_rmid_forced",
        "1: segments are destroyed with the last process",
    )
        .switches();
    Semmni = Entry::sysctl("semmni", "kernel.sem", "semaphore sets")
        .at(3)
        .takes(slots)
        .counts(Kind::Sem, one);
    Semmns = Entry::sysctl("semmns", "kernel.sem", "semaphores in all sets")
        .at(1)
        .counts(Kind::Sem, semaphores);
    Semmsl = Entry::sysctl("semmsl", "kernel.sem", "semaphores in one set");
    Semopm = Entry::sysctl("semopm", "kernel.sem", "operations in one semop").at(2);
    Semvmx = Entry::new("semvmx", Source::Constant(32_767), "value of a semaphore");
    MqueueQueuesMax = Entry::sysctl("fs.mqueue.queues_max", "fs.mqueue.queues_max", "POSIX queues")
        .counts(Kind::Pmsg, one);
    // mq_overview(7): at most HARD_MSGMAX and HARD_MSGSIZEMAX.
    MqueueMsgMax = Entry::sysctl(
        "fs.mqueue.msg_max",
        "fs.mqueue.msg_max",
        "messages in one POSIX queue",
    )
        .takes(|| 1..=65_536);
    MqueueMsgsizeMax = Entry::sysctl(
        "fs.mqueue.msgsize_max",
        "fs.mqueue.msgsize_max",
        "bytes in one message of a POSIX queue",
    )
        .in_bytes()
        .takes(|| 128..=16_777_216);
    MqueueMsgDefault = Entry::sysctl(
        "fs.mqueue.msg_default",
        "fs.mqueue.msg_default",
        "default number of messages in a POSIX queue",
    )
        .takes(|| 1..=65_536);
    MqueueMsgsizeDefault = Entry::sysctl(
        "fs.mqueue.msgsize_default",
        "fs.mqueue.msgsize_default",
        "default message size of a POSIX queue",
    )
        .in_bytes()
        .takes(|| 128..=16_777_216);
    RlimitMsgqueue = Entry::new(
        "RLIMIT_MSGQUEUE",
        Source::Soft(Resource::RLIMIT_MSGQUEUE),
        "bytes charged to a user for POSIX queues",
    )
        .in_bytes()
        .of_user()
        .counts(Kind::Pmsg, reserved_bytes);
    RlimitMsgqueueHard = Entry::new(
        "RLIMIT_MSGQUEUE_HARD",
        Source::Hard(Resource::RLIMIT_MSGQUEUE),
        "how far RLIMIT_MSGQUEUE can be raised",
    )
        .in_bytes()
        .of_user();
    RlimitNofile = Entry::new(
        "RLIMIT_NOFILE",
        Source::Soft(Resource::RLIMIT_NOFILE),
        "descriptors of a process",
    );
}

impl Entry {
    const fn new(name: &'static str, source: Source, help: &'static str) -> Entry {
        let unit = Unit::Count;
        Entry { name, help, source, unit, range: None, counted: None, is_of_user: false }
    }

    /// The first number of a sysctl, which the kernel stores as a settable `int`.
    const fn sysctl(name: &'static str, sysctl: &'static str, help: &'static str) -> Entry {
        Entry::new(name, Source::Sysctl(sysctl, 0), help).takes(|| 0..=i32::MAX as u64)
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

    const fn of_user(mut self) -> Entry {
        self.is_of_user = true;
        self
    }

    const fn counts(mut self, kind: Kind, share: Share) -> Entry {
        self.counted = Some((kind, share));
        self
    }
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
        self.entry().is_of_user
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

    /// The limit with this name, with or without the prefix of its sysctl.
    pub fn find(name: &str) -> Option<Limit> {
        let short = |limit: &Limit| limit.name().rsplit('.').next().unwrap_or_default();
        Limit::ALL.into_iter().find(|limit| {
            let full = match limit.source() {
                Source::Sysctl(sysctl, _) => sysctl,
                Source::Constant(_) | Source::Soft(_) | Source::Hard(_) => limit.name(),
            };
            name == limit.name() || name == short(limit) || (name == full && name != "kernel.sem")
        })
    }

    /// Its current value; `None` if it is unlimited or unknown.
    pub fn value(self) -> Option<u64> {
        match self.source() {
            Source::Constant(value) => Some(value),
            Source::Soft(resource) => process::rlimit(resource)?[0],
            Source::Hard(resource) => process::rlimit(resource)?[1],
            Source::Sysctl(name, place) => {
                let text = read(name).ok()?;
                text.split_ascii_whitespace().nth(place)?.parse().ok()
            }
        }
    }

    /// The name and the new text of its sysctl with this value; the other three numbers of `kernel.sem`
    /// stay. `None` if the limit is not a sysctl.
    pub fn sysctl_with(self, value: u64) -> Option<io::Result<(&'static str, String)>> {
        let Source::Sysctl(name, place) = self.source() else { return None };
        Some(read(name).map(|text| {
            let mut numbers: Vec<String> =
                text.split_ascii_whitespace().map(str::to_owned).collect();
            if let Some(number) = numbers.get_mut(place) {
                *number = value.to_string();
            }
            (name, numbers.join(" "))
        }))
    }
}

/// The names and texts of all sysctls that limit an IPC namespace and exist on this kernel.
pub fn texts() -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> = Vec::new();
    for limit in Limit::ALL {
        if let Source::Sysctl(name, _) = limit.source()
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
            assert_eq!(Limit::find(limit.name()), Some(limit));
        }
        assert_eq!(Limit::find("kernel.msgmax"), Some(Limit::Msgmax));
        assert_eq!(Limit::find("msg_max"), Some(Limit::MqueueMsgMax));
        assert_eq!(Limit::find("kernel.sem"), None, "four of them");
    }

    #[test]
    fn what_is_a_sysctl_can_be_set() {
        for limit in Limit::ALL {
            let is_sysctl = matches!(limit.source(), Source::Sysctl(..));
            assert_eq!(limit.range().is_some(), is_sysctl, "{}", limit.name());
        }
    }
}
