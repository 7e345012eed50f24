//! `sem_open(3)` and `sem_unlink(3)` of glibc, put together from the system calls that they make.
//!
//! A semaphore that exists is opened by its file. If there is none and one is to be created, a file with a random name
//! gets the first value, then the name of the semaphore as a link, and loses its own.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::{O_CREAT, O_EXCL};
use nix::errno::Errno;

use super::TracedCall;
use super::files::{Shown, creates_semaphore, opens_semaphore, semaphore_of};
use crate::kernel::call::Outcome;

/// How far a thread is in a `sem_open(3)`.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// It tried to open a semaphore that is not there. That is all of `sem_open` without `O_CREAT`; the next call
    /// of the thread shows whether it is.
    missing: Option<TracedCall>,
    making: Option<Making>,
}

/// The file that becomes a semaphore.
#[derive(Debug)]
struct Making {
    path: Vec<u8>,
    mode: u32,
    descriptor: i64,
    value: u32,
    is_exclusive: bool,
}

/// What becomes of a call that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is shown.
    Shown,
    /// It is a part of another one.
    Hidden,
    /// It is kept until the next call.
    Kept,
}

impl Progress {
    /// What is kept, if it is a whole call by now.
    pub fn take(&mut self) -> Option<TracedCall> {
        self.missing.take()
    }

    /// Looks at a call that begins. Whether it goes on with the one that is kept.
    pub fn begin(&mut self, call: &TracedCall) -> bool {
        let Some((shown, path)) = call.recorded.shown() else { return false };
        if shown == Shown::Linked
            && let Some(making) = &mut self.making
            && making.path == call.recorded.linked_from(call.thread)
        {
            making.value = first_value(call.pid, &making.path).unwrap_or(0);
        }
        shown.opening().is_some_and(|(flags, _)| creates_semaphore(path, flags))
    }

    /// Looks at a call that ended, and shows it as what it is a part of.
    pub fn end(&mut self, call: &mut TracedCall) -> Verdict {
        let Some((shown, path)) = call.recorded.shown() else { return Verdict::Shown };
        let outcome = call.outcome;
        if let Some((flags, mode)) = shown.opening() {
            if opens_semaphore(path, flags) {
                let name = semaphore_of(path).unwrap_or_default();
                call.recorded.show_as(Shown::Semaphore(None, 0, 0), &name);
                return match outcome {
                    Outcome::Failed(Errno::ENOENT) => Verdict::Kept,
                    _ => Verdict::Shown,
                };
            }
            if creates_semaphore(path, flags)
                && let Some(descriptor) = outcome.value()
            {
                let is_exclusive = self.missing.take().is_none();
                let path = path.to_vec();
                let making = Making { path, mode, descriptor, value: 0, is_exclusive };
                self.making = Some(making);
                return Verdict::Hidden;
            }
            if creates_semaphore(path, flags)
                && let Some(missing) = self.missing.take()
            {
                let Some((_, name)) = missing.recorded.shown() else { return Verdict::Shown };
                call.recorded.show_as(Shown::Semaphore(None, mode, 0), name);
            }
            return Verdict::Shown;
        }
        if shown == Shown::Linked {
            let Some(making) = &self.making else { return Verdict::Hidden };
            let Some(name) = semaphore_of(path) else { return Verdict::Hidden };
            let flags = O_CREAT | if making.is_exclusive { O_EXCL } else { 0 };
            if let Outcome::Returned(_) = outcome {
                call.outcome = Outcome::Returned(making.descriptor);
            } else if outcome == Outcome::Failed(Errno::EEXIST) && !making.is_exclusive {
                // Another one was faster, and glibc opens that.
                return Verdict::Hidden;
            }
            call.recorded.show_as(Shown::Semaphore(Some(flags), making.mode, making.value), &name);
            return Verdict::Shown;
        }
        if shown.is_unlinking() {
            if self.making.as_ref().is_some_and(|making| making.path == path) {
                self.making = None;
                return Verdict::Hidden;
            }
            if shown == Shown::Unlinked
                && let Some(name) = semaphore_of(path)
            {
                call.recorded.show_as(Shown::SemaphoreUnlinked, &name);
            }
        }
        Verdict::Shown
    }

    /// Keeps a call until the next one.
    pub fn keep(&mut self, call: TracedCall) {
        self.missing = Some(call);
    }
}

/// The value in a file that becomes a semaphore, as its program sees the file.
fn first_value(pid: i32, path: &[u8]) -> Option<u32> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path)).strip_prefix("/").ok()?;
    let mut file = File::open(Path::new(&format!("/proc/{pid}/root")).join(path)).ok()?;
    let mut value = [0; 4];
    file.read_exact(&mut value).ok()?;
    Some(u32::from_ne_bytes(value))
}
