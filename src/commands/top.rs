//! `ipctool top`: objects as a live screen.

mod app;
mod board;
mod draw;
mod help;
mod input;
mod screen;
mod world;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use app::{Action, App, Mode};
use draw::Theme;
use screen::{SIZE_CHECK, Screen};
use world::World;

use super::{command, report, select};
use crate::cli::Top;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::changes::Identity;
use crate::ipc::{Filter, Foreign};
use crate::kernel::Namespace;
use crate::kernel::io::{os_error, poll};
use crate::kernel::limits::slot_bits;
use crate::kernel::signals;
use crate::kernel::terminal::{Key, Keyboard};
use crate::output::{Style, stdout};

const VERB: &str = "top";

/// What takes long is done again after so many times as long, and is at most this part of the time.
const LEISURE: u32 = 60;

/// A wait that takes so much longer was interrupted.
const STALL: Duration = Duration::from_millis(500);

/// How long after a key the processes are looked at, so that a key that is held down is quick.
const PAUSE: Duration = Duration::from_millis(150);

pub(super) fn run(mut args: Top, namespace: &Namespace, mut style: Style) -> Result<Status> {
    if !(io::stdin().is_terminal() && stdout::is_terminal()) {
        let failure = Failure::new(VERB, "", "it needs a terminal", Reason::Usage);
        return Err(failure.with_hint("for a pipe or a file: ipctool watch").into());
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        let what =
            "it needs a terminal that can move its cursor, and TERM says that this one cannot";
        let failure = Failure::new(VERB, "", what, Reason::Usage);
        return Err(failure.with_hint("for any terminal: ipctool watch").into());
    }
    let filter = Filter::new(std::mem::take(&mut args.kinds), args.filter.conditions());
    select::warn_cautions(VERB, &filter);
    style.human_sizes = !args.bytes;
    signals::catch_signals()?;
    let theme = Theme::new(style.screen.color);
    let mut app = App::new(filter.kinds().collect(), style, args.interval);
    app.is_everywhere = args.all_namespaces;
    app.place = namespace.home().map(|home| home.name());
    let world = World { namespace, filter };
    // What cannot be looked at at all needs no screen.
    let first = world.first_look(args.all_namespaces)?;
    app.board.follow(first, args.interval, slot_bits(), &app.style);
    let recording = args.record.as_deref().map(record_to).transpose()?;
    let mut top = Session {
        world,
        screen: Screen::open(recording)?,
        app,
        theme,
        last: Some(Instant::now()),
        details: Pace::default(),
        recording: None,
        facts: Pace::default(),
        users: Pace::default(),
        pressed: None,
        seen: None,
        seen_at: None,
        said: HashSet::new(),
    };
    let ended = top.live();
    top.screen.end();
    let failed = top.recording.take().or_else(|| top.screen.recording_failed());
    drop(top);
    if let (Some(error), Some(path)) = (failed, &args.record) {
        let path = Foreign::from(path.as_path());
        let what = format!("the recording ended early: {}", os_error::describe(&error));
        let status = report(namespace, Failure::new(VERB, path, what, Reason::Failed));
        return ended.map(|ended| ended.and(status));
    }
    ended
}

/// A file for a recording.
fn record_to(path: &Path) -> Result<File, Failure> {
    screen::create(path).map_err(|error| {
        let subject = format!("--record {}", Foreign::from(path));
        match error.kind() {
            ErrorKind::AlreadyExists => {
                let what = "the file exists already, and is not overwritten";
                Failure::new(VERB, subject, what, Reason::Failed)
            }
            _ => Failure::new(VERB, subject, os_error::describe(&error), Reason::Failed),
        }
    })
}

/// Something that takes long, and is not done all the time.
#[derive(Default)]
struct Pace {
    due: Option<Instant>,
}

impl Pace {
    fn is_due(&self) -> bool {
        self.due.is_none_or(|due| due <= Instant::now())
    }

    /// Does it.
    fn run<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = act();
        let now = Instant::now();
        self.due = now.checked_add((now - start).saturating_mul(LEISURE));
        result
    }

    /// It is due now.
    fn hurry(&mut self) {
        self.due = None;
    }
}

/// The screen, what is on it, and where that comes from.
struct Session<'a> {
    world: World<'a>,
    screen: Screen,
    app: App,
    theme: Theme,
    /// When the last look was.
    last: Option<Instant>,
    facts: Pace,
    users: Pace,
    details: Pace,
    /// Why the recording ended early.
    recording: Option<io::Error>,
    /// When a key was last pressed.
    pressed: Option<Instant>,
    /// The object whose users were looked at, and the last look before that.
    seen: Option<Identity>,
    seen_at: Option<Instant>,
    /// What was said of looks.
    said: HashSet<String>,
}

impl Session<'_> {
    /// Looks and draws until it is to end.
    fn live(&mut self) -> Result<Status> {
        let mut next = Some(Instant::now());
        let mut is_stale = true;
        loop {
            match signals::pending() {
                Some(signals::INTERRUPT) => return Ok(Status::Done),
                Some(signal) => return Ok(Status::Signal(signal)),
                None => {}
            }
            let now = Instant::now();
            if let Some(due) = next.filter(|due| *due <= now && !self.app.is_frozen) {
                self.look();
                // On a fixed grid, unless a look takes longer.
                let interval = self.app.interval;
                let after = |time: Instant| time.checked_add(interval);
                next = after(due).filter(|next| *next > now).or_else(|| after(now));
                is_stale = true;
            }
            is_stale |= self.follow_selected();
            is_stale |= self.screen.fit()?;
            if std::mem::take(&mut is_stale) {
                self.draw()?;
            }
            let mut has_keys = false;
            while let Some(key) = self.screen.key() {
                if key == Key::HangUp {
                    return Ok(Status::Signal(signals::HANG_UP));
                }
                (has_keys, is_stale) = (true, true);
                self.pressed = Some(Instant::now());
                let interval = self.app.interval;
                match self.app.press(key) {
                    Some(Action::Quit) => return Ok(Status::Done),
                    Some(action) => {
                        if let Some(signal) = self.perform(action)? {
                            return Ok(Status::Signal(signal));
                        }
                    }
                    None => {}
                }
                if self.app.interval != interval {
                    next = Some(Instant::now());
                }
                if let Mode::Ask(_) = self.app.mode {
                    // What was typed before it could be read is no answer.
                    self.draw()?;
                    self.screen.forget_keys();
                    break;
                }
            }
            if !has_keys {
                let left = next.filter(|_| !self.app.is_frozen);
                let wait = left.map_or(SIZE_CHECK, |next| {
                    next.saturating_duration_since(Instant::now()).min(SIZE_CHECK)
                });
                let before = Instant::now();
                poll::wait_any_readable(&[io::stdin().as_fd()], Some(wait));
                if before.elapsed() > wait + STALL {
                    // It was stopped, and another program may have used the terminal.
                    self.screen.clear()?;
                    is_stale = true;
                }
            }
        }
    }

    fn draw(&mut self) -> Result<()> {
        let Session { screen, app, theme, .. } = self;
        screen.draw(|frame| draw::draw(frame, app, theme))?;
        if let Some(error) = screen.recording_failed() {
            let why = os_error::describe(&error);
            app.message = Some(format!("the recording has ended: {why}"));
            self.recording = Some(error);
        }
        Ok(())
    }

    /// Looks at the objects, and at totals and findings if there is time for that.
    fn look(&mut self) {
        let Session { world, app, .. } = self;
        let (view, said) = world.look(app.is_everywhere);
        let now = Instant::now();
        match view {
            Some(view) => {
                let time = self.last.map_or(app.interval, |last| now - last);
                app.style.now = super::now();
                app.board.follow(view, time, slot_bits(), &app.style);
                self.last = Some(now);
                app.trouble = None;
                // What cannot be seen is said once, and not at each look, however many it is of.
                let words =
                    |line: &String| line.replace(|letter: char| letter.is_ascii_digit(), "");
                let is_hint = |line: &String| line.starts_with("hint: ");
                let mut news = said.into_iter().filter(|line| !is_hint(line));
                if let Some(line) = news.find(|line| self.said.insert(words(line))) {
                    app.message.get_or_insert(line);
                }
            }
            None => app.trouble = said.into_iter().next(),
        }
        if self.facts.is_due() || app.facts.is_none() {
            let (facts, _) = self.facts.run(|| world.facts(app.is_everywhere));
            app.facts = facts.or(app.facts.take());
        }
        self.look_at_details();
    }

    /// Looks again at the object whose page is shown.
    fn look_at_details(&mut self) {
        let Session { world, app, details, .. } = self;
        let Mode::Text(text) = &app.mode else { return };
        let Some(observed) = text.about.as_ref().filter(|_| details.is_due()) else { return };
        let columns = app.columns;
        let (lines, said) = details.run(|| world.details(observed, columns));
        let lines = lines.map(|lines| app.wrapped(&lines[1.min(lines.len())..]));
        if let Mode::Text(text) = &mut app.mode {
            text.note = lines.is_none().then(|| said.into_iter().next()).flatten();
            text.lines = lines.unwrap_or(std::mem::take(&mut text.lines));
        }
    }

    /// Looks at the users of the selected object. Returns whether they were looked at.
    fn follow_selected(&mut self) -> bool {
        let Session { world, app, users, .. } = self;
        let Some(selected) = app.board.selected() else { return false };
        let identity = Identity::of(selected);
        let is_other = self.seen.as_ref() != Some(&identity);
        let rests = self.pressed.is_none_or(|pressed| pressed.elapsed() >= PAUSE);
        let is_due = match is_other {
            true => rests || users.is_due(),
            false => users.is_due() && !app.is_frozen && self.last != self.seen_at,
        };
        if !is_due {
            return false;
        }
        let (observed, said) = users.run(|| world.observe(selected));
        app.observed = Some(observed.ok_or_else(|| said.into_iter().next().unwrap_or_default()));
        self.seen = Some(identity);
        self.seen_at = self.last;
        true
    }

    /// Does what only the kernel can, or the terminal. Returns the signal that asked to end meanwhile.
    fn perform(&mut self, action: Action) -> Result<Option<i32>> {
        let columns = usize::from(self.screen.size().0);
        let Session { world, app, screen, .. } = self;
        match action {
            Action::Quit => {}
            Action::Look => self.look(),
            Action::Redraw => screen.clear()?,
            Action::Stop => screen.lend(signals::stop_group)?,
            Action::Details(observed) => {
                let (lines, said) = world.details(&observed, columns);
                match lines.as_deref() {
                    Some([title, lines @ ..]) => app.show(title.clone(), lines, Some(observed)),
                    Some([]) | None => app.tell("Details", &said),
                }
            }
            Action::Peek(observed) => {
                let (lines, said) = world.peek(&observed, columns);
                match lines {
                    Some(lines) => {
                        let title =
                            format!("{}: messages, the next one first", observed.reference());
                        app.show(title, &lines, None);
                    }
                    None => app.tell("Messages", &said),
                }
            }
            Action::Remove(observed) => {
                let (done, said) = world.remove(&observed);
                app.tell("Remove", &done.into_iter().chain(said).collect::<Vec<_>>());
                self.look();
            }
            Action::Change(observed, mode) => {
                let (done, said) = world.change(&observed, mode);
                app.tell("Change", &done.into_iter().chain(said).collect::<Vec<_>>());
                self.look();
            }
            Action::Diagnose => {
                let (findings, said) = world.diagnose(app.is_everywhere);
                app.show_findings(findings.unwrap_or_default(), said);
            }
            Action::Run(fix) => {
                let (ended, signal) = screen.lend(|| run_fix(&fix))?;
                if signal.is_some() {
                    return Ok(signal);
                }
                self.facts.hurry();
                self.look();
                // What is left to mend.
                self.perform(Action::Diagnose)?;
                self.app.message = Some(ended);
            }
        }
        Ok(None)
    }
}

/// Runs a line of shell on the terminal, and lets the user read what it prints. Returns how it ended, and the signal
/// that asked to end meanwhile.
fn run_fix(fix: &str) -> (String, Option<i32>) {
    // If that fails, the terminal is gone, which the next key tells.
    let say = |line: String| drop(stdout::print(&line));
    say(format!("$ {fix}\n"));
    let words = ["sh", "-c", fix].map(std::ffi::OsString::from);
    let (ended, signal) = match command::run_noting(&words, &[]) {
        Ok((Status::Done | Status::Command(0), signal)) => ("the fix has run".to_owned(), signal),
        Ok((Status::Command(status), signal)) => {
            (format!("the fix ended with status {status}"), signal)
        }
        Ok((_, signal)) => ("the fix was interrupted".to_owned(), signal),
        Err(error) => (format!("the fix did not start: {}", os_error::describe(&error)), None),
    };
    if signal.is_some() {
        return (ended, signal);
    }
    say(format!("{ended}; any key goes back\n"));
    if let Ok(_keyboard) = Keyboard::open() {
        while signals::pending().is_none() && !poll::is_readable(&io::stdin()) {
            poll::wait_any_readable(&[io::stdin().as_fd()], None);
        }
    }
    (ended, None)
}
