//! `list --by`: sums over objects that have something in common.

use super::VERB;
use super::collection::Collection;
use crate::commands::Result;
use crate::explain::Failure;
use crate::ipc::tally::{By, Tally};
use crate::kernel::container::Containers;
use crate::output::stdout::{self, OutputError};
use crate::output::{Column, Format, Layout, Section, Style, Value, columns};

/// A column of sums.
type TallyColumn = &'static Column<Tally>;

/// What to sum up, and how to show it.
pub(super) struct Request<'a> {
    pub by: By,
    /// `--output`; all columns are shown with a leading `+`.
    pub output: Option<&'a str>,
    pub sort: Option<&'a str>,
    pub headings: bool,
    pub has_nul_ends: bool,
}

/// Sums up the objects of a collection and writes the sums. Returns how many rows there are.
pub(super) fn run(
    request: &Request<'_>,
    format: Format,
    collection: &mut Collection<'_>,
    style: &Style,
) -> Result<usize> {
    let Request { by, headings, has_nul_ends, .. } = *request;
    let all: Vec<TallyColumn> = columns::tally(by).collect();
    let chosen = request.output.filter(|text| !text.starts_with('+'));
    let shown = match chosen {
        None => all.clone(),
        Some(text) => text.split(',').map(|name| find(name, &all)).collect::<Result<_, _>>()?,
    };
    let sort = request.sort.map(|text| match text.strip_prefix('-') {
        Some(name) => find(name, &all).map(|column| (column, true)),
        None => find(text, &all).map(|column| (column, false)),
    });
    let sort = sort.transpose()?;
    let (objects, read) = collection.all();
    if format == Format::Table && read.is_err() {
        // A table would claim that these are all.
        read?;
        return Ok(0);
    }
    let containers = Containers::new();
    let mut tallies = Tally::of(&objects, by, |pid| match containers.of(pid) {
        Ok(Some(container)) => Some(container.label()),
        Ok(None) => Some("host".to_owned()),
        Err(_) => None,
    });
    if let Some((column, descends)) = sort {
        tallies.sort_by(|a, b| {
            let (a, b) = ((column.value)(a), (column.value)(b));
            let order = a.compare(&b, &style.names);
            let has_missing = a == Value::Missing || b == Value::Missing;
            if descends && !has_missing { order.reverse() } else { order }
        });
    }
    let mut section = Section::new(shown);
    section.kept = vec![by.name()];
    let layout = Layout { sections: vec![section], chosen: None, headings, has_nul_ends };
    let mut render = format.begin(layout, style, stdout::buffered()?).map_err(OutputError)?;
    tallies.iter().try_for_each(|row| render.row(0, row)).map_err(OutputError)?;
    render.finish().map_err(OutputError)?;
    read.map(|()| tallies.len())
}

fn find(name: &str, columns: &[TallyColumn]) -> Result<TallyColumn, Failure> {
    let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| {
        let known: Vec<_> = columns.iter().map(|column| column.name).collect();
        Failure::usage(VERB, format!("there is no column '{name}' with --by"))
            .with_hint(format!("columns: {}", known.join(" ")))
    })
}
