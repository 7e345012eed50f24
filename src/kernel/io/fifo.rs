//! Writes to a named pipe without waiting for a reader: `fifo(7)`.

use std::fs::File;
use std::io;

use super::directory::Entry;

/// A named pipe, whatever is mounted over its path.
#[derive(Debug)]
pub struct Fifo(pub Entry);

impl Fifo {
    /// Opens it for writing; `ENXIO` if it has no reader.
    pub fn open(&self) -> io::Result<File> {
        // While this descriptor is open, the pipe has a reader, so the second open does not wait.
        let _open = self.0.open_to_write(libc::O_NONBLOCK)?;
        self.0.open_to_write(0)
    }
}

/// Whether opening the pipe failed because it has no reader.
pub fn has_no_reader(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENXIO)
}
