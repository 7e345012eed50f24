//! What a command left behind, told from what others did meanwhile.

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
    /// Who made it, or else used it last, as far as the kernel tells.
    pub by: Option<ProcessName>,
    /// What has become of it.
    pub outcome: Outcome,
    /// Why it was left, in words, unless its holders are the reason.
    pub why: Option<String>,
}

/// What has become of an object that a command left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub enum Outcome {
    /// It is gone.
    #[serde(rename = "removed")]
    Removed,
    /// The segment goes when the last process detaches it.
    #[serde(rename = "marked")]
    Marked,
    /// It is still there.
    #[default]
    #[serde(rename = "left")]
    Left,
    /// It went with the namespace of the command.
    #[serde(rename = "gone with the namespace")]
    GoneWithNamespace,
}

impl Leak {
    /// The memory that it takes, in bytes: pages of a segment, payload of a queue.
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

    /// What it is, if it is a file of `/dev/shm` that is no object.
    pub fn other_file(&self) -> Option<FileKind> {
        match &self.observed.object {
            Object::PosixMemory(memory) => {
                Some(memory.file_kind).filter(|&kind| kind != FileKind::Regular)
            }
            _ => None,
        }
    }

    /// The processes that hold it, as [`holders`] has them.
    pub fn holders(&self) -> Vec<ProcessName> {
        holders(&self.observed)
    }
}

/// The living processes that have an object attached, mapped or open, wait on it, or are recorded in
/// it: each may use it again.
pub fn holders(observed: &Observed) -> Vec<ProcessName> {
    let mut holders: Vec<ProcessName> = Vec::new();
    for user in observed.users().iter().filter(|user| lives(user)) {
        if holders.iter().all(|holder| holder.pid != user.pid) {
            holders.push(user.name());
        }
    }
    holders
}

/// Whether a user of an object lives, as far as anybody can tell.
pub(super) fn lives(user: &Use) -> bool {
    match user.state {
        State::Alive => true,
        State::Gone | State::Reused => false,
    }
}

pub(super) const MODE_HIDES: &str = "its mode hides the processes that the kernel recorded for it";

/// Why somebody may use an object who is not among its known users, in words; nothing where the
/// kernel's counts, or a look at every process that may use it, prove that there is nobody.
pub fn blind_spot(observed: &Observed) -> Option<String> {
    let Some(users) = &observed.users else {
        return Some("the processes could not be inspected".to_owned());
    };
    if users.has_strangers {
        return Some("not every process that uses it can be seen".to_owned());
    }
    let (unseen, what) = match &observed.object {
        // The kernel counts who has it attached.
        Object::Segment(_) => return None,
        Object::Queue(_) if users.has_outsiders => {
            return Some("processes of other process namespaces may use it".to_owned());
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

/// An object that appeared while a command ran, and cannot be proved to be the command's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The object.
    pub observed: Observed,
    /// Why it is not called a leak, in words.
    pub why: String,
    /// Whether all was seen that bears on the answer.
    pub is_certain: bool,
}

/// What a command has done, as far as it can be proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What it left behind.
    pub leaks: Vec<Leak>,
    /// What appeared meanwhile.
    pub strangers: Vec<Stranger>,
    /// What was there before and is gone, by whomever.
    pub vanished: Vec<Object>,
}

impl Difference {
    /// Adds what a later comparison has found that this one has not.
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

    /// Takes out what was made on purpose. Returns what would be leaks.
    pub fn set_aside(&mut self, expected: &[Expected]) -> Vec<Leak> {
        let is_meant = |object: &Object| expected.iter().any(|one| one.is(object));
        self.strangers.retain(|stranger| !is_meant(&stranger.observed.object));
        self.leaks.extract_if(.., |leak| is_meant(&leak.observed.object)).collect()
    }
}
