//! Writes a dump.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{Described, Head, MESSAGE};
use crate::ipc::Kind;
use crate::ipc::message::{Message, type_of};
use crate::output::formats::json;
use crate::output::message::From;

/// Writes a dump line by line. A dump without an end is not complete.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    sum: crc32fast::Hasher,
    line: Vec<u8>,
    objects: u64,
    lines: u64,
}

impl<W: Write> Writer<W> {
    /// A dump that goes there.
    pub fn new(out: W) -> Writer<W> {
        let sum = crc32fast::Hasher::new();
        Writer { out, sum, line: Vec::new(), objects: 0, lines: 0 }
    }

    /// Where it goes.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// The first line.
    pub fn head(&mut self, head: &Head) -> io::Result<()> {
        self.write(head)
    }

    /// An object.
    pub fn object(&mut self, described: &Described) -> io::Result<()> {
        self.objects += 1;
        self.write(described)
    }

    /// A message of that object.
    pub fn message(&mut self, kind: Kind, name: &str, message: &Message) -> io::Result<()> {
        let number = type_of(message.as_bytes());
        self.line.clear();
        MESSAGE.append(&From { kind, name }, number, message.payload(), &mut self.line);
        self.line.pop();
        self.finish()
    }

    /// Memory of that object.
    pub fn piece(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.line.clear();
        write!(self.line, "{{\"offset\":{offset},\"base64\":\"")?;
        let start = self.line.len();
        // As long as base64 makes it.
        self.line.resize(start + bytes.len().div_ceil(3) * 4, 0);
        STANDARD.encode_slice(bytes, &mut self.line[start..]).map_err(io::Error::other)?;
        self.line.extend_from_slice(b"\"}");
        self.finish()
    }

    /// That object could not be read to its end.
    pub fn abandoned(&mut self, object: &str) -> io::Result<()> {
        #[derive(Serialize)]
        struct Abandoned<'a> {
            abandoned: &'a str,
        }
        self.write(&Abandoned { abandoned: object })
    }

    /// The last line. Returns where it went.
    pub fn end(mut self) -> io::Result<W> {
        #[derive(Serialize)]
        struct End {
            end: u64,
            lines: u64,
        }
        self.write(&End { end: self.objects, lines: self.lines })?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, record: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        json::write(&mut self.line, record)?;
        self.finish()
    }

    /// Writes the line with its sum in place of its last bracket.
    fn finish(&mut self) -> io::Result<()> {
        self.line.pop();
        self.sum.update(&self.line);
        let sum = format!(",\"sum\":\"{:08x}\"}}\n", self.sum.clone().finalize());
        self.sum.update(sum.as_bytes());
        self.line.extend_from_slice(sum.as_bytes());
        self.lines += 1;
        self.out.write_all(&self.line)
    }
}
