//! Plain aligned text, streamed: one line per object.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::output::{Column, Layout, Render, Style};

/// A plain list while it is written.
pub struct Plain<'a, T: 'static, W> {
    layout: Layout<T>,
    style: &'a Style,
    out: W,
    line: Vec<u8>,
    section: Option<usize>,
}

impl<'a, T, W: Write> Plain<'a, T, W> {
    /// Writes nothing before the first row, so that an empty section leaves no trace.
    pub fn new(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        Ok(Plain { layout, style, out, line: Vec::new(), section: None })
    }

    fn heading(&mut self, section: usize) -> io::Result<()> {
        let is_first = self.section.replace(section).is_none();
        if !self.layout.headings {
            return Ok(());
        }
        if !is_first {
            self.out.write_all(b"\n")?;
        }
        write_line(&mut self.line, &self.layout.sections[section].columns, |column, line| {
            line.extend_from_slice(column.heading().as_bytes());
        });
        self.out.write_all(&self.line)
    }
}

/// Writes a line of cells: numbers aligned right, words left, with one blank between cells and none at
/// the end.
#[inline]
fn write_line<T>(
    line: &mut Vec<u8>,
    columns: &[&'static Column<T>],
    mut write: impl FnMut(&'static Column<T>, &mut Vec<u8>),
) {
    line.clear();
    // Padding after the previous cell, written only if another cell follows.
    let mut owed = 0;
    for column in columns {
        line.resize(line.len() + owed, b' ');
        let start = line.len();
        write(column, line);
        let length = line.len() - start;
        let padding = column.width.saturating_sub(width(&line[start..]));
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
        if self.section != Some(section) {
            self.heading(section)?;
        }
        write_line(&mut self.line, &self.layout.sections[section].columns, |column, line| {
            (column.value)(item).write(self.style, line);
        });
        self.out.write_all(&self.line)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
