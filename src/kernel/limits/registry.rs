//! The table of all limits. Everything that reads, sets, lists or checks limits uses it.

use std::ops::RangeInclusive;

use nix::sys::resource::Resource;

use super::{Source, huge_pages, slot_bits};
use crate::ipc::limit::Unit;
use crate::ipc::{Kind, Object};
use crate::kernel::process;

/// What a limit applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The IPC namespace.
    Namespace,
    /// Each user.
    User,
    /// The system or this process, whatever the namespaces.
    System,
}

/// How much of a limit an object uses; `None` if that is unknown.
type Share = fn(&Object) -> Option<u64>;

/// The definition of a limit.
pub(super) struct Entry {
    pub name: &'static str,
    /// What it limits.
    pub help: &'static str,
    pub source: Source,
    pub unit: Unit,
    /// The range of values; `None` if it cannot be set.
    pub range: Option<fn() -> RangeInclusive<u64>>,
    /// The kinds that it matters to.
    pub kinds: &'static [Kind],
    /// The kind of objects whose total it limits, and how much each of them uses. `None` if it does not
    /// limit a total.
    pub counted: Option<(Kind, Share)>,
    /// How much of it is used, if that is not the sum over objects.
    pub used_by: Option<fn() -> Option<u64>>,
    pub scope: Scope,
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

            pub(super) fn entry(self) -> &'static Entry {
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
        .in_count("descriptors")
        .of_system();
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
