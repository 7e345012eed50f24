//! The other processes that ran beside a command, and what they may have created.

use std::collections::BTreeSet;

use crate::ipc::{Observed, ProcessName};

/// A living process outside the command that ran while the command ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its pid and command line.
    pub name: ProcessName,
    /// The users as whom it may have run meanwhile; `None` if that is not known.
    pub uids: Option<BTreeSet<u32>>,
}

/// All other processes that ran beside a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The ones that are visible.
    pub awake: Vec<Neighbour>,
    /// Why there may be more.
    pub unseen: Option<String>,
}

impl Neighbours {
    /// The process that may have created a queue or a set, or may know its id from the creator: one
    /// that ran as its owner or creator.
    pub(super) fn possible_maker(&self, observed: &Observed) -> Option<&Neighbour> {
        let owners = [observed.permissions().uid, observed.permissions().cuid];
        let is_of = |uids: &BTreeSet<u32>| owners.iter().any(|owner| uids.contains(owner));
        self.awake.iter().find(|one| one.uids.as_ref().is_none_or(is_of))
    }
}
