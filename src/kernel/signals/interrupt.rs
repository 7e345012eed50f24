//! The first signal that asks this process to end, and the timer that interrupts blocking calls.
//!
//! The System V calls have no timeout, and a signal that arrives just before one of them blocks would
//! not interrupt it. So after the timeout, or after the first signal, an interval timer interrupts
//! every blocking call repeatedly (`EINTR`, see `signal(7)`, "Interruption of system calls").
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::{Duration, Instant};

use super::deadly::{self, Set};

/// The time between two interruptions by the timer.
const INTERVAL: Duration = Duration::from_millis(10);

/// The first signal that asked this process to end; 0 for none.
static PENDING: AtomicI32 = AtomicI32::new(0);

/// The timer that interrupts calls, a `timer_t`, for which null is a valid value.
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(NO_TIMER);
const NO_TIMER: *mut libc::c_void = ptr::without_provenance_mut(usize::MAX);

/// Catches, from now on, every signal that would end the process immediately, unless the process was
/// started with that signal ignored, as by `nohup(1)`.
pub fn catch_signals() -> io::Result<()> {
    make_timer()?;
    deadly::catch(note)
}

/// Creates the timer. It uses SIGURG, which is ignored by default, so that one from another sender is
/// harmless. SIGALRM belongs to the caller, who may have set an alarm or blocked it.
pub(super) fn make_timer() -> io::Result<()> {
    TIMER.store(new_timer()?, Ordering::Relaxed);
    Ok(())
}

fn new_timer() -> io::Result<libc::timer_t> {
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
    Ok(timer)
}

/// A timer of its own that interrupts blocking calls, beside the one of this module.
#[derive(Debug)]
pub(in crate::kernel) struct Ticker(libc::timer_t);

impl Ticker {
    /// A timer that does nothing yet.
    pub fn new() -> io::Result<Ticker> {
        new_timer().map(Ticker)
    }

    /// Interrupts the calls of this process after this long, again and again until it is stopped.
    pub fn start(&self, after: Duration) {
        set(self.0, after.max(Duration::from_nanos(1)), INTERVAL);
    }

    /// Interrupts nothing any more.
    pub fn stop(&self) {
        set(self.0, Duration::ZERO, Duration::ZERO);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // SAFETY: it came from timer_create, and nothing uses it any more.
        unsafe { libc::timer_delete(self.0) };
    }
}

fn note(signal: i32) {
    let _ = PENDING.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
    interrupt_after(INTERVAL);
}

extern "C" fn wake(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {}

/// The signal that asked this process to end, if any.
pub fn pending() -> Option<i32> {
    match PENDING.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Ends this process by `signal`, so that its parent sees the cause: a shell then stops its loop.
pub fn end_by(signal: i32) -> ! {
    let mut own = Set::default();
    own.add(signal);
    let _ = deadly::set_default(signal);
    let _ = own.change(libc::SIG_UNBLOCK);
    // SAFETY: takes plain numbers.
    unsafe { libc::kill(libc::getpid(), signal) };
    // Reached only if the signal does not end the process.
    std::process::exit(128 + signal)
}

/// Interrupts blocking calls from a deadline on, until it is dropped.
pub(in crate::kernel) struct Alarm;

impl Alarm {
    pub(in crate::kernel) fn set(deadline: Instant) -> Alarm {
        interrupt_after(deadline.saturating_duration_since(Instant::now()));
        Alarm
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        set_timer(Duration::ZERO, Duration::ZERO);
        if pending().is_some() {
            interrupt_after(INTERVAL);
        }
    }
}

fn interrupt_after(first: Duration) {
    set_timer(first.max(Duration::from_nanos(1)), INTERVAL);
}

fn set_timer(first: Duration, interval: Duration) {
    let timer = TIMER.load(Ordering::Relaxed);
    if timer != NO_TIMER {
        set(timer, first, interval);
    }
}

fn set(timer: libc::timer_t, first: Duration, interval: Duration) {
    let timespec = |duration: Duration| libc::timespec {
        // The maximum on 32-bit kernels, 68 years, counts as no limit.
        tv_sec: duration.as_secs().min(i32::MAX as u64) as _,
        tv_nsec: duration.subsec_nanos() as _,
    };
    let setting = libc::itimerspec { it_interval: timespec(interval), it_value: timespec(first) };
    // SAFETY: `timer` came from timer_create; the call reads `setting` and writes nothing back.
    unsafe { libc::timer_settime(timer, 0, &setting, ptr::null_mut()) };
}

/// Not of the kind `Interrupted`, on which `std` would repeat the call.
pub(in crate::kernel) fn interrupted() -> io::Error {
    io::Error::other("interrupted by a signal")
}
