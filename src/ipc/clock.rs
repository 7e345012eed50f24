//! The wall clock, and whether it was set since the kernel's records were written.
//!
//! An object records the time of its last use by the wall clock; a process records its start as time
//! since boot. To compare the two takes the offset between both clocks, and only the current offset is
//! known. If the wall clock was set forward in between, every process seems to have started later than
//! it did.

use super::process::observed::Verdict;
use super::process::role::Living;
use super::time::Time;

/// A second, in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// The clock of the records may lag by a tick of the kernel, and the start of a process is rounded down
/// to a tick.
const LAG: i64 = 20_000_000;

/// Smaller differences do not count as a step of the clock.
const TOLERANCE: i64 = 2 * SECOND;

/// What is known of the wall clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When the machine booted, since the Epoch, by the current clock.
    pub boot: i64,
    /// The current time, since the Epoch.
    pub now: i64,
    /// A timestamp from an earlier time; `None` if there is none.
    pub witness: Option<Witness>,
}

/// Something that the kernel created and dated long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// When it was created, since the Epoch, by the clock of that time.
    pub made: i64,
    /// When it was created at the earliest, since boot.
    pub uptime: i64,
}

impl Clock {
    /// The time of day of an event at this time since boot, by the current clock.
    pub fn time_of(&self, since_boot: i64) -> Time {
        Time(self.boot.saturating_add(since_boot).div_euclid(SECOND))
    }

    /// Whether an event at this time since boot happened after `record`. Unknown if only a step of the
    /// clock may make it look so. Two steps that cancel each other out, with the record in between, go
    /// unnoticed.
    pub fn is_after(&self, since_boot: i64, record: Time) -> Verdict {
        if self.time_of(since_boot.saturating_sub(LAG)) <= record {
            return Verdict::No;
        }
        self.is_comparable(record)
    }

    /// [`Clock::is_after`] for the start of a process or of its family. A process that was inspected
    /// right after its start also shows whether the clock was set since.
    pub fn has_started_after(&self, living: &Living, since_boot: i64, record: Time) -> Verdict {
        let step = self.boot.saturating_add(living.since_boot).saturating_sub(living.first_seen);
        match self.is_after(since_boot, record) {
            Verdict::Yes if step > TOLERANCE => {
                Verdict::Unknown("the clock was set after its last use".to_owned())
            }
            verdict => verdict,
        }
    }

    /// Whether a record is at least this many seconds old.
    pub fn is_older(&self, record: Time, seconds: u64) -> Verdict {
        let age = self.now.div_euclid(SECOND).saturating_sub(record.0);
        match u64::try_from(age) {
            Ok(age) if age >= seconds => self.is_comparable(record),
            _ => Verdict::No,
        }
    }

    /// Whether a record was certainly written by the current clock, after the last step forward.
    fn is_comparable(&self, record: Time) -> Verdict {
        let Some(witness) = self.witness else {
            return Verdict::Unknown("cannot tell whether the clock was set".to_owned());
        };
        let record = record.0.saturating_mul(SECOND);
        let was_set = || Verdict::Unknown("the clock was set after its last use".to_owned());
        if record > self.now.saturating_add(TOLERANCE) {
            return was_set();
        }
        // The witness shows no step before its own time. A record has whole seconds only.
        if record.saturating_add(SECOND) < witness.made {
            return was_set();
        }
        // How far the clock was set forward since. Negative if it was set back, or if the witness is
        // younger than assumed, which would hide a step of that size.
        let step = self.boot.saturating_add(witness.uptime).saturating_sub(witness.made);
        if step < -TOLERANCE {
            return Verdict::Unknown(
                "cannot tell how the clock was set after its last use".to_owned(),
            );
        }
        // The latest time that the clock can have shown if it was never set.
        let elapsed = self.now.saturating_sub(self.boot).saturating_sub(witness.uptime);
        let latest = witness.made.saturating_add(elapsed).saturating_add(TOLERANCE);
        if step > TOLERANCE && record <= latest { was_set() } else { Verdict::Yes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOOT: i64 = 1_000_000;
    const HOUR: i64 = 3600;

    /// A machine that has run for `uptime` seconds, whose clock was set forward by `step` seconds.
    fn clock(uptime: i64, step: i64) -> Clock {
        Clock {
            boot: (BOOT + step) * SECOND,
            now: (BOOT + step + uptime) * SECOND,
            witness: Some(Witness { made: (BOOT + 1) * SECOND, uptime: SECOND / 2 }),
        }
    }

    fn is_unknown(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Unknown(_))
    }

    #[test]
    fn without_a_step_the_clock_decides() {
        let clock = clock(10 * HOUR, 0);
        let used = Time(BOOT + HOUR);
        assert_eq!(clock.is_after((HOUR + 2) * SECOND, used), Verdict::Yes);
        assert_eq!(clock.is_after((HOUR - 2) * SECOND, used), Verdict::No);
        // In doubt the record came first: it has whole seconds, and its clock lags.
        assert_eq!(clock.is_after(HOUR * SECOND + SECOND / 2, used), Verdict::No);
        assert_eq!(clock.is_after((HOUR + 1) * SECOND + LAG / 2, used), Verdict::No);
    }

    #[test]
    fn a_step_forward_makes_nobody_younger() {
        // A process used the object an hour after boot; then the clock was set.
        for step in [4, 60, HOUR, 24 * HOUR] {
            let clock = clock(10 * HOUR, step);
            let (started, used) = ((HOUR - 1) * SECOND, Time(BOOT + HOUR));
            assert_ne!(clock.is_after(started, used), Verdict::Yes, "{step}");
            assert!(is_unknown(clock.is_after(started, used)), "{step}");
        }
    }

    #[test]
    fn what_is_certainly_of_after_the_step_counts() {
        // The clock was set by a day in the first minute, and the object used since.
        let clock = clock(10 * HOUR, 24 * HOUR);
        let used = Time(BOOT + 25 * HOUR);
        assert_eq!(clock.is_after((HOUR + 2) * SECOND, used), Verdict::Yes);
        assert_eq!(clock.is_after((HOUR - 2) * SECOND, used), Verdict::No);
    }

    #[test]
    fn what_cannot_be_proves_nothing() {
        let clock = clock(HOUR, 0);
        let late = HOUR * SECOND;
        assert!(is_unknown(clock.is_after(late, Time(BOOT - 10))), "older than the machine");
        let future = Time(BOOT + 2 * HOUR);
        assert!(is_unknown(clock.is_after(3 * HOUR * SECOND, future)), "of the future");
        let blind = Clock { witness: None, ..clock };
        assert!(is_unknown(blind.is_after(late, Time(BOOT + 10))), "without a witness");
    }

    #[test]
    fn a_process_that_was_seen_early_is_a_witness() {
        // The clock was set by a day long ago, and by another hour now.
        let now = clock(10 * HOUR, 25 * HOUR);
        let started = 9 * HOUR;
        let used = Time(BOOT + 24 * HOUR + started + 5);
        let seen = |after: i64| Living {
            since_boot: started * SECOND,
            family_since_boot: started * SECOND,
            first_seen: (BOOT + 24 * HOUR + started + after) * SECOND,
            uids: [0; 4],
        };
        let verdict = |living: Living| now.has_started_after(&living, living.since_boot, used);
        assert!(is_unknown(verdict(seen(1))));
        // A process that is first seen now shows no earlier step.
        assert_eq!(verdict(seen(2 * HOUR)), Verdict::Yes);
    }

    #[test]
    fn an_age_that_a_step_made_is_none() {
        let old = Time(BOOT + HOUR);
        assert_eq!(clock(3 * HOUR, 0).is_older(old, 3600), Verdict::Yes);
        assert_eq!(clock(HOUR + 60, 0).is_older(old, 3600), Verdict::No);
        assert!(is_unknown(clock(HOUR + 60, HOUR).is_older(old, 3600)));
    }

    proptest! {
        /// Whenever the clock was set, once, and whichever process was recorded: no process that used
        /// the object is mistaken for another one.
        #[test]
        fn no_single_step_makes_a_stranger(
            uptime in 10i64..1_000_000, step in -500_000i64..500_000, at in 0.0f64..1.0,
            mounted in 0.0f64..1.0, started in 0.0f64..1.0, used in 0.0f64..1.0,
        ) {
            let moment = |part: f64| (part * (uptime - 2) as f64) as i64 + 1;
            // A process starts before it uses something.
            let (started, used) = (moment(started.min(used)), moment(started.max(used)));
            let shown = if used >= moment(at) { used + step } else { used };
            // The witness may have been created at any time.
            let mounted = moment(mounted);
            let made = if mounted >= moment(at) { mounted + step } else { mounted };
            let witness = Witness { made: (BOOT + made) * SECOND, uptime: SECOND / 2 };
            let clock = Clock { witness: Some(witness), ..clock(uptime, step) };
            let verdict = clock.is_after(started * SECOND, Time(BOOT + shown));
            prop_assert!(step.abs() <= 4 || verdict != Verdict::Yes);
        }

        #[test]
        fn nothing_overflows(boot: i64, now: i64, made: i64, up: i64, since: i64, record: i64) {
            let clock = Clock { boot, now, witness: Some(Witness { made, uptime: up }) };
            let _ = (clock.is_after(since, Time(record)), clock.is_older(Time(record), 3600));
        }
    }
}
