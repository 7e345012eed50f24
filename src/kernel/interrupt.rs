//! Waiting that a signal or a timeout ends, without losing what was taken.
//!
//! The System V calls know no timeout, and a signal that comes just before one of them blocks would
//! go unnoticed. So whoever wants to end a wait knocks until he is heard: an interval timer
//! interrupts every blocking call again and again (`EINTR`, see `signal(7)`, "Interruption of
//! system calls") from the timeout, or from the first signal, on.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::call::CallError;

/// How long to wait between knocks.
const KNOCK: Duration = Duration::from_millis(10);

/// The first signal that asked this process to end; 0 for none.
static PENDING: AtomicI32 = AtomicI32::new(0);

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

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT are noted instead of ending the process at
/// once, unless it was started with them ignored, as `nohup(1)` does.
pub fn catch_signals() -> nix::Result<()> {
    let note = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        // SAFETY: `note` only stores to an atomic and arms a timer, both async-signal-safe.
        let before = unsafe { sigaction(signal, &note) }?;
        if matches!(before.handler(), SigHandler::SigIgn) {
            // SAFETY: gives back what was there.
            unsafe { sigaction(signal, &before) }?;
        }
    }
    let wake = SigAction::new(SigHandler::Handler(wake), SaFlags::empty(), SigSet::empty());
    // SAFETY: `wake` does nothing.
    unsafe { sigaction(Signal::SIGALRM, &wake) }?;
    Ok(())
}

extern "C" fn note(signal: i32) {
    // Setting a timer must not change the errno that the interrupted code is about to read.
    let errno = Errno::last_raw();
    let _ = PENDING.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
    knock_after(KNOCK);
    Errno::set_raw(errno);
}

extern "C" fn wake(_: i32) {}

/// The signal that asked this process to end.
pub fn pending() -> Option<i32> {
    match PENDING.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Ends this process by `signal`, so that its parent sees why: a shell stops its loop.
pub fn end_by(signal: i32) -> ! {
    if let Ok(signal) = Signal::try_from(signal) {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: no handler of ours is installed.
        let _ = unsafe { sigaction(signal, &default) };
        let _ = nix::sys::signal::raise(signal);
    }
    // Reached only where the signal is blocked.
    std::process::exit(128 + signal)
}

/// Attempts a blocking call until it ends by itself, `timeout` has passed or a signal has come.
pub(super) fn wait<T>(
    timeout: Option<Duration>,
    mut attempt: impl FnMut() -> Result<T, CallError>,
) -> Waited<T> {
    // A deadline beyond the clock is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let _alarm = timeout.map(Alarm::set);
    loop {
        if let Some(signal) = pending() {
            return Err(Stopped::Signal(signal));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stopped::TimedOut);
        }
        match attempt() {
            Err(error) if error.errno == Errno::EINTR => {}
            result => return result.map_err(Stopped::Failed),
        }
    }
}

/// Knocks from a timeout on, until it is dropped.
struct Alarm;

impl Alarm {
    fn set(timeout: Duration) -> Alarm {
        knock_after(timeout);
        Alarm
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        set_timer(Duration::ZERO, Duration::ZERO);
        if pending().is_some() {
            knock_after(KNOCK);
        }
    }
}

fn knock_after(first: Duration) {
    set_timer(first.max(Duration::from_micros(1)), KNOCK);
}

fn set_timer(first: Duration, interval: Duration) {
    let timeval = |duration: Duration| libc::timeval {
        // The most that the kernel takes, 34 years on 32 bits, is for ever.
        tv_sec: duration.as_secs().min(i32::MAX as u64) as libc::time_t,
        tv_usec: duration.subsec_micros() as libc::suseconds_t,
    };
    let timer = libc::itimerval { it_interval: timeval(interval), it_value: timeval(first) };
    // SAFETY: the call reads `timer` and writes nothing back.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) };
}

/// A stream on which a signal ends reading and writing. `std` goes on after `EINTR`.
#[derive(Debug)]
pub struct Interruptible<S>(pub S);

impl<S: Read> Read for Interruptible<S> {
    /// Reads no more once a signal has come.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if pending().is_some() {
                return Err(interrupted());
            }
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl<S: Write> Write for Interruptible<S> {
    /// What is in hand is still written after a signal, unless that would wait.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if pending().is_some() {
                        return Err(interrupted());
                    }
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Not of the kind `Interrupted`, after which `std` would try again.
fn interrupted() -> io::Error {
    io::Error::other("interrupted by a signal")
}
