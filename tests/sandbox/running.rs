//! What a test starts and leaves running while it goes on.

use std::io::Read;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::Ran;

/// A line of shell that still runs. It is killed if the test ends first.
pub struct Running {
    pub(super) line: String,
    pub(super) child: Option<Child>,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it has not been waited for").id()
    }

    /// Waits until it has said that it is ready, as the programs in `tests/programs/` do that stay.
    #[track_caller]
    pub fn ready(mut self) -> Running {
        let child = self.child.as_mut().expect("it has not been waited for");
        let mut line = [0; 6];
        let is_there = child.stdout.as_mut().expect("it is piped").read_exact(&mut line).is_ok();
        assert!(is_there && line == *b"ready\n", "it is not ready: {}", self.line);
        self
    }

    /// Waits until it is `ipctool`, and sleeps in the kernel.
    pub fn waits(self) -> Running {
        let deadline = Instant::now() + Duration::from_secs(20);
        let stat = format!("/proc/{}/stat", self.pid());
        let mut in_a_row = 0;
        while in_a_row < 5 {
            assert!(Instant::now() < deadline, "it never waited: {}", self.line);
            std::thread::sleep(Duration::from_millis(5));
            let text = std::fs::read_to_string(&stat).unwrap_or_default();
            in_a_row = if text.contains("(ipctool) S") { in_a_row + 1 } else { 0 };
        }
        self
    }

    /// Sends it a signal, by name.
    pub fn signal(self, name: &str) -> Running {
        // The kill of the shell, for kill(1) is not on every machine; each signal has a sender of its
        // own, as at a terminal.
        let line = format!("kill -s {name} {}", self.pid());
        let status = Command::new("sh").args(["-c", &line]).status().expect("sh runs");
        assert!(status.success(), "no signal reached {}", self.line);
        self
    }

    /// Lets it run on; the end of the namespace does not end it, so something in the test must.
    pub fn ends_later(mut self) {
        let child = self.child.take().expect("it has not been waited for");
        std::thread::spawn(move || child.wait_with_output());
    }

    /// Waits for its end.
    pub fn ends(mut self) -> Ran {
        let child = self.child.take().expect("it has not been waited for");
        let output = child.wait_with_output().expect("it ends");
        Ran { line: self.line.clone(), output }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
