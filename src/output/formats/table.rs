//! Tables for a terminal.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Width, presets,
};

use crate::output::{Layout, Render, Style, Value};

/// A table while it is built. It keeps all rows, because the widest cell determines the layout.
pub struct Table<'a, T: 'static, W> {
    layout: Layout<T>,
    style: &'a Style,
    out: W,
    rows: Vec<Vec<Vec<Cell>>>,
}

impl<'a, T, W: Write> Table<'a, T, W> {
    /// Writes nothing before the end.
    pub fn new(layout: Layout<T>, style: &'a Style, out: W) -> io::Result<Self> {
        let rows = layout.sections.iter().map(|_| Vec::new()).collect();
        Ok(Table { layout, style, out, rows })
    }
}

impl<T, W: Write> Render<T> for Table<'_, T, W> {
    fn row(&mut self, section: usize, item: &T) -> io::Result<()> {
        let cells = self.layout.sections[section].columns.iter().map(|column| {
            let value = (column.value)(item);
            let mut text = Vec::new();
            value.write(self.style, &mut text);
            let mut cell = Cell::new(String::from_utf8_lossy(&text));
            if column.numeric {
                cell = cell.set_alignment(CellAlignment::Right);
            }
            if !self.style.color {
                return cell;
            }
            match value {
                _ if (column.alarm)(item) => cell.fg(Color::Red).add_attribute(Attribute::Bold),
                Value::Pid(pid) if self.style.gone.contains(&pid) => cell.fg(Color::DarkGrey),
                _ => cell,
            }
        });
        self.rows[section].push(cells.collect());
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut is_first = true;
        for (section, rows) in self.layout.sections.iter().zip(&mut self.rows) {
            if section.columns.is_empty() {
                continue;
            }
            if rows.is_empty() {
                if section.asked_for {
                    is_first = false;
                    writeln!(self.out, "No {}.", section.title)?;
                }
                continue;
            }
            let is_below = !std::mem::take(&mut is_first);
            if self.layout.sections.len() > 1 && self.layout.headings {
                let mut title = section.title.clone();
                title[..1].make_ascii_uppercase();
                writeln!(self.out, "{}{title}", if is_below { "\n" } else { "" })?;
            }
            let mut table = comfy_table::Table::new();
            table.load_style(if is_utf8() {
                presets::UTF8_FULL_CONDENSED
            } else {
                presets::ASCII_FULL_CONDENSED
            });
            // A terminal reports width 0 if its size was never set.
            let width = crate::output::stdout::is_terminal().then(|| table.width()).flatten();
            match width.filter(|&width| width > 0) {
                Some(width) => {
                    table.set_width(width);
                    table.set_content_arrangement(ContentArrangement::Dynamic);
                }
                None => {
                    table.set_content_arrangement(ContentArrangement::Disabled);
                }
            }
            if self.style.color {
                table.enforce_styling();
            } else {
                table.force_no_tty();
            }
            if self.layout.headings {
                table.set_header(section.columns.iter().map(|column| column.heading()));
            }
            table.add_rows(std::mem::take(rows));
            // Values are read and copied, so they are never wrapped. Sentences are, down to a width
            // that does not break words.
            for (cells, column) in table.column_iter_mut().zip(&section.columns) {
                cells.set_constraint(match column.prose {
                    true => ColumnConstraint::LowerBoundary(Width::Fixed(20)),
                    false => ColumnConstraint::ContentWidth,
                });
            }
            writeln!(self.out, "{table}")?;
        }
        self.out.flush()
    }
}

/// Whether the terminal displays UTF-8, by `locale(7)`.
fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
