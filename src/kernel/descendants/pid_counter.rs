//! Reads how far the kernel's pid counter has advanced: `proc_stat(5)`, `proc_loadavg(5)`,
//! `proc_sys_kernel(5)`.

use std::fs;
use std::time::{Duration, Instant};

use super::perf::now;
use crate::ipc::attribution::pid_history::{PidHistory, RESERVED, Reading};
use crate::kernel::process::{self, scan};

/// How often to read the counter.
pub(in crate::kernel) const LOOK: Duration = Duration::from_millis(100);

/// Records readings of the pid counter over time.
#[derive(Debug)]
pub(in crate::kernel) struct Reader {
    numbers: PidHistory,
    looked: Instant,
}

impl Reader {
    /// Takes the first reading.
    pub fn start() -> Reader {
        let mut reader = Reader { numbers: PidHistory::default(), looked: Instant::now() };
        reader.read();
        reader
    }

    /// Takes another reading if enough has happened since the last one.
    pub fn look(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        if let Some(last) = self.numbers.last()
            && made().is_some_and(|made| made.saturating_sub(last.made) > last.room / 8)
        {
            self.read();
        }
    }

    /// All readings, including a final one now.
    pub fn finish(&mut self) -> &PidHistory {
        // Without a first reading, nothing is known.
        if self.numbers.last().is_some() {
            self.read();
        }
        &self.numbers
    }

    fn read(&mut self) {
        let reading = || -> Option<Reading> {
            let given = last()?;
            // A process that is created between these steps is counted.
            let made = made()?;
            let mut held: Vec<i32> = process::all().collect();
            held.sort_unstable();
            // If others are hidden (hidepid in proc(5)), process 1 is, too.
            let is_whole = held.first() == Some(&1) && fs::metadata("/proc/1").is_ok();
            is_whole.then_some(Reading {
                time: now(),
                made,
                room: room()?,
                held,
                most: most()?,
                counts_all: !scan::has_outsiders(),
                may_be_set: process::may_set_next_pid(),
                last: (given, last()?),
            })
        };
        if let Some(reading) = reading() {
            self.numbers.add(reading);
        }
    }
}

/// How many processes and threads were created since boot.
fn made() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("processes "))?.trim().parse().ok()
}

/// The last pid that was assigned in the process namespace of `/proc`.
fn last() -> Option<u64> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    loads.split_ascii_whitespace().nth(4)?.parse().ok()
}

/// The highest pid that is assigned there.
fn most() -> Option<u64> {
    fs::read_to_string("/proc/sys/kernel/pid_max").ok()?.trim().parse().ok()
}

/// How many processes can be created before a pid that is free now can be assigned a second time.
/// Halved for safety: failed forks also use up pids, and process groups keep those of ended leaders.
fn room() -> Option<u64> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    let threads: u64 =
        loads.split_ascii_whitespace().nth(3)?.split_once('/')?.1.trim().parse().ok()?;
    Some(most()?.saturating_sub(RESERVED + threads) / 2)
}
