//! The order of a listing.

use std::cmp::Ordering;

use super::VERB;
use crate::commands::chosen::column_name;
use crate::explain::Failure;
use crate::ipc::{Kind, Observed};
use crate::output::{Style, Value, columns};

/// The order of two values. Missing ones come last, whether it descends or not.
pub(super) fn order(a: Value<'_>, b: Value<'_>, descends: bool, style: &Style) -> Ordering {
    let order = a.compare(&b, &style.names);
    let has_missing = a == Value::Missing || b == Value::Missing;
    if descends && !has_missing { order.reverse() } else { order }
}

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
        objects.sort_by(|a, b| order(self.value(a), self.value(b), self.descending, style));
    }

    fn value<'a>(&self, observed: &'a Observed) -> Value<'a> {
        let mut columns = columns::with_requests(observed.kind());
        let column = columns.find(|column| column.name == self.name);
        column.map_or(Value::Missing, |column| (column.value)(observed))
    }
}
