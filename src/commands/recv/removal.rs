//! `--then-rm`: closes the queue to senders, empties it and removes it.

use std::time::Duration;

use super::{Receiver, VERB};
use crate::commands::Result;
use crate::commands::{print_error, report};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::Reference;
use crate::kernel::closing::{self, Closed, Kept, Removal};
use crate::kernel::limits::Limit;
use crate::kernel::signals::{self, wait};

/// How often to try again while another process has the queue open, and how long to wait each time. A
/// process that sends one message to a POSIX queue has it open for less than that.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

impl Receiver<'_> {
    /// Takes all messages and removes the queue.
    pub(super) fn empty_and_remove(&mut self) -> Result<Status> {
        let reference = self.queue.reference.clone();
        match retry(|| Closed::close(&reference, &self.queue.channel)) {
            Ok(closed) => self.closed = Some(closed),
            Err(kept) => return self.not_removed(kept, "nothing was taken"),
        }
        for _ in 0..ATTEMPTS {
            match self.take()? {
                Status::Done => {}
                ended => return Ok(ended),
            }
            let Some(closed) = &self.closed else { break };
            match closed.remove(self.namespace, &self.queue.channel) {
                Ok(removal) => {
                    self.closed = None;
                    return self.removed(removal);
                }
                Err(Kept::Refilled | Kept::InUse) => wait::sleep(PAUSE),
                Err(kept) => return self.not_removed(kept, "it was emptied but not removed"),
            }
        }
        self.not_removed(Kept::Refilled, "it was emptied but not removed")
    }

    /// Finishes after the queue, or at least its name, was removed.
    fn removed(&mut self, removal: Removal) -> Result<Status> {
        if removal == Removal::Nameless {
            // A process that opened it at the last moment may still send, so take those messages as well.
            loop {
                let is_last = closing::is_alone(&self.queue.channel);
                match self.take()? {
                    Status::Done if is_last => break,
                    Status::Done => wait::sleep(PAUSE),
                    ended => return Ok(ended),
                }
            }
        }
        if self.args.verbose {
            print_error(format_args!("{VERB} {}: removed", self.args.queue));
        }
        Ok(Status::Done)
    }

    /// Opens the queue to senders again.
    pub(super) fn reopen(&mut self) {
        let Some(closed) = self.closed.take() else { return };
        if let Err(error) = closed.reopen()
            && !error.is_missing()
        {
            let what = format!("it stays closed to senders: {error}");
            let mut failure = Failure::new(VERB, &self.args.queue, what, Reason::Failed);
            if let Some(remedy) = closed.remedy() {
                failure = failure.with_hint(format!("to open it again: {remedy}"));
            }
            report(self.namespace, failure);
        }
    }

    /// Fails because the queue was not removed.
    fn not_removed(&mut self, kept: Kept, state: &str) -> Result<Status> {
        self.reopen();
        if let Some(signal) = signals::pending() {
            return Ok(Status::Signal(signal));
        }
        let queue: &Reference = &self.args.queue;
        let failure = match kept {
            Kept::Failed(error) => {
                Failure::of_call(VERB, queue, error).with_suffix(format_args!("; {state}"))
            }
            Kept::Closed => Failure::new(VERB, queue, format!("{kept}; {state}"), Reason::Failed)
                .with_hint(format!(
                    "if no other --then-rm is running, open it again: ipctool limits --queue-bytes {} {}",
                    Limit::Msgmnb.value().unwrap_or(16_384),
                    self.queue.name
                )),
            Kept::Gone => Failure::new(VERB, queue, kept, Reason::NothingThere),
            Kept::InUse => Failure::new(VERB, queue, format!("{kept}; {state}"), Reason::Failed)
                .with_hint(format!(
                    "to see which processes have it open: ipctool stat {}",
                    self.queue.name
                )),
            Kept::TooLarge(bytes) => {
                Failure::new(VERB, queue, format!("{kept}; {state}"), Reason::NotPermitted)
                    .with_hint(format!("as root: ipctool limits --set msgmnb={bytes}"))
            }
            Kept::Refilled | Kept::Unknown(_) => {
                Failure::new(VERB, queue, format!("{kept}; {state}"), Reason::Failed)
            }
        };
        Err(failure.into())
    }
}

/// Tries again for a while as long as another process has the queue open.
fn retry<T>(attempt: impl Fn() -> Result<T, Kept>) -> Result<T, Kept> {
    let mut attempts = 1;
    loop {
        match attempt() {
            Err(Kept::InUse) if attempts < ATTEMPTS && signals::pending().is_none() => {
                attempts += 1;
                wait::sleep(PAUSE);
            }
            result => return result,
        }
    }
}
