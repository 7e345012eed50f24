//! An object together with what is known of the processes around it.

use super::role::{Role, State, Use};
use crate::ipc::Object;
use crate::ipc::sysv::Semaphore;
use crate::ipc::text::count;
use crate::ipc::{Kind, Permissions, Reference};

/// An object and, if somebody looked, its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The object.
    pub object: Object,
    /// The semaphores of a set, where they could be read.
    pub semaphores: Option<Vec<Semaphore>>,
    /// Who has to do with it; nothing if nobody looked.
    pub users: Option<Users>,
}

/// Those who have to do with an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// The processes, first those that have to do with it now, then those recorded by the kernel.
    pub all: Vec<Use>,
    /// The kernel recorded somebody whom this process cannot know: of another pid namespace, or in
    /// semaphores that may not be read.
    pub has_strangers: bool,
    /// Whether processes of other process namespaces may use it, which are not seen here.
    pub has_outsiders: bool,
    /// How many processes could not be inspected.
    pub uninspected: u64,
    /// The effective users of these, each once; nothing for one of whom not even that is known.
    pub unseen: Vec<Option<u32>>,
    /// How many of them may use it by its mode.
    pub suspects: u64,
    /// Whether the kernel says that nobody has a POSIX object open or mapped; nothing if it was not
    /// asked.
    pub lease: Option<Verdict>,
}

/// An object that a filter has selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The object.
    pub observed: Observed,
    /// Why, in words.
    pub reason: String,
}

/// The answer to a question to which not all is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// Perhaps, and why that is not certain. Treated as no where harm could be done.
    Unknown(String),
}

impl Verdict {
    /// Both.
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

    /// With advice behind the reason, where it is not known.
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
        Observed { object, semaphores: None, users: None }
    }
}

impl Observed {
    /// What it is.
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

    /// All users that are known.
    pub fn users(&self) -> &[Use] {
        self.users.as_ref().map_or(&[], |users| &users.all)
    }

    /// The users that the kernel recorded.
    pub fn recorded(&self) -> impl Iterator<Item = &Use> {
        self.users().iter().filter(|user| !user.role.is_present())
    }

    /// How many threads sleep on it.
    pub fn waiting(&self) -> u64 {
        self.users().iter().filter(|user| user.role.waits()).count() as u64
    }

    /// Whether nobody is attached to it, has it open or waits on it. The kernel's own word decides
    /// where it has one: the count of a segment, those of a set, the lease on a file. Of a queue it
    /// has none, so every process that may use it must have been inspected.
    pub fn is_unused(&self) -> Verdict {
        if self.users().iter().any(|user| user.role.is_present()) {
            return Verdict::No;
        }
        match &self.object {
            Object::Segment(segment) => (segment.attached == 0).into(),
            Object::SemaphoreSet(_) => match &self.semaphores {
                Some(all) => all.iter().all(|one| one.ncount + one.zcount == 0).into(),
                None => Verdict::Unknown("its semaphores may not be read".to_owned()),
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
                "processes of other process namespaces may wait on it".to_owned(),
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

    /// Whether processes that could not be inspected may be missing among the users. Where the
    /// kernel counts the users, and all of them were found, none is.
    pub fn may_miss_users(&self) -> bool {
        self.counted_unseen() != Some(0)
            && self.users.as_ref().is_some_and(|users| users.uninspected > 0)
    }

    /// How many of those whom the kernel counts at it now are not among the known users: who has a
    /// segment attached, and who waits on a set. Nothing for other objects, of which it keeps no
    /// count, and for a set that may not be read.
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

    /// Whether it is unused and every process that the kernel recorded for it is gone. A living
    /// program may need it all the same: that is for [`Heirs`](super::Heirs) to say.
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

    /// What it means that it is unused, in words.
    pub fn unused_proof(&self) -> &'static str {
        match self.kind().is_posix() {
            true => "nobody has it open or mapped",
            false => "nobody is attached or waits",
        }
    }

    /// What proves that it is an orphan, in words.
    pub fn orphan_proof(&self) -> String {
        let unused = self.unused_proof();
        if self.kind().is_posix() {
            // The kernel records nobody.
            return unused.to_owned();
        }
        let mut gone: Vec<_> = self.recorded().map(|user| user.pid).collect();
        gone.sort_unstable();
        gone.dedup();
        match gone.as_slice() {
            [] => format!("{unused}, and no process ever used it"),
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
