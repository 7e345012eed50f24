//! Standard output and its errors.

use std::io::{self, BufWriter, IsTerminal, Write};

use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::{os_error, stdio};

/// A failed write to standard output.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {}", os_error::describe(.0))]
pub struct OutputError(#[from] pub io::Error);

impl OutputError {
    /// Whether the reader closed the pipe. It wants no more output, so this is not a failure.
    pub fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Standard output without the line buffer of `std`, which flushes at each newline.
pub fn file() -> Result<Interruptible, OutputError> {
    Ok(stdio::standard_output()?)
}

/// Standard output with a buffer for long lists. Flush it: dropping it discards errors.
pub fn buffered() -> Result<BufWriter<Interruptible>, OutputError> {
    Ok(BufWriter::with_capacity(64 * 1024, file()?))
}

/// Writes a whole text to standard output.
pub fn print(text: &str) -> Result<(), OutputError> {
    Ok(file()?.write_all(text.as_bytes())?)
}

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}
