//! Tables for a terminal, without frames: one rule under the headings, two blanks between columns.

use std::io::{self, Write};
use std::mem;

use unicode_width::UnicodeWidthStr;

use crate::output::fit::{GAP, Need, fit, total};
use crate::output::style::{self, paint};
use crate::output::width::cut;
use crate::output::{Column, Layout, Render, Section, Style, Value, screen};

/// A column of sentences is cut to this width before another column is left out.
const SENTENCE: usize = 16;

/// A table while it is built. It keeps all rows, because the widest cell determines the layout.
pub struct Table<'a, T: 'static, W> {
    layout: Layout<T>,
    style: &'a Style,
    out: W,
    rows: Vec<Vec<Vec<Cell>>>,
}

/// A cell, before it is fitted.
struct Cell {
    text: String,
    width: usize,
    paint: anstyle::Style,
}

impl Cell {
    fn new(text: String, paint: anstyle::Style) -> Cell {
        Cell { width: text.width(), text, paint }
    }
}

impl<'a, T, W: Write> Table<'a, T, W> {
    /// Writes nothing before the end.
    pub fn new(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        let rows = layout.sections.iter().map(|_| Vec::new()).collect();
        Ok(Table { layout, style, out, rows })
    }

    fn cell(&self, column: &Column<T>, item: &T) -> Cell {
        let value = (column.value)(item);
        let mut text = Vec::new();
        value.write_quoted(self.style, &mut text);
        let paint = match value {
            _ if (column.alarm)(item) => style::ALARM,
            Value::Pid(pid) if self.style.gone.contains(&pid) => style::GONE,
            _ => anstyle::Style::new(),
        };
        Cell::new(String::from_utf8_lossy(&text).into_owned(), paint)
    }

    /// The number of characters in a line.
    fn room(&self) -> usize {
        self.style.screen.columns.unwrap_or(usize::MAX)
    }

    /// The lines of a section below its title, without their ends.
    fn lines(&self, section: &Section<T>, rows: &[Vec<Cell>], glyphs: Glyphs) -> Lines {
        let headings: Vec<_> = section
            .columns
            .iter()
            .map(|column| Cell::new(column.heading(), anstyle::Style::new()))
            .collect();
        let headings = if self.layout.headings { &headings[..] } else { &[] };
        let needs = section.columns.iter().enumerate().map(|(place, column)| {
            let cells = rows.iter().map(|row| &row[place]).chain(headings.get(place));
            let natural = cells.map(|cell| cell.width).max().unwrap_or(0);
            Need {
                natural,
                least: if column.prose { natural.min(SENTENCE) } else { natural },
                rank: if section.kept.contains(&column.name) { 0 } else { column.rank },
                is_number: column.numeric,
            }
        });
        let needs: Vec<_> = needs.collect();
        let widths = fit(&needs, self.room().saturating_sub(section.margin).max(1));
        let line = |cells: &[Cell]| {
            let shown = section.columns.iter().zip(cells).zip(&widths);
            let shown = shown.filter_map(|((column, cell), width)| Some((column, cell, (*width)?)));
            self.line(shown.map(|(column, cell, width)| (cell, width, column.numeric)), glyphs)
        };
        Lines {
            width: total(&widths),
            heading: self.layout.headings.then(|| line(headings)),
            rows: rows.iter().map(|row| line(row)).collect(),
        }
    }

    /// A line of cells with their widths; numbers are aligned right. It ends without blanks.
    fn line<'b>(
        &self,
        cells: impl Iterator<Item = (&'b Cell, usize, bool)>,
        glyphs: Glyphs,
    ) -> String {
        let mut line = String::new();
        // Blanks owed before the next cell.
        let mut owed = 0;
        for (cell, width, is_number) in cells {
            let (text, used) = cut(&cell.text, width, glyphs.cut);
            let padding = width - used;
            let (before, after) = if is_number { (padding, 0) } else { (0, padding) };
            line.extend(std::iter::repeat_n(' ', owed + before));
            line += &paint(&text, cell.paint, &self.style.screen);
            owed = after + GAP;
        }
        line
    }
}

/// What a table is drawn with.
#[derive(Clone, Copy)]
struct Glyphs {
    rule: &'static str,
    cut: char,
}

impl Glyphs {
    fn by_locale() -> Glyphs {
        Glyphs { rule: if screen::is_utf8() { "─" } else { "-" }, cut: screen::end_of_cut() }
    }
}

/// A section that is fitted.
struct Lines {
    width: usize,
    heading: Option<String>,
    rows: Vec<String>,
}

/// How titles and sections are set apart.
#[derive(Clone, Copy)]
struct Spacing {
    /// Whether a title has a line of its own; otherwise it is part of the rule.
    title_above: bool,
    /// Whether there is an empty line between sections.
    gap: bool,
}

impl Spacing {
    /// From roomy to dense.
    const ALL: [Spacing; 3] = [
        Spacing { title_above: true, gap: true },
        Spacing { title_above: false, gap: true },
        Spacing { title_above: false, gap: false },
    ];

    /// The number of lines that all sections take.
    fn height(self, sections: &[(String, Lines)]) -> usize {
        let of_section = |(title, lines): &(String, Lines)| {
            let above = usize::from(self.title_above && !title.is_empty());
            above + 2 * usize::from(lines.heading.is_some()) + lines.rows.len()
        };
        let gaps = if self.gap { sections.len().saturating_sub(1) } else { 0 };
        sections.iter().map(of_section).sum::<usize>() + gaps
    }

    /// The roomiest that fits on the screen, so that the start does not scroll away. If none does, the
    /// roomiest of all.
    fn fitting(sections: &[(String, Lines)], rows: Option<usize>) -> Spacing {
        // The last line is that of the cursor.
        let fits = |one: &Spacing| rows.is_none_or(|rows| one.height(sections) < rows);
        Spacing::ALL.into_iter().find(fits).unwrap_or(Spacing::ALL[0])
    }
}

impl<T, W: Write> Render<T> for Table<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let columns = &self.layout.sections[section].columns;
        let cells = columns.iter().map(|column| self.cell(column, item)).collect();
        self.rows[section].push(cells);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let glyphs = Glyphs::by_locale();
        let all = mem::take(&mut self.rows);
        let mut sections = Vec::new();
        for (section, rows) in self.layout.sections.iter().zip(&all) {
            if section.columns.is_empty() {
                continue;
            }
            if rows.is_empty() {
                if section.asked_for {
                    writeln!(self.out, "No {}.", section.title)?;
                }
                continue;
            }
            let title = match (section.title.as_str(), self.layout.headings) {
                ("", _) | (_, false) => String::new(),
                (title, true) => {
                    let title = format!("{}{}", title[..1].to_uppercase(), &title[1..]);
                    let title = format!("{title} ({})", rows.len());
                    cut(&title, self.room(), glyphs.cut).0.into_owned()
                }
            };
            sections.push((title, self.lines(section, rows, glyphs)));
        }
        let spacing = Spacing::fitting(&sections, self.style.screen.rows);
        for (number, (title, Lines { width, heading, rows })) in sections.iter().enumerate() {
            if number > 0 && spacing.gap {
                writeln!(self.out)?;
            }
            let is_above = spacing.title_above && !title.is_empty();
            if is_above {
                writeln!(self.out, "{}", paint(title, style::TITLE, &self.style.screen))?;
            }
            if let Some(heading) = heading {
                writeln!(self.out, "{heading}")?;
                match title.as_str() {
                    title if !title.is_empty() && !is_above => {
                        let rest = width.saturating_sub(title.width() + 4);
                        let title = paint(title, style::TITLE, &self.style.screen);
                        let (start, rest) = (glyphs.rule.repeat(2), glyphs.rule.repeat(rest));
                        writeln!(self.out, "{start} {title} {rest}")?;
                    }
                    _ => writeln!(self.out, "{}", glyphs.rule.repeat(*width))?,
                }
            }
            rows.iter().try_for_each(|row| writeln!(self.out, "{row}"))?;
        }
        self.out.flush()
    }
}
