//! Waiting that a signal or a timeout ends, without losing what was taken.
//!
//! The System V calls have no timeout, and a signal that comes just before one of them blocks would
//! go unnoticed. So from the timeout, or from the first signal, on, an interval timer interrupts every
//! blocking call again and again (`EINTR`, see `signal(7)`, "Interruption of system calls").

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::deadly::{self, Set};
use crate::kernel::call::CallError;
use crate::kernel::io::os_error;

/// How long to wait between knocks.
const KNOCK: Duration = Duration::from_millis(10);

/// The first signal that asked this process to end; 0 for none.
static PENDING: AtomicI32 = AtomicI32::new(0);

/// The timer that knocks, a `timer_t`, of which the first one may well be null.
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(NO_TIMER);
const NO_TIMER: *mut libc::c_void = ptr::without_provenance_mut(usize::MAX);

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

/// From now on every signal that would end the process at once is noted, unless it was started with
/// that signal ignored, as `nohup(1)` does.
pub fn catch_signals() -> io::Result<()> {
    make_timer()?;
    deadly::catch(note)
}

/// Makes the timer. Its signal is one that does nothing by default, so that whoever else sends it does
/// no harm: SIGALRM is the caller's, who may have set an alarm, and may have blocked it.
pub(in crate::kernel) fn make_timer() -> io::Result<()> {
    let signal = libc::SIGURG;
    let mut event = MaybeUninit::<libc::sigevent>::zeroed();
    let mut timer = ptr::null_mut();
    deadly::install(signal, wake)?;
    let mut own = Set::default();
    own.add(signal);
    own.change(libc::SIG_UNBLOCK)?;
    // SAFETY: zero is a valid value of every field, and the pointers are to values that outlive the
    // call.
    let result = unsafe {
        let event = event.assume_init_mut();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = signal;
        libc::timer_create(libc::CLOCK_MONOTONIC, event, &mut timer)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    TIMER.store(timer, Ordering::Relaxed);
    Ok(())
}

fn note(signal: i32) {
    let _ = PENDING.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
    knock_after(KNOCK);
}

extern "C" fn wake(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {}

/// The signal that asked this process to end.
pub fn pending() -> Option<i32> {
    match PENDING.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Ends this process by `signal`, so that its parent sees why: a shell stops its loop.
pub fn end_by(signal: i32) -> ! {
    let mut own = Set::default();
    own.add(signal);
    let _ = deadly::set_default(signal);
    let _ = own.change(libc::SIG_UNBLOCK);
    // SAFETY: takes plain numbers.
    unsafe { libc::kill(libc::getpid(), signal) };
    // Reached only by a signal that ends nobody.
    std::process::exit(128 + signal)
}

/// The moment at which a wait of this length ends; none where that is beyond the clock.
pub fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// Waits for so long, or until a signal comes.
pub fn sleep(time: Duration) {
    // Whatever ends it, whoever waits looks again.
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

/// Knocks from a moment on, until it is dropped.
pub(in crate::kernel) struct Alarm;

impl Alarm {
    pub(in crate::kernel) fn set(deadline: Instant) -> Alarm {
        knock_after(deadline.saturating_duration_since(Instant::now()));
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
    set_timer(first.max(Duration::from_nanos(1)), KNOCK);
}

fn set_timer(first: Duration, interval: Duration) {
    let timespec = |duration: Duration| libc::timespec {
        // The most that the kernel takes on 32 bits, 68 years, is for ever.
        tv_sec: duration.as_secs().min(i32::MAX as u64) as libc::time_t,
        tv_nsec: duration.subsec_nanos() as _,
    };
    let setting = libc::itimerspec { it_interval: timespec(interval), it_value: timespec(first) };
    let timer = TIMER.load(Ordering::Relaxed);
    if timer != NO_TIMER {
        // SAFETY: `timer` came from timer_create; the call reads `setting` and writes nothing back.
        unsafe { libc::timer_settime(timer, 0, &setting, ptr::null_mut()) };
    }
}

/// A file on which a signal ends reading and writing, where `std` would go on after `EINTR`, and
/// which waits where somebody else has made it non-blocking.
#[derive(Debug)]
pub struct Interruptible(pub File);

impl Read for Interruptible {
    /// Reads no more once a signal has come.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if pending().is_some() {
                return Err(interrupted());
            }
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    os_error::wait_readable(&self.0);
                }
                result => return result,
            }
        }
    }
}

impl Write for Interruptible {
    /// What is in hand is still written after a signal, unless that would wait.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            let would_block = match self.0.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
                result => return result,
            };
            if pending().is_some() {
                return Err(interrupted());
            }
            if would_block {
                os_error::wait_writable(&self.0);
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Not of the kind `Interrupted`, after which `std` would try again.
pub(in crate::kernel) fn interrupted() -> io::Error {
    io::Error::other("interrupted by a signal")
}
