//! Waits in a blocking call until it returns, a timeout passes or a signal arrives, without losing what
//! was received.
#![deny(unsafe_code)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;

use super::interrupt::{Alarm, pending};
use crate::kernel::call::CallError;

/// Why a wait ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The call failed.
    Failed(CallError),
    /// The timeout passed.
    TimedOut,
    /// A signal arrived.
    Signal(i32),
}

/// The result of a call that may wait.
pub type Waited<T> = Result<T, Stopped>;

/// The end of a wait of this length; `None` if it is beyond the range of the clock.
pub fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// Waits this long, or until a signal arrives.
pub fn sleep(time: Duration) {
    // The caller checks again, whatever ended the wait.
    let _ = nix::poll::ppoll(&mut [], Some(time.into()), None);
}

/// Repeats a blocking call without a timeout until it returns, the deadline passes or a signal arrives.
pub(in crate::kernel) fn wait<T>(
    deadline: Option<Instant>,
    attempt: impl FnMut() -> Result<T, CallError>,
) -> Waited<T> {
    let _alarm = deadline.map(Alarm::set);
    persist(deadline, attempt)
}

/// Repeats a call that returns `ETIMEDOUT` at the deadline by itself, in case it returned too early.
pub(in crate::kernel) fn persist<T>(
    deadline: Option<Instant>,
    mut attempt: impl FnMut() -> Result<T, CallError>,
) -> Waited<T> {
    loop {
        if let Some(signal) = pending() {
            return Err(Stopped::Signal(signal));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stopped::TimedOut);
        }
        match attempt() {
            Err(error) if matches!(error.errno, Errno::EINTR | Errno::ETIMEDOUT) => {}
            result => return result.map_err(Stopped::Failed),
        }
    }
}

/// [`persist`] for a call that takes a deadline by the wall clock. It is repeated each second, as often as the clock
/// may be set and what is waited for may go: then the caller looks.
pub(in crate::kernel) fn persist_by_wall_clock<T>(
    deadline: Option<Instant>,
    mut attempt: impl FnMut(libc::timespec) -> Result<T, CallError>,
) -> Waited<T> {
    persist(deadline, || {
        let look_up = Instant::now() + LOOK_UP;
        attempt(absolute(deadline.map_or(look_up, |deadline| deadline.min(look_up))))
    })
}

/// How often to interrupt such a wait.
const LOOK_UP: Duration = Duration::from_secs(1);

/// A deadline by the wall clock, which these calls use. The clock may be set meanwhile: a wait that
/// ends too early by the steady clock is repeated.
fn absolute(deadline: Instant) -> libc::timespec {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    timespec(now.saturating_add(deadline.saturating_duration_since(Instant::now())))
}

/// `tv_nsec` is always below 1,000,000,000, because `Duration` is normalized.
fn timespec(since_epoch: Duration) -> libc::timespec {
    let seconds = libc::c_long::try_from(since_epoch.as_secs()).unwrap_or(libc::c_long::MAX);
    libc::timespec { tv_sec: seconds as _, tv_nsec: since_epoch.subsec_nanos() as _ }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Seconds since the Epoch that every machine can represent.
    const LATEST: u64 = if size_of::<libc::c_long>() < 8 { 1 << 30 } else { 1 << 40 };

    proptest! {
        #[test]
        fn a_point_in_time_is_carried(seconds in 0..LATEST, now in 0u32..1_000_000_000, more in 0u32..1_000_000_000) {
            let sum = timespec(Duration::new(seconds, now) + Duration::from_nanos(more.into()));
            prop_assert!((0..1_000_000_000).contains(&sum.tv_nsec));
            let total = i128::from(sum.tv_sec) * 1_000_000_000 + i128::from(sum.tv_nsec);
            prop_assert_eq!(total, i128::from(seconds) * 1_000_000_000 + i128::from(now) + i128::from(more));
        }
    }
}
