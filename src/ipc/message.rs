//! Messages of a queue, `msgop(2)` and `mq_send(3)`.

use std::ffi::c_long;
use std::fmt;

use super::kind::Kind;

/// The size of the type before the payload, in bytes.
pub const TYPE_SIZE: usize = size_of::<c_long>();

/// The number that a message carries besides its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The type of a System V message, greater than 0. The receiver selects by it.
    Type(i64),
    /// The priority of a POSIX message, 0 to 32,767: higher ones are received first.
    Priority(u32),
}

impl Label {
    /// The highest priority, one below `MQ_PRIO_MAX` of `mq_overview(7)`.
    pub const HIGHEST_PRIORITY: u32 = 32_767;

    /// The label of a message on a queue of this kind, from the number before its payload.
    pub fn of(kind: Kind, number: i64) -> Label {
        match kind.is_posix() {
            true => Label::Priority(number.try_into().unwrap_or(0)),
            false => Label::Type(number),
        }
    }

    /// The number before the payload.
    pub fn number(self) -> i64 {
        match self {
            Label::Type(message_type) => message_type,
            Label::Priority(priority) => priority.into(),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Type(message_type) => write!(f, "type {message_type}"),
            Label::Priority(priority) => write!(f, "priority {priority}"),
        }
    }
}

/// A message in the layout of `msgsnd(2)` and `msgrcv(2)`: its type, then its payload. A POSIX message
/// has its priority in place of the type.
///
/// The buffer grows to the largest message and is reused, so a stream of messages costs no allocation
/// and one copy each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A message with this label and no payload. To be sent, it needs a positive type.
    pub fn new(label: Label) -> Message {
        Message { bytes: (label.number() as c_long).to_ne_bytes().to_vec() }
    }

    /// Clears the payload and sets the label of the next message.
    pub fn reset(&mut self, label: Label) {
        self.bytes.clear();
        self.bytes.extend((label.number() as c_long).to_ne_bytes());
    }

    /// A message as the kernel wrote it, [`Message::as_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Message {
        Message { bytes: bytes.to_vec() }
    }

    /// Sets the label, and leaves the payload.
    pub fn set_label(&mut self, label: Label) {
        set_type(&mut self.bytes, label.number());
    }

    /// The buffer after the type, to append the payload to.
    pub fn payload_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[TYPE_SIZE..]
    }

    /// Type and payload in the layout of the system call.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether the kernel can store this number as the type of a message.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
pub fn is_expressible(message_type: i64) -> bool {
    c_long::try_from(message_type).is_ok()
}

/// Sets the number at the start of a message.
pub fn set_type(message: &mut [u8], number: i64) {
    let (head, _) = message.split_at_mut(TYPE_SIZE);
    head.copy_from_slice(&(number as c_long).to_ne_bytes());
}

/// The type at the start of a message that the kernel filled.
#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
pub fn type_of(message: &[u8]) -> i64 {
    let (head, _) = message.split_at(TYPE_SIZE);
    c_long::from_ne_bytes(head.try_into().unwrap_or_default()).into()
}

/// Which message to receive, the `msgtyp` of `msgrcv(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The first one.
    Any,
    /// The first of this type.
    Type(i64),
    /// The first message of the lowest type that does not exceed this one.
    UpTo(i64),
    /// The first of any other type, `MSG_EXCEPT`.
    Except(i64),
}

impl Wanted {
    /// Reads `msgtyp`: 0 means any type, a positive number that type, a negative one the lowest type up
    /// to its absolute value.
    pub fn from_number(number: i64, except: bool) -> Wanted {
        match number {
            0 => Wanted::Any,
            1.. if except => Wanted::Except(number),
            1.. => Wanted::Type(number),
            _ => Wanted::UpTo(number.saturating_neg()),
        }
    }

    /// `msgtyp` of `msgrcv(2)`, which [`Wanted::from_number`] reads.
    pub fn number(self) -> i64 {
        match self {
            Wanted::Any => 0,
            Wanted::Type(number) | Wanted::Except(number) => number,
            Wanted::UpTo(most) => -most,
        }
    }

    /// Whether a message of this type matches.
    pub fn matches(self, message_type: i64) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::Type(wanted) => message_type == wanted,
            Wanted::UpTo(most) => message_type <= most,
            Wanted::Except(unwanted) => message_type != unwanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_its_type_in_front() {
        let mut message = Message::new(Label::Type(5));
        message.payload_mut().extend(b"hello");
        assert_eq!(type_of(message.as_bytes()), 5);
        assert_eq!(message.payload(), b"hello");
        message.reset(Label::Type(7));
        assert_eq!((type_of(message.as_bytes()), message.payload()), (7, &b""[..]));
    }

    #[test]
    fn msgtyp() {
        let takes = |wanted: Wanted| [1, 2, 3].map(|message_type| wanted.matches(message_type));
        assert_eq!(takes(Wanted::from_number(0, false)), [true, true, true]);
        assert_eq!(takes(Wanted::from_number(2, false)), [false, true, false]);
        assert_eq!(takes(Wanted::from_number(-2, false)), [true, true, false]);
        assert_eq!(takes(Wanted::from_number(2, true)), [true, false, true]);
        assert!(Wanted::from_number(i64::MIN, false).matches(i64::MAX));
    }
}
