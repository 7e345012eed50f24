//! A recording of a terminal that players show: asciicast, version 2.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

/// What is written in the first line.
#[derive(Serialize)]
struct Header<'a> {
    version: u8,
    width: u16,
    height: u16,
    title: &'a str,
}

/// A recording, with a clock that goes only as it is told.
#[derive(Debug)]
pub struct Asciicast<W> {
    out: W,
    time: Duration,
}

impl<W: Write> Asciicast<W> {
    /// Begins the recording of a terminal of this size.
    pub fn begin(mut out: W, (width, height): (u16, u16), title: &str) -> io::Result<Asciicast<W>> {
        serde_json::to_writer(&mut out, &Header { version: 2, width, height, title })?;
        out.write_all(b"\n")?;
        Ok(Asciicast { out, time: Duration::ZERO })
    }

    /// This much time passes.
    pub fn wait(&mut self, time: Duration) {
        self.time += time;
    }

    /// This is printed.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &(self.time.as_secs_f64(), "o", text))?;
        self.out.write_all(b"\n")
    }

    /// From now on the terminal has this size.
    pub fn resize(&mut self, (width, height): (u16, u16)) -> io::Result<()> {
        let size = format!("{width}x{height}");
        serde_json::to_writer(&mut self.out, &(self.time.as_secs_f64(), "r", size))?;
        self.out.write_all(b"\n")
    }

    /// Ends the recording.
    pub fn end(&mut self) -> io::Result<()> {
        // Players stop at the last event.
        self.print("")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_with_a_time() {
        let mut out = Vec::new();
        let mut cast = Asciicast::begin(&mut out, (80, 24), "Queues").unwrap();
        cast.print("a\r\n").unwrap();
        cast.wait(Duration::from_millis(1500));
        cast.resize((100, 30)).unwrap();
        cast.end().unwrap();
        let expected = "{\"version\":2,\"width\":80,\"height\":24,\"title\":\"Queues\"}\n[0.0,\"o\",\"a\\r\\n\"]\n[1.5,\"r\",\"100x30\"]\n[1.5,\"o\",\"\"]\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
