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

    /// Whether it is a message queue.
    pub fn is_queue(self) -> bool {
        matches!(self, Kind::Msg | Kind::Pmsg)
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
        match word {
            "msg" | "queue" => Ok(Kind::Msg),
            "shm" => Ok(Kind::Shm),
            "sem" => Ok(Kind::Sem),
            "pmsg" | "mq" => Ok(Kind::Pmsg),
            "pshm" => Ok(Kind::Pshm),
            "psem" => Ok(Kind::Psem),
            _ => Err(UnknownKind(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_aliases() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!("queue".parse(), Ok(Kind::Msg));
        assert_eq!("mq".parse(), Ok(Kind::Pmsg));
        assert!("MSG".parse::<Kind>().is_err());
        assert!("".parse::<Kind>().is_err());
    }
}
