//! Points in time as the kernel records them.

use std::time::Duration;

/// Seconds since the Epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// The kernel writes 0 for what has never happened.
    pub fn from_kernel(seconds: i64) -> Option<Time> {
        (seconds != 0).then_some(Time(seconds))
    }

    /// How long before `now` this was; nothing if it lies in the future.
    pub fn age(self, now: Time) -> Duration {
        Duration::from_secs(now.0.saturating_sub(self.0).try_into().unwrap_or(0))
    }
}
