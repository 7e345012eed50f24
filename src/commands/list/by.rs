//! `list --by`: sums over objects that have something in common.

use super::collection::Collection;
use super::rows::Rows;
use crate::cli::List;
use crate::commands::Result;
use crate::ipc::tally::{By, Tally};
use crate::kernel::container::Containers;
use crate::output::{Format, Style, columns};

/// Sums up the objects of a collection and writes the sums. Returns how many rows there are.
pub(super) fn run(
    by: By,
    args: &List,
    format: Format,
    collection: &mut Collection<'_>,
    style: &Style,
) -> Result<usize> {
    let all: Vec<_> = columns::tally(by).collect();
    let mut table = Rows::parse(&all, args, "--by")?;
    table.kept = vec![by.name()];
    let (objects, read) = collection.all();
    if format == Format::Table && read.is_err() {
        // A table would claim that these are all.
        read?;
        return Ok(0);
    }
    let containers = Containers::new();
    let tallies = Tally::of(&objects, by, |pid| match containers.of(pid) {
        Ok(Some(container)) => Some(container.label()),
        Ok(None) => Some("host".to_owned()),
        Err(_) => None,
    });
    let count = tallies.len();
    table.write(tallies, args, format, style)?;
    read.map(|()| count)
}
