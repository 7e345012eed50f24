//! Events for programs: a JSON object a line.

use std::collections::HashSet;
use std::io::{self, Write as _};

use jiff::Timestamp;

use super::event::{Event, Sign};
use crate::commands::chosen::{self, Chosen};
use crate::ipc::{Kind, Observed, Target};
use crate::output::formats::json::{cell, write};
use crate::output::value::Cell;
use crate::output::{Column, Shape, Style, Value, columns};

/// A field of a line; null if the kind has no such column.
type Field = (&'static str, Option<&'static Column<Observed>>);

/// Events as JSON lines.
pub(super) struct Json {
    style: Style,
    /// The fields of each kind.
    fields: Vec<(Kind, Vec<Field>)>,
    names: HashSet<&'static str>,
}

impl Json {
    pub fn new(kinds: &[Kind], chosen: Option<&Chosen>, is_placed: bool, style: Style) -> Json {
        let usual = |kind| {
            let mut names: Vec<_> = columns::of_kind(kind).map(|column| column.name).collect();
            if is_placed {
                // The reference stays first.
                names.splice(1..1, columns::home());
            }
            names
        };
        let fields = |&kind: &Kind| {
            let mut names = chosen::names(chosen, || usual(kind));
            names.retain(|name| *name != "ref");
            names.insert(0, "ref");
            let find = |name| columns::with_requests(kind).find(|column| column.name == name);
            (kind, names.into_iter().map(|name| (name, find(name))).collect())
        };
        let fields: Vec<(Kind, Vec<Field>)> = kinds.iter().map(fields).collect();
        let names = fields.iter().flat_map(|(_, fields)| fields).map(|(name, _)| *name).collect();
        Json { style, fields, names }
    }

    /// Whether a column of this name must be read.
    pub fn shows(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Appends the line of an event.
    pub fn write(
        &self,
        time: Timestamp,
        event: &Event<'_>,
        line: &mut Vec<u8>,
    ) -> Result<(), io::Error> {
        let kind = event.reference.kind;
        let fields = self.fields.iter().find(|(one, _)| *one == kind);
        let fields = fields.map_or(&[][..], |(_, fields)| fields);
        let mut changes = Vec::new();
        if let (Sign::Changed, Some(before), Some(after)) =
            (event.sign, event.before, event.observed)
        {
            for (name, column) in fields {
                let Some(column) = column else { continue };
                if columns::is_home(name) || (column.value)(before) == (column.value)(after) {
                    continue;
                }
                let [before, after] = [before, after].map(|observed| {
                    let mut value = Vec::new();
                    write(&mut value, &cell(Some(column), observed, &self.style)).map(|()| value)
                });
                let (before, after) = (before?, after?);
                // Percentages are rounded.
                if before == after {
                    continue;
                }
                changes.extend_from_slice(if changes.is_empty() { b"{" } else { b"," });
                write!(changes, "\"{name}\":[")?;
                changes.extend_from_slice(&[&before[..], b",", &after[..], b"]"].concat());
            }
            if changes.is_empty() {
                return Ok(());
            }
            changes.push(b'}');
        }
        write!(line, "{{\"time\":\"{time:.3}\",\"event\":\"{}\"", event.sign.text())?;
        for (name, column) in fields {
            write!(line, ",\"{name}\":")?;
            match event.observed {
                Some(observed) => write(&mut *line, &cell(*column, observed, &self.style))?,
                None => write(&mut *line, &self.known(name, *column, event))?,
            }
        }
        if !changes.is_empty() {
            line.extend_from_slice(b",\"changes\":");
            line.extend_from_slice(&changes);
        }
        line.extend_from_slice(b",\"remark\":");
        write(&mut *line, &event.remark.map(super::event::Remark::name))?;
        line.extend_from_slice(b"}\n");
        Ok(())
    }

    /// What is known of an object that came and went: its reference, and where it lived.
    fn known<'a>(
        &'a self,
        name: &str,
        column: Option<&Column<Observed>>,
        event: &'a Event<'_>,
    ) -> Cell<'a> {
        let home = event.home;
        let value = match name {
            "ref" => Value::Reference(event.reference.clone()),
            "id" => match event.reference.target {
                Target::Id(id) => Value::Number(i64::from(id)),
                Target::Key(_) | Target::Name(_) => Value::Missing,
            },
            "kind" => Value::Text(event.reference.kind.name().into()),
            "ns" => home.map_or(Value::Missing, |home| Value::Count(home.namespace)),
            "container" => home
                .and_then(|home| home.container.as_deref())
                .map_or(Value::Missing, |name| Value::Text(name.into())),
            // These are never null.
            _ => match column.map(|column| column.shape) {
                Some(Shape::Words | Shape::Users) => Value::List(Vec::new()),
                Some(Shape::Pids) => Value::Pids(Vec::new()),
                _ => Value::Missing,
            },
        };
        Cell { value, names: &self.style.names, arrays: true, escapes: false }
    }
}
