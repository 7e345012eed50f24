//! How messages are printed, and the JSON records that store them.

use std::borrow::Cow;
use std::io::{self, Write as _};

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::escape;
use super::formats::json;
use super::hexdump::HexDump;
use super::screen;
use super::width::cut;
use crate::ipc::Kind;
use crate::ipc::message::Label;

/// The format in which `recv` prints a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// The payload and a newline.
    #[default]
    Text,
    /// The payload alone.
    Raw,
    /// The payload and a NUL byte.
    Null,
    /// Offset, hex and ASCII, as `hexdump -C`.
    Hex,
    /// A line with type or priority, size and escaped payload, under a heading.
    Table,
    /// A JSON object on each line, as `send --jsonl` reads it.
    #[value(alias = "json")]
    Jsonl,
}

impl MessageFormat {
    /// Whether programs read it, and not people.
    pub fn is_for_machines(self) -> bool {
        match self {
            MessageFormat::Text | MessageFormat::Hex | MessageFormat::Table => false,
            MessageFormat::Raw | MessageFormat::Null | MessageFormat::Jsonl => true,
        }
    }
}

/// How payloads are printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presentation {
    /// The format.
    pub format: MessageFormat,
    /// Ends the payload at its first NUL, as a C string.
    pub until_nul: bool,
    /// Prints at most this many bytes of the payload.
    pub truncate: Option<usize>,
    /// Cuts a line of a table at this width. Only for messages that stay on the queue.
    pub columns: Option<usize>,
    /// The output is a terminal: control characters are escaped in every format.
    pub to_terminal: bool,
}

/// The queue that a message came from.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its reference.
    pub name: &'a str,
}

impl Presentation {
    /// The maximum length of the output for a message whose payload has `size` bytes.
    pub fn most(&self, size: usize) -> usize {
        // What surrounds a payload: the names and numbers of a record, or the last line in hex.
        const AROUND: usize = 256;
        let times = match self.format {
            // A byte as \u0000.
            MessageFormat::Jsonl => 6,
            // 16 bytes become a line of 79 characters and its newline.
            MessageFormat::Hex => 5,
            // A byte as \x00.
            MessageFormat::Table => 4,
            _ if self.to_terminal => 4,
            MessageFormat::Text | MessageFormat::Raw | MessageFormat::Null => 1,
        };
        size.saturating_mul(times).saturating_add(AROUND)
    }

    /// Appends what comes before the first message: the heading of a table.
    ///
    /// It fits into [`Presentation::most`] together with a message.
    pub fn append_heading(&self, kind: Kind, out: &mut Vec<u8>) {
        if self.format == MessageFormat::Table {
            let label = if kind.is_posix() { "PRIORITY" } else { "TYPE" };
            // Writing to a vector cannot fail.
            let _ = writeln!(out, "{label:>8} {:>8}  TEXT", "SIZE");
        }
    }

    /// Appends one message.
    ///
    /// Allocates nothing if `out` has room for [`Presentation::most`] more bytes.
    pub fn append(&self, from: &From<'_>, number: i64, payload: &[u8], out: &mut Vec<u8>) {
        let mut shown = payload;
        if let Some(most) = self.truncate {
            shown = &shown[..most.min(shown.len())];
        }
        if self.until_nul {
            shown = shown.split(|&byte| byte == 0).next().unwrap_or_default();
        }
        match self.format {
            MessageFormat::Hex => append_hex(shown, out),
            MessageFormat::Jsonl => {
                let record = Record {
                    queue: Some(from.name),
                    size: Some(payload.len()),
                    ..Record::new(Label::of(from.kind, number), shown)
                };
                // Writing to a vector cannot fail.
                let _ = record.write(out);
            }
            MessageFormat::Table => {
                // Writing to a vector cannot fail.
                let start = out.len();
                let _ = write!(out, "{number:>8} {:>8}  ", payload.len());
                escape::append_bytes(shown, out);
                if let Some(columns) = self.columns {
                    let line = String::from_utf8_lossy(&out[start..]).into_owned();
                    out.truncate(start);
                    let (line, _) = cut(&line, columns, screen::end_of_cut());
                    out.extend_from_slice(line.as_bytes());
                }
                out.push(b'\n');
            }
            MessageFormat::Text | MessageFormat::Raw | MessageFormat::Null => {
                if self.to_terminal {
                    escape::append_payload(shown, out);
                } else {
                    out.extend_from_slice(shown);
                }
                match self.format {
                    MessageFormat::Text => out.push(b'\n'),
                    MessageFormat::Null if self.to_terminal => out.extend_from_slice(b"\\0"),
                    MessageFormat::Null => out.push(0),
                    _ => {}
                }
            }
        }
    }
}

/// A message as a line of JSON, as `recv --json` writes it. Writing it allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The queue it came from.
    queue: Option<&'a str>,
    label: Label,
    /// The length of the payload in bytes, if that is told.
    size: Option<usize>,
    /// What is shown of the payload: as `text` if it is UTF-8, otherwise as `base64`.
    payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record of a message.
    pub fn new(label: Label, payload: &'a [u8]) -> Record<'a> {
        Record { queue: None, label, size: None, payload }
    }

    /// Writes the record as a line. By hand, because a general serializer takes twice as long as the kernel.
    pub fn write(&self, mut out: impl io::Write) -> io::Result<()> {
        let mut number = itoa::Buffer::new();
        out.write_all(b"{")?;
        if let Some(queue) = self.queue {
            out.write_all(b"\"ref\":")?;
            json::write_text(&mut out, queue)?;
            out.write_all(b",")?;
        }
        out.write_all(match self.label {
            Label::Type(_) => b"\"type\":",
            Label::Priority(_) => b"\"priority\":",
        })?;
        out.write_all(number.format(self.label.number()).as_bytes())?;
        if let Some(size) = self.size {
            out.write_all(b",\"size\":")?;
            out.write_all(number.format(size).as_bytes())?;
        }
        match std::str::from_utf8(self.payload) {
            Ok(text) => {
                out.write_all(b",\"text\":")?;
                json::write_text(&mut out, text)?;
            }
            Err(_) => {
                write!(out, ",\"base64\":\"{}\"", Base64Display::new(self.payload, &STANDARD))?;
            }
        }
        out.write_all(b"}\n")
    }
}

/// The same line as `send --jsonl` reads it. `ref`, `size`, and `sum` of a dump are ignored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(rename = "ref")]
    _queue: Option<IgnoredAny>,
    #[serde(rename = "type")]
    message_type: Option<i64>,
    priority: Option<u32>,
    #[serde(rename = "size")]
    _size: Option<IgnoredAny>,
    #[serde(rename = "sum")]
    _sum: Option<IgnoredAny>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    base64: Option<String>,
}

/// Text in place, unless it has escapes. Inside of an option, serde would copy it always.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A line that is not a message.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMessage {
    /// It is not JSON, or a field has the wrong type.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is JSON, but not an object.
    #[error(r#"it is not an object, such as {{"type": 5, "text": "hello"}}"#)]
    NoObject,
    /// It has no payload.
    #[error("it has neither \"text\" nor \"base64\"")]
    NoPayload,
    /// It has two payloads.
    #[error("it has both \"text\" and \"base64\"")]
    TwoPayloads,
    /// It has a type and a priority, and a queue uses only one of them.
    #[error("it has both \"type\" and \"priority\"")]
    TwoLabels,
    /// The payload is not valid base64.
    #[error(transparent)]
    Base64(#[from] base64::DecodeError),
}

/// Parses a line: returns its type or priority, if any, and appends its payload.
pub fn parse(line: &[u8], payload: &mut Vec<u8>) -> Result<Option<Label>, InvalidMessage> {
    if !line.trim_ascii_start().starts_with(b"{") {
        // Reports invalid JSON first. Without this check, serde would accept an array as the fields in
        // order.
        serde_json::from_slice::<IgnoredAny>(line)?;
        return Err(InvalidMessage::NoObject);
    }
    let record: Line<'_> = match std::str::from_utf8(line) {
        // Looks at no text in it again.
        Ok(line) => serde_json::from_str(line)?,
        // Says where it is wrong.
        Err(_) => serde_json::from_slice(line)?,
    };
    match (record.text, record.base64) {
        (Some(Text(text)), None) => payload.extend_from_slice(text.as_bytes()),
        (None, Some(base64)) => STANDARD.decode_vec(base64, payload)?,
        (None, None) => Err(InvalidMessage::NoPayload)?,
        (Some(_), Some(_)) => Err(InvalidMessage::TwoPayloads)?,
    }
    match (record.message_type, record.priority) {
        (Some(_), Some(_)) => Err(InvalidMessage::TwoLabels),
        (message_type, priority) => {
            Ok(message_type.map(Label::Type).or(priority.map(Label::Priority)))
        }
    }
}

/// Appends the payload as `hexdump -C` shows it.
fn append_hex(payload: &[u8], out: &mut Vec<u8>) {
    let mut dump = HexDump::default();
    dump.push(payload, out);
    dump.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;
    use proptest::prelude::*;

    fn show(format: MessageFormat, payload: &[u8]) -> String {
        let presentation = Presentation { format, ..Presentation::default() };
        let mut out = Vec::new();
        presentation.append(&From { kind: Kind::Msg, name: "msg:7" }, 5, payload, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn formats() {
        assert_eq!(show(MessageFormat::Text, b"hi"), "hi\n");
        assert_eq!(show(MessageFormat::Raw, b"hi"), "hi");
        assert_eq!(show(MessageFormat::Null, b"hi"), "hi\0");
        assert_eq!(
            show(MessageFormat::Jsonl, b"hi"),
            "{\"ref\":\"msg:7\",\"type\":5,\"size\":2,\"text\":\"hi\"}\n"
        );
        assert_eq!(
            show(MessageFormat::Jsonl, b"\xff"),
            "{\"ref\":\"msg:7\",\"type\":5,\"size\":1,\"base64\":\"/w==\"}\n"
        );
        assert_eq!(show(MessageFormat::Table, b"two\nlines"), "       5        9  two\\nlines\n");
        assert_eq!(show(MessageFormat::Hex, b""), "00000000\n");
        assert_eq!(
            show(MessageFormat::Hex, b"hello\n"),
            "00000000  68 65 6c 6c 6f 0a                                 |hello.|\n00000006\n"
        );
    }

    #[test]
    fn what_a_line_must_have() {
        let parse = |line: &str| {
            let mut payload = Vec::new();
            super::parse(line.as_bytes(), &mut payload).map(|message_type| (message_type, payload))
        };
        assert_eq!(
            parse(r#"{"type": 5, "text": "hi"}"#).unwrap(),
            (Some(Label::Type(5)), b"hi".to_vec())
        );
        let line = r#"{"priority": 5, "text": "hi"}"#;
        assert_eq!(parse(line).unwrap(), (Some(Label::Priority(5)), b"hi".to_vec()));
        assert_eq!(parse(r#"{"base64": "/w=="}"#).unwrap(), (None, b"\xff".to_vec()));
        let line = r#" {"ref": "msg:0", "size": 3, "text": "é\n"}"#;
        assert_eq!(parse(line).unwrap(), (None, "é\n".as_bytes().to_vec()));
        for bad in [
            "",
            "{}",
            "5",
            r#"[null,1,null,null,"x",null]"#,
            r#"{"text": 5}"#,
            r#"{"text": "x", "more": 1}"#,
            r#"{"type": 1, "priority": 1, "text": ""}"#,
            r#"{"priority": -1, "text": ""}"#,
            r#"{"base64": "?"}"#,
            r#"{"text": "", "base64": ""}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_record_survives_the_round(message_type: i64, priority: u32, payload: Vec<u8>) {
            for label in [Label::Type(message_type), Label::Priority(priority)] {
                let mut line = Vec::new();
                Record::new(label, &payload).write(&mut line).unwrap();
                let mut read = Vec::new();
                prop_assert_eq!(parse(&line, &mut read).unwrap(), Some(label));
                prop_assert_eq!(&read, &payload);
            }
        }

        #[test]
        fn no_message_is_longer_than_it_may_be(payload: Vec<u8>, to_terminal: bool) {
            for &format in MessageFormat::value_variants() {
                let presentation = Presentation { format, to_terminal, ..Presentation::default() };
                let mut out = Vec::new();
                let from = From { kind: Kind::Pmsg, name: "pmsg:/q" };
                for payload in [&payload[..], &[0; 100], "\u{200b}".repeat(9).as_bytes()] {
                    out.clear();
                    presentation.append_heading(from.kind, &mut out);
                    presentation.append(&from, i64::MAX, payload, &mut out);
                    prop_assert!(out.len() <= presentation.most(payload.len()));
                }
            }
        }

        #[test]
        fn no_line_panics(line: Vec<u8>) {
            let _ = parse(&line, &mut Vec::new());
        }
    }
}
