//! Typed values, and how to write them for people, as JSON and as CSV.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::io::Write as _;
use std::slice;

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::escape;
use super::style::{self, Style};
use crate::ipc::{Foreign, Key, Mode, Name, Reference, Target, Time};
use crate::kernel::process::accounts::Names;

/// The value of a column for an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value: it never happened, is unknown, or does not exist for this kind.
    Missing,
    /// The reference that every command accepts.
    Reference(Reference),
    /// A System V key.
    Key(Key),
    /// Permission bits.
    Mode(Mode),
    /// A size in bytes.
    Bytes(u64),
    /// A count or an id.
    Count(u64),
    /// There is no limit.
    Unlimited,
    /// How much of a limit is used.
    Fill {
        /// What is used.
        used: u64,
        /// The limit.
        limit: u64,
        /// Whether both are bytes; otherwise they are counts.
        is_bytes: bool,
    },
    /// A percentage with one decimal.
    Percent(f64),
    /// A process id.
    Pid(i32),
    /// A point in time.
    Time(Time),
    /// A user, by number.
    User(u32),
    /// A group, by number.
    Group(u32),
    /// The name of a POSIX object.
    Name(&'a Name),
    /// Text of this program.
    Text(Cow<'a, str>),
    /// Text from outside.
    Foreign(&'a Foreign),
    /// Several words, possibly none.
    List(Vec<Cow<'a, str>>),
    /// Several process ids, possibly none.
    Pids(Vec<i32>),
    /// A number that may be negative.
    Number(i64),
    /// Whether something is so.
    Flag(bool),
    /// Something with fields of its own.
    Part(Part<'a>),
    /// Several of these, possibly none.
    Parts(Vec<Part<'a>>),
}

/// Something with fields of its own: an object in JSON, and words elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// The words for people; `None` to show it to programs alone.
    pub words: Option<Cow<'a, str>>,
    /// The fields.
    pub fields: Vec<(&'static str, Value<'a>)>,
}

impl Value<'_> {
    /// The pid, or no value for 0: the kernel writes 0 if there is no process, or one in another pid
    /// namespace.
    pub fn pid(pid: i32) -> Self {
        if pid == 0 { Value::Missing } else { Value::Pid(pid) }
    }

    /// A time, or no value for "never".
    pub fn time(time: Option<Time>) -> Self {
        time.map_or(Value::Missing, Value::Time)
    }

    /// A size, or no value if the kernel does not report it.
    pub fn bytes(bytes: Option<u64>) -> Self {
        bytes.map_or(Value::Missing, Value::Bytes)
    }

    /// A count, or no value if it is unknown.
    pub fn count(count: Option<u64>) -> Self {
        count.map_or(Value::Missing, Value::Count)
    }

    /// A key, or no value for an object without one.
    pub fn key(key: Key) -> Self {
        if key == Key::PRIVATE { Value::Missing } else { Value::Key(key) }
    }

    /// Appends the value as people read it.
    #[inline]
    pub fn write(&self, style: &Style, out: &mut Vec<u8>) {
        match self {
            Value::Missing => out.push(b'-'),
            Value::Unlimited => append(out, "unlimited"),
            Value::Reference(reference) => write_reference(reference, out),
            Value::Name(name) => append(out, name),
            Value::Key(key) => out.extend_from_slice(&digits_of(*key)),
            Value::Mode(mode) if style.numeric_perms => append(out, mode),
            Value::Mode(mode) => out.extend_from_slice(&mode.letters()),
            Value::Bytes(bytes) if style.human_sizes => append(out, style::human_size(*bytes)),
            Value::Bytes(number) | Value::Count(number) => write_number(*number, out),
            Value::Fill { used, limit, is_bytes } => {
                write_fill(*used, *limit, *is_bytes, style, out)
            }
            Value::Percent(percent) => append(out, format_args!("{percent:.1}")),
            Value::Pid(pid) => write_number(*pid, out),
            Value::Time(time) => append(out, style.time(*time)),
            Value::User(uid) => style.names.with_user(*uid, |name| write_foreign(name, out)),
            Value::Group(gid) => style.names.with_group(*gid, |name| write_foreign(name, out)),
            Value::Text(text) => escape::append(text, out),
            Value::Foreign(text) => write_foreign(text, out),
            Value::List(words) if words.is_empty() => out.push(b'-'),
            Value::List(words) => escape::append(&words.join(","), out),
            Value::Pids(pids) if pids.is_empty() => out.push(b'-'),
            Value::Pids(pids) => append(out, joined(pids)),
            Value::Number(number) => write_number(*number, out),
            Value::Flag(flag) => append(out, flag),
            Value::Part(part) => write_parts(slice::from_ref(part), out),
            Value::Parts(parts) => write_parts(parts, out),
        }
    }

    /// Appends the value for a line that a shell or `xargs(1)` may split into words.
    #[inline]
    pub fn write_word(&self, style: &Style, out: &mut Vec<u8>) {
        match self {
            Value::Fill { used, limit, .. } => {
                append(out, format_args!("{}%", percent(*used, *limit) as u64));
            }
            value => value.write_quoted(style, out),
        }
    }

    /// Appends the value as people read it and copy it into a shell: a name with a blank or another
    /// special character is quoted.
    #[inline]
    pub fn write_quoted(&self, style: &Style, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(style, out);
        let is_name = matches!(
            self,
            Value::Reference(Reference { target: Target::Name(_), .. })
                | Value::Name(_)
                | Value::User(_)
                | Value::Group(_)
        );
        // Most names need no quotes, and a long list has many.
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(byte);
        if is_name && !out[start..].iter().all(is_plain) {
            let quoted = escape::shell_word(&out[start..]);
            out.truncate(start);
            out.extend_from_slice(quoted.as_bytes());
        }
    }

    /// The order of two values of one column. Missing ones come last, whether it descends or not.
    pub fn order(&self, other: &Value<'_>, descends: bool, names: &Names) -> Ordering {
        let order = self.compare(other, names);
        let has_missing = *self == Value::Missing || *other == Value::Missing;
        if descends && !has_missing { order.reverse() } else { order }
    }

    /// Compares two values of one column. Missing values come last.
    pub fn compare(&self, other: &Value<'_>, names: &Names) -> Ordering {
        let name = |value: &Value<'_>| match value {
            Value::User(uid) => Some(names.with_user(*uid, Foreign::clone)),
            Value::Group(gid) => Some(names.with_group(*gid, Foreign::clone)),
            _ => None,
        };
        match (self, other) {
            (Value::Missing, Value::Missing) => Ordering::Equal,
            (Value::Missing, _) => Ordering::Greater,
            (_, Value::Missing) => Ordering::Less,
            (Value::Unlimited, Value::Unlimited) => Ordering::Equal,
            (Value::Unlimited, _) => Ordering::Greater,
            (_, Value::Unlimited) => Ordering::Less,
            (Value::Reference(a), Value::Reference(b)) => {
                a.kind.cmp(&b.kind).then_with(|| match (&a.target, &b.target) {
                    (Target::Name(a), Target::Name(b)) => a.cmp(b),
                    (a, b) => number(a).cmp(&number(b)),
                })
            }
            // Keys are printed as unsigned numbers, so they are sorted as such.
            (Value::Key(a), Value::Key(b)) => (a.0 as u32).cmp(&(b.0 as u32)),
            (Value::Mode(a), Value::Mode(b)) => a.cmp(b),
            (Value::Bytes(a) | Value::Count(a), Value::Bytes(b) | Value::Count(b)) => a.cmp(b),
            (Value::Fill { .. } | Value::Percent(_), Value::Fill { .. } | Value::Percent(_)) => {
                percentage(self).total_cmp(&percentage(other))
            }
            (Value::Name(a), Value::Name(b)) => a.cmp(b),
            (Value::Pid(a), Value::Pid(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Foreign(a), Value::Foreign(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => a.cmp(b),
            (Value::Pids(a), Value::Pids(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => a.cmp(b),
            (Value::Flag(a), Value::Flag(b)) => a.cmp(b),
            (Value::Part(a), Value::Part(b)) => a.words.cmp(&b.words),
            (Value::Parts(a), Value::Parts(b)) => {
                a.iter().map(|part| &part.words).cmp(b.iter().map(|part| &part.words))
            }
            _ => name(self).cmp(&name(other)),
        }
    }
}

/// How many per cent of a limit are used. More than all of nothing is 100.
pub fn percent(used: u64, limit: u64) -> f64 {
    match (used, limit) {
        (0, 0) => 0.0,
        (_, 0) => 100.0,
        (used, limit) => used as f64 * 100.0 / limit as f64,
    }
}

fn percentage(value: &Value<'_>) -> f64 {
    match value {
        Value::Fill { used, limit, .. } => percent(*used, *limit),
        Value::Percent(percent) => *percent,
        _ => 0.0,
    }
}

fn number(target: &Target) -> i64 {
    match target {
        Target::Id(id) => (*id).into(),
        Target::Key(key) => key.0.into(),
        Target::Name(_) => 0,
    }
}

/// The words of several parts, joined by commas.
fn words_of(parts: &[Part<'_>]) -> String {
    let words: Vec<_> = parts.iter().filter_map(|part| part.words.as_deref()).collect();
    words.join(",")
}

fn write_parts(parts: &[Part<'_>], out: &mut Vec<u8>) {
    match words_of(parts).as_str() {
        "" => out.push(b'-'),
        words => escape::append(words, out),
    }
}

fn joined(pids: &[i32]) -> String {
    pids.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

fn append(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// `std::fmt` would take most of the time of a long list.
fn write_number(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `0x0000beef`.
fn digits_of(key: Key) -> [u8; 10] {
    let mut text = *b"0x00000000";
    for (place, digit) in text[2..].iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(key.0 as u32 >> (28 - 4 * place) & 0xf) as usize];
    }
    text
}

fn write_foreign(text: &Foreign, out: &mut Vec<u8>) {
    match text.plain() {
        Some(bytes) => out.extend_from_slice(bytes),
        None => append(out, text),
    }
}

/// Writes `71B/16K 0%`, or `71/16384 0%` if sizes are exact.
fn write_fill(used: u64, limit: u64, is_bytes: bool, style: &Style, out: &mut Vec<u8>) {
    let number = |number| match is_bytes {
        true => Value::Bytes(number),
        false => Value::Count(number),
    };
    number(used).write(style, out);
    out.push(b'/');
    number(limit).write(style, out);
    append(out, format_args!(" {}%", percent(used, limit) as u64));
}

fn write_reference(reference: &Reference, out: &mut Vec<u8>) {
    match &reference.target {
        Target::Id(id) => {
            out.extend_from_slice(reference.kind.name().as_bytes());
            out.push(b':');
            write_number(id.unsigned_abs(), out);
        }
        _ => append(out, reference),
    }
}

/// A value as programs read it: sizes and counts are integers, times are RFC 3339 in UTC, modes and
/// keys are strings, and a missing value is null.
#[derive(Debug)]
pub struct Cell<'a> {
    /// The value.
    pub value: Value<'a>,
    /// Looks up the names of users and groups.
    pub names: &'a Names,
    /// Whether a list stays a list; otherwise it is joined by commas.
    pub arrays: bool,
    /// Whether characters that could act on a terminal are escaped here, because the format does not.
    pub escapes: bool,
}

impl Cell<'_> {
    fn text<S: Serializer>(&self, text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        match self.escapes {
            true => serializer.serialize_str(&escape::line(text)),
            false => serializer.serialize_str(text),
        }
    }

    /// The value as text, as CSV has it: empty for no value.
    pub fn into_text(self) -> serde_json::Result<String> {
        Ok(match serde_json::to_value(self)? {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        })
    }

    fn fields<'b>(&'b self, part: &'b Part<'b>) -> Fields<'b> {
        Fields { part, form: self }
    }
}

/// The fields of a part, each as a cell of the same form.
struct Fields<'a> {
    part: &'a Part<'a>,
    form: &'a Cell<'a>,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Cell { names, arrays, escapes, .. } = *self.form;
        serializer.collect_map(
            self.part
                .fields
                .iter()
                .map(|(name, value)| (name, Cell { value: value.clone(), names, arrays, escapes })),
        )
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Missing | Value::Unlimited => serializer.serialize_none(),
            Value::Reference(reference) => reference.serialize(serializer),
            Value::Key(key) => {
                serializer.serialize_str(std::str::from_utf8(&digits_of(*key)).unwrap_or_default())
            }
            Value::Mode(mode) => serializer.collect_str(mode),
            Value::Bytes(number) | Value::Count(number) => serializer.serialize_u64(*number),
            Value::Fill { used, limit, .. } => {
                // One decimal, as in the percentages of limits.
                serializer.serialize_f64((percent(*used, *limit) * 10.0).round() / 10.0)
            }
            Value::Name(name) => self.text(&name.to_text(), serializer),
            Value::Percent(percent) => serializer.serialize_f64(*percent),
            Value::Pid(pid) => serializer.serialize_i32(*pid),
            Value::Time(time) => match style::timestamp(*time) {
                Some(timestamp) => serializer.collect_str(&timestamp),
                None => serializer.serialize_none(),
            },
            Value::User(uid) => {
                self.names.with_user(*uid, |name| self.text(&name.as_raw(), serializer))
            }
            Value::Group(gid) => {
                self.names.with_group(*gid, |name| self.text(&name.as_raw(), serializer))
            }
            Value::Text(text) => self.text(text, serializer),
            Value::Foreign(text) => self.text(&text.as_raw(), serializer),
            Value::List(words) if self.arrays => {
                let mut sequence = serializer.serialize_seq(Some(words.len()))?;
                words.iter().try_for_each(|word| sequence.serialize_element(word))?;
                sequence.end()
            }
            Value::List(words) => self.text(&words.join(","), serializer),
            Value::Pids(pids) if self.arrays => pids.serialize(serializer),
            Value::Pids(pids) => serializer.serialize_str(&joined(pids)),
            Value::Number(number) => serializer.serialize_i64(*number),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Part(part) if self.arrays => self.fields(part).serialize(serializer),
            Value::Part(part) => self.text(&words_of(slice::from_ref(part)), serializer),
            Value::Parts(parts) if self.arrays => {
                serializer.collect_seq(parts.iter().map(|part| self.fields(part)))
            }
            Value::Parts(parts) => self.text(&words_of(parts), serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quick_formatting_is_that_of_the_standard_library(key: i32) {
            let mut out = Vec::new();
            out.extend_from_slice(&digits_of(Key(key)));
            prop_assert_eq!(String::from_utf8(out).unwrap(), Key(key).to_string());
        }
    }
}
