//! Events for people.

use std::collections::HashSet;

use jiff::Timestamp;

use super::event::{Event, Sign};
use crate::commands::chosen::{self, Chosen};
use crate::ipc::{Kind, Observed};
use crate::output::columns::{self, Preset};
use crate::output::screen::is_utf8;
use crate::output::style::{ASIDE, NOTE, TITLE, WARNING, paint};
use crate::output::{Column, Shape, Style, TimeFormat, Value};

/// Columns that say again what others say.
const REPEATING: [&str; 7] = ["id", "kind", "uid", "gid", "cuid", "cgid", "fill"];

/// Columns of each kind.
type Columns = [(Kind, Vec<&'static Column<Observed>>)];

/// Events as lines of text.
pub(super) struct Text {
    style: Style,
    /// The columns that are shown of an object.
    shown: Box<Columns>,
    /// The columns whose changes count.
    compared: Box<Columns>,
    /// The columns that the user named.
    named: HashSet<&'static str>,
    /// Whether to tell where an object lives.
    is_placed: bool,
    arrow: &'static str,
}

impl Text {
    pub fn new(
        kinds: &[Kind],
        chosen: Option<&Chosen>,
        is_everywhere: bool,
        mut style: Style,
    ) -> Text {
        style.time_format = TimeFormat::Iso;
        let is_only_named = chosen.is_some_and(|chosen| !chosen.added);
        let is_placed = is_everywhere && !is_only_named;
        // They stand in front.
        let stands_in_front = |name: &str| name == "ref" || (is_placed && columns::is_home(name));
        let columns_of = |kind: Kind, usual: Vec<&'static str>| {
            let mut names = chosen::names(chosen, || usual);
            names.retain(|name| !stands_in_front(name));
            let find = |name| columns::with_requests(kind).find(|column| column.name == name);
            (kind, names.into_iter().filter_map(find).collect())
        };
        let shown =
            |&kind: &Kind| columns_of(kind, columns::preset(Preset::Usual, kind, false).to_vec());
        let compared = |&kind: &Kind| {
            columns_of(
                kind,
                columns::of_kind(kind)
                    .map(|column| column.name)
                    .filter(|name| !REPEATING.contains(name))
                    .collect(),
            )
        };
        Text {
            shown: kinds.iter().map(shown).collect(),
            compared: kinds.iter().map(compared).collect(),
            named: chosen.map_or(&[][..], |chosen| &chosen.names).iter().copied().collect(),
            is_placed,
            arrow: if is_utf8() { "→" } else { "->" },
            style,
        }
    }

    /// Whether a column of this name must be read. A change of one that costs more is told if it is seen.
    pub fn shows(&self, name: &str) -> bool {
        self.shown.iter().flat_map(|(_, columns)| columns).any(|column| column.name == name)
    }

    /// Appends the line of an event.
    pub fn write(&self, time: Timestamp, event: &Event<'_>, line: &mut Vec<u8>) {
        let kind = event.reference.kind;
        let differences = match (event.sign, event.before, event.observed) {
            (Sign::Changed, Some(before), Some(after)) => {
                match self.differences(kind, before, after) {
                    differences if differences.is_empty() => return,
                    differences => differences,
                }
            }
            _ => Vec::new(),
        };
        let sign = match event.sign {
            Sign::Present => ASIDE,
            Sign::Appeared => NOTE,
            Sign::Gone => WARNING,
            Sign::Changed => TITLE,
        };
        let screen = &self.style.screen;
        line.extend_from_slice(paint(&self.style.moment(time), ASIDE, screen).as_bytes());
        line.push(b' ');
        line.extend_from_slice(paint(event.sign.text(), sign, screen).as_bytes());
        line.push(b' ');
        Value::Reference(event.reference.clone()).write_quoted(&self.style, line);
        if let Some(home) = event.home.filter(|_| self.is_placed) {
            let container = home.container.as_deref();
            let container = container.map_or(Value::Missing, |name| Value::Text(name.into()));
            self.pair("container", &container, line);
            self.pair("ns", &Value::Count(home.namespace), line);
        }
        match (event.sign, event.observed) {
            (Sign::Changed, _) => {
                for (name, before, after) in differences {
                    line.extend_from_slice(format!("  {name} ").as_bytes());
                    before.write_quoted(&self.style, line);
                    line.extend_from_slice(format!(" {} ", self.arrow).as_bytes());
                    after.write_quoted(&self.style, line);
                }
            }
            (_, Some(observed)) => {
                for column in columns_of(&self.shown, kind) {
                    self.pair(column.name, &(column.value)(observed), line);
                }
            }
            (_, None) => {}
        }
        if let Some(remark) = event.remark {
            line.extend_from_slice(format!("  ({})", remark.words()).as_bytes());
        }
        line.push(b'\n');
    }

    /// Appends a name and a value, if there is one.
    fn pair(&self, name: &str, value: &Value<'_>, line: &mut Vec<u8>) {
        let is_empty = match value {
            Value::Missing => true,
            Value::List(words) => words.is_empty(),
            Value::Parts(parts) => parts.iter().all(|part| part.words.is_none()),
            _ => false,
        };
        if !is_empty {
            line.extend_from_slice(format!("  {name} ").as_bytes());
            value.write_quoted(&self.style, line);
        }
    }

    /// The columns that have changed, with both values. Times that the user did not name count only if nothing
    /// else has changed: most changes change a time, too.
    fn differences<'a>(
        &self,
        kind: Kind,
        before: &'a Observed,
        after: &'a Observed,
    ) -> Vec<(&'static str, Value<'a>, Value<'a>)> {
        let mut has_others = false;
        let mut differences = Vec::new();
        for column in columns_of(&self.compared, kind) {
            let (before, after) = ((column.value)(before), (column.value)(after));
            if before != after {
                let is_time = column.shape == Shape::Time && !self.named.contains(column.name);
                has_others |= !is_time;
                differences.push((is_time, column.name, before, after));
            }
        }
        differences.retain(|(is_time, ..)| !(*is_time && has_others));
        differences.into_iter().map(|(_, name, before, after)| (name, before, after)).collect()
    }
}

fn columns_of(all: &Columns, kind: Kind) -> &[&'static Column<Observed>] {
    all.iter().find(|(one, _)| *one == kind).map_or(&[], |(_, columns)| columns)
}
