//! The formats of `--format`. One is a small file that knows how to [`Render`], and an entry here.

mod csv;
pub mod json;
mod plain;
mod table;

use std::io::{self, Write};

use super::{Layout, Section, Style};

/// A format at work.
pub trait Render<T> {
    /// Writes, or keeps, one item of the section with this number.
    fn row(&mut self, section: usize, item: &T) -> io::Result<()>;

    /// Writes what is left and flushes.
    fn finish(&mut self) -> io::Result<()>;
}

/// For whom a format is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// A person, who wants to see the usual columns at a glance.
    Person,
    /// A program, which gets every field and exact values.
    Program,
}

/// Declares the formats: what the help says of one, its name, who reads it, and what begins it.
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

            /// Puts it to work on `out`.
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
    /// A bordered table for each kind, for terminals.
    Table for Person: table::Table::new;
    /// Aligned text, one line an object.
    Plain for Person: plain::Plain::new;
    /// One JSON array.
    Json for Program: json::Json::array;
    /// A JSON object on each line.
    Jsonl for Program: json::Json::lines;
    /// Comma-separated values, RFC 4180.
    Csv for Program: csv::Csv::commas;
    /// Tab-separated values.
    Tsv for Program: csv::Csv::tabs;
}

impl Format {
    /// What is fit for standard output where the user chose nothing.
    pub fn fitting() -> Format {
        if super::stdout::is_terminal() { Format::Table } else { Format::Plain }
    }

    /// Whether it shows colours where they are allowed.
    pub fn has_colors(self) -> bool {
        self == Format::Table
    }

    /// Whether programs read it: then it carries every field and exact values.
    pub fn is_for_machines(self) -> bool {
        self.reader() == Reader::Program
    }
}

/// Writes rows that share their columns, from the first to the last.
pub fn write_rows<T: 'static>(
    format: Format,
    section: Section<T>,
    headings: bool,
    rows: &[T],
    style: &Style,
    out: impl Write,
) -> io::Result<()> {
    let layout = Layout { sections: vec![section], chosen: None, headings };
    let mut render = format.begin(layout, style, out)?;
    rows.iter().try_for_each(|row| render.row(0, row))?;
    render.finish()
}
