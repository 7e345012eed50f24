//! What a command left behind, separated from objects that other processes created meanwhile.

use std::collections::HashSet;

use super::expected::Expected;
use crate::ipc::object::Object;
use crate::ipc::posix::FileKind;
use crate::ipc::process::name::ProcessName;
use crate::ipc::process::observed::Observed;
use crate::ipc::process::role::{State, Use};
use crate::ipc::reference::Reference;

pub use super::maker::{all_leaked, compare};
pub use super::neighbours::{Neighbour, Neighbours};

/// An object that a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The object.
    pub observed: Observed,
    /// The process that created it or, if the kernel does not record that, last used it.
    pub by: Option<ProcessName>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was left, if not because processes still use it.
    pub why: Option<String>,
}

/// What became of an object that a command left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub enum Outcome {
    /// It was removed.
    #[serde(rename = "removed")]
    Removed,
    /// The segment is marked for destruction and exists until the last process detaches it.
    #[serde(rename = "marked")]
    Marked,
    /// It still exists.
    #[default]
    #[serde(rename = "left")]
    Left,
    /// It disappeared together with the namespace of the command.
    #[serde(rename = "gone with the namespace")]
    GoneWithNamespace,
}

impl Leak {
    /// The memory that it uses, in bytes: the pages of a segment, the payload on a queue.
    pub fn memory(&self) -> u64 {
        match &self.observed.object {
            Object::Queue(queue) => queue.bytes,
            Object::Segment(segment) => {
                segment.rss.map_or(segment.size, |rss| rss + segment.swap.unwrap_or_default())
            }
            Object::PosixQueue(queue) => queue.bytes.unwrap_or_default(),
            Object::PosixMemory(memory) => memory.rss,
            Object::SemaphoreSet(_) | Object::PosixSemaphore(_) => 0,
        }
    }

    /// The memory that it may use without another call, in bytes: the whole segment, even where nobody has
    /// touched it yet.
    pub fn promised(&self) -> u64 {
        match &self.observed.object {
            Object::Segment(segment) => segment.size.max(self.memory()),
            Object::PosixMemory(memory) => memory.size.max(self.memory()),
            Object::Queue(_)
            | Object::PosixQueue(_)
            | Object::SemaphoreSet(_)
            | Object::PosixSemaphore(_) => self.memory(),
        }
    }

    /// The type of the file, if it is a file in `/dev/shm` that is not an object.
    pub fn other_file(&self) -> Option<FileKind> {
        match &self.observed.object {
            Object::PosixMemory(memory) => {
                Some(memory.file_kind).filter(|&kind| kind != FileKind::Regular)
            }
            _ => None,
        }
    }

    /// The processes that use it now, see [`holders`].
    pub fn holders(&self) -> Vec<ProcessName> {
        holders(&self.observed)
    }
}

/// The living processes that have an object attached, mapped or open, wait on it, or are recorded in
/// it. Any of them may use it again.
pub fn holders(observed: &Observed) -> Vec<ProcessName> {
    let mut holders: Vec<ProcessName> = Vec::new();
    for user in observed.users().iter().filter(|user| lives(user)) {
        if holders.iter().all(|holder| holder.pid != user.pid) {
            holders.push(user.name());
        }
    }
    holders
}

/// Whether a process that uses an object lives, or may live.
pub(super) fn lives(user: &Use) -> bool {
    match user.state {
        State::Alive => true,
        State::Gone | State::Reused => false,
    }
}

pub(super) const MODE_HIDES: &str = "its mode hides the processes that the kernel recorded for it";

/// Why processes other than the known ones may use an object. `None` if the kernel's counts, or an
/// inspection of every process that has access, prove that there are none.
pub fn blind_spot(observed: &Observed) -> Option<String> {
    let Some(users) = &observed.users else {
        return Some("the processes could not be inspected".to_owned());
    };
    if users.has_strangers {
        return Some("not every process that uses it can be seen".to_owned());
    }
    let (unseen, what) = match &observed.object {
        // The kernel counts the processes that have it attached.
        Object::Segment(_) => return None,
        Object::Queue(_) if users.has_outsiders => {
            return Some("processes in other process namespaces may use it".to_owned());
        }
        Object::SemaphoreSet(_) => match observed.counted_unseen() {
            None => return Some(MODE_HIDES.to_owned()),
            Some(waiting) => (waiting, "waits on it"),
        },
        Object::Queue(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => (users.suspects, "may use it"),
    };
    match unseen {
        0 => None,
        1 => Some(format!("1 process that {what} could not be inspected")),
        number => {
            let what = what.replace("waits", "wait");
            Some(format!("{number} processes that {what} could not be inspected"))
        }
    }
}

/// An object that appeared while a command ran but is not provably the command's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The object.
    pub observed: Observed,
    /// Why it is not reported as a leak.
    pub why: String,
    /// Whether everything that bears on the answer could be seen.
    pub is_certain: bool,
}

/// What a command changed, as far as that can be proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What it left behind.
    pub leaks: Vec<Leak>,
    /// Other objects that appeared meanwhile.
    pub strangers: Vec<Stranger>,
    /// Objects that disappeared meanwhile, whichever process removed them.
    pub vanished: Vec<Object>,
}

impl Difference {
    /// Adds the findings of a later comparison that this one does not have yet.
    pub fn add_new(&mut self, later: Difference) {
        let leaks = self.leaks.iter().map(|leak| &leak.observed);
        let strangers = self.strangers.iter().map(|stranger| &stranger.observed);
        let seen: HashSet<Reference> =
            leaks.chain(strangers).map(|observed| observed.reference()).collect();
        let is_new = |observed: &Observed| !seen.contains(&observed.reference());
        self.leaks.extend(later.leaks.into_iter().filter(|leak| is_new(&leak.observed)));
        self.strangers.extend(later.strangers.into_iter().filter(|one| is_new(&one.observed)));
        self.vanished = later.vanished;
    }

    /// Drops the objects that exist on purpose. Returns the leaks among them.
    pub fn set_aside(&mut self, expected: &[Expected]) -> Vec<Leak> {
        let is_meant = |object: &Object| expected.iter().any(|one| one.is(object));
        self.strangers.retain(|stranger| !is_meant(&stranger.observed.object));
        self.leaks.extract_if(.., |leak| is_meant(&leak.observed.object)).collect()
    }
}
