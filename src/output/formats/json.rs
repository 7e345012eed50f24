//! JSON: one array, or one record per line.

use std::io::{self, Write};

use serde::ser::{Serialize, Serializer};

use crate::ipc::text::is_unsafe;
use crate::output::value::Cell;
use crate::output::{Column, Layout, Render, Style, Value};

/// A JSON document while it is written.
pub struct Json<'a, T: 'static, W> {
    layout: Layout<T>,
    style: &'a Style,
    out: W,
    /// The text before the first record, between records and after the last.
    around: [&'static str; 3],
    has_records: bool,
}

impl<'a, T, W: Write> Json<'a, T, W> {
    /// One array of all records, one per line.
    pub fn array(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Ok(Json { layout, style, out, around: ["[\n", ",\n", "\n]\n"], has_records: false })
    }

    /// One record per line.
    pub fn lines(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Ok(Json { layout, style, out, around: ["", "\n", "\n"], has_records: false })
    }
}

impl<T, W: Write> Render<T> for Json<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let [first, between, _] = self.around;
        let separator = if self.has_records { between } else { first };
        self.has_records = true;
        self.out.write_all(separator.as_bytes())?;
        let columns = &self.layout.sections[section].columns;
        let record = match &self.layout.chosen {
            None => Record::of(item, columns.iter().copied(), self.style),
            // Null if the kind has no such column.
            Some(chosen) => {
                let find = |name| columns.iter().find(|column| column.name == name).copied();
                let fields = chosen.iter().map(|&name| (name, find(name))).collect();
                Record { item, fields, style: self.style }
            }
        };
        Ok(write(&mut self.out, &record)?)
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

/// `serde_json` escapes only what JSON requires, so not DEL, C1 controls and the like.
struct Careful;

impl serde_json::ser::Formatter for Careful {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
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
    fields: Vec<(&'static str, Option<&'static Column<T>>)>,
    style: &'a Style,
}

impl<'a, T> Record<'a, T> {
    /// A record with all of these columns as fields.
    pub fn of(
        item: &'a T,
        columns: impl Iterator<Item = &'static Column<T>>,
        style: &'a Style,
    ) -> Record<'a, T> {
        let fields = columns.map(|column| (column.name, Some(column))).collect();
        Record { item, fields, style }
    }
}

impl<T> Serialize for Record<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields.iter().map(|(name, column)| {
            let value = column.map_or(Value::Missing, |column| (column.value)(self.item));
            // The format escapes strings itself.
            (name, Cell { value, names: &self.style.names, arrays: true, escapes: false })
        }))
    }
}
