//! What is on the screen, and what keys do to it. Pure: what a key asks of the kernel is returned as a [`Action`].

use std::str::FromStr;
use std::time::Duration;

use super::board::{Board, Key};
use super::help;
use super::input::{moved, type_into};
use crate::commands::overview::Facts;
use crate::ipc::finding::Finding;
use crate::ipc::{Kind, ModeChange, Object, Observed, count, duration};
use crate::kernel::terminal::Key as K;
use crate::output::{Style, Value, columns, width};

/// The times between two looks that `+` and `-` choose from, in milliseconds.
const INTERVALS: [u64; 10] = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/// What a key asks for that only the kernel can give, or the terminal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
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
    /// A question that `y` answers with yes.
    Ask(Box<Question>),
    /// The columns by which the table can be sorted, and which one is marked.
    Sort(Vec<Key>, usize),
    /// The kinds of objects, and which one is marked.
    Kinds(usize),
    /// A text.
    Text(Text),
    /// What doctor has found, and which finding is marked.
    Findings(Vec<Finding>, usize),
}

/// A question.
pub(super) struct Question {
    pub text: String,
    /// What yes means.
    action: Action,
    /// What is on the screen meanwhile, and after a no.
    pub behind: Mode,
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
    /// Why the last look at it failed.
    pub note: Option<String>,
}

/// Everything that is drawn.
pub(super) struct App {
    pub board: Board,
    pub mode: Mode,
    /// How values are written.
    pub style: Style,
    /// Totals, limits and findings; `None` before the first look.
    pub facts: Option<Facts>,
    /// The selected object with its users, as they were seen last, or why they could not be.
    pub observed: Option<Result<Observed, String>>,
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
    /// How many columns and rows the screen has.
    pub columns: usize,
    pub rows: usize,
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
            rows: 24,
        }
    }

    /// Does what a key means.
    pub fn press(&mut self, key: K) -> Option<Action> {
        self.message = None;
        match key {
            K::Suspend => return Some(Action::Stop),
            K::Redraw => return Some(Action::Redraw),
            _ => {}
        }
        let (mode, action) = match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Table => return self.press_in_table(key),
            Mode::Search(before) => (self.search(before, key), None),
            Mode::Chmod(observed, input) => self.chmod(observed, input, key),
            Mode::Ask(question) => match key {
                K::Character('y' | 'Y') => (Mode::Table, Some(question.action)),
                _ => {
                    self.message = Some("nothing was done".to_owned());
                    (question.behind, None)
                }
            },
            Mode::Sort(keys, marked) => (self.sort(keys, marked, key), None),
            Mode::Kinds(marked) => (self.choose_kinds(marked, key), None),
            Mode::Text(text) => (self.scroll(text, key), None),
            Mode::Findings(findings, marked) => (self.choose_finding(findings, marked, key), None),
        };
        self.mode = mode;
        action
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
    ) -> (Mode, Option<Action>) {
        match key {
            K::Character('\n') => match ModeChange::from_str(input.trim()) {
                Ok(change) => return (Mode::Table, Some(Action::Change(observed, change))),
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
                // What is sought is at the top.
                self.board.select(0);
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
                let fix = findings.get(marked).and_then(|finding| finding.fix.clone());
                let behind = Mode::Findings(findings, marked);
                let Some(fix) = fix else {
                    self.message = Some("it has no fix: only a person can decide".to_owned());
                    return behind;
                };
                self.ask(format!("run this? {fix}"), Action::Run(fix), behind)
            }
            K::Escape | K::Left | K::Character('q' | 'd') => Mode::Table,
            _ => {
                let marked = moved(marked, key, findings.len(), self.page);
                Mode::Findings(findings, marked)
            }
        }
    }

    /// Asks, unless the question is too long for the screen: nobody should say yes to what cannot be seen.
    fn ask(&mut self, text: String, action: Action, behind: Mode) -> Mode {
        if self.wrapped(std::slice::from_ref(&text)).len() + 2 > self.rows {
            let what = "too long for the screen: use ipctool rm, or ipctool doctor for a fix";
            self.message = Some(what.to_owned());
            return behind;
        }
        Mode::Ask(Box::new(Question { text, action, behind }))
    }

    fn press_in_table(&mut self, key: K) -> Option<Action> {
        let (_, rows) = self.board.count();
        match key {
            K::Character('q') => return Some(Action::Quit),
            K::Character('\n') | K::Right => return self.of_selected(Action::Details),
            K::Character('p') => return self.of_selected(Action::Peek),
            K::Character('d') => return Some(Action::Diagnose),
            K::Character('x') => {
                if let Some(Action::Remove(observed)) = self.of_selected(Action::Remove) {
                    let text = format!("remove {}?", name(&observed, &self.style));
                    self.mode = self.ask(text, Action::Remove(observed), Mode::Table);
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
                return Some(Action::Look);
            }
            K::Character(' ') => {
                self.is_frozen = !self.is_frozen;
                return (!self.is_frozen).then_some(Action::Look);
            }
            K::Character('+' | '=') => self.pace(false),
            K::Character('-') => self.pace(true),
            K::Character('?' | 'h') => {
                let lines = help::KEYS.map(str::to_owned);
                self.show("Keys".to_owned(), &lines, None);
            }
            _ => self.board.select(moved(self.board.row(), key, rows, self.page)),
        }
        None
    }

    fn of_selected(&mut self, action: fn(Box<Observed>) -> Action) -> Option<Action> {
        let selected = self.board.selected().cloned().map(Box::new);
        if selected.is_none() {
            self.say_empty();
        }
        selected.map(action)
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
        self.mode = Mode::Text(Text { title, lines, about, ..Text::default() });
    }

    /// Says something: in one line, or as a text if it takes more.
    pub fn tell(&mut self, title: &str, lines: &[String]) {
        match lines {
            [] => {}
            [line] => self.message = Some(line.clone()),
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
    Value::Reference(observed.reference()).write_quoted(style, &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if let Some(home) = &observed.home {
        text += &format!(" in {}", home.name());
    }
    match &observed.object {
        Object::Segment(segment) if segment.attached > 0 => {
            let times = count(segment.attached, "time");
            format!("{text}, attached {times}: it is marked, and goes with the last detach")
        }
        object => match object.messages() {
            None | Some(0) => text,
            Some(messages) => format!("{text} with {}", count(messages, "message")),
        },
    }
}

/// Whether the values of a column are words.
fn is_text(key: Key) -> bool {
    let Key::Column(name) = key else { return false };
    let mut columns = Kind::ALL.into_iter().flat_map(columns::with_requests);
    columns.find(|column| column.name == name).is_some_and(|column| !column.numeric)
}

fn toggle(shown: &mut Vec<Kind>, kind: Kind, all: &[Kind]) {
    match shown.contains(&kind) {
        true => shown.retain(|other| *other != kind),
        false => shown.push(kind),
    }
    shown.sort_by_key(|kind| all.iter().position(|other| other == kind));
}
