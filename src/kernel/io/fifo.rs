//! Writing to a named pipe without waiting for somebody to read it: `fifo(7)`.

use std::fs::File;
use std::io;

use super::directory::Entry;

/// The place of a named pipe, whatever is mounted over its path.
#[derive(Debug)]
pub struct Fifo(pub Entry);

impl Fifo {
    /// Opens it for writing; `ENXIO` where nobody reads it.
    pub fn open(&self) -> io::Result<File> {
        // As long as this one is open somebody reads it, and nothing waits.
        let _open = self.0.open_to_write(libc::O_NONBLOCK)?;
        self.0.open_to_write(0)
    }
}

/// Whether nobody reads the pipe that was to be opened.
pub fn has_no_reader(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENXIO)
}
