//! All descendants of this process: those that live, and what is remembered of the dead.
//!
//! The kernel's own record ([`perf`](super::perf)) misses none, as long as there is room for it, and
//! nobody runs a program whose memory is closed to the user (set-user-ID, or not readable): such a
//! process goes unrecorded from then on. Where there is no record, or no more a whole one, a look at
//! the newest processes about twice a millisecond finds most.

pub mod child;
pub mod perf;
pub(in crate::kernel) mod pid_counter;

mod search;

use std::collections::{BTreeSet, HashMap};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::namespace::identity::Identity;
use super::process::{self, Kinship, Length};
use crate::ipc::Foreign;
use crate::ipc::attribution::descendants::{Descendant, Descendants};
use crate::ipc::attribution::pid_history::{PidHistory, SECOND};
use perf::{Event, Trace, What, now};
use pid_counter::Reader;
use search::Looks;

/// So many of the dead are remembered with their command lines.
const REMEMBERED: usize = 50_000;

/// So many bytes of whole command lines are kept; of those that come then, what a person is shown.
const ROOM: usize = 64 << 20;

/// The kernel tells of a new program before it has put down its command line: how long to wait for
/// that, and how often to look.
const SOON: Duration = Duration::from_micros(50);
const LOOKS: u32 = 40;

/// How often to make sure that those who are not recorded still live.
const SWEEP: Duration = Duration::from_millis(50);

/// How much later than its record a process may seem to have started, in nanoseconds.
const SLACK: u64 = 20_000_000;

/// The descendants of this process that it got since it began to look.
#[derive(Debug)]
pub struct Family {
    own: i32,
    trace: Option<Trace>,
    looks: Looks,
    /// Where others give and take process ids, too, and leave objects: how far that has got.
    reader: Option<Reader>,
    /// How much of each command line to keep, and how many bytes of them have been kept.
    length: Length,
    kept: usize,
    /// Those whose command line is not there yet, and how often somebody has looked.
    nameless: Vec<(i32, u32)>,
    /// Everybody, the latest with a number last.
    all: Vec<Descendant>,
    latest: HashMap<i32, usize>,
    /// The numbers of those who live, as far as is known.
    alive: BTreeSet<i32>,
    /// Until when they certainly did.
    certain: u64,
    swept: Instant,
    /// How many threads beside the first one a process has.
    threads: HashMap<i32, u32>,
    /// Whether it has, or may come to adopt, children that are not the command's: it had some
    /// before, or it adopts everybody's orphans.
    has_others: bool,
    /// An IPC namespace in which everybody is of the command.
    inside: Option<Identity>,
    /// Whether `/proc` tells of the same process ids.
    sees_proc: bool,
    /// When the machine started, in nanoseconds since the Epoch.
    boot: i64,
    /// Whether nobody can have been missed.
    is_complete: bool,
}

/// A process of the family that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub pid: i32,
    /// When it started, in ticks since the machine did, where `/proc` tells.
    pub started: Option<i64>,
}

impl Family {
    /// Begins to look. Processes made before are not counted. All those in the IPC namespace
    /// `inside` are of the command; without one, others leave objects in its namespace, too. `length`
    /// is how much to remember of each command line.
    pub fn watch(inside: Option<Identity>, length: Length) -> Family {
        let trace = Trace::open().ok();
        let own = std::process::id() as i32;
        let sees_proc = process::check_proc().is_ok();
        Family {
            own,
            is_complete: trace.is_some(),
            trace,
            looks: Looks::start(own),
            reader: (inside.is_none() && sees_proc).then(Reader::start),
            length,
            kept: 0,
            nameless: Vec::new(),
            all: Vec::new(),
            latest: HashMap::new(),
            alive: BTreeSet::new(),
            certain: now(),
            swept: Instant::now(),
            threads: HashMap::new(),
            has_others: own == 1 || child::has_children(),
            inside,
            sees_proc,
            boot: process::boot_moment(),
        }
    }

    /// Everybody that has been seen, after a last look.
    pub fn settle(&mut self) -> Descendants<'_> {
        self.update();
        while self.trace.as_ref().is_some_and(Trace::has_more) {
            self.update();
        }
        self.meet_living();
        self.sweep(now());
        const NOTHING: &PidHistory = &PidHistory::NONE;
        let pid_history = self.reader.as_mut().map_or(NOTHING, Reader::finish);
        Descendants { all: &self.all, is_complete: self.is_complete, pid_history }
    }

    /// What to wait for until the next [`Family::update`] is worth while.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.trace.iter().flat_map(Trace::descriptors)
    }

    /// How long to wait at most.
    pub fn patience(&self) -> Option<Duration> {
        if !self.nameless.is_empty() || self.trace.as_ref().is_some_and(Trace::has_more) {
            return Some(SOON);
        }
        let search = (!self.is_complete && self.sees_proc).then(|| self.looks.patience());
        search.or(self.reader.as_ref().map(|_| pid_counter::LOOK))
    }

    /// Learns what has happened since the last time.
    pub fn update(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.scope();
        }
        if let Some((events, end)) = self.trace.as_mut().map(Trace::take) {
            let is_whole = events.iter().all(|event| event.what != What::Lost);
            events.into_iter().for_each(|event| self.hear(event));
            if !is_whole {
                self.is_complete = false;
                self.sweep(end);
            }
            if self.is_complete {
                self.certain = end;
            }
        }
        if !self.is_complete && self.sees_proc {
            self.scope();
            if self.swept.elapsed() > SWEEP {
                self.sweep(now());
            }
        }
        let mut nameless = std::mem::take(&mut self.nameless);
        nameless.retain_mut(|(pid, looks)| {
            *looks += 1;
            !self.read_command(*pid) && *looks < LOOKS && self.is_alive(*pid)
        });
        self.nameless = nameless;
    }

    fn hear(&mut self, Event { time, pid, what }: Event) {
        match what {
            What::Forked(parent) => self.born(pid, parent, time),
            What::Executed(name) => self.executed(pid, name),
            What::Threaded => *self.threads.entry(pid).or_default() += 1,
            What::Exited => self.exited(pid, time),
            What::Lost => {}
        }
    }

    /// A thread ended, or is not recorded any more.
    fn exited(&mut self, pid: i32, time: u64) {
        if let Some(others @ 1..) = self.threads.get_mut(&pid) {
            *others -= 1;
        } else if self.runs_on(pid) {
            self.is_complete = false;
        } else {
            self.ended(pid, time);
        }
    }

    /// A child of this process, which runs this command: it is known before anybody looks.
    pub fn add_child(&mut self, pid: i32, command: Foreign) {
        self.update();
        if !self.latest.contains_key(&pid) {
            self.born(pid, self.own, now());
        }
        // It may have ended already.
        self.executed(pid, command);
    }

    /// A child has been reaped: its number may be given to others from now on.
    pub fn reaped(&mut self, pid: i32) {
        if self.is_alive(pid) {
            self.ended(pid, now());
        }
    }

    /// Whether a process that has just done something is one of them, or was.
    pub fn is_member(&self, pid: i32) -> bool {
        let mut ancestor = pid;
        while self.sees_proc && ancestor > 1 && !self.is_alive(ancestor) {
            match process::kinship(ancestor) {
                Some(process) if process.parent == self.own => return self.is_own(&process),
                Some(process) => ancestor = process.parent,
                None => return false,
            }
        }
        self.is_alive(ancestor)
    }

    /// What is known of the last process with this number.
    pub fn find(&self, pid: i32) -> Option<&Descendant> {
        self.latest.get(&pid).map(|&place| &self.all[place])
    }

    /// Whether none of the command is left, as far as is known.
    pub fn is_extinct(&self) -> bool {
        match child::has_children() {
            false => true,
            true if !self.has_others => false,
            true if self.is_complete => self.alive.is_empty(),
            true => self.living().is_empty(),
        }
    }

    /// Those who live, the oldest first.
    pub fn living(&self) -> Vec<Member> {
        if !self.sees_proc {
            return self.alive.iter().map(|&pid| Member { pid, started: None }).collect();
        }
        // Either may have gaps: a record may be lost, and a process whose parent ends while /proc is
        // being read may be missed there.
        let mut living = self.descendants();
        living.extend(self.alive.iter().filter_map(|&pid| self.check(pid)));
        living.retain(|process| !process.has_ended);
        living.sort_by_key(|process| (process.started, process.pid));
        living.dedup_by_key(|process| process.pid);
        let member = |one: Kinship| Member { pid: one.pid, started: Some(one.started) };
        living.into_iter().map(member).collect()
    }

    fn is_alive(&self, pid: i32) -> bool {
        self.alive.contains(&pid)
    }

    /// Whether a child of this process is of the command.
    fn is_own(&self, child: &Kinship) -> bool {
        !self.has_others
            || self.is_alive(child.pid)
            || self
                .inside
                .is_some_and(|inside| Identity::of(child.pid).is_ok_and(|of| of == inside))
    }

    /// Whether somebody goes on after the end of their record.
    fn runs_on(&self, pid: i32) -> bool {
        self.sees_proc && self.check(pid).is_some_and(|process| !process.is_ending)
    }

    /// Who lives, or has not been noticed to have ended, if it is still the same.
    fn check(&self, pid: i32) -> Option<Kinship> {
        let observed = self.find(pid).filter(|_| self.is_alive(pid))?;
        // Whoever got the number later started later. So it seems of everybody where the clock was
        // set back since; but who descends from this process is of the command.
        let is_same = |process: &Kinship| {
            self.started(process) <= observed.from + SLACK
                || (!self.has_others && self.descends(process))
        };
        process::kinship(pid).filter(is_same)
    }

    /// Whether a process that lives descends from this one.
    fn descends(&self, process: &Kinship) -> bool {
        let mut parent = Some(process.parent);
        while let Some(ancestor @ 2..) = parent.filter(|&pid| pid != self.own) {
            parent = process::kinship(ancestor).map(|process| process.parent);
        }
        parent == Some(self.own)
    }

    /// When a process started, rounded down to a tick, in nanoseconds since the Epoch.
    fn started(&self, process: &Kinship) -> u64 {
        let ticks = process::ticks_per_second().unwrap_or(100);
        (self.boot + process.started.saturating_mul(SECOND as i64 / ticks)) as u64
    }

    /// Makes sure of everybody, at this moment.
    fn sweep(&mut self, moment: u64) {
        let is_gone = |pid: &i32| match self.sees_proc {
            true => self.check(*pid).is_none_or(|process| process.has_ended),
            // Where the record has gaps, nobody knows.
            false => !self.is_complete,
        };
        let gone: Vec<_> = self.alive.iter().copied().filter(is_gone).collect();
        gone.into_iter().for_each(|pid| self.ended(pid, self.certain));
        (self.certain, self.swept) = (moment, Instant::now());
    }

    fn born(&mut self, pid: i32, parent: i32, time: u64) {
        if self.is_alive(pid) {
            match self.find(pid) {
                // It was found before it was heard of.
                Some(observed) if observed.from.abs_diff(time) < SECOND && !self.is_complete => {
                    return;
                }
                // It ended unheard.
                _ => self.ended(pid, self.certain),
            }
        }
        // Until it runs another program it is a copy of its parent.
        let command = self.find(parent).and_then(|parent| parent.command.clone());
        self.latest.insert(pid, self.all.len());
        self.alive.insert(pid);
        self.all.push(Descendant { pid, command, from: time, until: None });
        if let Some(old) = self.all.len().checked_sub(REMEMBERED) {
            let old = &mut self.all[old];
            old.command = old.command.take().filter(|_| old.until.is_none());
        }
    }

    /// A process runs another program, of this name or with this command line.
    fn executed(&mut self, pid: i32, name: Foreign) {
        if !self.read_command(pid) {
            self.set_command(pid, name);
            self.nameless.push((pid, 0));
        }
    }

    /// Whether the command line of a process could be read.
    fn read_command(&mut self, pid: i32) -> bool {
        // A build may run thousands of programs with long command lines.
        let length = if self.kept < ROOM { self.length } else { Length::Shown };
        let command = if self.sees_proc { process::command(pid, length) } else { None };
        command.map(|command| self.set_command(pid, command)).is_some()
    }

    fn set_command(&mut self, pid: i32, command: Foreign) {
        if let Some(&place) = self.latest.get(&pid)
            && self.all[place].command.as_deref() != Some(&command)
        {
            self.kept += command.size();
            self.all[place].command = Some(Rc::new(command));
        }
    }

    /// It had ended at this time, if it is not known to have ended earlier.
    fn ended(&mut self, pid: i32, time: u64) {
        self.threads.remove(&pid);
        self.alive.remove(&pid);
        if let Some(&place) = self.latest.get(&pid) {
            let one = &mut self.all[place];
            let until = one.until.map_or(time, |until| until.min(time));
            one.until = Some(until.max(one.from));
        }
    }
}
