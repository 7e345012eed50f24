//! `ipctool top`: objects as a live screen.

mod app;
mod board;
mod draw;
mod screen;
mod world;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use app::{App, Mode, Wish};
use draw::Look;
use screen::{LOOK, Screen};
use world::World;

use super::{command, report, select, without_number};
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

/// How long after a key the processes are looked at: who holds an arrow does not wait for them.
const PAUSE: Duration = Duration::from_millis(150);

pub(super) fn run(mut args: Top, namespace: &Namespace, mut style: Style) -> Result<Status> {
    if !(io::stdin().is_terminal() && stdout::is_terminal()) {
        let failure = Failure::new(VERB, "", "it needs a terminal", Reason::Usage);
        return Err(failure.with_hint("for a pipe or a file: ipctool watch").into());
    }
    let filter = Filter::new(std::mem::take(&mut args.kinds), args.filter.conditions());
    select::warn_cautions(VERB, &filter);
    let recording = args.record.as_deref().map(record_to).transpose()?;
    style.human_sizes = !args.bytes;
    signals::catch_signals()?;
    let look = Look::new(style.screen.color);
    let mut app = App::new(filter.kinds().collect(), style, args.interval);
    app.is_everywhere = args.all_namespaces;
    app.place = namespace.home().map(|home| home.name());
    let mut top = Session {
        world: World { namespace, filter },
        screen: Screen::open(recording)?,
        app,
        look,
        last: None,
        facts: Pace::default(),
        users: Pace::default(),
        pressed: None,
        seen: None,
        seen_at: None,
        said: HashSet::new(),
    };
    let ended = top.live();
    top.screen.end();
    let failed = top.screen.recording_failed();
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
                let what = "it exists, and is not written over";
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
    look: Look,
    /// When the last look was.
    last: Option<Instant>,
    facts: Pace,
    users: Pace,
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
        let mut next = Instant::now();
        let mut is_stale = true;
        loop {
            match signals::pending() {
                Some(signals::INTERRUPT) => return Ok(Status::Done),
                Some(signal) => return Ok(Status::Signal(signal)),
                None => {}
            }
            let now = Instant::now();
            if next <= now && !self.app.is_frozen {
                self.look();
                // On a fixed grid; what was missed is left out.
                let missed = now.duration_since(next).div_duration_f64(self.app.interval) as u32;
                next += self.app.interval * (missed + 1);
                is_stale = true;
            }
            is_stale |= self.follow_selected();
            is_stale |= self.screen.fit()?;
            if is_stale {
                let Session { screen, app, look, .. } = self;
                screen.draw(|frame| draw::draw(frame, app, look))?;
                is_stale = false;
            }
            let mut has_keys = false;
            while let Some(key) = self.screen.key() {
                if key == Key::HangUp {
                    return Ok(Status::Signal(signals::TERMINATE));
                }
                (has_keys, is_stale) = (true, true);
                self.pressed = Some(Instant::now());
                if let Some(wish) = self.app.press(key) {
                    if wish == Wish::Quit {
                        return Ok(Status::Done);
                    }
                    if wish == Wish::Look {
                        next = Instant::now();
                    }
                    self.grant(wish)?;
                }
            }
            if !has_keys {
                let wait = match self.app.is_frozen {
                    true => LOOK,
                    false => next.saturating_duration_since(Instant::now()).min(LOOK),
                };
                poll::wait_any_readable(&[io::stdin().as_fd()], Some(wait));
            }
        }
    }

    /// Looks at the objects, and at totals and findings if there is time for that.
    fn look(&mut self) {
        let Session { world, app, .. } = self;
        let (view, said) = world.look(app.is_everywhere);
        let now = Instant::now();
        if let Some(view) = view {
            let time = self.last.map_or(app.interval, |last| now - last);
            app.style.now = super::now();
            app.board.follow(view, time, slot_bits(), &app.style);
            self.last = Some(now);
        }
        app.trouble = match self.last {
            Some(last) if last == now => None,
            _ => said.first().cloned(),
        };
        // What cannot be seen is said once, and not at each look.
        let news = said.into_iter().find(|line| self.said.insert(without_number(line)));
        if app.trouble.is_none()
            && let Some(line) = news
        {
            app.message.get_or_insert(line);
        }
        if self.facts.is_due() || app.facts.is_none() {
            let (facts, _) = self.facts.run(|| world.facts(app.is_everywhere));
            app.facts = facts.or(app.facts.take());
        }
        if let Mode::Text(text) = &mut app.mode
            && let Some(observed) = &text.about
        {
            let columns = usize::from(self.screen.size().0);
            if let (Some(lines), _) = world.details(observed, columns) {
                let lines = app.wrapped(&lines[1.min(lines.len())..]);
                if let Mode::Text(text) = &mut app.mode {
                    text.lines = lines;
                }
            } else if !text.title.ends_with(GONE) {
                text.title += GONE;
            }
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
        let (observed, _) = users.run(|| world.observe(selected));
        app.observed = observed;
        self.seen = Some(identity);
        self.seen_at = self.last;
        true
    }

    /// Does what only the kernel can, or the terminal.
    fn grant(&mut self, wish: Wish) -> Result<()> {
        let columns = usize::from(self.screen.size().0);
        let Session { world, app, screen, .. } = self;
        match wish {
            Wish::Quit | Wish::Look => {}
            Wish::Redraw => screen.clear()?,
            Wish::Stop => screen.lend(signals::stop)?,
            Wish::Details(observed) => {
                let (lines, said) = world.details(&observed, columns);
                match lines.as_deref() {
                    Some([title, lines @ ..]) => app.show(title.clone(), lines, Some(observed)),
                    Some([]) | None => app.tell("Details", &said),
                }
            }
            Wish::Peek(observed) => {
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
            Wish::Remove(observed) => {
                let (done, said) = world.remove(&observed);
                app.tell("Remove", &done.into_iter().chain(said).collect::<Vec<_>>());
                self.look();
            }
            Wish::Change(observed, mode) => {
                let (done, said) = world.change(&observed, mode);
                app.tell("Change", &done.into_iter().chain(said).collect::<Vec<_>>());
                self.look();
            }
            Wish::Diagnose => {
                let (findings, said) = world.diagnose(app.is_everywhere);
                app.show_findings(findings.unwrap_or_default(), said);
            }
            Wish::Run(fix) => {
                let ended = screen.lend(|| run_fix(&fix))?;
                app.tell("Fix", &[ended]);
                self.facts.hurry();
                self.look();
            }
        }
        Ok(())
    }
}

/// What the title of a page says when its object is gone.
const GONE: &str = "  (gone)";

/// Runs a line of shell on the terminal, and lets the user read what it prints.
fn run_fix(fix: &str) -> String {
    println!("$ {fix}");
    let words = ["sh", "-c", fix].map(std::ffi::OsString::from);
    let ended = match command::run(&words, &[]) {
        Ok(Status::Done | Status::Command(0)) => "the fix has run".to_owned(),
        Ok(Status::Command(status)) => format!("the fix ended with status {status}"),
        Ok(_) => "the fix was interrupted".to_owned(),
        Err(error) => format!("the fix did not start: {}", os_error::describe(&error)),
    };
    println!("{ended}; any key goes back");
    if let Ok(_keyboard) = Keyboard::open() {
        while signals::pending().is_none() && !poll::is_readable(&io::stdin()) {
            poll::wait_any_readable(&[io::stdin().as_fd()], None);
        }
    }
    ended
}
