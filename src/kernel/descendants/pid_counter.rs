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
            let before = Loads::read()?;
            // A process that is created between these steps is counted.
            let made = made()?;
            let mut held: Vec<i32> = process::all().collect();
            held.sort_unstable();
            // If others are hidden (hidepid in proc(5)), process 1 is, too.
            let is_whole = held.first() == Some(&1) && fs::metadata("/proc/1").is_ok();
            let (time, most) = (now(), most()?);
            let counts_all = !scan::has_outsiders();
            let may_be_set = process::may_set_next_pid();
            // Read last, so that it covers every pid that was assigned before.
            let after = Loads::read()?;
            is_whole.then_some(Reading {
                time,
                made,
                room: room(most, after.threads),
                held,
                most,
                counts_all,
                may_be_set,
                last: (before.last, after.last),
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

/// The counts of threads and pids in `/proc/loadavg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loads {
    /// The number of threads on the machine.
    threads: u64,
    /// The last pid that was assigned in the process namespace of `/proc`.
    last: u64,
}

impl Loads {
    fn read() -> Option<Loads> {
        Loads::parse(&fs::read_to_string("/proc/loadavg").ok()?)
    }

    fn parse(text: &str) -> Option<Loads> {
        let mut words = text.split_ascii_whitespace().skip(3);
        let threads = words.next()?.split_once('/')?.1.parse().ok()?;
        Some(Loads { threads, last: words.next()?.parse().ok()? })
    }
}

/// The highest pid that is assigned there.
fn most() -> Option<u64> {
    fs::read_to_string("/proc/sys/kernel/pid_max").ok()?.trim().parse().ok()
}

/// How many processes can be created before a pid that is free now can be assigned a second time.
/// Halved for safety: failed forks also use up pids, and process groups keep those of ended leaders.
fn room(most: u64, threads: u64) -> u64 {
    most.saturating_sub(RESERVED.saturating_add(threads)) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_and_the_last_number_stand_in_one_line() {
        let loads = |text: &str| Loads::parse(text).map(|loads| (loads.threads, loads.last));
        assert_eq!(loads("0.42 0.31 0.20 2/345 6789\n"), Some((345, 6789)));
        for bad in ["", "0.42 0.31 0.20 2/345", "0.42 0.31 0.20 345 6789", "a b c d/e f"] {
            assert_eq!(loads(bad), None, "{bad}");
        }
        assert_eq!((room(32_768, 468), room(400, 200)), (16_000, 0));
    }
}
