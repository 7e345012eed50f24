//! Rows of columns, independent of the format that renders them.

use super::page::{OnPage, Page, Surroundings, in_full};
use super::value::Value;

/// The type of the values of a column in JSON, from which the schemas in `docs/schema/` are made. Any
/// value may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A time in UTC, RFC 3339.
    Time,
    /// A System V key, `0x0000beef`.
    Key,
    /// Permission bits, `0660`.
    Mode,
    /// An integer.
    Integer,
    /// A number with one decimal.
    Decimal,
    /// An integer, or a string with several.
    Integers,
    /// An array of strings.
    Words,
    /// An array of process ids.
    Pids,
    /// An array of processes.
    Users,
    /// The call in which a process waits.
    Wait,
    /// Owner, group and mode.
    Access,
}

/// A column, with everything that formats, `--output`, `--sort` and the help need.
#[derive(Debug)]
pub struct Column<T: 'static> {
    /// Its name in lower case, which is also the field name in JSON.
    pub name: &'static str,
    /// One line for the help.
    pub help: &'static str,
    /// Its minimum width in plain text, which is streamed and cannot know the widest value.
    pub width: usize,
    /// Whether it is aligned right.
    pub numeric: bool,
    /// Whether a table may cut it before another column is left out: sentences, not values.
    pub prose: bool,
    /// When a table that is too wide leaves it out: 0 never, otherwise the highest first.
    pub rank: u8,
    /// The type of its values in JSON.
    pub shape: Shape,
    /// The value of an item.
    pub value: for<'a> fn(&'a T) -> Value<'a>,
    /// Whether the value of an item is alarming and stands out on a terminal.
    pub alarm: fn(&T) -> bool,
    /// Whether only programs get it, because people see the same elsewhere.
    pub for_programs: bool,
    /// How it appears on a page about one item.
    pub page: OnPage<T>,
}

impl<T> Column<T> {
    /// A column of words.
    pub const fn text(
        name: &'static str,
        width: usize,
        help: &'static str,
        value: for<'a> fn(&'a T) -> Value<'a>,
    ) -> Column<T> {
        let page = OnPage::Line { missing: "-" };
        let alarm = |_: &T| false;
        Column {
            name,
            help,
            width,
            numeric: false,
            prose: false,
            rank: 0,
            shape: Shape::Text,
            value,
            alarm,
            for_programs: false,
            page,
        }
    }

    /// A column of numbers.
    pub const fn number(
        name: &'static str,
        width: usize,
        help: &'static str,
        value: for<'a> fn(&'a T) -> Value<'a>,
    ) -> Column<T> {
        Column { numeric: true, shape: Shape::Integer, ..Column::text(name, width, help, value) }
    }

    /// A column of sentences.
    pub const fn prose(
        name: &'static str,
        width: usize,
        help: &'static str,
        value: for<'a> fn(&'a T) -> Value<'a>,
    ) -> Column<T> {
        Column { prose: true, ..Column::text(name, width, help, value) }
    }

    /// A column of times.
    pub const fn time(
        name: &'static str,
        width: usize,
        help: &'static str,
        value: for<'a> fn(&'a T) -> Value<'a>,
    ) -> Column<T> {
        Column::text(name, width, help, value).or("never").shaped(Shape::Time)
    }

    /// Sets the text that a page shows if there is no value.
    pub const fn or(mut self, missing: &'static str) -> Column<T> {
        self.page = OnPage::Line { missing };
        self
    }

    /// Sets the function that shows the column on a page.
    pub const fn shown_by(mut self, write: fn(&T, &Surroundings<'_>, &mut Page)) -> Column<T> {
        self.page = OnPage::By(write);
        self
    }

    /// Shows the value on a page as part of another column.
    pub const fn shown_with(mut self, other: &'static str) -> Column<T> {
        self.page = OnPage::With(other);
        self
    }

    /// Lets a table leave the column out where it is too wide, those with the highest rank first.
    pub const fn ranked(mut self, rank: u8) -> Column<T> {
        self.rank = rank;
        self
    }

    /// Sets the type of its values in JSON, if it is not the usual one: an integer for a column of numbers,
    /// and text for the others.
    pub const fn shaped(mut self, shape: Shape) -> Column<T> {
        self.shape = shape;
        self
    }

    /// Leaves the column out of what people read.
    pub const fn for_programs(mut self) -> Column<T> {
        self.for_programs = true;
        self
    }

    /// Makes the column stand out where `alarm` returns true.
    pub const fn alarmed(mut self, alarm: fn(&T) -> bool) -> Column<T> {
        self.alarm = alarm;
        self
    }

    /// Writes the column of an item to a page.
    pub fn write_to_page(&self, item: &T, around: &Surroundings<'_>, page: &mut Page) {
        match self.page {
            OnPage::With(_) => {}
            OnPage::By(write) => write(item, around, page),
            OnPage::Line { missing } => match (self.value)(item) {
                Value::Missing => page.line(&self.label(), missing),
                value => page.line(&self.label(), in_full(&value, around.style)),
            },
        }
    }

    /// Its name as words.
    fn label(&self) -> String {
        self.name.replace('_', " ")
    }

    /// Its heading.
    pub fn heading(&self) -> String {
        self.name.to_uppercase()
    }
}

/// Items that share their columns; tables and plain text show them as a block.
#[derive(Debug)]
pub struct Section<T: 'static> {
    /// What the items are, in the plural, for a title above them; empty for none.
    pub title: String,
    /// Its columns, from left to right.
    pub columns: Vec<&'static Column<T>>,
    /// Whether people should be told that it is empty.
    pub asked_for: bool,
    /// The columns that a table never leaves out, because the user named them.
    pub kept: Vec<&'static str>,
    /// By how many blanks its lines are indented later.
    pub margin: usize,
}

impl<T> Section<T> {
    /// A section with all of these columns and no title.
    pub fn new(columns: impl IntoIterator<Item = &'static Column<T>>) -> Section<T> {
        Section {
            title: String::new(),
            columns: columns.into_iter().collect(),
            asked_for: false,
            kept: Vec::new(),
            margin: 0,
        }
    }

    /// The column of this name, if it has one.
    pub fn column(&self, name: &str) -> Option<&'static Column<T>> {
        self.columns.iter().find(|column| column.name == name).copied()
    }

    /// Leaves room for lines that are indented by this many blanks later.
    pub fn indented(mut self, margin: usize) -> Section<T> {
        self.margin = margin;
        self
    }
}

/// Everything that a format needs before the first row.
#[derive(Debug)]
pub struct Layout<T: 'static> {
    /// The sections; a row refers to its own by number.
    pub sections: Vec<Section<T>>,
    /// The fields that the user chose. Then every record has exactly these, null if its kind has no
    /// such column. Otherwise each record has the columns of its section.
    pub chosen: Option<Vec<&'static str>>,
    /// Whether to print headings.
    pub headings: bool,
    /// Whether plain text ends each record with a NUL byte, for `xargs -0`: then values are neither
    /// aligned nor quoted, and a tab separates them.
    pub has_nul_ends: bool,
}

impl<T> Layout<T> {
    /// The process ids that an item of the section with this number shows.
    pub fn pids(&self, section: usize, item: &T) -> impl Iterator<Item = i32> {
        self.sections[section].columns.iter().filter_map(|column| match (column.value)(item) {
            Value::Pid(pid) => Some(pid),
            _ => None,
        })
    }

    /// The names of all columns, each once, for formats with one heading for all records.
    pub fn fields(&self) -> Vec<&'static str> {
        if let Some(chosen) = &self.chosen {
            return chosen.clone();
        }
        let mut fields = Vec::new();
        for column in self.sections.iter().flat_map(|section| &section.columns) {
            if !fields.contains(&column.name) {
                fields.push(column.name);
            }
        }
        fields
    }
}
