//! The signals that tell a relay to end, and that its command has ended.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use crate::kernel::io::poll::wait_any_readable;
use crate::kernel::signals::{self, Inbox};

/// Receives the signals.
pub(super) struct Signs {
    inbox: Inbox,
    /// The first signal that asked this process to end.
    pub ending: Option<i32>,
}

impl Signs {
    /// From now on.
    pub fn open() -> io::Result<Signs> {
        Ok(Signs { inbox: Inbox::open()?, ending: None })
    }

    /// Waits until a signal arrives, or the time is up.
    pub fn wait(&mut self, time: Option<Duration>) {
        wait_any_readable(&[self.inbox.as_fd()], time);
        self.look();
    }

    /// Notes the signals that have arrived.
    pub fn look(&mut self) {
        while let Some(notice) = self.inbox.next() {
            if ![signals::CHILD, signals::CONTINUE].contains(&notice.signal) {
                self.ending = self.ending.or(Some(notice.signal));
            }
        }
    }
}
