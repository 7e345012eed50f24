//! Standard error, written as whole lines.

use std::io::{self, Write};

use crate::kernel::io::stdio::StandardError;

/// Writes a line and its newline in one piece. The bytes are not escaped here, so text from outside
/// must be escaped already. A signal that asks this process to end aborts the write if the reader does
/// not read.
pub fn write_line(line: impl AsRef<[u8]>) -> io::Result<()> {
    StandardError.write_all(&[line.as_ref(), b"\n"].concat())
}
