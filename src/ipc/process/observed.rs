//! An object together with the processes that use it, as far as they are known.

use std::sync::Arc;

use super::role::{Role, State, Use};
use crate::ipc::Object;
use crate::ipc::home::{Home, Housed};
use crate::ipc::sysv::Semaphore;
use crate::ipc::text::count;
use crate::ipc::{Key, Kind, Permissions, Reference};

/// An object and, if the processes were inspected, its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The object.
    pub object: Object,
    /// The semaphores of a set; `None` if they could not be read.
    pub semaphores: Option<Vec<Semaphore>>,
    /// The processes that use it or are recorded in it; `None` if they were not inspected.
    pub users: Option<Users>,
    /// Where it lives; `None` if only one place is looked at.
    pub home: Option<Arc<Home>>,
}

/// The processes that use an object or are recorded in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// The processes: those that use it now, then those that the kernel recorded.
    pub all: Vec<Use>,
    /// Whether the kernel recorded a process that cannot be identified: one in another pid namespace,
    /// or one recorded in semaphores that cannot be read.
    pub has_strangers: bool,
    /// Whether processes in other process namespaces, which are not visible here, may use it.
    pub has_outsiders: bool,
    /// How many processes could not be inspected.
    pub uninspected: u64,
    /// The effective users of these processes, each once; `None` for one whose user is unknown too.
    pub unseen: Vec<Option<u32>>,
    /// How many of them the mode permits to use it.
    pub suspects: u64,
    /// Whether the kernel confirms that no process has a POSIX object open or mapped; `None` if it was
    /// not asked.
    pub lease: Option<Verdict>,
    /// The key that a segment had until it was marked for destruction, if a process that has it
    /// attached could be inspected.
    pub former_key: Option<Key>,
}

/// An object that a filter selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The object.
    pub observed: Observed,
    /// Why it was selected.
    pub reason: String,
}

/// An answer that may be uncertain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// Not certain, with the reason. Counts as no where the wrong answer would do harm.
    Unknown(String),
}

impl Verdict {
    /// Yes if both are yes, no if one is no.
    pub fn and(self, other: impl FnOnce() -> Verdict) -> Verdict {
        match self {
            Verdict::No => Verdict::No,
            Verdict::Yes => other(),
            Verdict::Unknown(why) => match other() {
                Verdict::No => Verdict::No,
                _ => Verdict::Unknown(why),
            },
        }
    }

    /// Appends advice to the reason of an unknown verdict.
    pub fn with_advice(self, more: &str) -> Verdict {
        match self {
            Verdict::Unknown(why) => Verdict::Unknown(format!("{why}; {more}")),
            observed => observed,
        }
    }
}

impl From<bool> for Verdict {
    fn from(is_so: bool) -> Verdict {
        if is_so { Verdict::Yes } else { Verdict::No }
    }
}

impl From<Object> for Observed {
    fn from(object: Object) -> Observed {
        Observed { object, semaphores: None, users: None, home: None }
    }
}

impl Housed for Observed {
    fn home(&self) -> Option<&Home> {
        self.home.as_deref()
    }
}

impl Observed {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.object.kind()
    }

    /// The reference that `list` prints.
    pub fn reference(&self) -> Reference {
        self.object.reference()
    }

    /// Key, owners and mode.
    pub fn permissions(&self) -> &Permissions {
        self.object.permissions()
    }

    /// All known users.
    pub fn users(&self) -> &[Use] {
        self.users.as_ref().map_or(&[], |users| &users.all)
    }

    /// The users that the kernel recorded.
    pub fn recorded(&self) -> impl Iterator<Item = &Use> {
        self.users().iter().filter(|user| !user.role.is_present())
    }

    /// The key that a segment had until it was marked for destruction, if that is known.
    pub fn former_key(&self) -> Option<Key> {
        self.users.as_ref()?.former_key
    }

    /// How many threads wait on it.
    pub fn waiting(&self) -> u64 {
        self.users().iter().filter(|user| user.role.waits()).count() as u64
    }

    /// Whether no process has it attached or open, or waits on it. If the kernel itself knows, that
    /// decides: the attach count of a segment, the wait counts of a set, the lease on a file. For a
    /// message queue the kernel has no count, so every process with access must have been inspected.
    pub fn is_unused(&self) -> Verdict {
        if self.users().iter().any(|user| user.role.is_present()) {
            return Verdict::No;
        }
        match &self.object {
            Object::Segment(segment) => (segment.attached == 0).into(),
            Object::SemaphoreSet(_) => match &self.semaphores {
                Some(all) => all.iter().all(|one| one.ncount + one.zcount == 0).into(),
                None => Verdict::Unknown("its semaphores cannot be read".to_owned()),
            },
            Object::Queue(_) => self.has_no_unseen_user(),
            Object::PosixQueue(_) | Object::PosixMemory(_) | Object::PosixSemaphore(_) => {
                let lease = self.users.as_ref().and_then(|users| users.lease.clone());
                lease.unwrap_or_else(|| Verdict::Unknown("the kernel was not asked".to_owned()))
            }
        }
    }

    /// Whether every process that may wait on it was inspected.
    fn has_no_unseen_user(&self) -> Verdict {
        let Some(users) = &self.users else {
            return Verdict::Unknown("no process was inspected".to_owned());
        };
        if users.has_outsiders {
            return Verdict::Unknown(
                "processes in other process namespaces may wait on it".to_owned(),
            );
        }
        match users.suspects {
            0 => Verdict::Yes,
            number => Verdict::Unknown(format!(
                "{number} {} that may use it could not be inspected",
                if number == 1 { "process" } else { "processes" }
            )),
        }
    }

    /// Whether the known users may be incomplete because processes could not be inspected. They are
    /// complete if the kernel counts the users and all of them were found.
    pub fn may_miss_users(&self) -> bool {
        self.counted_unseen() != Some(0)
            && self.users.as_ref().is_some_and(|users| users.uninspected > 0)
    }

    /// How many of the processes that the kernel counts on it now are not among the known users: those
    /// that have a segment attached, or wait on a set. `None` for other objects, which have no count,
    /// and for a set that cannot be read.
    pub fn counted_unseen(&self) -> Option<u64> {
        match &self.object {
            Object::Segment(segment) => {
                let holders = self.users().iter().filter(|user| user.role == Role::Attached);
                Some(segment.attached.saturating_sub(holders.count() as u64))
            }
            Object::SemaphoreSet(_) => {
                let semaphores = self.semaphores.as_ref()?.iter();
                let waiting: u64 = semaphores.map(|one| u64::from(one.ncount + one.zcount)).sum();
                Some(waiting.saturating_sub(self.waiting()))
            }
            Object::Queue(_)
            | Object::PosixQueue(_)
            | Object::PosixMemory(_)
            | Object::PosixSemaphore(_) => None,
        }
    }

    /// Whether it is unused and every process that the kernel recorded for it is gone. A living program
    /// may still need it, which [`Heirs`](super::Heirs) decides.
    pub fn is_orphan(&self) -> Verdict {
        let mut doubt = None;
        for user in self.recorded().filter(|user| user.state == State::Alive) {
            match &user.doubt {
                None => return Verdict::No,
                Some(why) => doubt = Some(why.clone()),
            }
        }
        if self.users.as_ref().is_none_or(|users| users.has_strangers) {
            doubt = Some("not every process recorded for it can be seen".to_owned());
        }
        self.is_unused().and(|| doubt.map_or(Verdict::Yes, Verdict::Unknown))
    }

    /// What makes it unused, as a clause.
    pub fn unused_proof(&self) -> &'static str {
        match self.kind().is_posix() {
            true => "no process has it open or mapped",
            false => "no process is attached or waiting",
        }
    }

    /// What makes it an orphan, as a clause.
    pub fn orphan_proof(&self) -> String {
        let unused = self.unused_proof();
        if self.kind().is_posix() {
            // The kernel records no processes for POSIX objects.
            return unused.to_owned();
        }
        let mut gone: Vec<_> = self.recorded().map(|user| user.pid).collect();
        gone.sort_unstable();
        gone.dedup();
        match gone.as_slice() {
            [] => format!("{unused}, and none ever used it"),
            [one] => format!("{unused}, and its only recorded process {one} is gone"),
            [.., _] if gone.len() <= 3 => {
                let pids: Vec<_> = gone.iter().map(i32::to_string).collect();
                format!("{unused}, and its recorded processes {} are gone", pids.join(", "))
            }
            _ => format!(
                "{unused}, and all of {} recorded are gone",
                count(gone.len() as u64, "process id")
            ),
        }
    }
}
