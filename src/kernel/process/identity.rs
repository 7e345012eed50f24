//! The identity of a process (its pid and start), its parent, user and command.

use std::fs;

use super::clock::nanoseconds;
use super::command::{Length, command};
use super::family;
use super::pids::all;
use super::stat::{PF_EXITING, Stat, since_boot};
use super::status::uids;
use crate::ipc::process::role::Living;
use crate::ipc::{Foreign, ProcessName};

/// What distinguishes a process from others that have its pid at other times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Its id.
    pub pid: i32,
    /// When it started, in ticks since boot, if `/proc` shows it.
    pub started: Option<i64>,
}

impl ProcessIdentity {
    /// Whether the process that has this pid now is this one; false if it ended. If its start is
    /// unknown, any process with its pid counts.
    pub(in crate::kernel) fn is_current(self) -> bool {
        self.started.is_none_or(|started| {
            kinship(self.pid).is_some_and(|process| process.started == started)
        })
    }
}

/// A living process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its effective user id.
    pub uid: u32,
    /// Its command line, words separated by blanks; `[name]` for a kernel thread.
    pub command: Foreign,
    /// What distinguishes it from others that have its pid at other times.
    pub living: Living,
}

impl Process {
    /// The process with this pid, if it exists and may be inspected. A zombie has ended, although its
    /// parent has not reaped it, unless it is the first thread of a process with other living threads.
    pub fn find(pid: i32, length: Length) -> Option<Process> {
        let stat = Stat::read(pid)?;
        if stat.has_ended() {
            return None;
        }
        let uids = uids(pid)?;
        let started = since_boot(stat.started()?)?;
        let family_since_boot = family::family_since_boot(&stat)?;
        let first_seen = nanoseconds(&fs::metadata(format!("/proc/{pid}")).ok()?);
        let living = Living { since_boot: started, family_since_boot, first_seen, uids };
        let command = command(pid, length).unwrap_or_else(|| stat.bracketed_name());
        Some(Process { pid, uid: uids[1], command, living })
    }

    /// The name of a process in messages and reports; its command line is cut to the length that people
    /// see.
    pub fn name(pid: i32) -> ProcessName {
        let command = Process::find(pid, Length::Shown).map(|process| process.command);
        ProcessName { pid, command }
    }
}

/// A process with its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinship {
    /// Its id.
    pub pid: i32,
    /// The process that created it, or has adopted it since.
    pub parent: i32,
    /// When it started, in ticks since boot; together with the pid this is unique.
    pub started: i64,
    /// Whether it has ended but is not reaped yet.
    pub has_ended: bool,
    /// Whether its first thread has ended or is about to.
    pub is_ending: bool,
}

/// A process with its parent; `None` if it does not exist.
pub fn kinship(pid: i32) -> Option<Kinship> {
    let stat = Stat::read(pid)?;
    let parent = stat.field(4)?.parse().ok()?;
    let is_ending = stat.flags()? & PF_EXITING != 0;
    let (started, has_ended) = (stat.started()?, stat.has_ended());
    Some(Kinship { pid, parent, started, has_ended, is_ending })
}

/// All processes with their parents. Processes that end meanwhile are left out.
pub fn kin() -> Vec<Kinship> {
    all().filter_map(kinship).collect()
}
