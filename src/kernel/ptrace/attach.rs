//! Attaches to processes that run, and leaves them.

use std::io;
use std::ops::ControlFlow;

use nix::errno::Errno;

use super::request::{self, Manner};
use super::tracer::{Tracer, require_support};
use super::{Notice, Observer, Settings, Thread, TracedCall, tracer_of};
use crate::kernel::descendants::child::{self, Ended};
use crate::kernel::process::{has_thread_left, threads as threads_of};

impl<'a> Tracer<'a> {
    /// Attaches to all threads of these processes. If one of them cannot be traced, returns its pid and the error, and
    /// leaves the others as they were.
    pub fn attach(pids: &[i32], settings: Settings<'a>) -> Result<Self, (i32, io::Error)> {
        let mut tracer = Tracer::new(Manner::EachCall, settings).map_err(|error| (0, error))?;
        for &pid in pids {
            let attached = require_support().and_then(|()| tracer.attach_to(pid));
            if let Err(error) = attached {
                tracer.leave();
                return Err((pid, error));
            }
        }
        Ok(tracer)
    }

    fn attach_to(&mut self, pid: i32) -> io::Result<()> {
        loop {
            let threads = threads_of(pid)?;
            let before = self.threads.len();
            for thread in threads {
                if self.threads.contains_key(&thread) {
                    continue;
                }
                match request::seize(thread, self.manner) {
                    Ok(()) => {
                        self.threads.insert(thread, Thread::new(pid, thread));
                        self.interrupt(thread);
                    }
                    // It has ended meanwhile.
                    Err(Errno::ESRCH) if thread != pid => {}
                    // The first thread may end before the others.
                    Err(Errno::EPERM) if has_thread_left(pid, thread) && has_more(pid) => {}
                    // A new thread of one that is traced is traced, too.
                    Err(Errno::EPERM) if thread != pid && is_traced_by_this(thread) => {
                        self.threads.insert(thread, Thread::new(pid, thread));
                    }
                    Err(errno) => return Err(errno.into()),
                }
            }
            // Meanwhile there may be new ones.
            if self.threads.len() == before {
                return Ok(());
            }
        }
    }

    /// Leaves all processes as they were before they were traced. Those that a filter stops at calls cannot be left,
    /// because the calls would fail: they are killed.
    pub fn leave(&mut self) {
        self.is_leaving = true;
        self.ticker.stop();
        let threads: Vec<i32> = self.threads.keys().copied().collect();
        for thread in threads {
            match self.manner {
                Manner::Filter => drop(child::kill(thread, libc::SIGKILL)),
                Manner::EachCall => self.interrupt(thread),
            }
        }
        struct Nobody;
        impl Observer for Nobody {
            fn begins(&mut self, _: &TracedCall) {}
            fn ended(&mut self, _: &TracedCall) {}
            fn waits(&mut self, _: &TracedCall) {}
            fn started(&mut self, _: i32, _: i32, _: i32) {}
            fn executed(&mut self, _: i32) {}
            fn noticed(&mut self, _: i32, _: Notice) {}
            fn exited(&mut self, _: i32, _: Ended) {}
            fn interrupted(&mut self) -> ControlFlow<()> {
                ControlFlow::Continue(())
            }
        }
        while !self.threads.is_empty() {
            match self.waiter.wait() {
                Ok((thread, status)) => self.handle(thread, status, &mut Nobody),
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
    }
}

impl Drop for Tracer<'_> {
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.leave();
        }
    }
}

/// Whether a process has more threads than its first one.
fn has_more(pid: i32) -> bool {
    threads_of(pid).is_ok_and(|threads| threads.len() > 1)
}

/// Whether this process traces a thread already.
fn is_traced_by_this(thread: i32) -> bool {
    tracer_of(thread) == i32::try_from(std::process::id()).ok()
}
