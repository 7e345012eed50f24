//! `-c`: how often each call was made, how often it failed, and how long it took.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::kernel::call::CallName;
use crate::kernel::ptrace::TracedCall;

/// The sums of all calls.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<CallName, Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    calls: u64,
    errors: u64,
    time: Duration,
    longest: Duration,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.time += other.time;
        self.longest = self.longest.max(other.longest);
    }
}

impl Counts {
    pub fn add(&mut self, name: CallName, call: &TracedCall) {
        let errors = u64::from(call.outcome.errno().is_some());
        let (time, longest) = (call.duration, call.duration);
        self.0.entry(name).or_default().add(Count { calls: 1, errors, time, longest });
    }

    /// The sums, the call that took most of the time first.
    pub fn table(&self, as_json: bool) -> String {
        let mut rows: Vec<_> =
            self.0.iter().map(|(name, count)| (name.to_string(), *count)).collect();
        rows.sort_by(|(a, one), (b, other)| other.time.cmp(&one.time).then_with(|| a.cmp(b)));
        let mut table = String::new();
        if as_json {
            for (name, count) in &rows {
                let Count { calls, errors, time, longest } = count;
                let (time, longest) = (time.as_secs_f64(), longest.as_secs_f64());
                // Writing to a string cannot fail.
                let _ = writeln!(
                    table,
                    "{{\"call\":\"{name}\",\"calls\":{calls},\"errors\":{errors},\"time\":{time:.6},\"longest\":{longest:.6}}}"
                );
            }
            return table;
        }
        let mut sum = Count::default();
        rows.iter().for_each(|(_, count)| sum.add(*count));
        let _ = writeln!(
            table,
            "{:<16} {:>9} {:>9} {:>12} {:>12} {:>12}",
            "CALL", "CALLS", "ERRORS", "TIME", "MEAN", "LONGEST"
        );
        for (name, count) in rows.into_iter().chain([("total".to_owned(), sum)]) {
            let Count { calls, errors, time, longest } = count;
            let mean = time.checked_div(u32::try_from(calls).unwrap_or(u32::MAX));
            let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
            let _ = writeln!(
                table,
                "{name:<16} {calls:>9} {errors:>9} {:>12} {:>12} {:>12}",
                seconds(time),
                seconds(mean.unwrap_or_default()),
                seconds(longest)
            );
        }
        table
    }
}
