//! The three standard streams. A write to standard error never prevents this process from ending: if
//! the reader does not read, a signal that asks the process to end aborts that write, and nothing else.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use super::interruptible::Interruptible;
use super::{inherited, poll};
use crate::kernel::signals::inbox;
use crate::kernel::signals::interrupt::{self, Alarm};

/// Standard input, unbuffered. `EBADF` if it was closed.
pub fn standard_input() -> io::Result<Interruptible> {
    open_from_start(0, &io::stdin())
}

/// Standard output, unbuffered. `EBADF` if it was closed.
pub fn standard_output() -> io::Result<Interruptible> {
    open_from_start(1, &io::stdout())
}

fn open_from_start(number: usize, stream: &impl AsFd) -> io::Result<Interruptible> {
    if !inherited::was_open(number) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    Ok(Interruptible(stream.as_fd().try_clone_to_owned()?.into()))
}

/// Standard output or error, if it is the file with this device and inode.
pub fn standard_stream(device: u64, inode: u64) -> Option<File> {
    let is_it = |stream: &File| {
        stream.metadata().is_ok_and(|data| (data.dev(), data.ino()) == (device, inode))
    };
    let streams =
        [io::stdout().as_fd().try_clone_to_owned(), io::stderr().as_fd().try_clone_to_owned()];
    streams.into_iter().flatten().map(File::from).find(is_it)
}

/// The signal that aborted a write to standard error; 0 for none.
static GIVEN_UP: AtomicI32 = AtomicI32::new(0);

/// The signal that aborted a write to standard error, if one did.
pub fn given_up() -> Option<i32> {
    match GIVEN_UP.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Standard error, unbuffered. A write waits for the reader until a signal asks this process to end;
/// after that, it still writes what needs no waiting.
#[derive(Clone, Copy, Debug)]
pub struct StandardError;

impl Write for StandardError {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // Signals that an inbox reads do not interrupt a write, but the timer does.
        let _alarm = inbox::are_read().then(|| Alarm::set(Instant::now()));
        loop {
            let asked = interrupt::pending().or_else(inbox::waiting);
            if let Some(signal) = asked
                && !poll::is_writable(&io::stderr())
            {
                let _ = GIVEN_UP.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
                return Err(interrupt::interrupted());
            }
            match io::stderr().write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll::wait_writable(&io::stderr());
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one line to standard error, in one piece and without allocating, because memory may be short
/// while messages are held. A line that is too long is cut.
pub fn print_line(line: fmt::Arguments<'_>) {
    let mut text = Line { bytes: [0; LONGEST], length: 0 };
    // Fails only if the line is too long.
    let _ = fmt::write(&mut text, line);
    text.bytes[text.length] = b'\n';
    // There is no other place to report an error.
    let _ = StandardError.write_all(&text.bytes[..=text.length]);
}

/// The maximum length of such a line in bytes, which a pipe accepts in one piece.
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
