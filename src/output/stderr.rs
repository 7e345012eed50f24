//! Standard error: whole lines, each in one piece.

use std::io::{self, Write};

use crate::kernel::io::stdio::StandardError;

/// Writes a line and its end. Its bytes are written as they are: what came from elsewhere must have been
/// escaped. A signal that asks this process to end gives up a write that nobody reads.
pub fn write_line(line: impl AsRef<[u8]>) -> io::Result<()> {
    StandardError.write_all(&[line.as_ref(), b"\n"].concat())
}
