//! What is on the screen, and what keys do to it. Pure: what a key asks of the kernel is returned as a [`Wish`].

use std::str::FromStr;
use std::time::Duration;

use super::board::{Board, Key};
use crate::commands::overview::Facts;
use crate::ipc::finding::Finding;
use crate::ipc::{Kind, ModeChange, Observed, count, duration};
use crate::kernel::terminal::Key as K;
use crate::output::{Style, width};

/// The times between two looks that `+` and `-` choose from, in milliseconds.
const INTERVALS: [u64; 10] = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/// How many characters of an input are taken.
const MOST_TYPED: usize = 200;

/// What a key asks for that only the kernel can give, or the terminal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    /// To end.
    Quit,
    /// To stop, as Ctrl-Z does.
    Stop,
    /// To draw all of the screen.
    Redraw,
    /// To look now.
    Look,
    /// Everything about an object.
    Details(Box<Observed>),
    /// The messages on a queue.
    Peek(Box<Observed>),
    /// To remove an object.
    Remove(Box<Observed>),
    /// To change the mode of an object.
    Change(Box<Observed>, ModeChange),
    /// What doctor finds.
    Diagnose,
    /// To run a line of shell.
    Run(String),
}

/// What the middle of the screen shows, and what keys mean.
pub(super) enum Mode {
    /// The table.
    Table,
    /// The table, while the filter is typed; and the filter as it was before.
    Search(String),
    /// The table, while the mode of an object is typed.
    Chmod(Box<Observed>, String),
    /// The table or the findings, with a question that `y` answers with yes.
    Ask(String, Wish),
    /// The columns by which the table can be sorted, and which one is marked.
    Sort(Vec<Key>, usize),
    /// The kinds of objects, and which one is marked.
    Kinds(usize),
    /// A text.
    Text(Text),
    /// What doctor has found, and which finding is marked.
    Findings(Vec<Finding>, usize),
}

/// A text that may be longer than the screen.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub title: String,
    pub lines: Vec<String>,
    /// The first line that is shown.
    pub top: usize,
    /// The object whose details these are: they are looked at again.
    pub about: Option<Box<Observed>>,
}

/// Everything that is drawn.
pub(super) struct App {
    pub board: Board,
    pub mode: Mode,
    /// How values are written.
    pub style: Style,
    /// Totals, limits and findings; `None` before the first look.
    pub facts: Option<Facts>,
    /// The selected object with its users, as they were seen last.
    pub observed: Option<Observed>,
    /// What there is to say, in one line, until a key is pressed.
    pub message: Option<String>,
    /// Why the last look failed: what is shown is older.
    pub trouble: Option<String>,
    pub interval: Duration,
    pub is_frozen: bool,
    pub is_everywhere: bool,
    /// The place whose objects were asked for: then all cannot be.
    pub place: Option<String>,
    /// The kinds that can be shown.
    pub all_kinds: Vec<Kind>,
    /// How many rows a page has.
    pub page: usize,
    /// How many columns the screen has.
    pub columns: usize,
}

impl App {
    /// A screen for objects of these kinds, before the first look.
    pub fn new(kinds: Vec<Kind>, style: Style, interval: Duration) -> App {
        App {
            board: Board::new(kinds.clone()),
            mode: Mode::Table,
            style,
            facts: None,
            observed: None,
            message: None,
            trouble: None,
            interval,
            is_frozen: false,
            is_everywhere: false,
            place: None,
            all_kinds: kinds,
            page: 1,
            columns: 80,
        }
    }

    /// Does what a key means.
    pub fn press(&mut self, key: K) -> Option<Wish> {
        self.message = None;
        match key {
            K::Suspend => return Some(Wish::Stop),
            K::Redraw => return Some(Wish::Redraw),
            _ => {}
        }
        let (mode, wish) = match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Table => return self.press_in_table(key),
            Mode::Search(before) => (self.search(before, key), None),
            Mode::Chmod(observed, input) => self.chmod(observed, input, key),
            Mode::Ask(_, wish) if matches!(key, K::Character('y' | 'Y')) => {
                (Mode::Table, Some(wish))
            }
            Mode::Ask(..) => {
                self.message = Some("nothing was done".to_owned());
                (Mode::Table, None)
            }
            Mode::Sort(keys, marked) => (self.sort(keys, marked, key), None),
            Mode::Kinds(marked) => (self.choose_kinds(marked, key), None),
            Mode::Text(text) => (self.scroll(text, key), None),
            Mode::Findings(findings, marked) => (self.choose_finding(findings, marked, key), None),
        };
        self.mode = mode;
        wish
    }

    fn search(&mut self, before: String, key: K) -> Mode {
        let mode = match key {
            K::Character('\n') => Mode::Table,
            K::Escape => {
                self.board.search = before;
                Mode::Table
            }
            _ => {
                type_into(&mut self.board.search, key);
                Mode::Search(before)
            }
        };
        self.board.arrange(&self.style);
        mode
    }

    fn chmod(
        &mut self,
        observed: Box<Observed>,
        mut input: String,
        key: K,
    ) -> (Mode, Option<Wish>) {
        match key {
            K::Character('\n') => match ModeChange::from_str(input.trim()) {
                Ok(change) => return (Mode::Table, Some(Wish::Change(observed, change))),
                Err(error) => self.message = Some(error.to_string()),
            },
            K::Escape => return (Mode::Table, None),
            _ => type_into(&mut input, key),
        }
        (Mode::Chmod(observed, input), None)
    }

    fn sort(&mut self, keys: Vec<Key>, marked: usize, key: K) -> Mode {
        match key {
            K::Character('\n' | ' ') => {
                let key = keys[marked];
                // The same column once more turns the order round. Numbers are sought from the greatest on.
                self.board.descends = match self.board.key == key {
                    true => !self.board.descends,
                    false => key != Key::Kernel && !is_text(key),
                };
                self.board.key = key;
                self.board.arrange(&self.style);
                Mode::Table
            }
            K::Escape | K::Character('q' | 's') => Mode::Table,
            _ => {
                let marked = moved(marked, key, keys.len(), self.page);
                Mode::Sort(keys, marked)
            }
        }
    }

    fn choose_kinds(&mut self, marked: usize, key: K) -> Mode {
        let chosen = match key {
            K::Character(' ' | '\n') => self.all_kinds.get(marked),
            K::Character(digit @ '1'..='6') => self.all_kinds.get(digit as usize - '1' as usize),
            K::Escape | K::Character('q' | 'K') => return Mode::Table,
            _ => return Mode::Kinds(moved(marked, key, self.all_kinds.len(), self.page)),
        };
        if let Some(&kind) = chosen {
            toggle(&mut self.board.kinds, kind, &self.all_kinds);
            self.board.arrange(&self.style);
        }
        Mode::Kinds(marked)
    }

    fn scroll(&self, mut text: Text, key: K) -> Mode {
        match key {
            K::Escape | K::Left | K::Character('q' | '\n' | '?') => Mode::Table,
            _ => {
                let last = text.lines.len().saturating_sub(self.page);
                text.top = moved(text.top, key, last + 1, self.page);
                Mode::Text(text)
            }
        }
    }

    fn choose_finding(&mut self, findings: Vec<Finding>, marked: usize, key: K) -> Mode {
        match key {
            K::Character('\n') => {
                if let Some(fix) = findings.get(marked).and_then(|finding| finding.fix.clone()) {
                    return Mode::Ask(format!("run it? {fix}"), Wish::Run(fix));
                }
                self.message = Some("it has no fix: only a person can decide".to_owned());
                Mode::Findings(findings, marked)
            }
            K::Escape | K::Left | K::Character('q' | 'd') => Mode::Table,
            _ => {
                let marked = moved(marked, key, findings.len(), self.page);
                Mode::Findings(findings, marked)
            }
        }
    }

    fn press_in_table(&mut self, key: K) -> Option<Wish> {
        let (_, rows) = self.board.count();
        match key {
            K::Character('q') => return Some(Wish::Quit),
            K::Character('\n') | K::Right => return self.of_selected(Wish::Details),
            K::Character('p') => return self.of_selected(Wish::Peek),
            K::Character('d') => return Some(Wish::Diagnose),
            K::Character('x') => {
                if let Some(Wish::Remove(observed)) = self.of_selected(Wish::Remove) {
                    let question = format!("remove {}?", name(&observed, &self.style));
                    self.mode = Mode::Ask(question, Wish::Remove(observed));
                }
            }
            K::Character('c') => {
                let observed = self.board.selected().cloned().map(Box::new);
                match observed {
                    Some(observed) => self.mode = Mode::Chmod(observed, String::new()),
                    None => self.say_empty(),
                }
            }
            K::Character('/') => self.mode = Mode::Search(self.board.search.clone()),
            K::Escape if !self.board.search.is_empty() => {
                self.board.search.clear();
                self.board.arrange(&self.style);
            }
            K::Character('s') => {
                let keys = Key::all(&self.board.kinds, self.is_everywhere);
                let marked = keys.iter().position(|key| *key == self.board.key).unwrap_or(0);
                self.mode = Mode::Sort(keys, marked);
            }
            K::Character('r') => {
                self.board.descends = !self.board.descends;
                self.board.arrange(&self.style);
            }
            K::Character('K') => self.mode = Mode::Kinds(0),
            K::Character('A') if self.place.is_some() => {
                let what = "--in is for one namespace: start top without it to see all";
                self.message = Some(what.to_owned());
            }
            K::Character('A') => {
                self.is_everywhere = !self.is_everywhere;
                self.board.forget();
                self.facts = None;
                return Some(Wish::Look);
            }
            K::Character(' ') => {
                self.is_frozen = !self.is_frozen;
                return (!self.is_frozen).then_some(Wish::Look);
            }
            K::Character('+' | '=') => self.pace(false),
            K::Character('-') => self.pace(true),
            K::Character('?' | 'h') => self.mode = Mode::Text(help()),
            _ => self.board.select(moved(self.board.row(), key, rows, self.page)),
        }
        None
    }

    fn of_selected(&mut self, wish: fn(Box<Observed>) -> Wish) -> Option<Wish> {
        let selected = self.board.selected().cloned().map(Box::new);
        if selected.is_none() {
            self.say_empty();
        }
        selected.map(wish)
    }

    fn say_empty(&mut self) {
        self.message = Some("no object is selected".to_owned());
    }

    /// The next longer or shorter time between two looks.
    fn pace(&mut self, is_slower: bool) {
        let mut all = INTERVALS.iter().map(|&number| Duration::from_millis(number));
        let next = match is_slower {
            true => all.find(|time| *time > self.interval),
            false => all.rfind(|time| *time < self.interval),
        };
        self.interval = next.unwrap_or(self.interval);
        self.message = Some(format!("a look every {}", duration::show(self.interval)));
    }

    /// Shows a text about an object, which is looked at again as long as it is shown, or about none.
    pub fn show(&mut self, title: String, lines: &[String], about: Option<Box<Observed>>) {
        let lines = self.wrapped(lines);
        self.mode = Mode::Text(Text { title, lines, top: 0, about });
    }

    /// Says something: in one line, or as a text if it takes more.
    pub fn tell(&mut self, title: &str, lines: &[String]) {
        match lines {
            [] => {}
            [line] if width::of(line) <= self.columns => self.message = Some(line.clone()),
            _ => self.show(title.to_owned(), lines, None),
        }
    }

    /// The lines, those that are too long for the screen in several.
    pub fn wrapped(&self, lines: &[String]) -> Vec<String> {
        let options = || width::between_words(self.columns.max(10)).subsequent_indent("    ");
        lines.iter().flat_map(|line| width::wrapped(line, options())).collect()
    }

    /// Shows what doctor has found.
    pub fn show_findings(&mut self, findings: Vec<Finding>, gaps: Vec<String>) {
        if let Some(gap) = gaps.first() {
            self.message = Some(gap.clone());
        }
        match findings.is_empty() {
            true if self.message.is_none() => {
                self.message = Some("doctor finds nothing".to_owned())
            }
            true => {}
            false => self.mode = Mode::Findings(findings, 0),
        }
    }
}

/// The object and what would be lost with it.
fn name(observed: &Observed, style: &Style) -> String {
    let mut text = Vec::new();
    crate::output::Value::Reference(observed.reference()).write_quoted(style, &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if let Some(home) = &observed.home {
        text += &format!(" in {}", home.name());
    }
    match observed.object.messages() {
        None | Some(0) => text,
        Some(messages) => format!("{text} with {}", count(messages, "message")),
    }
}

/// Whether the values of a column are words.
fn is_text(key: Key) -> bool {
    let Key::Column(name) = key else { return false };
    let mut columns = Kind::ALL.into_iter().flat_map(crate::output::columns::with_requests);
    columns.find(|column| column.name == name).is_some_and(|column| !column.numeric)
}

fn toggle(shown: &mut Vec<Kind>, kind: Kind, all: &[Kind]) {
    match shown.contains(&kind) {
        true => shown.retain(|other| *other != kind),
        false => shown.push(kind),
    }
    shown.sort_by_key(|kind| all.iter().position(|other| other == kind));
}

fn type_into(input: &mut String, key: K) {
    match key {
        K::Backspace => {
            input.pop();
        }
        K::Character(character)
            if !character.is_control() && input.chars().count() < MOST_TYPED =>
        {
            input.push(character);
        }
        _ => {}
    }
}

/// The place in a list after a key.
fn moved(place: usize, key: K, count: usize, page: usize) -> usize {
    let last = count.saturating_sub(1);
    let moved = match key {
        K::Up | K::Character('k') => place.saturating_sub(1),
        K::Down | K::Character('j') => place + 1,
        K::PageUp => place.saturating_sub(page),
        K::PageDown => place + page,
        K::Home | K::Character('g') => 0,
        K::End | K::Character('G') => last,
        _ => place,
    };
    moved.min(last)
}

/// What the keys do.
fn help() -> Text {
    let lines = [
        "up, down      select an object; also Page Up, Page Down, Home, End",
        "Enter         everything about it, as 'ipctool stat' shows it",
        "p             the messages on a queue; they stay there",
        "x             remove it, after a question, as 'ipctool rm' does",
        "c             change its mode, as 'ipctool chmod' does: 660, g+rw",
        "",
        "/             show only objects with this in their name, key or owner",
        "s             sort by a column; the same once more turns the order round",
        "r             turn the order round",
        "K             choose the kinds of objects",
        "A             all IPC namespaces, or only this one",
        "",
        "space         freeze, and go on",
        "+ -           look more often, less often",
        "d             what doctor finds; Enter runs a fix, after a question",
        "Ctrl-L        draw the screen anew",
        "?             this help",
        "q             quit; Ctrl-C, too",
        "",
        "MSG/S and B/S are by how much messages and bytes changed between two looks, a",
        "second. What is sent and received in between does not show: the kernel counts",
        "only what is there. HISTORY is the depth of a queue at the last looks.",
    ];
    let lines = lines.map(str::to_owned).into();
    Text { title: "Keys".to_owned(), lines, ..Text::default() }
}
