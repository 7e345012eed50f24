//! Searches for new processes that the kernel does not record.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// How often to search, and how often if nothing happens.
const LOOK: [Duration; 2] = [Duration::from_micros(500), Duration::from_millis(4)];

/// A process younger than this may still run another program.
const YOUNG: Duration = Duration::from_millis(100);

/// The state of the search.
#[derive(Debug)]
pub(super) struct Search {
    /// `/proc/loadavg`, kept open because it is read all the time.
    loads: Option<File>,
    /// The last pid that the kernel had assigned at the last search.
    newest: i32,
    /// Assigned pids without a visible process yet.
    missing: Vec<i32>,
    /// The processes that were found recently, and when.
    young: Vec<(i32, Instant)>,
    /// When the last one was found.
    found: Instant,
}

/// The pids that were assigned since the last search.
#[derive(Debug)]
pub(super) struct NewIds {
    /// The pids to inspect.
    pub(super) ids: Vec<i32>,
    /// The last pid that was assigned before.
    pub(super) before: i32,
    /// Whether there are too many, or the counter started over: then the list is incomplete.
    pub(super) are_too_many: bool,
}

impl Search {
    /// Starts the search with the next process; `own` is a pid that was assigned before.
    pub(super) fn start(own: i32) -> Search {
        let loads = File::open("/proc/loadavg").ok();
        Search {
            newest: loads.as_ref().and_then(newest).unwrap_or(own),
            loads,
            missing: Vec::new(),
            young: Vec::new(),
            found: Instant::now(),
        }
    }

    /// How long to wait until the next search.
    pub(super) fn patience(&self) -> Duration {
        LOOK[usize::from(self.found.elapsed() > Duration::from_secs(1))]
    }

    /// The pids that were assigned since the last search; `None` if the kernel does not show them.
    pub(super) fn look(&mut self) -> Option<NewIds> {
        let newest = self.loads.as_ref().and_then(newest)?;
        let before = std::mem::replace(&mut self.newest, newest);
        let mut ids = std::mem::take(&mut self.missing);
        let are_too_many = !(0..=256).contains(&(newest - before));
        if !are_too_many {
            ids.extend(before + 1..=newest);
        }
        Some(NewIds { ids, before, are_too_many })
    }

    /// Inspects this pid again in the next search.
    pub(super) fn look_again_at(&mut self, pid: i32) {
        self.missing.push(pid);
    }

    /// A descendant was found.
    pub(super) fn has_found(&mut self, pid: i32) {
        self.found = Instant::now();
        self.young.push((pid, self.found));
    }

    /// The processes that were young at the last search, which may run another program by now.
    pub(super) fn young(&mut self) -> Vec<i32> {
        let now = Instant::now();
        let young = self.young.iter().map(|&(pid, _)| pid).collect();
        self.young.retain(|&(_, found)| now.duration_since(found) < YOUNG);
        young
    }
}

/// The last pid that the kernel assigned in this process's namespace, by `/proc/loadavg`,
/// `proc_loadavg(5)`.
fn newest(loads: &File) -> Option<i32> {
    let mut buffer = [0; 128];
    let count = loads.read_at(&mut buffer, 0).ok()?;
    let text = std::str::from_utf8(&buffer[..count]).ok()?;
    text.split_ascii_whitespace().nth(4)?.parse().ok()
}
