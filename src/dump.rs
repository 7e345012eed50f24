//! The file of `dump`: objects with their content, as lines of JSON.
//!
//! ```text
//! {"ipctool":1,"host":"db1","ns":4026531839,"time":"2026-11-26T07:24:09Z","sum":"…"}
//! {"object":"msg:0","key":"0x0000beef","owner":"root",…,"max_bytes":16384,"sum":"…"}
//! {"ref":"msg:0","type":1,"size":5,"text":"hello","sum":"…"}
//! {"object":"shm:0",…,"size":65536,"sum":"…"}
//! {"offset":4096,"base64":"…","sum":"…"}
//! {"end":2,"lines":5,"sum":"…"}
//! ```
//!
//! The content of an object follows its line: messages in the order of the queue, memory in pieces. What is not in a
//! piece is zeros. `sum` is the CRC-32 of all bytes of the file before it, so no byte and no line can be changed, lost
//! or moved without being noticed. A line `{"abandoned":"msg:0",…}` says that the object before it could not be read
//! to its end.

mod reader;
mod writer;

pub use reader::{Damage, Reader, Survey};
pub use writer::Writer;

use serde::{Deserialize, Serialize};

use crate::ipc::message::Message;
use crate::ipc::reference::InvalidReference;
use crate::ipc::{Key, Mode, Reference};
use crate::output::message::{MessageFormat, Presentation};

/// The version of the format.
pub const VERSION: u32 = 1;

/// How many bytes of memory are in a line.
pub const PIECE: usize = 48 << 10;

/// How messages are written.
const MESSAGE: Presentation = Presentation {
    format: MessageFormat::Jsonl,
    until_nul: false,
    truncate: None,
    columns: None,
    to_terminal: false,
};

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the format.
    #[serde(rename = "ipctool")]
    pub version: u32,
    /// The name of the machine.
    pub host: String,
    /// The number of the IPC namespace.
    pub ns: Option<u64>,
    /// When it was begun, RFC 3339.
    pub time: String,
}

/// The line of an object: what it takes to make it again, apart from its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Its reference, by id or by name.
    pub object: String,
    /// The key of a System V object, `0x0000beef`; none if it is private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The names of its owner and group, for people.
    pub owner: String,
    /// See `owner`.
    pub group: String,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its permission bits, `0600`.
    pub mode: String,
    /// `msg_qbytes` of a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// How many bytes a queue held when the dump of it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How many messages it held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// `mq_maxmsg` of a POSIX queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
    /// `mq_msgsize` of a POSIX queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_size: Option<u64>,
    /// The size of memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The values of a set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<u16>>,
    /// The value of a POSIX semaphore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u32>,
}

impl Described {
    /// Its reference.
    pub fn reference(&self) -> Result<Reference, InvalidReference> {
        self.object.parse()
    }

    /// Its key; `IPC_PRIVATE` if it has none.
    pub fn key(&self) -> Option<Key> {
        self.key.as_ref().map_or(Some(Key::PRIVATE), |key| key.parse().ok())
    }

    /// Its mode.
    pub fn mode(&self) -> Option<Mode> {
        u32::from_str_radix(&self.mode, 8).ok().filter(|bits| *bits <= 0o777).map(Mode::from_bits)
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The first one.
    Head(Head),
    /// An object.
    Object(Box<Described>),
    /// A message of the object before it.
    Message(Message),
    /// Memory of the object before it, from this offset on.
    Piece(u64, Vec<u8>),
    /// The object before it is not complete.
    Abandoned,
    /// The last one.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::Kind;
    use crate::ipc::message::Label;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn head() -> Head {
        Head { version: VERSION, host: "a\"b".into(), ns: Some(7), time: "now".into() }
    }

    fn described(object: &str) -> Described {
        let mut described = Described {
            object: object.into(),
            owner: "root".into(),
            mode: "0600".into(),
            ..Described::default()
        };
        match described.reference().unwrap().kind {
            Kind::Msg => described.max_bytes = Some(16_384),
            Kind::Shm | Kind::Pshm => described.size = Some(1 << 30),
            Kind::Sem => described.values = Some(vec![1, 0, 5]),
            Kind::Pmsg => {
                (described.max_messages, described.message_size) = (Some(10), Some(100));
            }
            Kind::Psem => described.value = Some(3),
        }
        described
    }

    /// A dump of a queue and memory, and its records.
    fn dump(messages: &[(i64, Vec<u8>)], pieces: &[(u64, Vec<u8>)]) -> (Vec<u8>, Vec<Record>) {
        let mut writer = Writer::new(Vec::new());
        let mut records = vec![Record::Head(head()), Record::Object(described("msg:5").into())];
        writer.head(&head()).unwrap();
        writer.object(&described("msg:5")).unwrap();
        for (number, payload) in messages {
            let mut message = Message::new(Label::Type(*number));
            message.payload_mut().extend_from_slice(payload);
            writer.message(Kind::Msg, "msg:5", &message).unwrap();
            records.push(Record::Message(message));
        }
        writer.object(&described("pshm:/two words")).unwrap();
        records.push(Record::Object(described("pshm:/two words").into()));
        for (offset, bytes) in pieces {
            writer.piece(*offset, bytes).unwrap();
            records.push(Record::Piece(*offset, bytes.clone()));
        }
        writer.object(&described("sem:1")).unwrap();
        writer.abandoned("sem:1").unwrap();
        records.extend([Record::Object(described("sem:1").into()), Record::Abandoned, Record::End]);
        (writer.end().unwrap(), records)
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, Damage> {
        let mut reader = Reader::new(Cursor::new(bytes));
        let mut records = Vec::new();
        while let Some(record) = reader.next()? {
            records.push(record);
        }
        Ok(records)
    }

    #[test]
    fn any_flipped_or_missing_byte_is_found() {
        let (bytes, _) =
            dump(&[(3, b"hello".to_vec()), (4, vec![0xff; 9])], &[(4096, vec![7; 33])]);
        assert!(read(&bytes).is_ok());
        for place in 0..bytes.len() {
            for changed in [bytes[place] ^ 1, bytes[place] ^ 0x20, b'\n', 0] {
                let mut damaged = bytes.clone();
                if std::mem::replace(&mut damaged[place], changed) != changed {
                    assert!(read(&damaged).is_err(), "byte {place} as {changed}");
                }
            }
            let mut damaged = bytes.clone();
            damaged.remove(place);
            assert!(read(&damaged).is_err(), "without byte {place}");
            assert!(read(&bytes[..place]).is_err(), "{place} bytes");
        }
        let more = [&bytes, b"\n".as_slice()].concat();
        assert!(read(&more).is_err());
        let lines: Vec<_> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        for place in 0..lines.len() - 1 {
            let mut swapped = lines.clone();
            swapped.swap(place, place + 1);
            assert!(read(&swapped.concat()).is_err(), "line {place} behind the next one");
        }
    }

    #[test]
    fn what_makes_no_sense_is_found() {
        let write = |tell: &dyn Fn(&mut Writer<Vec<u8>>) -> std::io::Result<()>| {
            let mut writer = Writer::new(Vec::new());
            writer.head(&head()).unwrap();
            tell(&mut writer).unwrap();
            let survey = Survey::of(Cursor::new(writer.end().unwrap()));
            survey.map(|survey| survey.objects.len()).map_err(|damage| damage.to_string())
        };
        assert_eq!(write(&|writer| writer.object(&described("psem:/x"))), Ok(1));
        let says = |why: &str, tell: &dyn Fn(&mut Writer<Vec<u8>>) -> std::io::Result<()>| {
            let said = write(tell).unwrap_err();
            assert!(said.contains(why), "{said}");
        };
        let message = Message::new(Label::Type(1));
        says("line 2: a message without a queue", &|writer| {
            writer.message(Kind::Msg, "msg:0", &message)
        });
        says("line 3: memory without a segment", &|writer| {
            writer.object(&described("sem:0"))?;
            writer.piece(0, b"x")
        });
        says("line 3: memory beyond the end", &|writer| {
            writer.object(&described("shm:0"))?;
            writer.piece(1 << 30, b"x")
        });
        says("line 3: the type of a message is above 0", &|writer| {
            writer.object(&described("msg:0"))?;
            writer.message(Kind::Msg, "msg:0", &Message::new(Label::Type(0)))
        });
        says("line 2: the object: ", &|writer| {
            writer.object(&Described { object: "msg:x".into(), ..described("msg:0") })
        });
        says("line 2: the mode", &|writer| {
            writer.object(&Described { mode: "9".into(), ..described("msg:0") })
        });
        says("line 2: its values are missing", &|writer| {
            writer.object(&Described { values: None, ..described("sem:0") })
        });
        let mut writer = Writer::new(Vec::new());
        writer.head(&Head { version: 2, ..head() }).unwrap();
        let newer = Survey::of(Cursor::new(writer.end().unwrap())).unwrap_err().to_string();
        assert!(newer.contains("of format 2, but this ipctool reads 1"), "{newer}");
        for (text, why) in [("", "it is empty"), ("hello\n", "line 1: it is no dump of ipctool")] {
            let said = Survey::of(Cursor::new(text)).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            messages in proptest::collection::vec((1..i64::MAX, any::<Vec<u8>>()), 0..9),
            pieces in proptest::collection::vec((0u64..1000, proptest::collection::vec(any::<u8>(), 1..99)), 0..9),
        ) {
            let (bytes, records) = dump(&messages, &pieces);
            prop_assert_eq!(read(&bytes).unwrap(), records);
        }

        #[test]
        fn no_file_panics(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
