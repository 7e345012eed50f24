//! The kinds of IPC object.

use std::fmt;
use std::str::FromStr;

/// A kind of IPC object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// System V message queue, `msgget(2)`.
    Msg,
    /// System V shared memory segment, `shmget(2)`.
    Shm,
    /// System V semaphore set, `semget(2)`.
    Sem,
    /// POSIX message queue, `mq_open(3)`.
    Pmsg,
    /// POSIX shared memory object, `shm_open(3)`.
    Pshm,
    /// POSIX named semaphore, `sem_open(3)`.
    Psem,
}

/// What a System V kind and a POSIX kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Message queues.
    Queues,
    /// Shared memory.
    Memory,
    /// Semaphores, single ones or in sets.
    Semaphores,
}

impl Family {
    /// Its System V kind.
    pub fn system_v(self) -> Kind {
        match self {
            Family::Queues => Kind::Msg,
            Family::Memory => Kind::Shm,
            Family::Semaphores => Kind::Sem,
        }
    }

    /// Its POSIX kind.
    pub fn posix(self) -> Kind {
        match self {
            Family::Queues => Kind::Pmsg,
            Family::Memory => Kind::Pshm,
            Family::Semaphores => Kind::Psem,
        }
    }

    /// What one of it is, for messages.
    pub fn one(self) -> &'static str {
        match self {
            Family::Queues => "a queue",
            Family::Memory => "shared memory",
            Family::Semaphores => "a semaphore",
        }
    }
}

impl Kind {
    /// Every kind, in the order of `list`.
    pub const ALL: [Kind; 6] =
        [Kind::Msg, Kind::Shm, Kind::Sem, Kind::Pmsg, Kind::Pshm, Kind::Psem];

    /// The System V kinds, named by id and key, `sysvipc(7)`.
    pub const SYSTEM_V: [Kind; 3] = [Kind::Msg, Kind::Shm, Kind::Sem];

    /// Whether it is a POSIX kind: its objects are files in memory, named by a name.
    pub fn is_posix(self) -> bool {
        !Kind::SYSTEM_V.contains(&self)
    }

    /// Whether its objects are files in `/dev/shm`, which does not belong to an IPC namespace.
    pub fn is_in_dev_shm(self) -> bool {
        matches!(self, Kind::Pshm | Kind::Psem)
    }

    /// The kinds that it belongs to.
    pub fn family(self) -> Family {
        match self {
            Kind::Msg | Kind::Pmsg => Family::Queues,
            Kind::Shm | Kind::Pshm => Family::Memory,
            Kind::Sem | Kind::Psem => Family::Semaphores,
        }
    }

    /// Whether it is a message queue.
    pub fn is_queue(self) -> bool {
        self.family() == Family::Queues
    }

    /// Whether the kernel records which process created such an object.
    pub fn records_maker(self) -> bool {
        match self {
            Kind::Shm => true,
            Kind::Msg | Kind::Sem | Kind::Pmsg | Kind::Pshm | Kind::Psem => false,
        }
    }

    /// The short name on the command line, the same as in `ipcrm --all`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Msg => "msg",
            Kind::Shm => "shm",
            Kind::Sem => "sem",
            Kind::Pmsg => "pmsg",
            Kind::Pshm => "pshm",
            Kind::Psem => "psem",
        }
    }

    /// Other words that are accepted for it.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Kind::Msg => &["queue", "q"],
            Kind::Shm => &["shmem", "segment", "m"],
            Kind::Sem => &["semaphore", "s"],
            Kind::Pmsg => &["mq", "mqueue"],
            Kind::Pshm | Kind::Psem => &[],
        }
    }

    /// What it is and how it is named, in one line.
    pub fn help(self) -> &'static str {
        match self {
            Kind::Msg => "System V message queue, by id or key",
            Kind::Shm => "System V shared memory segment, by id or key",
            Kind::Sem => "System V semaphore set, by id or key",
            Kind::Pmsg => "POSIX message queue, by name",
            Kind::Pshm => "POSIX shared memory, by name",
            Kind::Psem => "POSIX named semaphore, by name",
        }
    }

    /// The name of one such object in sentences.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Msg => "message queue",
            Kind::Shm => "shared memory segment",
            Kind::Sem => "semaphore set",
            Kind::Pmsg => "POSIX message queue",
            Kind::Pshm => "POSIX shared memory object",
            Kind::Psem => "POSIX semaphore",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that is not the name of a kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a kind of IPC object: use msg, shm, sem, pmsg, pshm or psem")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        let is_meant = |kind: &Kind| kind.name() == word || kind.aliases().contains(&word);
        Kind::ALL.into_iter().find(is_meant).ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_aliases() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            for alias in kind.aliases() {
                assert_eq!(alias.parse(), Ok(kind));
            }
        }
        assert_eq!("queue".parse(), Ok(Kind::Msg));
        assert_eq!("mq".parse(), Ok(Kind::Pmsg));
        assert!("MSG".parse::<Kind>().is_err());
        assert!("".parse::<Kind>().is_err());
    }

    #[test]
    fn a_word_means_one_kind() {
        let words = |kind: Kind| [&[kind.name()], kind.aliases()].concat();
        let mut all: Vec<_> = Kind::ALL.into_iter().flat_map(words).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
