//! Listings of something other than objects: sums, and namespaces.

use super::VERB;
use crate::cli::List;
use crate::commands::Result;
use crate::explain::Failure;
use crate::output::stdout::{self, OutputError};
use crate::output::{Column, Format, Layout, Section, Style};

/// Which columns to show, and by which to sort.
pub(super) struct Rows<T: 'static> {
    shown: Vec<&'static Column<T>>,
    sort: Option<(&'static Column<T>, bool)>,
    /// The columns that a table keeps, however little room there is.
    pub kept: Vec<&'static str>,
}

impl<T> Rows<T> {
    /// Reads `--output`, where a leading `+` shows all, and `--sort`. `option` is the option that makes these
    /// the columns.
    pub fn parse(
        all: &[&'static Column<T>],
        args: &List,
        option: &str,
    ) -> Result<Rows<T>, Failure> {
        let find = |name: &str| {
            let found = all.iter().find(|column| column.name.eq_ignore_ascii_case(name));
            found.copied().ok_or_else(|| {
                let known: Vec<_> = all.iter().map(|column| column.name).collect();
                Failure::usage(VERB, format!("there is no column '{name}' with {option}"))
                    .with_hint(format!("columns: {}", known.join(" ")))
            })
        };
        let named = |text: &str| text.split(',').map(find).collect::<Result<Vec<_>, _>>();
        let shown = match args.output.as_deref() {
            None => all.to_vec(),
            Some(text) => match text.strip_prefix('+') {
                None => named(text)?,
                // All are shown already.
                Some(text) => named(text).map(|_| all.to_vec())?,
            },
        };
        let sort = args.sort.as_deref().map(|text| match text.strip_prefix('-') {
            Some(name) => find(name).map(|column| (column, true)),
            None => find(text).map(|column| (column, false)),
        });
        Ok(Rows { shown, sort: sort.transpose()?, kept: Vec::new() })
    }

    /// Writes them.
    pub fn write(self, mut rows: Vec<T>, args: &List, format: Format, style: &Style) -> Result<()> {
        if let Some((column, descends)) = self.sort {
            let value = column.value;
            rows.sort_by(|a, b| value(a).order(&value(b), descends, &style.names));
        }
        let mut section = Section::new(self.shown);
        section.kept = self.kept;
        let (headings, has_nul_ends) = (!args.no_headings, args.null);
        let layout = Layout { sections: vec![section], chosen: None, headings, has_nul_ends };
        let mut render = format.begin(layout, style, stdout::buffered()?).map_err(OutputError)?;
        rows.iter().try_for_each(|row| render.row(0, row)).map_err(OutputError)?;
        render.finish().map_err(OutputError)?;
        Ok(())
    }
}
