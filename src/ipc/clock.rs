//! The wall clock of the kernel's records, which somebody may have set since they were made.
//!
//! An object records when it was used in seconds of the wall clock; a process when it started in
//! time since boot. To compare the two takes the difference between both clocks, of which only that
//! of now is known: where the wall clock was set forward in between, every process seems to have
//! started later than it did.

use super::process::observed::Verdict;
use super::process::role::Living;
use super::time::Time;

/// A second, in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// The clock of the records may be behind by a tick of the kernel, and the start of a process is
/// rounded down to one.
const LAG: i64 = 20_000_000;

/// A difference that is no step of the clock: steps below are not noticed.
const TOLERANCE: i64 = 2 * SECOND;

/// What is known of the wall clock, all of it in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When the machine started, since the Epoch, by the clock of now.
    pub boot: i64,
    /// The time of now, since the Epoch.
    pub now: i64,
    /// What remembers the clock of earlier; nothing where there is no such thing.
    pub witness: Option<Witness>,
}

/// Something that the kernel made long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// When that was, since the Epoch, by the clock of then.
    pub made: i64,
    /// When that was at the earliest, since boot.
    pub uptime: i64,
}

impl Clock {
    /// The time of day of something that happened this long after boot, by the clock of now.
    pub fn time_of(&self, since_boot: i64) -> Time {
        Time(self.boot.saturating_add(since_boot).div_euclid(SECOND))
    }

    /// Whether what happened this long after boot happened after something that was recorded at
    /// `record`. Unknown where only a step of the clock may make it look so. Two steps that cancel
    /// each other, with the record in between, cannot be noticed.
    pub fn is_after(&self, since_boot: i64, record: Time) -> Verdict {
        if self.time_of(since_boot.saturating_sub(LAG)) <= record {
            return Verdict::No;
        }
        self.is_comparable(record)
    }

    /// The same of the start of a process, or of its family. Who was looked at right after the start is a
    /// witness, too, of what was done to the clock since.
    pub fn has_started_after(&self, living: &Living, since_boot: i64, record: Time) -> Verdict {
        let step = self.boot.saturating_add(living.since_boot).saturating_sub(living.first_seen);
        match self.is_after(since_boot, record) {
            Verdict::Yes if step > TOLERANCE => {
                Verdict::Unknown("the clock was set since it was used".to_owned())
            }
            verdict => verdict,
        }
    }

    /// Whether a record is at least so many seconds old.
    pub fn is_older(&self, record: Time, seconds: u64) -> Verdict {
        let age = self.now.div_euclid(SECOND).saturating_sub(record.0);
        match u64::try_from(age) {
            Ok(age) if age >= seconds => self.is_comparable(record),
            _ => Verdict::No,
        }
    }

    /// Whether a record was certainly made by the clock of now: after the last step forward.
    fn is_comparable(&self, record: Time) -> Verdict {
        let Some(witness) = self.witness else {
            return Verdict::Unknown("whether the clock was set cannot be seen".to_owned());
        };
        let record = record.0.saturating_mul(SECOND);
        let was_set = || Verdict::Unknown("the clock was set since it was used".to_owned());
        if record > self.now.saturating_add(TOLERANCE) {
            return was_set();
        }
        // The witness knows nothing of what was before it. A record has no fractions of a second.
        if record.saturating_add(SECOND) < witness.made {
            return was_set();
        }
        // How far the clock was set forward since; less than nothing where it was set back, or where the
        // witness came later, which would hide a step as large.
        let step = self.boot.saturating_add(witness.uptime).saturating_sub(witness.made);
        if step < -TOLERANCE {
            return Verdict::Unknown("how the clock was set since cannot be seen".to_owned());
        }
        // As late as the clock could show if nobody had set it.
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

    /// A machine that has run for `uptime` seconds, on which the clock was set by `step` seconds.
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
        // In doubt it was before: the record is of the whole second, and its clock lags behind.
        assert_eq!(clock.is_after(HOUR * SECOND + SECOND / 2, used), Verdict::No);
        assert_eq!(clock.is_after((HOUR + 1) * SECOND + LAG / 2, used), Verdict::No);
    }

    #[test]
    fn a_step_forward_makes_nobody_younger() {
        // Used an hour after boot by a process of before; then the clock was set.
        for step in [4, 60, HOUR, 24 * HOUR] {
            let clock = clock(10 * HOUR, step);
            let (started, used) = ((HOUR - 1) * SECOND, Time(BOOT + HOUR));
            assert_ne!(clock.is_after(started, used), Verdict::Yes, "{step}");
            assert!(is_unknown(clock.is_after(started, used)), "{step}");
        }
    }

    #[test]
    fn what_is_certainly_of_after_the_step_counts() {
        // Set by a day in the first minute, used since.
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
        assert!(is_unknown(blind.is_after(late, Time(BOOT + 10))), "nobody remembers");
    }

    #[test]
    fn a_process_that_was_seen_early_is_a_witness() {
        // Set by a day long ago, and now by an hour more.
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
        // Who is seen only now remembers nothing.
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
        /// Whenever the clock was set, once, and whatever was recorded by whom: nobody who used it is
        /// taken for somebody else.
        #[test]
        fn no_single_step_makes_a_stranger(
            uptime in 10i64..1_000_000, step in -500_000i64..500_000, at in 0.0f64..1.0,
            mounted in 0.0f64..1.0, started in 0.0f64..1.0, used in 0.0f64..1.0,
        ) {
            let moment = |part: f64| (part * (uptime - 2) as f64) as i64 + 1;
            // A process starts before it uses something.
            let (started, used) = (moment(started.min(used)), moment(started.max(used)));
            let shown = if used >= moment(at) { used + step } else { used };
            // The witness may have come at any time.
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
