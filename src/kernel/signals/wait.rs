//! Waits in a blocking call until it returns, a timeout passes or a signal arrives, without losing what
//! was received.
#![deny(unsafe_code)]

use std::time::{Duration, Instant};

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
