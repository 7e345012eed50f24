//! The descendants of a process, distinguished from other processes by the pids and times that the
//! kernel recorded.

use std::rc::Rc;

use super::pid_history::{LAG, PidHistory, SECOND};
use crate::ipc::foreign::Foreign;
use crate::ipc::time::Time;

/// A descendant of the process that watched, dead or alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descendant {
    /// Its id.
    pub pid: i32,
    /// Its last command line, if it was read in time.
    pub command: Option<Rc<Foreign>>,
    /// When it was created, in nanoseconds since the Epoch.
    pub from: u64,
    /// When it ended; `None` while it lives.
    pub until: Option<u64>,
}

impl Descendant {
    /// Whether it lived at any time of this second, by the clock of the kernel's records.
    fn lived_in(&self, second: Time) -> bool {
        let second = second.0 as u64;
        self.from.saturating_sub(LAG) / SECOND <= second
            && self.until.is_none_or(|until| second <= until / SECOND)
    }

    /// Whether it lived during the whole second.
    fn lived_through(&self, second: Time) -> bool {
        let start = (second.0 as u64).saturating_mul(SECOND);
        // The times in objects may have any value: the clock may have been set to anything.
        let end = start.saturating_add(SECOND + LAG);
        self.from <= start && self.until.is_none_or(|until| until >= end)
    }
}

/// The descendants of a process.
#[derive(Clone, Copy, Debug)]
pub struct Descendants<'a> {
    /// All that were seen, dead and alive.
    pub all: &'a [Descendant],
    /// Whether none was missed.
    pub is_complete: bool,
    /// Shows whether another process can have had the same pid.
    pub pid_history: &'a PidHistory,
}

/// Whether a process descends from the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipc) enum Descent {
    /// A descendant.
    Descendants,
    /// A process that was not seen to descend from the command.
    Stranger,
    /// A descendant, or another process with the same pid.
    Either,
}

impl Descendants<'_> {
    /// Whether the process that the kernel recorded under this pid at a time in seconds is a
    /// descendant.
    pub(in crate::ipc) fn descent(&self, pid: i32, second: Option<Time>) -> Descent {
        let mut descent = Descent::Stranger;
        for one in self.all.iter().filter(|one| one.pid == pid) {
            // A use without a time may date from the moment at which the process was created.
            let second = second.unwrap_or(Time((one.from / SECOND) as i64));
            let is_after = one.from.saturating_sub(LAG) / SECOND <= second.0 as u64;
            let is_sure = one.lived_through(second)
                || is_after && self.pid_history.had_one_holder(pid, one.from, second);
            match one.lived_in(second) {
                _ if is_sure => return Descent::Descendants,
                true => descent = Descent::Either,
                false => {}
            }
        }
        descent
    }

    /// Whether the process that has this pid now is a descendant.
    pub fn lives(&self, pid: i32) -> bool {
        let latest = self.all.iter().rev().find(|one| one.pid == pid);
        latest.is_some_and(|one| one.until.is_none())
    }

    /// The relative clause about one or several processes that are not known to descend from the
    /// command.
    pub(in crate::ipc) fn unrelated(&self, several: bool) -> &'static str {
        match (self.is_complete, several) {
            (true, false) => "which does not descend from the command",
            (true, true) => "which do not descend from the command",
            (false, false) => "which was not seen to descend from the command",
            (false, true) => "which were not seen to descend from the command",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_any_time_is_compared() {
        let dead = Descendant {
            pid: 7,
            command: None,
            from: 100 * SECOND + LAG,
            until: Some(200 * SECOND),
        };
        let descendants =
            Descendants { all: &[dead], is_complete: true, pid_history: &PidHistory::NONE };
        for (second, descent) in [
            (150, Descent::Descendants),
            (100, Descent::Either),
            (200, Descent::Either),
            (99, Descent::Stranger),
            (i64::MIN, Descent::Stranger),
            (-1, Descent::Stranger),
            (18_446_744_073, Descent::Stranger),
            (i64::MAX, Descent::Stranger),
        ] {
            assert_eq!(descendants.descent(7, Some(Time(second))), descent, "{second}");
        }
    }
}
