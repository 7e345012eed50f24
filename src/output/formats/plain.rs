//! Plain aligned text, streamed: one line per object.

use std::io::{self, Write};
use std::mem;

use unicode_width::UnicodeWidthStr;

use crate::output::{Column, Layout, Render, Style};

/// How many rows are measured before the first is written. Later rows use the same widths, so that a
/// list of any length is streamed.
const MEASURED: usize = 64;

/// A plain list while it is written.
pub struct Plain<'a, T: 'static, W> {
    layout: Layout<T>,
    style: &'a Style,
    out: W,
    line: Vec<u8>,
    section: Option<usize>,
    /// The width of each column of the section.
    widths: Vec<usize>,
    /// The cells of the rows that are measured and not yet written, one after the other.
    measured: Vec<Vec<u8>>,
    is_measuring: bool,
}

impl<'a, T, W: Write> Plain<'a, T, W> {
    /// Writes nothing before the first row, so that an empty section leaves no trace.
    pub fn new(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        let (line, widths, measured) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Plain { layout, style, out, line, section: None, widths, measured, is_measuring: false })
    }

    /// Starts a section.
    fn begin(&mut self, section: usize) -> io::Result<()> {
        self.write_measured()?;
        let is_first = self.section.replace(section).is_none();
        let (columns, headings) = (&self.layout.sections[section].columns, self.layout.headings);
        // A single column without heading has no neighbour to be aligned with.
        let is_alone = columns.len() == 1 && !headings;
        let least = |column: &&'static Column<T>| match headings {
            _ if is_alone => 0,
            true => column.width.max(column.name.len()),
            false => column.width,
        };
        self.widths = columns.iter().map(least).collect();
        self.is_measuring = !is_alone;
        match is_first || !headings {
            true => Ok(()),
            false => self.out.write_all(b"\n"),
        }
    }

    /// Keeps a row until enough of them are measured.
    fn measure(&mut self, section: usize, item: &T) -> io::Result<()> {
        let columns = &self.layout.sections[section].columns;
        for (column, width_so_far) in columns.iter().zip(&mut self.widths) {
            let mut cell = Vec::new();
            (column.value)(item).write_word(self.style, &mut cell);
            *width_so_far = (*width_so_far).max(width(&cell));
            self.measured.push(cell);
        }
        match self.measured.len() < MEASURED * columns.len() {
            true => Ok(()),
            false => self.write_measured(),
        }
    }

    fn write_nul_ended(&mut self, section: usize, item: &T) -> io::Result<()> {
        self.line.clear();
        for (number, column) in self.layout.sections[section].columns.iter().enumerate() {
            if number > 0 {
                self.line.push(b'\t');
            }
            (column.value)(item).write(self.style, &mut self.line);
        }
        self.line.push(b'\0');
        self.out.write_all(&self.line)
    }

    /// Writes the heading and the rows that were measured.
    fn write_measured(&mut self) -> io::Result<()> {
        let (Some(section), true) = (self.section, mem::take(&mut self.is_measuring)) else {
            return Ok(());
        };
        let columns = &self.layout.sections[section].columns;
        if self.layout.headings {
            write_line(&mut self.line, columns, &self.widths, |column, line| {
                line.extend_from_slice(column.heading().as_bytes());
            });
            self.out.write_all(&self.line)?;
        }
        for row in mem::take(&mut self.measured).chunks(columns.len()) {
            let mut cells = row.iter();
            write_line(&mut self.line, columns, &self.widths, |_, line| {
                line.extend_from_slice(cells.next().map_or(&[], Vec::as_slice));
            });
            self.out.write_all(&self.line)?;
        }
        Ok(())
    }
}

/// Writes a line of cells: numbers aligned right, words left, with one blank between cells and none at
/// the end.
#[inline]
fn write_line<T>(
    line: &mut Vec<u8>,
    columns: &[&'static Column<T>],
    widths: &[usize],
    mut write: impl FnMut(&'static Column<T>, &mut Vec<u8>),
) {
    line.clear();
    // Padding after the previous cell, written only if another cell follows.
    let mut owed = 0;
    for (column, least) in columns.iter().zip(widths) {
        line.resize(line.len() + owed, b' ');
        let start = line.len();
        write(column, line);
        let length = line.len() - start;
        let padding = least.saturating_sub(width(&line[start..]));
        if column.numeric {
            line.resize(line.len() + padding, b' ');
            line.copy_within(start..start + length, start + padding);
            line[start..start + padding].fill(b' ');
            owed = 1;
        } else {
            owed = padding + 1;
        }
    }
    line.push(b'\n');
}

/// The width of a text on a terminal, which can differ from its number of bytes or characters.
#[inline]
fn width(text: &[u8]) -> usize {
    match text.is_ascii() {
        // Cells contain no control characters.
        true => text.len(),
        false => String::from_utf8_lossy(text).width(),
    }
}

impl<T, W: Write> Render<T> for Plain<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        if self.layout.sections[section].columns.is_empty() {
            return Ok(());
        }
        if self.layout.has_nul_ends {
            return self.write_nul_ended(section, item);
        }
        if self.section != Some(section) {
            self.begin(section)?;
        }
        if self.is_measuring {
            return self.measure(section, item);
        }
        let columns = &self.layout.sections[section].columns;
        write_line(&mut self.line, columns, &self.widths, |column, line| {
            (column.value)(item).write_word(self.style, line);
        });
        self.out.write_all(&self.line)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_measured()?;
        self.out.flush()
    }
}
