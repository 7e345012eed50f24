//! The descendants of a process, told from strangers by the process ids and times that the kernel
//! recorded.

use std::rc::Rc;

use super::pid_history::{LAG, PidHistory, SECOND};
use crate::ipc::foreign::Foreign;
use crate::ipc::time::Time;

/// A process that descends from the one that watched it, dead or alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descendant {
    /// Its id.
    pub pid: i32,
    /// Its last command line, where it was seen in time.
    pub command: Option<Rc<Foreign>>,
    /// When it was made, in nanoseconds since the Epoch.
    pub from: u64,
    /// When it ended; nothing while it lives.
    pub until: Option<u64>,
}

impl Descendant {
    /// Whether it was there at some time of a second by the clock of the kernel's records.
    fn lived_in(&self, second: Time) -> bool {
        let second = second.0 as u64;
        self.from.saturating_sub(LAG) / SECOND <= second
            && self.until.is_none_or(|until| second <= until / SECOND)
    }

    /// Whether it was there all that time.
    fn lived_through(&self, second: Time) -> bool {
        let start = (second.0 as u64).saturating_mul(SECOND);
        // Objects bear the time of a clock that anybody may have set to anything.
        let end = start.saturating_add(SECOND + LAG);
        self.from <= start && self.until.is_none_or(|until| until >= end)
    }
}

/// The descendants of a process.
#[derive(Clone, Copy, Debug)]
pub struct Descendants<'a> {
    /// Those that were seen, dead and alive.
    pub all: &'a [Descendant],
    /// Whether nobody was missed.
    pub is_complete: bool,
    /// Whether others can have had their numbers.
    pub pid_history: &'a PidHistory,
}

/// Whose a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipc) enum Descent {
    /// A descendant.
    Descendants,
    /// One that was not seen to descend.
    Stranger,
    /// A descendant, or a stranger who had the same number.
    Either,
}

impl Descendants<'_> {
    /// Whose the process was that the kernel recorded with this number, at a time in seconds.
    pub(in crate::ipc) fn descent(&self, pid: i32, second: Option<Time>) -> Descent {
        let mut descent = Descent::Stranger;
        for one in self.all.iter().filter(|one| one.pid == pid) {
            // What has no time may have been done as soon as it was there.
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

    /// Whether the process that has this number now is a descendant.
    pub fn lives(&self, pid: i32) -> bool {
        let latest = self.all.iter().rev().find(|one| one.pid == pid);
        latest.is_some_and(|one| one.until.is_none())
    }

    /// What to say of strangers, one or several.
    pub(in crate::ipc) fn unrelated(&self, several: bool) -> &'static str {
        match (self.is_complete, several) {
            (true, false) => "does not descend from the command",
            (true, true) => "do not descend from the command",
            (false, false) => "was not seen to descend from the command",
            (false, true) => "were not seen to descend from the command",
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
