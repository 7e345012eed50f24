//! Standard error, on which nothing is ever done but telling. Telling never makes this process deaf:
//! where nobody reads, a signal that asks it to end gives up the tale, and only the tale.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use super::os_error;
use crate::kernel::signals;
use crate::kernel::signals::wait::{self, Alarm};

/// The signal for which something was left untold; 0 for none.
static GIVEN_UP: AtomicI32 = AtomicI32::new(0);

/// The signal for which something was left untold.
pub fn given_up() -> Option<i32> {
    match GIVEN_UP.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Standard error, unbuffered. A write waits for whoever reads it until a signal asks this process to
/// end; what takes no waiting is written after that, too.
#[derive(Clone, Copy, Debug)]
pub struct StandardError;

impl Write for StandardError {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // What an inbox reads does not interrupt a write: the timer does.
        let _alarm = signals::are_read().then(|| Alarm::set(Instant::now()));
        loop {
            let asked = wait::pending().or_else(signals::waiting);
            if let Some(signal) = asked
                && !os_error::is_writable(&io::stderr())
            {
                let _ = GIVEN_UP.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
                return Err(wait::interrupted());
            }
            match io::stderr().write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    os_error::wait_writable(&io::stderr());
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells one line, in one piece and without asking for memory: there may be none, and messages in
/// hand. What is beyond its length is left out.
pub fn tell_line(line: fmt::Arguments<'_>) {
    let mut text = Line { bytes: [0; LONGEST], length: 0 };
    // It fails where the line is too long.
    let _ = fmt::write(&mut text, line);
    text.bytes[text.length] = b'\n';
    // There is nobody left to tell if this fails.
    let _ = StandardError.write_all(&text.bytes[..=text.length]);
}

/// No line is longer than this many bytes: a pipe takes them in one piece.
const LONGEST: usize = 4096;

struct Line {
    bytes: [u8; LONGEST],
    length: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST - 1 - self.length;
        let count = room.min(text.len());
        self.bytes[self.length..self.length + count].copy_from_slice(&text.as_bytes()[..count]);
        self.length += count;
        if count < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
