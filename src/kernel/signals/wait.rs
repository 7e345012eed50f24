//! Waiting in a blocking call until it ends, a timeout passes or a signal comes, without losing what
//! was taken.
#![deny(unsafe_code)]

use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::interrupt::{Alarm, pending};
use crate::kernel::call::CallError;

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The call failed.
    Failed(CallError),
    /// The timeout passed.
    TimedOut,
    /// A signal came.
    Signal(i32),
}

/// What a call gave that may have waited.
pub type Waited<T> = Result<T, Stopped>;

/// The moment at which a wait of this length ends; none where that is beyond the clock.
pub fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// Waits for so long, or until a signal comes.
pub fn sleep(time: Duration) {
    // The caller looks again, whatever ended the wait.
    let _ = nix::poll::ppoll(&mut [], Some(time.into()), None);
}

/// Attempts a blocking call that knows no timeout until it ends by itself, the deadline has passed
/// or a signal has come.
pub(in crate::kernel) fn wait<T>(
    deadline: Option<Instant>,
    attempt: impl FnMut() -> Result<T, CallError>,
) -> Waited<T> {
    let _alarm = deadline.map(Alarm::set);
    persist(deadline, attempt)
}

/// The same for a call that ends at the deadline by itself (`ETIMEDOUT`): it is attempted again if
/// that was too early.
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
