//! JSON: one array, or one record per line.

use std::io::{self, Write};

use serde::ser::{Serialize, Serializer};

use crate::ipc::text::{is_plain, is_unsafe};
use crate::output::value::Cell;
use crate::output::{Column, Layout, Render, Section, Style, Value};

/// A JSON document while it is written.
pub struct Json<'a, T: 'static, W> {
    style: &'a Style,
    out: W,
    /// The text before the first record, between records and after the last.
    around: [&'static str; 3],
    has_records: bool,
    /// The fields of the records of each section.
    fields: Vec<Vec<Field<T>>>,
    line: Vec<u8>,
}

/// A field of each record.
struct Field<T: 'static> {
    /// What comes before its value: a comma, unless it is the first one, its name, and a colon.
    start: String,
    /// Null without a column: the kind has no such one.
    column: Option<&'static Column<T>>,
}

impl<'a, T, W: Write> Json<'a, T, W> {
    /// One array of all records, one per line.
    pub fn array(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Ok(Json::new(layout, style, out, ["[\n", ",\n", "\n]\n"]))
    }

    /// One record per line.
    pub fn lines(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Ok(Json::new(layout, style, out, ["", "\n", "\n"]))
    }

    fn new(layout: Layout<T>, style: &'a Style, out: W, around: [&'static str; 3]) -> Self {
        let fields_of = |section: &Section<T>| {
            let all: Vec<(&str, _)> = match &layout.chosen {
                None => section.columns.iter().map(|&one| (one.name, Some(one))).collect(),
                Some(chosen) => chosen.iter().map(|&name| (name, section.column(name))).collect(),
            };
            let field = |(number, (name, column))| {
                let comma = if number == 0 { "" } else { "," };
                Field { start: format!("{comma}\"{name}\":"), column }
            };
            all.into_iter().enumerate().map(field).collect()
        };
        let fields = layout.sections.iter().map(fields_of).collect();
        Json { style, out, around, has_records: false, fields, line: Vec::new() }
    }
}

impl<T, W: Write> Render<T> for Json<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let [first, between, _] = self.around;
        let separator = if self.has_records { between } else { first };
        self.has_records = true;
        self.line.clear();
        self.line.extend_from_slice(separator.as_bytes());
        self.line.push(b'{');
        for Field { start, column } in &self.fields[section] {
            self.line.extend_from_slice(start.as_bytes());
            write(&mut self.line, &cell(*column, item, self.style))?;
        }
        self.line.push(b'}');
        self.out.write_all(&self.line)
    }

    fn finish(&mut self) -> io::Result<()> {
        let [first, _, last] = self.around;
        match (self.has_records, first) {
            (true, _) => self.out.write_all(last.as_bytes())?,
            (false, "") => {}
            (false, _) => self.out.write_all(b"[]\n")?,
        }
        self.out.flush()
    }
}

/// Writes a value as JSON, with every character escaped that could act on a terminal.
pub fn write(out: impl Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Careful))
}

/// Writes a text as JSON, as [`write`] does. Most need no escapes, and those take a fraction of its time.
pub fn write_text(mut out: impl Write, text: &str) -> io::Result<()> {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'"', b'\\', bytes).is_some() || !is_plain(bytes) {
        return Ok(write(out, &text)?);
    }
    out.write_all(b"\"")?;
    out.write_all(bytes)?;
    out.write_all(b"\"")
}

/// `serde_json` escapes only what JSON requires, so not DEL, C1 controls and the like.
struct Careful;

impl serde_json::ser::Formatter for Careful {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all are.
        if is_plain(fragment.as_bytes()) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(start) = rest.find(is_unsafe) {
            out.write_all(&rest.as_bytes()[..start])?;
            let mut characters = rest[start..].chars();
            let character = characters.next().unwrap_or_default();
            // All unsafe characters fit into one UTF-16 unit.
            write!(out, "\\u{:04x}", u32::from(character))?;
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// An item as a JSON object.
pub struct Record<'a, T: 'static> {
    item: &'a T,
    columns: Vec<&'static Column<T>>,
    style: &'a Style,
}

impl<'a, T> Record<'a, T> {
    /// A record with all of these columns as fields.
    pub fn of(
        item: &'a T,
        columns: impl Iterator<Item = &'static Column<T>>,
        style: &'a Style,
    ) -> Record<'a, T> {
        Record { item, columns: columns.collect(), style }
    }
}

/// The value of a column, which is null without one.
pub fn cell<'a, T>(column: Option<&Column<T>>, item: &'a T, style: &'a Style) -> Cell<'a> {
    let value = column.map_or(Value::Missing, |column| (column.value)(item));
    // The format escapes strings itself.
    Cell { value, names: &style.names, arrays: true, escapes: false }
}

impl<T> Serialize for Record<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.columns.iter();
        serializer.collect_map(
            fields.map(|column| (column.name, cell(Some(column), self.item, self.style))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_writes_the_same(text: String, plain in "[ -~]{0,40}") {
            for text in [text, plain] {
                let (mut one, mut other) = (Vec::new(), Vec::new());
                write_text(&mut one, &text).unwrap();
                write(&mut other, &text).unwrap();
                prop_assert_eq!(one, other);
            }
        }
    }
}
