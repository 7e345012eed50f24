//! The search for new processes, where the kernel does not record them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// How often to look, and how often when nothing happens.
const LOOK: [Duration; 2] = [Duration::from_micros(500), Duration::from_millis(4)];

/// A process younger than this may yet run another program.
const YOUNG: Duration = Duration::from_millis(100);

/// How far the search has got.
#[derive(Debug)]
pub(super) struct Search {
    /// `/proc/loadavg`: kept open, for it is read again and again.
    loads: Option<File>,
    /// The last process id that the kernel had given at the last look.
    newest: i32,
    /// Ids that were given, but had no process yet: one is in the making.
    missing: Vec<i32>,
    /// The processes that were found just now, and when.
    young: Vec<(i32, Instant)>,
    /// When the last one was found.
    found: Instant,
}

/// The ids that were given since the last look.
#[derive(Debug)]
pub(super) struct NewIds {
    /// Those to look at.
    pub(super) ids: Vec<i32>,
    /// The last id that had been given before.
    pub(super) before: i32,
    /// Whether there are too many of them, or they began anew: then not all are in the list.
    pub(super) are_too_many: bool,
}

impl Search {
    /// Begins with the process that is made next; `own` is an id that was given before.
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

    /// How long to wait until the next look.
    pub(super) fn patience(&self) -> Duration {
        LOOK[usize::from(self.found.elapsed() > Duration::from_secs(1))]
    }

    /// Looks which ids were given since the last look; nothing where the kernel does not show it.
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

    /// Looks at this id once more the next time.
    pub(super) fn look_again_at(&mut self, pid: i32) {
        self.missing.push(pid);
    }

    /// A descendant was found.
    pub(super) fn has_found(&mut self, pid: i32) {
        self.found = Instant::now();
        self.young.push((pid, self.found));
    }

    /// The processes that were young at the last look, and may run another program since.
    pub(super) fn young(&mut self) -> Vec<i32> {
        let now = Instant::now();
        let young = self.young.iter().map(|&(pid, _)| pid).collect();
        self.young.retain(|&(_, found)| now.duration_since(found) < YOUNG);
        young
    }
}

/// The process id that the kernel gave last in this process's namespace, as `/proc/loadavg` shows it,
/// `proc_loadavg(5)`.
fn newest(loads: &File) -> Option<i32> {
    let mut buffer = [0; 128];
    let count = loads.read_at(&mut buffer, 0).ok()?;
    let text = std::str::from_utf8(&buffer[..count]).ok()?;
    text.split_ascii_whitespace().nth(4)?.parse().ok()
}
