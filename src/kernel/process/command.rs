//! The command lines of processes, `/proc/PID/cmdline` in `proc_pid_cmdline(5)`.

use std::fs::File;
use std::io::Read;

use crate::ipc::{Foreign, foreign};

/// How much of a command line to read, which may have megabytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// As much as people are shown.
    #[default]
    Shown,
    /// All of it, for programs.
    Whole,
}

/// The command line of a process, words separated by blanks; `None` if it has none or may not be read.
pub fn command(pid: i32, length: Length) -> Option<Foreign> {
    let most = match length {
        // One byte more shows that the line continues, and another is the NUL byte at the end.
        Length::Shown => foreign::SHOWN as u64 + 2,
        Length::Whole => u64::MAX,
    };
    let file = File::open(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = Vec::new();
    file.take(most).read_to_end(&mut words).ok()?;
    let is_full = words.len() as u64 == most;
    while words.last() == Some(&0) {
        words.pop();
    }
    words.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    // A process that shortens its own command line pads it with NUL bytes.
    let is_part = is_full && words.len() > foreign::SHOWN;
    (!words.is_empty()).then(|| Foreign::command(words, is_part))
}
