//! Reads and writes that end on a signal, `signal(7)`, "Interruption of system calls".

use std::fs::File;
use std::io::{self, Read, Write};

use super::poll;
use crate::kernel::signals::interrupt::{interrupted, pending};

/// A file whose reads and writes end on a signal; `std` would continue after `EINTR`. If another
/// process made the file non-blocking, they wait anyway.
#[derive(Debug)]
pub struct Interruptible(pub File);

impl Read for Interruptible {
    /// Reads nothing more after a signal.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if pending().is_some() {
                return Err(interrupted());
            }
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll::wait_readable(&self.0);
                }
                result => return result,
            }
        }
    }
}

impl Write for Interruptible {
    /// After a signal, still writes what can be written without waiting.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            let would_block = match self.0.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
                result => return result,
            };
            if pending().is_some() {
                return Err(interrupted());
            }
            if would_block {
                poll::wait_writable(&self.0);
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
