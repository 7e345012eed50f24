//! How far the kernel has got in giving out process ids: `proc_stat(5)`, `proc_loadavg(5)`,
//! `proc_sys_kernel(5)`.

use std::fs;
use std::time::{Duration, Instant};

use super::perf::now;
use crate::ipc::attribution::pid_history::{PidHistory, RESERVED, Reading};
use crate::kernel::process::{self, scan};

/// How often to look.
pub(in crate::kernel) const LOOK: Duration = Duration::from_millis(100);

/// Reads from time to time how many ids have been given.
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

    /// Takes another one if enough has happened since the last.
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

    /// All readings, the last of now.
    pub fn finish(&mut self) -> &PidHistory {
        // Without the first, nothing is known.
        if self.numbers.last().is_some() {
            self.read();
        }
        &self.numbers
    }

    fn read(&mut self) {
        let reading = || -> Option<Reading> {
            let given = last()?;
            // A process that is made between the steps is counted.
            let made = made()?;
            let mut held: Vec<i32> = process::all().collect();
            held.sort_unstable();
            // Where others are hidden (hidepid in proc(5)), so is the first of all.
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

/// How many processes and threads have been made since the machine started.
fn made() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("processes "))?.trim().parse().ok()
}

/// The last number that was given in the process namespace of `/proc`.
fn last() -> Option<u64> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    loads.split_ascii_whitespace().nth(4)?.parse().ok()
}

/// The highest number that is given there.
fn most() -> Option<u64> {
    fs::read_to_string("/proc/sys/kernel/pid_max").ok()?.trim().parse().ok()
}

/// How many can be made before a number that is free now is given twice. Half of what it should
/// be: numbers are also used up by what fails half-way, and held by groups without a leader.
fn room() -> Option<u64> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    let threads: u64 =
        loads.split_ascii_whitespace().nth(3)?.split_once('/')?.1.trim().parse().ok()?;
    Some(most()?.saturating_sub(RESERVED + threads) / 2)
}
