//! Rows of columns, before a format makes text of them.

use super::page::{OnPage, Page, Surroundings, in_full};
use super::value::Value;

/// A column: everything that any format, `--output`, `--sort` and the help need to know of it.
#[derive(Debug)]
pub struct Column<T: 'static> {
    /// Its name in lower case, which is the field name in JSON.
    pub name: &'static str,
    /// One line for the help.
    pub help: &'static str,
    /// How wide plain text makes it at least, since a stream cannot look ahead.
    pub width: usize,
    /// Whether it stands at the right edge.
    pub numeric: bool,
    /// Whether a table may break it over lines: sentences, not values.
    pub prose: bool,
    /// What it says of an item.
    pub value: for<'a> fn(&'a T) -> Value<'a>,
    /// Whether what it says of an item is alarming, and should stand out on a terminal.
    pub alarm: fn(&T) -> bool,
    /// How it stands on a page about one item.
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
        Column { name, help, width, numeric: false, prose: false, value, alarm: |_| false, page }
    }

    /// A column of numbers.
    pub const fn number(
        name: &'static str,
        width: usize,
        help: &'static str,
        value: for<'a> fn(&'a T) -> Value<'a>,
    ) -> Column<T> {
        Column { numeric: true, ..Column::text(name, width, help, value) }
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
        Column::text(name, width, help, value).or("never")
    }

    /// The same column, which says this on a page where it has no value.
    pub const fn or(mut self, missing: &'static str) -> Column<T> {
        self.page = OnPage::Line { missing };
        self
    }

    /// The same column, of which this function tells on a page.
    pub const fn told_by(mut self, tell: fn(&T, &Surroundings<'_>, &mut Page)) -> Column<T> {
        self.page = OnPage::By(tell);
        self
    }

    /// The same column, which on a page is told with another one.
    pub const fn told_with(mut self, other: &'static str) -> Column<T> {
        self.page = OnPage::With(other);
        self
    }

    /// The same column, which stands out where `alarm` says so.
    pub const fn alarmed(mut self, alarm: fn(&T) -> bool) -> Column<T> {
        self.alarm = alarm;
        self
    }

    /// Writes what it says of an item on a page.
    pub fn tell(&self, item: &T, around: &Surroundings<'_>, page: &mut Page) {
        match self.page {
            OnPage::With(_) => {}
            OnPage::By(tell) => tell(item, around, page),
            OnPage::Line { missing } => match (self.value)(item) {
                Value::Missing => page.line(&self.label(), missing),
                value => page.line(&self.label(), in_full(&value, around.style)),
            },
        }
    }

    /// Its name in words.
    fn label(&self) -> String {
        self.name.replace('_', " ")
    }

    /// What stands above it.
    pub fn heading(&self) -> String {
        self.name.to_uppercase()
    }
}

/// Items that share their columns: in tables and plain text, a block of its own.
#[derive(Debug)]
pub struct Section<T: 'static> {
    /// What its items are, in the plural.
    pub title: String,
    /// Its columns, from left to right.
    pub columns: Vec<&'static Column<T>>,
    /// Whether a person wants to know that it is empty.
    pub asked_for: bool,
}

impl<T> Section<T> {
    /// A block with all of these columns.
    pub fn new(title: &str, columns: impl IntoIterator<Item = &'static Column<T>>) -> Section<T> {
        Section { title: title.to_owned(), columns: columns.into_iter().collect(), asked_for: true }
    }
}

/// Everything that a format has to know before the first row.
#[derive(Debug)]
pub struct Layout<T: 'static> {
    /// The blocks; a row names its own by number.
    pub sections: Vec<Section<T>>,
    /// The fields that the user chose: then every record has just these, null where it has no such
    /// column. Otherwise each has the columns of its section.
    pub chosen: Option<Vec<&'static str>>,
    /// Whether headings are wanted.
    pub headings: bool,
}

impl<T> Layout<T> {
    /// The ids of processes that an item of the section with this number shows.
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
