//! The processes beside a command, and what they may have made while it ran.

use std::collections::BTreeSet;

use crate::ipc::{Observed, ProcessName};

/// A living process outside the command that did something while the command ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Which.
    pub name: ProcessName,
    /// The users as whom it can have run meanwhile; nothing where that cannot be known.
    pub uids: Option<BTreeSet<u32>>,
}

/// All of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// Those that can be seen.
    pub awake: Vec<Neighbour>,
    /// Why there may be others, in words.
    pub unseen: Option<String>,
}

impl Neighbours {
    /// The one that may have made a queue or a set, or have been told of it by who did: a process of
    /// its owner or its creator.
    pub(super) fn possible_maker(&self, observed: &Observed) -> Option<&Neighbour> {
        let owners = [observed.permissions().uid, observed.permissions().cuid];
        let is_of = |uids: &BTreeSet<u32>| owners.iter().any(|owner| uids.contains(owner));
        self.awake.iter().find(|one| one.uids.as_ref().is_none_or(is_of))
    }
}
