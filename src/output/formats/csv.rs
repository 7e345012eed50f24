//! Comma- and tab-separated values: one record per line, one heading for all.

use std::io::{self, Write};

use serde::ser::{Serialize, Serializer};

use crate::output::value::Cell;
use crate::output::{Column, Layout, Render, Section, Style, Value};

/// A CSV or TSV document while it is written.
pub struct Csv<'a, T: 'static, W: Write> {
    /// For each section the columns of the fields.
    sections: Vec<Vec<Option<&'static Column<T>>>>,
    style: &'a Style,
    out: csv::Writer<W>,
}

impl<'a, T, W: Write> Csv<'a, T, W> {
    /// Separates values by commas. Writes the heading immediately.
    pub fn commas(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Csv::new(b',', layout, style, out)
    }

    /// Separates values by tabs. Writes the heading immediately.
    pub fn tabs(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Csv::new(b'\t', layout, style, out)
    }

    fn new(delimiter: u8, layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        let mut out =
            csv::WriterBuilder::new().delimiter(delimiter).has_headers(false).from_writer(out);
        let fields = layout.fields();
        if layout.headings {
            out.write_record(&fields).map_err(io_error)?;
        }
        let columns_of =
            |section: &Section<T>| fields.iter().map(|field| section.column(field)).collect();
        let sections = layout.sections.iter().map(columns_of).collect();
        Ok(Csv { sections, style, out })
    }
}

impl<T, W: Write> Render<T> for Csv<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let row = Row { item, columns: &self.sections[section], style: self.style };
        self.out.serialize(row).map_err(io_error)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An item as a list of cells.
struct Row<'a, T: 'static> {
    item: &'a T,
    columns: &'a [Option<&'static Column<T>>],
    style: &'a Style,
}

impl<T> Serialize for Row<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.columns.iter().map(|column| Cell {
            value: column.map_or(Value::Missing, |column| (column.value)(self.item)),
            names: &self.style.names,
            arrays: false,
            escapes: self.style.screen.is_terminal,
        }))
    }
}

/// Unwraps the I/O error: the crate hides it, and a closed pipe must be recognized.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
