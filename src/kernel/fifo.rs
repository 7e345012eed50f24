//! Writing to a named pipe without waiting for somebody to read it: `fifo(7)`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The place of a named pipe, whatever is mounted over its path.
#[derive(Debug)]
pub struct Fifo(File);

impl Fifo {
    /// Looks, and opens nothing.
    pub fn at(path: &Path) -> io::Result<Fifo> {
        let place = libc::O_PATH | libc::O_CLOEXEC;
        Ok(Fifo(OpenOptions::new().read(true).custom_flags(place).open(path)?))
    }

    /// Opens it for writing; `ENXIO` where nobody reads it.
    pub fn open(&self) -> io::Result<File> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        let mut access = OpenOptions::new();
        // As long as this one is open somebody reads it, and nothing waits.
        let _open = access.write(true).custom_flags(libc::O_NONBLOCK).open(&path)?;
        access.custom_flags(0).open(&path)
    }
}

/// Whether nobody reads the pipe that was to be opened.
pub fn has_no_reader(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENXIO)
}
