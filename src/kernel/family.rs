//! All descendants of this process: those that live, and what is remembered of the dead.
//!
//! The kernel's own record ([`perf`](super::perf)) misses none. Where that is not allowed, a look
//! at the newest processes about twice a millisecond finds most.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::namespace;
use super::perf::{Trace, What};
use super::process::{self, Kinship};
use crate::ipc::Time;
use crate::ipc::leak::Descendant;

/// So many of the dead are remembered with their command lines.
const REMEMBERED: usize = 50_000;

/// How often to look where the kernel keeps no record, and how often when nothing happens.
const LOOK: [Duration; 2] = [Duration::from_micros(500), Duration::from_millis(4)];

/// The kernel tells of a new program before it has put down its command line: how long to wait for
/// that, and how often to look.
const SOON: Duration = Duration::from_micros(50);
const LOOKS: u32 = 40;

/// Processes younger than this may yet run another program.
const YOUNG: Duration = Duration::from_millis(100);

/// The descendants of this process that it got since it began to look.
#[derive(Debug)]
pub struct Family {
    own: i32,
    trace: Option<Trace>,
    looks: Looks,
    /// Those whose command line is not there yet, and how often somebody has looked.
    nameless: Vec<(i32, u32)>,
    /// Everybody, the latest with a number last.
    all: Vec<Descendant>,
    latest: HashMap<i32, usize>,
    /// How many threads beside the first one a process has.
    threads: HashMap<i32, u32>,
    /// What is no descendant of the command: the children that this process had before.
    others: HashSet<(i32, i64)>,
    /// An IPC namespace in which nobody is of the command.
    outside: Option<u64>,
    /// Whether `/proc` tells of the same process ids.
    sees_proc: bool,
    /// Whether nobody can have been missed.
    is_complete: bool,
}

/// The state of the search for new processes.
#[derive(Debug)]
struct Looks {
    /// `/proc/loadavg`: kept open, for it is read again and again.
    loads: Option<File>,
    /// The last process id that the kernel had given when somebody looked.
    newest: i32,
    /// Given, but not there yet: a process in the making.
    missing: Vec<i32>,
    /// Who was found just now, and when.
    young: Vec<(i32, Instant)>,
    /// When anybody was found.
    found: Instant,
}

impl Family {
    /// Begins to look. Processes made before are not counted, nor are those in the IPC namespace
    /// `outside`, which orphans of others may be, whom this process has to adopt as well.
    pub fn watch(outside: Option<u64>) -> Family {
        let trace = Trace::open().ok();
        let own = std::process::id() as i32;
        let sees_proc = process::is_own_proc();
        let loads = File::open("/proc/loadavg").ok();
        let looks = Looks {
            newest: loads.as_ref().and_then(newest).unwrap_or(own),
            loads,
            missing: Vec::new(),
            young: Vec::new(),
            found: Instant::now(),
        };
        let mut family = Family {
            own,
            is_complete: trace.is_some(),
            trace,
            looks,
            nameless: Vec::new(),
            all: Vec::new(),
            latest: HashMap::new(),
            threads: HashMap::new(),
            others: HashSet::new(),
            outside: None,
            sees_proc,
        };
        if super::child::has_children() {
            family.others =
                family.living().into_iter().map(|process| (process.pid, process.started)).collect();
        }
        family.outside = outside;
        family
    }

    /// Everybody that has been seen.
    pub fn all(&self) -> &[Descendant] {
        &self.all
    }

    /// Whether nobody can have been missed.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// What to wait for until the next [`Family::update`] is worth while.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.trace.iter().flat_map(Trace::descriptors)
    }

    /// How long to wait at most.
    pub fn patience(&self) -> Option<Duration> {
        if !self.nameless.is_empty() {
            return Some(SOON);
        }
        let is_quiet = self.looks.found.elapsed() > Duration::from_secs(1);
        (self.trace.is_none() && self.sees_proc).then_some(LOOK[usize::from(is_quiet)])
    }

    /// Learns what has happened since the last time.
    pub fn update(&mut self) {
        match self.trace.as_mut().map(Trace::take) {
            Some(events) => events.into_iter().for_each(|event| {
                let time = Time((event.time / 1_000_000_000) as i64);
                match event.what {
                    What::Forked(parent) => self.born(event.pid, parent, time),
                    What::Executed(name) => self.executed(event.pid, name),
                    What::Threaded => *self.threads.entry(event.pid).or_default() += 1,
                    What::Exited => match self.threads.get_mut(&event.pid) {
                        Some(others @ 1..) => *others -= 1,
                        _ => self.ended(event.pid, time),
                    },
                    What::Lost => self.is_complete = false,
                }
            }),
            None if self.sees_proc => self.look(),
            None => {}
        }
        let mut nameless = std::mem::take(&mut self.nameless);
        nameless.retain_mut(|(pid, looks)| {
            *looks += 1;
            !self.read_command(*pid) && *looks < LOOKS && self.is_alive(*pid)
        });
        self.nameless = nameless;
    }

    /// A child of this process, which runs this command: it is known before anybody looks.
    pub fn add_child(&mut self, pid: i32, command: String) {
        self.update();
        if !self.latest.contains_key(&pid) {
            self.born(pid, self.own, now());
        }
        // It may have ended already.
        self.executed(pid, command);
    }

    /// A child has been reaped: its number may be given to others from now on.
    pub fn reaped(&mut self, pid: i32) {
        if self.trace.is_none() {
            self.ended(pid, now());
        }
    }

    /// Whether this process may have children that are not the command's.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty() || self.own == 1
    }

    /// Whether a process that has just done something is one of them, or was.
    pub fn is_member(&self, pid: i32) -> bool {
        let mut ancestor = pid;
        while self.sees_proc && ancestor > 1 {
            match process::kinship(ancestor) {
                Some(process) if self.others.contains(&(process.pid, process.started)) => break,
                Some(process) if process.parent == self.own => return true,
                Some(process) => ancestor = process.parent,
                None => break,
            }
        }
        self.is_alive(pid)
    }

    /// What is known of the last process with this number.
    pub fn find(&self, pid: i32) -> Option<&Descendant> {
        self.latest.get(&pid).map(|&place| &self.all[place])
    }

    /// The descendants that live, the oldest first; nobody where `/proc` is that of others.
    pub fn living(&self) -> Vec<Kinship> {
        if !self.sees_proc {
            return Vec::new();
        }
        let mut children: HashMap<i32, Vec<Kinship>> = HashMap::new();
        for process in process::kin() {
            children.entry(process.parent).or_default().push(process);
        }
        let mut living = Vec::new();
        let mut parents = vec![self.own];
        while let Some(parent) = parents.pop() {
            for child in children.remove(&parent).into_iter().flatten() {
                if self.others.contains(&(child.pid, child.started)) {
                    continue;
                }
                parents.push(child.pid);
                let is_outside =
                    || self.outside.is_some_and(|it| namespace::of(child.pid) == Some(it));
                if !child.has_ended && !is_outside() {
                    living.push(child);
                }
            }
        }
        living.sort_by_key(|process| (process.started, process.pid));
        living
    }

    fn born(&mut self, pid: i32, parent: i32, time: Time) {
        // Until it runs another program it is a copy of its parent.
        let command = self.find(parent).and_then(|parent| parent.command.clone());
        self.latest.insert(pid, self.all.len());
        self.all.push(Descendant { pid, command, from: time, until: None });
        if let Some(old) = self.all.len().checked_sub(REMEMBERED) {
            let old = &mut self.all[old];
            old.command = old.command.take().filter(|_| old.until.is_none());
        }
    }

    /// A process runs another program, of this name or with this command line.
    fn executed(&mut self, pid: i32, name: String) {
        if !self.read_command(pid) {
            self.set_command(pid, name);
            self.nameless.push((pid, 0));
        }
    }

    /// Whether the command line of a process could be read.
    fn read_command(&mut self, pid: i32) -> bool {
        let command = if self.sees_proc { process::command(pid) } else { None };
        command.map(|command| self.set_command(pid, command)).is_some()
    }

    fn set_command(&mut self, pid: i32, command: String) {
        if let Some(&place) = self.latest.get(&pid)
            && self.all[place].command.as_deref() != Some(&command)
        {
            self.all[place].command = Some(command.into());
        }
    }

    fn ended(&mut self, pid: i32, time: Time) {
        self.threads.remove(&pid);
        if let Some(&place) = self.latest.get(&pid) {
            self.all[place].until = Some(time);
        }
    }

    /// Looks at the processes that were made since the last look.
    fn look(&mut self) {
        let Some(newest) = self.looks.loads.as_ref().and_then(newest) else { return };
        let before = std::mem::replace(&mut self.looks.newest, newest);
        let mut candidates = std::mem::take(&mut self.looks.missing);
        match newest - before {
            0 => {}
            1..=256 => candidates.extend(before + 1..=newest),
            // The numbers began anew, or there are too many.
            _ => {
                for process in self.living() {
                    self.meet(process);
                }
            }
        }
        for pid in candidates {
            match process::kinship(pid) {
                Some(process) if process.parent == self.own || self.is_alive(process.parent) => {
                    self.meet(process);
                }
                Some(_) => {}
                None if pid > before => self.looks.missing.push(pid),
                None => {}
            }
        }
        let now = Instant::now();
        let mut young = std::mem::take(&mut self.looks.young);
        young.retain(|&(pid, found)| {
            self.read_command(pid);
            now.duration_since(found) < YOUNG
        });
        young.append(&mut self.looks.young);
        self.looks.young = young;
    }

    fn is_alive(&self, pid: i32) -> bool {
        self.find(pid).is_some_and(|one| one.until.is_none())
    }

    /// Somebody who may be new.
    fn meet(&mut self, process: Kinship) {
        if self.others.contains(&(process.pid, process.started)) || self.is_alive(process.pid) {
            return;
        }
        self.born(process.pid, process.parent, now());
        self.read_command(process.pid);
        self.looks.found = Instant::now();
        self.looks.young.push((process.pid, self.looks.found));
    }
}

/// The process id that the kernel gave last in this process's namespace, as `/proc/loadavg` tells,
/// `proc_loadavg(5)`.
fn newest(loads: &File) -> Option<i32> {
    let mut buffer = [0; 128];
    let count = loads.read_at(&mut buffer, 0).ok()?;
    let text = std::str::from_utf8(&buffer[..count]).ok()?;
    text.split_ascii_whitespace().nth(4)?.parse().ok()
}

fn now() -> Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Time(now.map_or(0, |now| now.as_secs() as i64))
}
