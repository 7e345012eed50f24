//! Standard output, and what happens when it fails.

use std::io::{self, BufWriter, IsTerminal, Write};

use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::{os_error, stdio};

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {}", os_error::describe(.0))]
pub struct OutputError(#[from] pub io::Error);

impl OutputError {
    /// The reader went away: the one way to say "enough", so no failure.
    pub fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Standard output without `std`'s buffer, which would flush at each line.
pub fn file() -> Result<Interruptible, OutputError> {
    Ok(stdio::standard_output()?)
}

/// Standard output with a buffer fit for a long list. Flush it: dropping it loses errors.
pub fn buffered() -> Result<BufWriter<Interruptible>, OutputError> {
    Ok(BufWriter::with_capacity(64 * 1024, file()?))
}

/// Writes all of a text to standard output.
pub fn print(text: &str) -> Result<(), OutputError> {
    Ok(file()?.write_all(text.as_bytes())?)
}

/// Whether a person reads it.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}
