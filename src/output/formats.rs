//! The formats of `--format`. Each one is a small file that implements [`Render`], and an entry here.

mod csv;
mod export;
pub mod json;
mod plain;
mod table;

use std::io::{self, Write};

use super::{Layout, Screen, Section, Style};

/// A format while it writes its output.
pub trait Render<T> {
    /// Writes or collects one item of the section with this number.
    fn row(&mut self, section: usize, item: &T) -> io::Result<()>;

    /// Writes the rest and flushes.
    fn finish(&mut self) -> io::Result<()>;
}

/// The readers for whom a format is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// A person, who wants the usual columns at a glance.
    Person,
    /// A program, which gets every field and exact values.
    Program,
}

/// Declares the formats: for each one its help text, name, reader and constructor.
macro_rules! formats {
    ($($(#[doc = $about:literal])+ $name:ident for $reader:ident: $begin:path;)+) => {
        /// The formats of `--format`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
        pub enum Format {
            $($(#[doc = $about])+ $name,)+
        }

        impl Format {
            fn reader(self) -> Reader {
                match self {
                    $(Format::$name => Reader::$reader,)+
                }
            }

            /// Starts the format on `out`.
            pub fn begin<'a, T: 'static>(
                self,
                layout: Layout<T>,
                style: &'a Style,
                out: impl Write + 'a,
            ) -> io::Result<Box<dyn Render<T> + 'a>> {
                Ok(match self {
                    $(Format::$name => Box::new($begin(layout, style, out)?),)+
                })
            }
        }
    };
}

formats! {
    /// A table for each kind, fitted to the terminal.
    Table for Person: table::Table::new;
    /// Aligned text, one line per object.
    Plain for Person: plain::Plain::new;
    /// One JSON array.
    Json for Program: json::Json::array;
    /// A JSON object on each line.
    Jsonl for Program: json::Json::lines;
    /// Comma-separated values, RFC 4180.
    Csv for Program: csv::Csv::commas;
    /// Tab-separated values.
    Tsv for Program: csv::Csv::tabs;
    /// Shell variables, KEY="value", a line per object.
    Export for Program: export::Export::new;
}

impl Format {
    /// The default format for standard output: a table on a terminal, plain text elsewhere.
    pub fn fitting() -> Format {
        if super::stdout::is_terminal() { Format::Table } else { Format::Plain }
    }

    /// The default format for what people read on this screen.
    pub fn for_screen(screen: &Screen) -> Format {
        if screen.is_terminal { Format::Table } else { Format::Plain }
    }

    /// Whether it uses colours, if they are enabled.
    pub fn has_colors(self) -> bool {
        self == Format::Table
    }

    /// Whether it is for programs: then it has every field and exact values.
    pub fn is_for_machines(self) -> bool {
        self.reader() == Reader::Program
    }
}

/// Writes rows that share their columns, including start and end of the format. People do not get the
/// columns for programs.
pub fn write_rows<T: 'static>(
    format: Format,
    mut section: Section<T>,
    headings: bool,
    rows: &[T],
    style: &Style,
    out: impl Write,
) -> io::Result<()> {
    section.columns.retain(|column| format.is_for_machines() || !column.for_programs);
    let layout = Layout { sections: vec![section], chosen: None, headings, has_nul_ends: false };
    let mut render = format.begin(layout, style, out)?;
    rows.iter().try_for_each(|row| render.row(0, row))?;
    render.finish()
}
