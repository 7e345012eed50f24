//! Reads a dump.

use std::io::{self, BufRead, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Described, Head, Record, VERSION};
use crate::ipc::message::{Label, Message, is_expressible};
use crate::ipc::{Kind, count};
use crate::output::message;

/// What is wrong with a dump.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It ends too early.
    #[error("it is cut off after line {0}")]
    Cut(u64),
    /// Something follows its end.
    #[error("something follows its end, line {0}")]
    Longer(u64),
    /// The version is unknown.
    #[error("it is of format {0}, but this ipctool reads {VERSION}")]
    Newer(u32),
    /// A line is wrong.
    #[error("line {0}: {1}")]
    Line(u64, String),
}

/// No line is longer, in bytes: a message of as many control characters as `send` takes, 64 MiB, each six bytes long.
const LONGEST: u64 = 512 << 20;

/// Reads a dump line by line.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    sum: crc32fast::Hasher,
    line: Vec<u8>,
    number: u64,
    place: u64,
    objects: u64,
    /// The kind of the present object, and its size if it is memory.
    present: Option<(Kind, u64)>,
    has_ended: bool,
}

/// The number behind each of these words tells which line it is.
#[derive(Deserialize)]
struct End {
    end: u64,
    lines: u64,
}

#[derive(Deserialize)]
struct Piece<'a> {
    offset: u64,
    base64: &'a str,
}

impl<R: BufRead> Reader<R> {
    /// A dump that comes from there.
    pub fn new(input: R) -> Reader<R> {
        Reader {
            input,
            sum: crc32fast::Hasher::new(),
            line: Vec::new(),
            number: 0,
            place: 0,
            objects: 0,
            present: None,
            has_ended: false,
        }
    }

    /// How many bytes were read.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// The next line; `None` behind the end.
    #[allow(clippy::should_implement_trait, reason = "it fails")]
    pub fn next(&mut self) -> Result<Option<Record>, Damage> {
        self.line.clear();
        let read = (&mut self.input).take(LONGEST).read_until(b'\n', &mut self.line)?;
        self.place += read as u64;
        match (self.line.is_empty(), self.has_ended) {
            (true, true) => return Ok(None),
            (true, false) if self.number == 0 => return Err(Damage::Empty),
            (true, false) => return Err(Damage::Cut(self.number)),
            (false, true) => return Err(Damage::Longer(self.number + 1)),
            (false, false) => self.number += 1,
        }
        let is_first = self.number == 1;
        let body = self.checked().map_err(|why| match (is_first, self.line.last()) {
            (true, _) => Damage::Line(1, "it is no dump of ipctool, or damaged".to_owned()),
            (false, Some(b'\n')) => Damage::Line(self.number, why),
            (false, _) => Damage::Cut(self.number - 1),
        })?;
        let record = self.parse(&body)?;
        self.line = body;
        Ok(Some(record))
    }

    /// The line without its sum, which is right.
    fn checked(&mut self) -> Result<Vec<u8>, String> {
        /// `,"sum":"01234567"}` and a newline.
        const TAIL: usize = 19;
        let mut line = std::mem::take(&mut self.line);
        let Some(end) = line.len().checked_sub(TAIL) else {
            self.line = line;
            return Err("it is damaged: its sum is missing".to_owned());
        };
        self.sum.update(&line[..end]);
        let tail = format!(",\"sum\":\"{:08x}\"}}\n", self.sum.clone().finalize());
        if line[end..] != *tail.as_bytes() {
            self.line = line;
            return Err("it is damaged, or something before it: the sum is wrong".to_owned());
        }
        self.sum.update(tail.as_bytes());
        line.truncate(end);
        line.push(b'}');
        Ok(line)
    }

    fn parse(&mut self, body: &[u8]) -> Result<Record, Damage> {
        let number = self.number;
        let wrong = |why: String| Damage::Line(number, why);
        let invalid = |error: serde_json::Error| Damage::Line(number, error.to_string());
        let starts = |word: &str| body.starts_with(format!("{{\"{word}\":").as_bytes());
        if number == 1 {
            let head: Head = serde_json::from_slice(body)
                .map_err(|_| wrong("it is no dump of ipctool".to_owned()))?;
            return match head.version {
                VERSION => Ok(Record::Head(head)),
                other => Err(Damage::Newer(other)),
            };
        }
        if starts("object") {
            let described: Described = serde_json::from_slice(body).map_err(invalid)?;
            self.present = Some(present(&described).map_err(wrong)?);
            self.objects += 1;
            return Ok(Record::Object(Box::new(described)));
        }
        if starts("offset") {
            let Piece { offset, base64 } = serde_json::from_slice(body).map_err(invalid)?;
            let bytes = STANDARD.decode(base64).map_err(|error| wrong(error.to_string()))?;
            let Some((Kind::Shm | Kind::Pshm, size)) = self.present else {
                return Err(wrong("memory without a segment".to_owned()));
            };
            return match offset.checked_add(bytes.len() as u64) {
                Some(end) if end <= size => Ok(Record::Piece(offset, bytes)),
                _ => Err(wrong(format!("memory beyond the end of its segment, {size}"))),
            };
        }
        if starts("abandoned") {
            return match self.present {
                Some(_) => Ok(Record::Abandoned),
                None => Err(wrong("nothing is abandoned".to_owned())),
            };
        }
        if starts("end") {
            let End { end, lines } = serde_json::from_slice(body).map_err(invalid)?;
            if (end, lines) != (self.objects, number - 1) {
                return Err(wrong(format!("it counts {} in {lines} lines", count(end, "object"))));
            }
            self.has_ended = true;
            return Ok(Record::End);
        }
        let Some((kind @ (Kind::Msg | Kind::Pmsg), _)) = self.present else {
            return Err(wrong("a message without a queue".to_owned()));
        };
        let mut message = Message::new(Label::of(kind, 1));
        let label = message::parse(body, message.payload_mut());
        let label = label.map_err(|error| wrong(error.to_string()))?;
        match (kind, label) {
            (Kind::Msg, Some(Label::Type(number))) if !is_expressible(number) || number < 1 => {
                return Err(wrong("the type of a message is above 0".to_owned()));
            }
            (Kind::Msg, Some(label @ Label::Type(_)))
            | (Kind::Pmsg, Some(label @ Label::Priority(0..=Label::HIGHEST_PRIORITY))) => {
                message.set_label(label);
            }
            _ => return Err(wrong("a message of another kind of queue".to_owned())),
        }
        Ok(Record::Message(message))
    }
}

/// The kind and the size of an object, if it can be made from this.
fn present(described: &Described) -> Result<(Kind, u64), String> {
    let reference = described.reference().map_err(|error| format!("the object: {error}"))?;
    let missing = |what: &str| Err(format!("its {what} missing"));
    if described.mode().is_none() {
        return Err(format!("the mode '{}' is none", described.mode));
    }
    if described.key().is_none() {
        return Err("its key is none".to_owned());
    }
    match reference.kind {
        Kind::Msg if described.max_bytes.is_none() => missing("max_bytes are"),
        Kind::Shm | Kind::Pshm if described.size.is_none() => missing("size is"),
        Kind::Sem if described.values.as_ref().is_none_or(Vec::is_empty) => missing("values are"),
        Kind::Pmsg if described.max_messages.is_none() || described.message_size.is_none() => {
            missing("shape is")
        }
        Kind::Psem if described.value.is_none() => missing("value is"),
        kind => Ok((kind, described.size.unwrap_or(0))),
    }
}

/// What is in a dump.
#[derive(Debug)]
pub struct Survey {
    /// The first line.
    pub head: Head,
    /// The objects in their order, and whether each is complete.
    pub objects: Vec<(Described, bool)>,
}

impl Survey {
    /// Reads a dump to its end.
    pub fn of(input: impl BufRead) -> Result<Survey, Damage> {
        let mut reader = Reader::new(input);
        let mut head = None;
        let mut objects: Vec<(Described, bool)> = Vec::new();
        while let Some(record) = reader.next()? {
            match record {
                Record::Head(first) => head = Some(first),
                Record::Object(described) => objects.push((*described, true)),
                Record::Abandoned => {
                    if let Some((_, is_complete)) = objects.last_mut() {
                        *is_complete = false;
                    }
                }
                Record::Message(_) | Record::Piece(..) | Record::End => {}
            }
        }
        Ok(Survey { head: head.ok_or(Damage::Empty)?, objects })
    }
}
