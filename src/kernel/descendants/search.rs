//! The search for new processes, where the kernel does not tell of them.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::perf::now;
use super::{Family, SLACK};
use crate::kernel::process::{self, Kinship};

/// How often to look and how often when nothing happens.
const LOOK: [Duration; 2] = [Duration::from_micros(500), Duration::from_millis(4)];

/// Processes younger than this may yet run another program.
const YOUNG: Duration = Duration::from_millis(100);

/// How far the search has got.
#[derive(Debug)]
pub(super) struct Looks {
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

impl Looks {
    /// Begins with the process that is made next; `own` is a number given before.
    pub fn start(own: i32) -> Looks {
        let loads = File::open("/proc/loadavg").ok();
        Looks {
            newest: loads.as_ref().and_then(newest).unwrap_or(own),
            loads,
            missing: Vec::new(),
            young: Vec::new(),
            found: Instant::now(),
        }
    }

    /// How long to wait until the next look.
    pub fn patience(&self) -> Duration {
        LOOK[usize::from(self.found.elapsed() > Duration::from_secs(1))]
    }
}

impl Family {
    /// Looks at the processes that were made since the last look.
    pub(super) fn scope(&mut self) {
        let Some(newest) = self.looks.loads.as_ref().and_then(newest) else { return };
        let before = std::mem::replace(&mut self.looks.newest, newest);
        let mut candidates = std::mem::take(&mut self.looks.missing);
        match newest - before {
            0 => {}
            1..=256 => candidates.extend(before + 1..=newest),
            // The numbers began anew, or there are too many.
            _ => self.meet_living(),
        }
        for pid in candidates {
            match process::kinship(pid) {
                Some(process) if process.parent == self.own && self.is_own(&process) => {
                    self.meet(process);
                }
                Some(process) if self.check(process.parent).is_some() => self.meet(process),
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

    /// Makes sure that every descendant that lives is known, where the kernel does not tell of them.
    pub fn meet_living(&mut self) {
        if !self.is_complete && self.sees_proc {
            self.descendants().into_iter().for_each(|process| self.meet(process));
        }
    }

    /// All descendants of the command that there are now.
    pub(super) fn descendants(&self) -> Vec<Kinship> {
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

    /// Somebody who may be new.
    fn meet(&mut self, process: Kinship) {
        let started = self.started(&process);
        if self.find(process.pid).is_some_and(|observed| started <= observed.from + SLACK) {
            return;
        }
        // Rounded up: the time before it may have been another's.
        self.born(process.pid, process.parent, (started + SLACK / 2).min(now()));
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
