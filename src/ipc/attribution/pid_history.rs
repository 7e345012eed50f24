//! Process ids as numbers that the kernel gives again: whether one can have had two holders.
//!
//! It gives them in turn, and begins anew at the end (`kernel.pid_max`, `proc_sys_kernel(5)`). So
//! one that was free at some time is given once, at most, until that many processes were made; unless
//! somebody sets which is the next (`kernel.ns_last_pid`), which shows in how far it has got since.

use crate::ipc::time::Time;

/// The clock of the records that the kernel keeps of objects may be behind by so many nanoseconds.
pub const LAG: u64 = 20_000_000;

/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// How it stood with the process ids at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, in nanoseconds since the Epoch.
    pub time: u64,
    /// How many processes and threads had ever been made.
    pub made: u64,
    /// How many may be made until a number is given that was free.
    pub room: u64,
    /// The numbers of all processes, in order.
    pub held: Vec<i32>,
    /// The last number that was given, right before and right after all this was read.
    pub last: (u64, u64),
    /// The highest number that is given.
    pub most: u64,
    /// Whether each process that is made takes a number here, which is so in the process namespace of
    /// the machine alone.
    pub counts_all: bool,
    /// Whether this process could set the next number, and others like it could.
    pub may_be_set: bool,
}

/// The lowest numbers are given once: the turn begins anew behind them.
pub const RESERVED: u64 = 300;

impl Reading {
    /// Whether somebody may have set which number is given next, between this reading and a later one:
    /// the kernel has got less far than the processes that were made take, or farther.
    fn may_be_set_until(&self, later: &Reading) -> bool {
        let made = later.made.saturating_sub(self.made);
        let (from, to) = (self.last.0, later.last.1);
        let advanced = match to.checked_sub(from) {
            Some(advanced) => advanced,
            // Begun anew.
            None => self.most.saturating_sub(from).saturating_add(to.saturating_sub(RESERVED)),
        };
        let while_read = |reading: &Reading| reading.last.1.saturating_sub(reading.last.0);
        // Numbers that somebody holds are passed over.
        let held = self.held.len() as u64;
        let passed = held.saturating_add(while_read(self)).saturating_add(while_read(later));
        let is_short = advanced < made;
        match self.counts_all && later.counts_all {
            true => is_short || advanced > made.saturating_add(passed),
            // How far it should have got is not known.
            false => self.may_be_set || later.may_be_set,
        }
    }
}

/// What is known of the process ids since a first reading: nothing without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PidHistory {
    readings: Vec<Reading>,
}

impl PidHistory {
    /// No reading.
    pub const NONE: PidHistory = PidHistory { readings: Vec::new() };

    /// Adds a later reading.
    pub fn add(&mut self, reading: Reading) {
        self.readings.push(reading);
    }

    /// The last reading.
    pub fn last(&self) -> Option<&Reading> {
        self.readings.last()
    }

    /// Whether only the process that got this number at the moment `from` (nanoseconds) can have
    /// had it in a second since the first reading, by any clock, and from then until that process
    /// was made.
    pub fn had_one_holder(&self, pid: i32, from: u64, second: Time) -> bool {
        let start = (second.0 as u64).saturating_mul(SECOND);
        let is_before = |reading: &&Reading| reading.time <= from.min(start);
        let end = start.saturating_add(SECOND + LAG);
        let is_after = |reading: &&Reading| reading.time >= end;
        let first = self.readings.first().filter(|reading| reading.time <= from);
        let Some(before) = self.readings.iter().rfind(is_before).or(first) else { return false };
        let Some(after) = self.readings.iter().find(is_after).or(self.readings.last()) else {
            return false;
        };
        let made = after.made.saturating_sub(before.made);
        made < before.room.min(after.room)
            && before.held.binary_search(&pid).is_err()
            && !self.may_be_set_between(before, after)
    }

    /// Whether somebody may have set the next number between two readings.
    fn may_be_set_between(&self, before: &Reading, after: &Reading) -> bool {
        let is_between = |reading: &&Reading| (before.made..=after.made).contains(&reading.made);
        let readings: Vec<_> = self.readings.iter().filter(is_between).collect();
        readings.windows(2).any(|pair| pair[0].may_be_set_until(pair[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(seconds: u64, made: u64, held: &[i32]) -> Reading {
        Reading {
            time: seconds * SECOND,
            made,
            room: 1000,
            held: held.to_vec(),
            last: (made, made),
            most: 32_768,
            counts_all: true,
            may_be_set: true,
        }
    }

    fn pid_history(readings: &[Reading]) -> PidHistory {
        let mut pid_history = PidHistory::default();
        readings.iter().cloned().for_each(|reading| pid_history.add(reading));
        pid_history
    }

    #[test]
    fn a_number_is_given_once_in_a_short_time() {
        let pid_history = pid_history(&[reading(100, 5000, &[1, 7]), reading(110, 5900, &[1])]);
        assert!(pid_history.had_one_holder(8, 105 * SECOND, Time(105)));
        // Somebody had it, who may have done it in the second of their end.
        assert!(!pid_history.had_one_holder(7, 105 * SECOND, Time(105)));
        // Made before anybody looked.
        assert!(!pid_history.had_one_holder(8, 99 * SECOND, Time(105)));
        assert!(!PidHistory::default().had_one_holder(8, 105 * SECOND, Time(105)));
    }

    #[test]
    fn a_number_may_be_given_twice_in_a_long_time() {
        let mut all = vec![reading(100, 5000, &[1]), reading(110, 6001, &[1, 9])];
        assert!(!pid_history(&all).had_one_holder(8, 105 * SECOND, Time(105)));
        // Unless somebody has looked in between.
        all.insert(1, reading(103, 5500, &[1]));
        all.insert(2, reading(107, 5600, &[1]));
        let pid_history = pid_history(&all);
        assert!(pid_history.had_one_holder(8, 105 * SECOND, Time(105)));
        assert!(pid_history.had_one_holder(8, 105 * SECOND, Time(106)));
        assert!(pid_history.had_one_holder(9, 108 * SECOND, Time(108)));
    }

    #[test]
    fn a_number_may_be_given_twice_where_somebody_sets_the_next() {
        let one_holder = |before: Reading, after: Reading| {
            pid_history(&[before, after]).had_one_holder(8, 105 * SECOND, Time(105))
        };
        let (before, after) = (reading(100, 5000, &[1, 7]), reading(110, 5900, &[1]));
        assert!(one_holder(before.clone(), after.clone()));
        // A number that somebody holds is passed over.
        assert!(one_holder(before.clone(), Reading { last: (5902, 5902), ..after.clone() }));
        for last in [5899, 5001, 5000, 4999, 400, 5903, 9000] {
            let set = Reading { last: (last, last), ..after.clone() };
            assert!(!one_holder(before.clone(), set), "{last}");
        }
        // The turn begins anew at the end.
        let near_end = Reading { last: (32_000, 32_000), ..before.clone() };
        assert!(one_holder(near_end, Reading { last: (432, 432), ..after.clone() }));
        // Others of the machine take none of the numbers of this process namespace.
        let inside = |reading: Reading| Reading { counts_all: false, ..reading };
        assert!(!one_holder(inside(before.clone()), inside(after.clone())));
        let fixed = |reading| Reading { may_be_set: false, ..inside(reading) };
        assert!(one_holder(fixed(before), fixed(after)));
    }

    #[test]
    fn the_first_second_is_known_from_the_first_reading_on() {
        let mut early = reading(100, 5000, &[1]);
        early.time += SECOND / 2;
        let pid_history = pid_history(&[early, reading(101, 5010, &[1])]);
        assert!(pid_history.had_one_holder(8, 100 * SECOND + SECOND * 3 / 4, Time(100)));
    }

    #[test]
    fn a_record_of_any_time_is_compared() {
        let pid_history = pid_history(&[reading(100, 5000, &[1]), reading(110, 5900, &[1])]);
        for second in [i64::MIN, -1, 0, 18_446_744_073, i64::MAX] {
            assert!(pid_history.had_one_holder(8, 105 * SECOND, Time(second)), "{second}");
        }
    }
}
