//! Where the lines go: whole ones only, whatever ends the watch.

use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::{outlet, poll};
use crate::output::stdout::{self, OutputError};

/// So many bytes are written to a pipe at once or not at all, `pipe(7)`: PIPE_BUF.
const CHUNK: usize = 4096;

/// Lines on their way to standard output.
pub(super) struct Lines {
    out: Interruptible,
    /// Whether it has a reader that can go away.
    has_reader: bool,
    collected: Vec<u8>,
}

impl Lines {
    pub fn new() -> Result<Lines, OutputError> {
        let out = stdout::file()?;
        let kind = out.0.metadata().map(|data| data.file_type());
        let has_reader = kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket());
        Ok(Lines { out, has_reader, collected: Vec::with_capacity(CHUNK) })
    }

    /// Whether nobody reads the lines any more.
    pub fn is_abandoned(&self) -> bool {
        self.has_reader && poll::is_abandoned(&self.out.0)
    }

    /// Waits until nobody reads the lines any more, a signal arrives or the time is up. False if that cannot be
    /// waited for.
    pub fn wait_abandoned(&self, time: Duration) -> bool {
        if self.has_reader {
            poll::wait_abandoned(&self.out.0, time);
        }
        self.has_reader
    }

    /// Adds a line, and writes those before it if there is no room.
    pub fn add(&mut self, line: &[u8]) -> Result<(), OutputError> {
        if self.collected.len() + line.len() > CHUNK {
            self.flush()?;
        }
        self.collected.extend_from_slice(line);
        Ok(())
    }

    /// Writes the lines.
    pub fn flush(&mut self) -> Result<(), OutputError> {
        let lines = std::mem::take(&mut self.collected);
        let written = self.write(&lines);
        self.collected = lines;
        self.collected.clear();
        Ok(written?)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < lines.len() {
            let error = match self.out.write(&lines[written..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(error) => error,
            };
            let whole = memchr::memrchr(b'\n', &lines[..written]).map_or(0, |end| end + 1);
            // Without this, the next line in the file would seem to belong to the cut one.
            outlet::cut_back(&self.out.0, (written - whole) as u64);
            return Err(error);
        }
        Ok(())
    }
}
