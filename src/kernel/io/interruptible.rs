//! Reads and writes that end on a signal, `signal(7)`, "Interruption of system calls".

use std::fs::File;
use std::io::{self, Read, Write};

use super::poll;
use crate::kernel::signals::interrupt::{interrupted, pending};

/// A file whose reads and writes end on a signal; `std` would continue after `EINTR`. If another
/// process made the file non-blocking, they wait anyway.
#[derive(Debug)]
pub struct Interruptible(pub File);

impl Interruptible {
    /// Reads by this call; nothing more after a signal.
    pub(in crate::kernel) fn read_by(
        &mut self,
        mut call: impl FnMut(&mut File) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            if pending().is_some() {
                return Err(interrupted());
            }
            match call(&mut self.0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll::wait_readable(&self.0);
                }
                result => return result,
            }
        }
    }

    /// Writes by this call; after a signal, still what can be written without waiting.
    pub(in crate::kernel) fn write_by(
        &mut self,
        mut call: impl FnMut(&mut File) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            let would_block = match call(&mut self.0) {
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
}

impl Read for Interruptible {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_by(|file| file.read(buffer))
    }
}

impl Write for Interruptible {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_by(|file| file.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
