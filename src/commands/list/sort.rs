//! The order of a listing.

use super::VERB;
use crate::commands::chosen::column_name;
use crate::explain::Failure;
use crate::ipc::{Kind, Observed};
use crate::output::{Style, Value, columns};

/// The value of `--sort`.
pub(super) struct Sort {
    /// The column.
    pub name: &'static str,
    descending: bool,
}

impl Sort {
    pub fn parse(text: &str, kinds: &[Kind]) -> Result<Sort, Failure> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        Ok(Sort { name: column_name(VERB, name, kinds)?, descending })
    }

    /// Sorts. Equal values keep their order, and missing values come last.
    pub fn apply(&self, objects: &mut [Observed], style: &Style) {
        let Sort { descending, .. } = *self;
        objects.sort_by(|a, b| self.value(a).order(&self.value(b), descending, &style.names));
    }

    fn value<'a>(&self, observed: &'a Observed) -> Value<'a> {
        let mut columns = columns::with_requests(observed.kind());
        let column = columns.find(|column| column.name == self.name);
        column.map_or(Value::Missing, |column| (column.value)(observed))
    }
}
