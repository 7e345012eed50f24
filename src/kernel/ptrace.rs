//! Traces the IPC calls of other programs: `ptrace(2)`, `seccomp(2)`.
//!
//! A command gets a filter that names the calls, so that all others run at full speed. A process that runs already
//! cannot be given one, and stops at each of its system calls.
// On other machines the numbers of system calls are not known, so that no call is recognised.
#![cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")),
    allow(dead_code, unused_imports)
)]

mod attach;
mod files;
mod filter;
mod launch;
mod look;
mod memory;
mod numbers;
mod recorded;
mod request;
mod semaphore;
mod tracer;

use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime};

pub use look::{Descriptor, Notice, descriptor, look_up, path_of, project_of, tracer_of};
pub use tracer::Tracer;

use recorded::Recorded;
use semaphore::Progress;

use super::call::{Call, CallName, Event, Outcome};
use super::descendants::child::Ended;

/// A call of a traced program.
#[derive(Clone, Debug)]
pub struct TracedCall {
    /// Its process.
    pub pid: i32,
    /// Its thread.
    pub thread: i32,
    /// When it began, by the wall clock.
    pub time: SystemTime,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, or has taken so far.
    pub duration: Duration,
    recorded: Recorded,
    began: Instant,
    is_slow: bool,
}

impl TracedCall {
    fn of(pid: i32, thread: i32) -> TracedCall {
        TracedCall {
            pid,
            thread,
            time: SystemTime::UNIX_EPOCH,
            outcome: Outcome::Unfinished,
            duration: Duration::ZERO,
            recorded: Recorded::default(),
            began: Instant::now(),
            is_slow: false,
        }
    }

    /// The call as a value.
    pub fn call(&self) -> Option<Call<'_>> {
        self.recorded.call()
    }

    /// The call with its result, of which this many bytes of a message are shown.
    pub fn event(&self, shown: usize) -> Option<Event<'_>> {
        Some(Event { call: self.call()?, outcome: self.outcome, shown })
    }
}

/// What becomes of traced programs. While a function runs, the thread that it is about is stopped.
pub trait Observer {
    /// A call is about to be made that may create or remove an object.
    fn begins(&mut self, call: &TracedCall);
    /// A call has ended.
    fn ended(&mut self, call: &TracedCall);
    /// A call has been waiting for as long as was asked for. Its thread sleeps in it.
    fn waits(&mut self, call: &TracedCall);
    /// A process started another one, or a thread of itself.
    fn started(&mut self, parent: i32, pid: i32, thread: i32);
    /// A process executes another program.
    fn executed(&mut self, pid: i32);
    /// A process is not traced as one would expect.
    fn noticed(&mut self, pid: i32, notice: Notice);
    /// A process ended.
    fn exited(&mut self, pid: i32, how: Ended);
    /// Something interrupted the wait for all that: a signal, or the time. `Break` ends the tracing.
    fn interrupted(&mut self) -> ControlFlow<()>;
}

/// How to trace.
#[derive(Debug)]
pub struct Settings<'a> {
    /// The calls that are shown.
    pub calls: &'a [CallName],
    /// How many bytes of a message are shown.
    pub shown: usize,
    /// After how long a call counts as waiting.
    pub slow: Duration,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In no call that is traced.
    Elsewhere,
    /// In the call that it keeps.
    Call,
    /// A signal has interrupted the call that it keeps. What comes next shows whether the kernel repeats it, or the
    /// program gets `EINTR`.
    Interrupted,
}

#[derive(Debug)]
struct Thread {
    at: At,
    call: TracedCall,
    progress: Progress,
    /// Whether it was asked to stop in order to be traced, or not to be.
    is_interrupted: bool,
    noticed: Option<Notice>,
    /// Whether a signal stopped it, and it has not got SIGCONT since.
    has_stopped: bool,
    /// Whether its last call fails for good because it stopped, whatever comes before the program goes on.
    has_failed: bool,
    /// The register that was changed so that a repeated call waits only as long as is left.
    shortened: Option<u64>,
}

impl Thread {
    fn new(pid: i32, thread: i32) -> Thread {
        Thread {
            at: At::Elsewhere,
            call: TracedCall::of(pid, thread),
            progress: Progress::default(),
            is_interrupted: false,
            noticed: None,
            has_stopped: false,
            has_failed: false,
            shortened: None,
        }
    }
}
