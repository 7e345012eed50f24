//! Follows threads from stop to stop.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;

use super::filter::Filter;
use super::launch::{self, Launched};
use super::numbers::{self, ARCHITECTURE, IS_SUPPORTED};
use super::request::{self, Manner, Resume, Stop, Waiter};
use super::semaphore::Verdict;
use super::{At, Notice, Observer, Settings, Thread, TracedCall, look};
use crate::kernel::call::Outcome;
use crate::kernel::descendants::child::Ended;
use crate::kernel::process::proc_file;
use crate::kernel::process::status::field;
use crate::kernel::signals::Inbox;
use crate::kernel::signals::interrupt::Ticker;

/// How often to look for signals to this process.
const OFTEN: Duration = Duration::from_millis(10);

/// How often to look for calls that wait, while there are any.
const TICK: Duration = Duration::from_millis(250);

/// Traced programs.
#[derive(Debug)]
pub struct Tracer<'a> {
    pub(super) manner: Manner,
    pub(super) settings: Settings<'a>,
    pub(super) threads: HashMap<i32, Thread>,
    launched: Option<Launched>,
    pub(super) ticker: Ticker,
    /// When to look for calls that wait.
    look_at: Option<Instant>,
    pub(super) waiter: Waiter,
    /// Whether every thread is to be left.
    pub(super) is_leaving: bool,
}

impl<'a> Tracer<'a> {
    /// Starts a command. The signals that it gets are those that this process was started with.
    pub fn launch(words: &[OsString], inbox: &Inbox, settings: Settings<'a>) -> io::Result<Self> {
        require_support()?;
        let inherited = inbox.inherited();
        let filter = Filter::new(numbers::traced(settings.calls));
        let start = |filter, manner| launch::launch(words, &inherited, filter, manner);
        // Some kernels, and some containers, have no filters.
        let (launched, manner) = match Filter::is_possible() {
            true => (start(Some(&filter), Manner::Filter)?, Manner::Filter),
            false => (start(None, Manner::EachCall)?, Manner::EachCall),
        };
        let mut tracer = Tracer::new(manner, settings)?;
        tracer.threads.insert(launched.pid, Thread::new(launched.pid, launched.pid));
        tracer.launched = Some(launched);
        Ok(tracer)
    }

    pub(super) fn new(manner: Manner, settings: Settings<'a>) -> io::Result<Self> {
        Ok(Tracer {
            manner,
            settings,
            threads: HashMap::new(),
            launched: None,
            ticker: Ticker::new()?,
            look_at: None,
            waiter: Waiter::new(),
            is_leaving: false,
        })
    }

    /// The pid of the command.
    pub fn command(&self) -> Option<i32> {
        self.launched.as_ref().map(|launched| launched.pid)
    }

    /// Why the command could not be executed, once its process has ended.
    pub fn error(&mut self) -> Option<io::Error> {
        self.launched.as_mut()?.error()
    }

    /// Whether the command has a seccomp filter in order to be traced.
    pub fn has_filter(&self) -> bool {
        self.manner == Manner::Filter
    }

    /// How many threads are traced.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn interrupt(&mut self, thread: i32) {
        if let Some(known) = self.threads.get_mut(&thread) {
            known.is_interrupted = request::interrupt(thread).is_ok();
        }
    }

    fn is_not_interrupted(&mut self, thread: i32) {
        if let Some(known) = self.threads.get_mut(&thread) {
            known.is_interrupted = false;
        }
    }

    /// Traces until all processes have ended, or the observer ends it.
    pub fn run(&mut self, observer: &mut dyn Observer) -> io::Result<()> {
        let mut looked_at = None;
        while !self.threads.is_empty() || self.has_newcomer(observer) {
            match self.waiter.wait() {
                Ok((thread, status)) => self.handle(thread, status, observer),
                Err(Errno::EINTR) => looked_at = None,
                Err(Errno::ECHILD) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
            // While there is always something to handle, nothing interrupts the wait.
            if looked_at.is_none_or(|at: Instant| at.elapsed() >= OFTEN) {
                looked_at = Some(Instant::now());
                self.look_at_waiting(observer);
                if observer.interrupted().is_break() {
                    self.tell_unfinished(observer);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether a process comes that was started by one that was killed before it could be asked. This process may have
    /// children that it does not trace, and does not wait for.
    fn has_newcomer(&mut self, observer: &mut dyn Observer) -> bool {
        while let Some((thread, status)) = request::look() {
            self.handle(thread, status, observer);
        }
        !self.threads.is_empty()
    }

    /// Tells of the calls in which threads are.
    fn tell_unfinished(&mut self, observer: &mut dyn Observer) {
        for thread in self.threads.values_mut().filter(|thread| thread.at == At::Call) {
            thread.call.duration = thread.call.began.elapsed();
            if !std::mem::replace(&mut thread.call.is_slow, true) {
                observer.waits(&thread.call);
            }
        }
    }

    /// Handles a change in the state of a thread, and lets it go on.
    pub(super) fn handle(&mut self, thread: i32, status: i32, observer: &mut dyn Observer) {
        if libc::WIFEXITED(status) {
            return self.gone(thread, Ended::Status(libc::WEXITSTATUS(status) as u8), observer);
        }
        if libc::WIFSIGNALED(status) {
            return self.gone(thread, Ended::Signal(libc::WTERMSIG(status)), observer);
        }
        if !self.threads.contains_key(&thread) {
            // Its parent has not said yet that it started it.
            let Some((pid, parent)) = family_of(thread) else {
                let _ = request::resume(thread, self.usual(At::Elsewhere), 0);
                return;
            };
            self.add(thread, pid, parent, observer);
        }
        if status >> 16 != PTRACE_EVENT_STOP {
            // Any other stop makes the kernel forget that the thread was to be interrupted.
            match self.is_leaving {
                true => self.interrupt(thread),
                false => self.is_not_interrupted(thread),
            }
        }
        let signal = libc::WSTOPSIG(status);
        let (resume, signal) = match status >> 16 {
            PTRACE_EVENT_SECCOMP => (self.at_call(thread, observer), 0),
            PTRACE_EVENT_CLONE | PTRACE_EVENT_FORK | PTRACE_EVENT_VFORK => {
                self.started(thread, status >> 16, observer);
                (None, 0)
            }
            PTRACE_EVENT_EXEC => {
                self.executed(thread, observer);
                (None, 0)
            }
            PTRACE_EVENT_STOP => (self.stopped(thread, signal, observer), 0),
            0 if signal == libc::SIGTRAP | 0x80 => (self.at_call(thread, observer), 0),
            0 => {
                self.signalled(thread, signal, observer);
                (None, signal)
            }
            _ => (None, 0),
        };
        let at = self.threads.get(&thread).map_or(At::Elsewhere, |thread| thread.at);
        let resume = resume.unwrap_or(self.usual(at));
        if resume == Resume::Detached {
            self.threads.remove(&thread);
        }
        // ESRCH if it was killed meanwhile: then its end comes next.
        let _ = request::resume(thread, resume, signal);
    }

    /// How a thread continues that is in a call, or not.
    fn usual(&self, at: At) -> Resume {
        match (self.manner, at) {
            _ if self.is_leaving => Resume::Freely,
            (Manner::Filter, At::Elsewhere | At::Interrupted) => Resume::Freely,
            (Manner::Filter, At::Call) | (Manner::EachCall, _) => Resume::ToCall,
        }
    }

    /// A thread stopped because of a signal that stops processes, because it is new, or because it was interrupted.
    fn stopped(&mut self, thread: i32, signal: i32, observer: &mut dyn Observer) -> Option<Resume> {
        let is_group_stop = is_stopping(signal);
        let known = self.threads.get_mut(&thread)?;
        if std::mem::take(&mut known.is_interrupted) && !is_group_stop {
            let _ = request::repeat_call(thread);
        }
        if is_group_stop && !self.is_leaving {
            known.has_stopped = true;
            known.fail_interrupted(observer);
        }
        match is_group_stop {
            _ if self.is_leaving => Some(Resume::Detached),
            true => Some(Resume::Listen),
            false => None,
        }
    }

    /// A thread is before or behind a system call.
    fn at_call(&mut self, thread: i32, observer: &mut dyn Observer) -> Option<Resume> {
        let stop = request::stop(thread).ok()?;
        let Thread { at, call, progress, shortened, has_failed, .. } =
            self.threads.get_mut(&thread)?;
        if let Stop::Exit(_) = stop
            && let Some(original) = shortened.take()
        {
            let _ = request::restore(thread, original);
        }
        if let Stop::Entry { .. } = stop {
            *has_failed = false;
        }
        match stop {
            _ if self.is_leaving => {}
            Stop::Entry { number, arguments, .. }
                if *at == At::Interrupted && call.recorded.is_repeated_by(number, arguments) =>
            {
                *at = At::Call;
                let left = call.recorded.timeout();
                if let Some(left) = left.map(|timeout| timeout.saturating_sub(call.began.elapsed()))
                {
                    *shortened = request::shorten(thread, left).ok();
                }
            }
            Stop::Entry { architecture, number, arguments } => {
                if std::mem::replace(at, At::Elsewhere) == At::Interrupted {
                    observer.ended(call);
                }
                let shown = self.settings.shown;
                if architecture != ARCHITECTURE {
                    self.notice(thread, Notice::OtherMachine, observer);
                    return None;
                }
                if !call.recorded.begin(thread, number, arguments, shown) {
                    return None;
                }
                if call.recorded.is_stat() {
                    // Whether the file is there matters only if a key is made of it.
                    (call.outcome, call.time) = (Outcome::Unfinished, SystemTime::now());
                    observer.ended(call);
                    return None;
                }
                *at = At::Call;
                if !progress.begin(call)
                    && let Some(kept) = progress.take()
                {
                    observer.ended(&kept);
                }
                (call.began, call.time) = (Instant::now(), SystemTime::now());
                (call.outcome, call.duration, call.is_slow) =
                    (Outcome::Unfinished, Duration::ZERO, false);
                if call.recorded.may_create() || call.recorded.may_remove() {
                    observer.begins(call);
                }
                self.wake_later();
            }
            Stop::Exit(outcome) if *at == At::Call => {
                *at = At::Elsewhere;
                call.duration = call.began.elapsed();
                call.outcome = match outcome {
                    // A signal that is ignored interrupts only threads that are traced, whoever of the process gets it.
                    Outcome::Failed(Errno::EINTR)
                        if call.recorded.is_never_repeated()
                            && request::repeat_call(thread) == Ok(true) =>
                    {
                        Outcome::Interrupted(request::ERESTARTNOHAND)
                    }
                    other => other,
                };
                if let Outcome::Interrupted(_) = call.outcome {
                    *at = At::Interrupted;
                    return None;
                }
                call.recorded.end(thread, outcome, self.settings.shown);
                match progress.end(call) {
                    Verdict::Shown => observer.ended(call),
                    Verdict::Hidden => {}
                    Verdict::Kept => {
                        let empty = TracedCall::of(call.pid, call.thread);
                        progress.keep(std::mem::replace(call, empty));
                    }
                }
            }
            Stop::Exit(_) | Stop::Other => {}
        }
        None
    }

    /// A thread is about to get a signal.
    fn signalled(&mut self, thread: i32, signal: i32, observer: &mut dyn Observer) {
        let Some(known) = self.threads.get_mut(&thread) else { return };
        if is_stopping(signal) {
            return known.fail_interrupted(observer);
        }
        if known.at == At::Interrupted && look::is_caught(thread, signal) {
            known.at = At::Elsewhere;
            if known.call.outcome == Outcome::Interrupted(request::ERESTARTNOHAND) {
                known.call.outcome = Outcome::Failed(Errno::EINTR);
            }
            observer.ended(&known.call);
        }
        // A process that continues gets EINTR also without a tracer.
        let continues = signal == libc::SIGCONT && std::mem::take(&mut known.has_stopped);
        if !continues && !known.has_failed {
            let _ = request::repeat_call(thread);
        }
    }

    fn started(&mut self, thread: i32, event: i32, observer: &mut dyn Observer) {
        let Some(child) = request::event_message(thread) else { return };
        let Some(parent) = self.threads.get(&thread).map(|thread| thread.call.pid) else { return };
        if self.threads.contains_key(&child) {
            return;
        }
        let pid = match event {
            // A thread, unless clone(2) was called for a process.
            PTRACE_EVENT_CLONE => family_of(child).map_or(child, |(pid, _)| pid),
            _ => child,
        };
        self.add(child, pid, parent, observer);
    }

    fn add(&mut self, thread: i32, pid: i32, parent: i32, observer: &mut dyn Observer) {
        observer.started(parent, pid, thread);
        self.threads.insert(thread, Thread::new(pid, thread));
    }

    /// A process executed a program: its other threads are gone, and the one that did it has the id of the first.
    fn executed(&mut self, thread: i32, observer: &mut dyn Observer) {
        self.threads.retain(|&id, known| id == thread || known.call.pid != thread);
        self.threads.insert(thread, Thread::new(thread, thread));
        observer.executed(thread);
        if let Some(notice) = Notice::of_program(thread) {
            self.notice(thread, notice, observer);
        }
    }

    /// Gives a notice, once.
    fn notice(&mut self, thread: i32, notice: Notice, observer: &mut dyn Observer) {
        if let Some(known) = self.threads.get_mut(&thread)
            && known.noticed != Some(notice)
        {
            known.noticed = Some(notice);
            observer.noticed(known.call.pid, notice);
        }
    }

    fn gone(&mut self, thread: i32, how: Ended, observer: &mut dyn Observer) {
        let Some(mut known) = self.threads.remove(&thread) else { return };
        if let Some(kept) = known.progress.take() {
            observer.ended(&kept);
        }
        if known.at != At::Elsewhere {
            known.call.duration = known.call.began.elapsed();
            observer.ended(&known.call);
        }
        // The first thread of a process ends last, unless it had ended before the process was attached to.
        let pid = known.call.pid;
        if !self.threads.values().any(|other| other.call.pid == pid) {
            observer.exited(pid, how);
        }
    }

    /// Makes sure that calls that wait are noticed.
    fn wake_later(&mut self) {
        if self.look_at.is_none() {
            self.wake_after(self.settings.slow);
        }
    }

    fn wake_after(&mut self, wait: Duration) {
        let wait = wait.min(TICK);
        self.look_at = Some(Instant::now() + wait);
        self.ticker.start(wait);
    }

    /// Tells of calls that have been waiting for long, and of those that turned out to be whole.
    fn look_at_waiting(&mut self, observer: &mut dyn Observer) {
        if self.look_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        self.look_at = None;
        self.ticker.stop();
        let mut next = None;
        for thread in self.threads.values_mut() {
            if let Some(kept) = thread.progress.take() {
                observer.ended(&kept);
            }
            if thread.at == At::Call && !thread.call.is_slow {
                thread.call.duration = thread.call.began.elapsed();
                thread.call.is_slow = thread.call.duration >= self.settings.slow;
                match thread.call.is_slow {
                    true => observer.waits(&thread.call),
                    false => {
                        let left = self.settings.slow.saturating_sub(thread.call.duration);
                        next = Some(next.map_or(left, |next: Duration| next.min(left)));
                    }
                }
            }
        }
        if let Some(next) = next {
            self.wake_after(next);
        }
    }
}

// The kernel's numbers, which not every C library defines.
const PTRACE_EVENT_FORK: i32 = 1;
const PTRACE_EVENT_VFORK: i32 = 2;
const PTRACE_EVENT_CLONE: i32 = 3;
const PTRACE_EVENT_EXEC: i32 = 4;
const PTRACE_EVENT_SECCOMP: i32 = 7;
const PTRACE_EVENT_STOP: i32 = 128;

pub(super) fn require_support() -> io::Result<()> {
    match IS_SUPPORTED {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the calls of this kind of machine are not decoded",
        )),
    }
}

/// The process of a thread, and the parent of that process.
fn family_of(thread: i32) -> Option<(i32, i32)> {
    let status = proc_file::read_to_string(&format!("/proc/{thread}/status")).ok()?;
    let number = |label: &str| -> Option<i32> { field(&status, label)?.parse().ok() };
    Some((number("Tgid:")?, number("PPid:")?))
}

impl Thread {
    /// The thread stops. Then a call that is never repeated fails, as it does without a tracer.
    fn fail_interrupted(&mut self, observer: &mut dyn Observer) {
        if self.at == At::Interrupted && self.call.recorded.is_never_repeated() {
            self.at = At::Elsewhere;
            self.call.outcome = Outcome::Failed(Errno::EINTR);
            self.has_failed = true;
            let _ = request::fail_call(self.call.thread);
            observer.ended(&self.call);
        }
    }
}

/// Whether a signal stops a process by default.
fn is_stopping(signal: i32) -> bool {
    matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU)
}
