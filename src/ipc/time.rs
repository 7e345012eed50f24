//! Points in time as the kernel records them.

use std::time::Duration;

/// Seconds since the Epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// A time from the kernel, which writes 0 for "never".
    pub fn from_kernel(seconds: i64) -> Option<Time> {
        (seconds != 0).then_some(Time(seconds))
    }

    /// How long before `now` this was; 0 if it is in the future.
    pub fn age(self, now: Time) -> Duration {
        Duration::from_secs(now.0.saturating_sub(self.0).try_into().unwrap_or(0))
    }
}
