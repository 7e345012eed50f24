//! Follows the descendants of this process from creation to end.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::child;
use super::perf::{Event, Trace, What, now};
use super::pid_counter::{self, Reader};
use super::register::Register;
use super::search::Search;
use crate::ipc::Foreign;
use crate::ipc::attribution::descendants::{Descendant, Descendants};
use crate::ipc::attribution::pid_history::{PidHistory, SECOND};
use crate::kernel::namespace::identity::Identity;
use crate::kernel::process::{self, Kinship, Length, ProcessIdentity};

/// The kernel records a new program before its command line is readable: how long to wait before each
/// attempt to read it, and how many attempts to make.
const SOON: Duration = Duration::from_micros(50);
const LOOKS: u32 = 40;

/// How often to check that unrecorded processes still live.
const SWEEP: Duration = Duration::from_millis(50);

/// How much later than its record a process may seem to have started, in nanoseconds.
const SLACK: u64 = 20_000_000;

/// The descendants that this process has had since the watch began.
#[derive(Debug)]
pub struct Family {
    own: i32,
    trace: Option<Trace>,
    search: Search,
    /// Reads the pid counter, if other processes create objects in the same namespace.
    reader: Option<Reader>,
    register: Register,
    /// Processes whose command line was not readable yet, and how often it was tried.
    nameless: Vec<(i32, u32)>,
    /// The time up to which the living ones certainly lived, in nanoseconds since the Epoch.
    certain: u64,
    swept: Instant,
    /// How many threads a process has besides the first one.
    threads: HashMap<i32, u32>,
    /// Whether this process has children that are not the command's, or may adopt some: it had children
    /// before, or is process 1 and adopts all orphans.
    has_others: bool,
    /// An IPC namespace whose processes all belong to the command.
    inside: Option<Identity>,
    /// Whether `/proc` shows the pids of this process's own namespace.
    sees_proc: bool,
    /// When the machine booted, in nanoseconds since the Epoch.
    boot: i64,
    /// Whether no descendant can have been missed.
    is_complete: bool,
}

impl Family {
    /// Starts to watch; earlier processes do not count. If `inside` is given, all processes in that IPC
    /// namespace belong to the command. Otherwise other processes create objects in its namespace, too.
    /// `length` is how much of each command line to keep.
    pub fn watch(inside: Option<Identity>, length: Length) -> Family {
        let trace = Trace::open().ok();
        let own = std::process::id() as i32;
        let sees_proc = process::check_proc().is_ok();
        Family {
            own,
            is_complete: trace.is_some(),
            trace,
            search: Search::start(own),
            reader: (inside.is_none() && sees_proc).then(Reader::start),
            register: Register::new(length),
            nameless: Vec::new(),
            certain: now(),
            swept: Instant::now(),
            threads: HashMap::new(),
            has_others: own == 1 || child::has_children(),
            inside,
            sees_proc,
            boot: process::boot_moment(),
        }
    }

    /// All descendants so far, after a final check.
    pub fn settle(&mut self) -> Descendants<'_> {
        self.update();
        while self.trace.as_ref().is_some_and(Trace::has_more) {
            self.update();
        }
        self.meet_living();
        self.sweep(now());
        const NOTHING: &PidHistory = &PidHistory::NONE;
        let pid_history = self.reader.as_mut().map_or(NOTHING, Reader::finish);
        Descendants { all: self.register.all(), is_complete: self.is_complete, pid_history }
    }

    /// The descriptors to wait on until the next [`Family::update`].
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.trace.iter().flat_map(Trace::descriptors)
    }

    /// The maximum time to wait until the next [`Family::update`].
    pub fn patience(&self) -> Option<Duration> {
        if !self.nameless.is_empty() || self.trace.as_ref().is_some_and(Trace::has_more) {
            return Some(SOON);
        }
        let search = (!self.is_complete && self.sees_proc).then(|| self.search.patience());
        search.or(self.reader.as_ref().map(|_| pid_counter::LOOK))
    }

    /// Processes everything that happened since the last call.
    pub fn update(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.look();
        }
        if let Some((events, end)) = self.trace.as_mut().map(Trace::take) {
            let is_whole = events.iter().all(|event| event.what != What::Lost);
            events.into_iter().for_each(|event| self.handle(event));
            if !is_whole {
                self.is_complete = false;
                self.sweep(end);
            }
            if self.is_complete {
                self.certain = end;
            }
        }
        if !self.is_complete && self.sees_proc {
            self.search_new();
            if self.swept.elapsed() > SWEEP {
                self.sweep(now());
            }
        }
        let mut nameless = std::mem::take(&mut self.nameless);
        nameless.retain_mut(|(pid, looks)| {
            *looks += 1;
            !self.read_command(*pid) && *looks < LOOKS && self.register.is_alive(*pid)
        });
        self.nameless = nameless;
    }

    fn handle(&mut self, Event { time, pid, what }: Event) {
        match what {
            What::Forked(parent) => self.born(pid, parent, time),
            What::Executed(name) => self.executed(pid, name),
            What::Threaded => *self.threads.entry(pid).or_default() += 1,
            What::Exited => self.exited(pid, time),
            What::Lost => {}
        }
    }

    /// A thread ended, or is no longer recorded.
    fn exited(&mut self, pid: i32, time: u64) {
        if let Some(others @ 1..) = self.threads.get_mut(&pid) {
            *others -= 1;
        } else if self.runs_on(pid) {
            self.is_complete = false;
        } else {
            self.ended(pid, time);
        }
    }

    /// Adds a child of this process that runs this command, before a search can find it.
    pub fn add_child(&mut self, pid: i32, command: Foreign) {
        self.update();
        if self.find(pid).is_none() {
            self.born(pid, self.own, now());
        }
        // It may have ended already.
        self.executed(pid, command);
    }

    /// A child was reaped: its pid may be reused from now on.
    pub fn reaped(&mut self, pid: i32) {
        if self.register.is_alive(pid) {
            self.ended(pid, now());
        }
    }

    /// Whether a process that did something just now is or was a descendant.
    pub fn is_member(&self, pid: i32) -> bool {
        let mut ancestor = pid;
        while self.sees_proc && ancestor > 1 && !self.register.is_alive(ancestor) {
            match process::kinship(ancestor) {
                Some(process) if process.parent == self.own => return self.is_own(&process),
                Some(process) => ancestor = process.parent,
                None => return false,
            }
        }
        self.register.is_alive(ancestor)
    }

    /// The last descendant with this pid.
    pub fn find(&self, pid: i32) -> Option<&Descendant> {
        self.register.find(pid)
    }

    /// Whether no process of the command is left, as far as is known.
    pub fn is_extinct(&self) -> bool {
        match child::has_children() {
            false => true,
            true if !self.has_others => false,
            true if self.is_complete => self.register.alive().is_empty(),
            true => self.living().is_empty(),
        }
    }

    /// The living descendants, oldest first.
    pub fn living(&self) -> Vec<ProcessIdentity> {
        if !self.sees_proc {
            return self
                .register
                .alive()
                .iter()
                .map(|&pid| ProcessIdentity { pid, started: None })
                .collect();
        }
        // Both sources may have gaps: a record may be lost, and a read of /proc may miss a process
        // whose parent ends at that moment.
        let mut living = self.descendants();
        living.extend(self.register.alive().iter().filter_map(|&pid| self.check(pid)));
        living.retain(|process| !process.has_ended);
        living.sort_by_key(|process| (process.started, process.pid));
        living.dedup_by_key(|process| process.pid);
        let identity = |one: Kinship| ProcessIdentity { pid: one.pid, started: Some(one.started) };
        living.into_iter().map(identity).collect()
    }

    /// Searches the processes that were created since the last search.
    fn search_new(&mut self) {
        let Some(new) = self.search.look() else { return };
        if new.are_too_many {
            self.meet_living();
        }
        for pid in new.ids {
            match process::kinship(pid) {
                Some(process) if process.parent == self.own && self.is_own(&process) => {
                    self.meet(process);
                }
                Some(process) if self.check(process.parent).is_some() => self.meet(process),
                Some(_) => {}
                None if pid > new.before => self.search.look_again_at(pid),
                None => {}
            }
        }
        for pid in self.search.young() {
            self.read_command(pid);
        }
    }

    /// Finds every living descendant, including ones that the kernel does not record.
    pub fn meet_living(&mut self) {
        if !self.is_complete && self.sees_proc {
            self.descendants().into_iter().for_each(|process| self.meet(process));
        }
    }

    /// All living descendants of the command in `/proc`.
    fn descendants(&self) -> Vec<Kinship> {
        let mut children: HashMap<i32, Vec<Kinship>> = HashMap::new();
        for process in process::kin() {
            children.entry(process.parent).or_default().push(process);
        }
        let mut found = Vec::new();
        let mut parents = vec![self.own];
        while let Some(parent) = parents.pop() {
            let mut some = children.remove(&parent).unwrap_or_default();
            some.retain(|child| parent != self.own || self.is_own(child));
            parents.extend(some.iter().map(|child| child.pid));
            found.append(&mut some);
        }
        found
    }

    /// Adds a process if it is new.
    fn meet(&mut self, process: Kinship) {
        let started = self.started(&process);
        let is_observed = |observed: &Descendant| started <= observed.from.saturating_add(SLACK);
        if self.find(process.pid).is_some_and(is_observed) {
            return;
        }
        // Rounded up: another process may have had the pid before.
        self.born(process.pid, process.parent, started.saturating_add(SLACK / 2).min(now()));
        self.read_command(process.pid);
        self.search.has_found(process.pid);
    }

    /// Whether a child of this process belongs to the command.
    fn is_own(&self, child: &Kinship) -> bool {
        !self.has_others
            || self.register.is_alive(child.pid)
            || self
                .inside
                .is_some_and(|inside| Identity::of(child.pid).is_ok_and(|of| of == inside))
    }

    /// Whether a process continues after the end of its record.
    fn runs_on(&self, pid: i32) -> bool {
        self.sees_proc && self.check(pid).is_some_and(|process| !process.is_ending)
    }

    /// A process that lives or was not seen to end, if it is still the same one.
    fn check(&self, pid: i32) -> Option<Kinship> {
        let observed = self.find(pid).filter(|_| self.register.is_alive(pid))?;
        // A later process with the same pid started later. If the clock was set back since, all
        // processes seem to have; but a descendant of this process is the command's in any case.
        let is_same = |process: &Kinship| {
            self.started(process) <= observed.from.saturating_add(SLACK)
                || (!self.has_others && self.descends(process))
        };
        process::kinship(pid).filter(is_same)
    }

    /// Whether a living process descends from this one.
    fn descends(&self, process: &Kinship) -> bool {
        let mut parent = Some(process.parent);
        while let Some(ancestor @ 2..) = parent.filter(|&pid| pid != self.own) {
            parent = process::kinship(ancestor).map(|process| process.parent);
        }
        parent == Some(self.own)
    }

    /// When a process started, in nanoseconds since the Epoch, rounded down to a tick.
    fn started(&self, process: &Kinship) -> u64 {
        let ticks = process::ticks_per_second().unwrap_or(100);
        self.boot.saturating_add(process.started.saturating_mul(SECOND as i64 / ticks)) as u64
    }

    /// Checks which descendants are alive at this moment.
    fn sweep(&mut self, moment: u64) {
        let is_gone = |pid: &i32| match self.sees_proc {
            true => self.check(*pid).is_none_or(|process| process.has_ended),
            // If the record has gaps, that is unknown.
            false => !self.is_complete,
        };
        let gone: Vec<_> = self.register.alive().iter().copied().filter(is_gone).collect();
        gone.into_iter().for_each(|pid| self.ended(pid, self.certain));
        (self.certain, self.swept) = (moment, Instant::now());
    }

    fn born(&mut self, pid: i32, parent: i32, time: u64) {
        if self.register.is_alive(pid) {
            match self.find(pid) {
                // The search found it before its record arrived.
                Some(observed) if observed.from.abs_diff(time) < SECOND && !self.is_complete => {
                    return;
                }
                // Its end was not recorded.
                _ => self.ended(pid, self.certain),
            }
        }
        self.register.add(pid, parent, time);
    }

    /// A process runs another program, with this name or command line.
    fn executed(&mut self, pid: i32, name: Foreign) {
        if !self.read_command(pid) {
            self.register.set_command(pid, name);
            self.nameless.push((pid, 0));
        }
    }

    /// Reads the command line of a process; returns whether that succeeded.
    fn read_command(&mut self, pid: i32) -> bool {
        self.sees_proc && self.register.read_command(pid)
    }

    fn ended(&mut self, pid: i32, time: u64) {
        self.threads.remove(&pid);
        self.register.end(pid, time);
    }
}
