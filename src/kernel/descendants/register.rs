//! The list of all descendants, with their command lines.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::ipc::Foreign;
use crate::ipc::attribution::descendants::Descendant;
use crate::kernel::process::{self, Length};

/// How many dead processes to keep with their command lines.
const REMEMBERED: usize = 50_000;

/// How many bytes of full command lines to keep. Later ones are cut to the length that people see.
const ROOM: usize = 64 << 20;

/// The descendants of a process, dead and alive.
#[derive(Debug)]
pub(super) struct Register {
    /// How much of each command line to keep, and how many bytes were kept so far.
    length: Length,
    kept: usize,
    /// All of them. Among those with the same pid, the latest comes last.
    all: Vec<Descendant>,
    /// The position of the latest one with a pid in that list.
    latest: HashMap<i32, usize>,
    /// The pids of the living ones, as far as is known.
    alive: BTreeSet<i32>,
}

impl Register {
    /// An empty list that keeps this much of each command line.
    pub(super) fn new(length: Length) -> Register {
        let (all, latest, alive) = Default::default();
        Register { length, kept: 0, all, latest, alive }
    }

    /// All descendants in the order in which they were added.
    pub(super) fn all(&self) -> &[Descendant] {
        &self.all
    }

    /// The last one with this pid.
    pub(super) fn find(&self, pid: i32) -> Option<&Descendant> {
        self.latest.get(&pid).map(|&place| &self.all[place])
    }

    /// The pids of the living ones, as far as is known, in ascending order.
    pub(super) fn alive(&self) -> &BTreeSet<i32> {
        &self.alive
    }

    /// Whether the last one with this pid lives, as far as is known.
    pub(super) fn is_alive(&self, pid: i32) -> bool {
        self.alive.contains(&pid)
    }

    /// Adds a new process. It has its parent's command line until it runs another program.
    pub(super) fn add(&mut self, pid: i32, parent: i32, time: u64) {
        let command = self.find(parent).and_then(|parent| parent.command.clone());
        self.latest.insert(pid, self.all.len());
        self.alive.insert(pid);
        self.all.push(Descendant { pid, command, from: time, until: None });
        if let Some(old) = self.all.len().checked_sub(REMEMBERED) {
            let old = &mut self.all[old];
            old.command = old.command.take().filter(|_| old.until.is_none());
        }
    }

    /// Records that a process has ended by this time, unless an earlier end is known.
    pub(super) fn end(&mut self, pid: i32, time: u64) {
        self.alive.remove(&pid);
        if let Some(&place) = self.latest.get(&pid) {
            let one = &mut self.all[place];
            let until = one.until.map_or(time, |until| until.min(time));
            one.until = Some(until.max(one.from));
        }
    }

    /// Reads the command line of a process; returns whether that succeeded.
    pub(super) fn read_command(&mut self, pid: i32) -> bool {
        // A build may run thousands of programs with long command lines.
        let length = if self.kept < ROOM { self.length } else { Length::Shown };
        let command = process::command(pid, length);
        command.map(|command| self.set_command(pid, command)).is_some()
    }

    /// Sets the command line of a process, or the name of its program.
    pub(super) fn set_command(&mut self, pid: i32, command: Foreign) {
        if let Some(&place) = self.latest.get(&pid)
            && self.all[place].command.as_deref() != Some(&command)
        {
            self.kept += command.size();
            self.all[place].command = Some(Rc::new(command));
        }
    }
}
