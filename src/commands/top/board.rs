//! The objects of the table: which of them are shown, in which order, which one is selected, and how fast they
//! change. Pure: it is fed with views.

use std::collections::HashMap;
use std::time::Duration;

use crate::ipc::changes::{Change, Identity, View};
use crate::ipc::{Kind, Object, Observed};
use crate::output::{Style, Value, columns};

/// How many looks a history goes back.
pub(super) const HISTORY: usize = 40;

/// By what the table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// As the kernel lists them: kind by kind, by slot.
    Kernel,
    /// By a column.
    Column(&'static str),
    /// By the change in messages a second.
    Messages,
    /// By the change in bytes a second.
    Bytes,
}

impl Key {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Key::Kernel => "kernel order",
            Key::Column(name) => name,
            Key::Messages => "messages/s",
            Key::Bytes => "bytes/s",
        }
    }

    /// All keys by which objects of these kinds can be sorted.
    pub fn all(kinds: &[Kind], is_everywhere: bool) -> Vec<Key> {
        let mut names: Vec<&'static str> = Vec::new();
        for column in kinds.iter().flat_map(|&kind| columns::of_kind(kind)) {
            if !names.contains(&column.name) {
                names.push(column.name);
            }
        }
        let home = is_everywhere.then(columns::home).into_iter().flatten();
        let columns = names.into_iter().chain(home).map(Key::Column);
        [Key::Kernel, Key::Messages, Key::Bytes].into_iter().chain(columns).collect()
    }
}

/// How fast an object changes, a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    /// Messages.
    pub messages: f64,
    /// Bytes: on the queue, or in memory.
    pub bytes: f64,
}

impl Rate {
    fn between(before: &Observed, after: &Observed, time: Duration) -> Rate {
        let seconds = time.as_secs_f64().max(0.001);
        let rate = |of: fn(&Observed) -> Option<u64>| match (of(before), of(after)) {
            (Some(before), Some(after)) => (after as f64 - before as f64) / seconds,
            _ => 0.0,
        };
        Rate { messages: rate(|one| one.object.messages()), bytes: rate(bytes) }
    }
}

/// The bytes that an object holds.
fn bytes(observed: &Observed) -> Option<u64> {
    match &observed.object {
        Object::Queue(queue) => Some(queue.bytes),
        Object::PosixQueue(queue) => queue.bytes,
        Object::Segment(segment) => segment.rss,
        Object::PosixMemory(memory) => Some(memory.rss),
        Object::SemaphoreSet(_) | Object::PosixSemaphore(_) => None,
    }
}

/// How full a queue is: what it holds and the most that it may hold, in messages or bytes.
pub(super) fn fill(observed: &Observed) -> Option<(u64, u64)> {
    match &observed.object {
        Object::Queue(queue) => queue.fill(),
        Object::PosixQueue(queue) => queue.fill(),
        Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => None,
    }
}

/// The depth of a queue at the look at which it was first seen, and at those at which it changed.
#[derive(Clone, Debug)]
struct History(Vec<(usize, u64)>);

impl History {
    /// Of a queue that was there from the first look on, or appeared at this one.
    fn begin(look: usize, depth: u64) -> History {
        History(vec![(look, depth)])
    }

    fn note(&mut self, look: usize, depth: u64) {
        self.0.push((look, depth));
        // One before the oldest that is shown says what that was.
        let old = self.0.iter().filter(|(when, _)| *when + HISTORY <= look).count();
        self.0.drain(..old.saturating_sub(1));
    }

    /// The depths at the last looks, the latest at the end.
    fn depths(&self, look: usize, count: usize) -> Vec<u64> {
        let first = self.0.first().map_or(look, |(when, _)| *when);
        let at = |when: usize| {
            let change = self.0.iter().rev().find(|(change, _)| *change <= when);
            change.map_or(0, |(_, depth)| *depth)
        };
        ((look + 1).saturating_sub(count).max(first)..=look).map(at).collect()
    }
}

/// The table.
pub(super) struct Board {
    view: View,
    looks: usize,
    rates: HashMap<Identity, Rate>,
    histories: HashMap<Identity, History>,
    /// The kinds that are shown.
    pub kinds: Vec<Kind>,
    /// What the shown objects have in their names.
    pub search: String,
    /// By what they are sorted.
    pub key: Key,
    /// Whether the greatest come first.
    pub descends: bool,
    /// The places of the shown objects in the view.
    rows: Vec<usize>,
    row: usize,
    selected: Option<Identity>,
}

impl Board {
    /// An empty table for objects of these kinds.
    pub fn new(kinds: Vec<Kind>) -> Board {
        Board {
            view: View::default(),
            looks: 0,
            rates: HashMap::new(),
            histories: HashMap::new(),
            kinds,
            search: String::new(),
            key: Key::Kernel,
            descends: false,
            rows: Vec::new(),
            row: 0,
            selected: None,
        }
    }

    /// Takes over a look, made this long after the one before.
    pub fn follow(&mut self, view: View, time: Duration, slot_bits: u32, style: &Style) {
        let is_first = self.looks == 0;
        self.looks += 1;
        let changes = self.view.follow(view, slot_bits);
        self.rates.clear();
        for change in changes {
            match change {
                Change::Changed { before, after } => {
                    let identity = Identity::of(&after);
                    let depths = fill(&before).zip(fill(&after));
                    if let Some(((before, _), (after, _))) = depths
                        && before != after
                    {
                        let since_first = || History::begin(1, before);
                        let history = self.histories.entry(identity.clone());
                        history.or_insert_with(since_first).note(self.looks, after);
                    }
                    let rate = Rate::between(&before, &after, time);
                    if rate != Rate::default() {
                        self.rates.insert(identity, rate);
                    }
                }
                Change::Appeared(observed, _) if !is_first => {
                    if let Some((depth, _)) = fill(&observed) {
                        let history = History::begin(self.looks, depth);
                        self.histories.insert(Identity::of(&observed), history);
                    }
                }
                Change::Gone(observed, _) => {
                    self.histories.remove(&Identity::of(&observed));
                }
                Change::Present(_) | Change::Appeared(..) | Change::CameAndWent { .. } => {}
            }
        }
        self.arrange(style);
    }

    /// Begins anew, for objects of other places.
    pub fn forget(&mut self) {
        let Board { kinds, search, key, descends, selected, .. } =
            std::mem::replace(self, Board::new(Vec::new()));
        *self = Board { kinds, search, key, descends, selected, ..Board::new(Vec::new()) };
    }

    /// Chooses and sorts the rows anew. The selected object stays selected as long as it is shown; then the one in
    /// its place is.
    pub fn arrange(&mut self, style: &Style) {
        let Board { view, kinds, search, rates, .. } = self;
        let search = search.to_lowercase();
        let is_shown = |observed: &Observed| {
            kinds.contains(&observed.kind())
                && (search.is_empty() || matches(observed, &search, style))
        };
        let objects = &view.objects;
        self.rows = (0..objects.len()).filter(|&place| is_shown(&objects[place])).collect();
        if self.key != Key::Kernel {
            let mut values: Vec<(Value<'_>, usize)> = self
                .rows
                .iter()
                .map(|&place| (value(self.key, &objects[place], rates), place))
                .collect();
            values.sort_by(|(a, _), (b, _)| a.order(b, self.descends, &style.names));
            self.rows = values.into_iter().map(|(_, place)| place).collect();
        } else if self.descends {
            self.rows.reverse();
        }
        let is_selected = |&place: &usize| {
            self.selected.as_ref().is_some_and(|selected| {
                objects[place].reference() == *selected.reference()
                    && Identity::of(&objects[place]) == *selected
            })
        };
        let row = self.rows.iter().position(is_selected).unwrap_or(self.row);
        self.select(row);
    }

    /// How many objects there are, and how many of them are shown.
    pub fn count(&self) -> (usize, usize) {
        (self.view.objects.len(), self.rows.len())
    }

    /// The number of the selected row.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Selects a row, or the last one.
    pub fn select(&mut self, row: usize) {
        self.row = row.min(self.rows.len().saturating_sub(1));
        // As long as nothing is shown, it is remembered.
        if let Some(observed) = self.selected() {
            self.selected = Some(Identity::of(observed));
        }
    }

    /// The selected object.
    pub fn selected(&self) -> Option<&Observed> {
        self.object(self.row)
    }

    /// The object in a row.
    pub fn object(&self, row: usize) -> Option<&Observed> {
        self.view.objects.get(*self.rows.get(row)?)
    }

    /// How fast an object changed between the last two looks.
    pub fn rate(&self, observed: &Observed) -> Rate {
        // Nearly all are at rest.
        if self.rates.is_empty() {
            return Rate::default();
        }
        self.rates.get(&Identity::of(observed)).copied().unwrap_or_default()
    }

    /// The depths of a queue at so many looks at most, the latest at the end; `None` if it is no queue.
    pub fn depths(&self, observed: &Observed, count: usize) -> Option<Vec<u64>> {
        let (depth, _) = fill(observed)?;
        let count = count.clamp(1, HISTORY);
        Some(match self.histories.get(&Identity::of(observed)) {
            Some(history) => history.depths(self.looks, count),
            None => vec![depth; count.min(self.looks)],
        })
    }
}

fn value<'a>(key: Key, observed: &'a Observed, rates: &HashMap<Identity, Rate>) -> Value<'a> {
    let rate = || rates.get(&Identity::of(observed)).copied().unwrap_or_default();
    match key {
        Key::Kernel => Value::Missing,
        Key::Messages => Value::Percent(rate().messages),
        Key::Bytes => Value::Percent(rate().bytes),
        Key::Column(name) => {
            let mut columns = columns::with_requests(observed.kind());
            let column = columns.find(|column| column.name == name);
            column.map_or(Value::Missing, |column| (column.value)(observed))
        }
    }
}

/// Whether a text is in what names an object: its reference, key, owner, namespace or container.
fn matches(observed: &Observed, search: &str, style: &Style) -> bool {
    let mut text = Vec::new();
    // A key is sought as it is written, 0xbeef, too.
    text.extend_from_slice(format!("{:#x} ", observed.permissions().key.0 as u32).as_bytes());
    for value in [
        Value::Reference(observed.reference()),
        Value::key(observed.permissions().key),
        Value::User(observed.permissions().uid),
    ] {
        value.write(style, &mut text);
        text.push(b' ');
    }
    if let Some(home) = &observed.home {
        text.extend_from_slice(home.to_string().as_bytes());
    }
    String::from_utf8_lossy(&text).to_lowercase().contains(search)
}

#[cfg(test)]
mod tests;
