//! Comma- and tab-separated values: one record per line, one heading for all.

use std::io::{self, Write};

use crate::output::value::Cell;
use crate::output::{Layout, Render, Style, Value};

/// A CSV or TSV document while it is written.
pub struct Csv<'a, T: 'static, W: Write> {
    layout: Layout<T>,
    fields: Vec<&'static str>,
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
        Ok(Csv { layout, fields, style, out })
    }
}

impl<T, W: Write> Render<T> for Csv<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let columns = &self.layout.sections[section].columns;
        let cells = self.fields.iter().map(|field| {
            let column = columns.iter().find(|column| column.name == *field);
            let value = column.map_or(Value::Missing, |column| (column.value)(item));
            Cell {
                value,
                names: &self.style.names,
                arrays: false,
                escapes: self.style.screen.is_terminal,
            }
        });
        let cells: Vec<_> = cells.collect();
        self.out.serialize(cells).map_err(io_error)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Unwraps the I/O error: the crate hides it, and a closed pipe must be recognized.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
