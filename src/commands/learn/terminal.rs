//! A lesson on a terminal: with keys, at reading speed, or as a recording of that.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::sheet::Sheet;
use super::stage::{Answer, Ask, Heading, Item, Stage, Turn};
use super::world::Halt;
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::io::poll;
use crate::kernel::signals::{self, Inbox};
use crate::kernel::terminal::{Key, Keyboard};
use crate::output::full_screen::{ENTER, LEAVE};
use crate::output::style::{NOTE, TITLE, paint};
use crate::output::{Asciicast, Color, OutputError, Screen, stdout};

/// How fast commands are typed: a character in this time.
const STROKE: Duration = Duration::from_millis(12);
const SLOW_STROKE: Duration = Duration::from_millis(45);

/// How long it takes to read a word, and to see that there is something to read.
const WORD: Duration = Duration::from_millis(260);
const GLANCE: Duration = Duration::from_millis(1200);

/// How often to look whether the terminal has another size.
const LOOK: Duration = Duration::from_millis(250);

/// Where a lesson is seen.
enum Place<'a> {
    /// On a screen, by a person.
    Screen(Person<'a>),
    /// In a file.
    Recorded(Asciicast<Interruptible>),
}

/// A person before a screen.
struct Person<'a> {
    out: Interruptible,
    inbox: &'a Inbox,
    keyboard: Option<Keyboard>,
    /// Whether they turn the pages; otherwise that happens by itself, and they can only leave.
    turns_pages: bool,
}

/// A lesson on a terminal.
pub(super) struct Terminal<'a> {
    place: Place<'a>,
    color: Color,
    speed: f64,
    sheet: Sheet,
    /// How many words came since the last pause.
    words: usize,
}

impl<'a> Terminal<'a> {
    /// With a keyboard.
    pub fn with_keys(color: Color, is_big: bool, inbox: &'a Inbox) -> Result<Terminal<'a>, Halt> {
        let keyboard = Some(Keyboard::open()?);
        let person = Person { out: stdout::file()?, inbox, keyboard, turns_pages: true };
        Terminal::on_screen(person, color, is_big, 1.0)
    }

    /// At reading speed.
    pub fn timed(
        color: Color,
        is_big: bool,
        speed: f64,
        inbox: &'a Inbox,
    ) -> Result<Terminal<'a>, Halt> {
        let keyboard = io::stdin().is_terminal().then(Keyboard::open).transpose()?;
        let person = Person { out: stdout::file()?, inbox, keyboard, turns_pages: false };
        Terminal::on_screen(person, color, is_big, speed)
    }

    /// A recording on standard output, of a terminal of this size.
    pub fn recorded(
        title: &str,
        (columns, rows): (u16, u16),
        is_big: bool,
        speed: f64,
    ) -> Result<Terminal<'a>, Halt> {
        let cast =
            Asciicast::begin(stdout::file()?, (columns, rows), title).map_err(OutputError)?;
        let screen = Screen {
            is_terminal: true,
            color: true,
            columns: Some(columns.into()),
            rows: Some(rows.into()),
        };
        let (place, color) = (Place::Recorded(cast), Color::Always);
        Ok(Terminal { place, color, speed, sheet: Sheet::new(screen, is_big), words: 0 })
    }

    fn on_screen(
        person: Person<'a>,
        color: Color,
        is_big: bool,
        speed: f64,
    ) -> Result<Terminal<'a>, Halt> {
        let sheet = Sheet::new(Screen::of_stdout(color), is_big);
        let mut terminal = Terminal { place: Place::Screen(person), color, speed, sheet, words: 0 };
        terminal.write(ENTER)?;
        Ok(terminal)
    }

    fn write(&mut self, text: &str) -> Result<(), Halt> {
        match &mut self.place {
            Place::Screen(person) => person.out.write_all(text.as_bytes()),
            Place::Recorded(cast) => cast.print(text),
        }
        .map_err(OutputError)?;
        Ok(())
    }

    /// Draws the whole screen, with these keys at its bottom.
    fn redraw(&mut self, keys: &str) -> Result<(), Halt> {
        self.write(&self.sheet.drawn(keys))
    }

    /// Whether a person turns the pages.
    fn is_turned(&self) -> bool {
        matches!(&self.place, Place::Screen(person) if person.turns_pages)
    }

    /// Waits this long; for a person who turns the pages only until a key is pressed.
    fn wait(&mut self, time: Duration) -> Result<(), Halt> {
        let end = Instant::now() + time;
        loop {
            let Person { inbox, keyboard, turns_pages, .. } = match &mut self.place {
                Place::Screen(person) => person,
                Place::Recorded(cast) => {
                    cast.wait(time);
                    return Ok(());
                }
            };
            if *turns_pages && poll::is_readable(&io::stdin()) {
                return Ok(());
            }
            ended(inbox)?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            match keyboard.as_ref().and_then(Keyboard::key) {
                Some(Key::Character('q')) => return Err(Halt::Left(Turn::Quit)),
                Some(Key::HangUp) => return Err(Halt::Signal(signals::TERMINATE)),
                Some(Key::Suspend) => {
                    self.suspend()?;
                    self.redraw("")?;
                }
                Some(_) => {}
                None => {
                    let (stdin, mut sources) = (io::stdin(), vec![inbox.as_fd()]);
                    sources.extend(keyboard.as_ref().map(|_| stdin.as_fd()));
                    poll::wait_any_readable(&sources, Some(left));
                }
            }
        }
    }

    /// Types a command.
    fn type_out(&mut self, command: &str) -> Result<(), Halt> {
        let stroke = match self.is_turned() {
            true => STROKE,
            false => SLOW_STROKE.div_f64(self.speed),
        };
        self.redraw("")?;
        let screen = self.sheet.draw().screen();
        for line in self.sheet.draw().command(command) {
            for character in line.chars() {
                let painted = paint(character.encode_utf8(&mut [0; 4]), TITLE, &screen);
                self.write(&painted)?;
                self.wait(stroke)?;
            }
            self.write("\r\n")?;
        }
        Ok(())
    }

    /// Begins another page of the same screen, once this one was read.
    fn turn_page(&mut self) -> Result<(), Halt> {
        let keys = ["Enter more", "b back", "r again", "q quit"];
        self.pause(&keys.join(self.sheet.draw().separator()))?;
        self.sheet.turn();
        Ok(())
    }

    /// Lets a person read.
    fn pause(&mut self, bar: &str) -> Result<(), Halt> {
        while self.is_turned() {
            match answer(self.key(bar)?) {
                Some(Answer::On) => return Ok(()),
                Some(Answer::Leave(turn)) => return Err(Halt::Left(turn)),
                Some(Answer::Try | Answer::Choose(_)) | None => {}
            }
        }
        self.redraw("")?;
        let time = GLANCE + WORD * u32::try_from(self.words).unwrap_or(u32::MAX);
        self.words = 0;
        self.wait(time.div_f64(self.speed))
    }

    /// The next key. Meanwhile the screen follows the size of the terminal.
    fn key(&mut self, bar: &str) -> Result<Key, Halt> {
        self.redraw(bar)?;
        loop {
            let Place::Screen(Person { keyboard: Some(keyboard), inbox, .. }) = &self.place else {
                return Ok(Key::HangUp);
            };
            ended(inbox)?;
            match keyboard.key() {
                Some(Key::Suspend) => {
                    self.suspend()?;
                    self.redraw(bar)?;
                }
                Some(Key::HangUp) => return Err(Halt::Signal(signals::TERMINATE)),
                Some(key) => return Ok(key),
                None => {
                    let inbox = *inbox;
                    poll::wait_any_readable(&[io::stdin().as_fd(), inbox.as_fd()], Some(LOOK));
                    if self.sheet.fit(Screen::of_stdout(self.color)) {
                        self.redraw(bar)?;
                    }
                }
            }
        }
    }

    /// Stops, as Ctrl-Z asks for, with the terminal as it was.
    fn suspend(&mut self) -> Result<(), Halt> {
        self.lend("", &mut || {
            signals::stop_group();
            Ok(())
        })
    }

    /// Leaves the terminal as it was, with these words, while this runs.
    fn lend(&mut self, words: &str, run: &mut dyn FnMut() -> Result<(), Halt>) -> Result<(), Halt> {
        self.write(LEAVE)?;
        if let Some(keyboard) = self.keyboard() {
            keyboard.rest();
        }
        self.write(words)?;
        let result = run();
        if let Some(keyboard) = self.keyboard() {
            keyboard.listen()?;
        }
        self.write(ENTER)?;
        result
    }

    fn keyboard(&self) -> Option<&Keyboard> {
        match &self.place {
            Place::Screen(person) => person.keyboard.as_ref(),
            Place::Recorded(_) => None,
        }
    }

    /// What can be pressed.
    fn keys(&self, ask: Ask) -> String {
        let first = match ask {
            Ask::Run => vec!["Enter run it".to_owned()],
            Ask::On => vec!["Enter on".to_owned()],
            Ask::Task => vec!["t do it yourself".to_owned(), "Enter solution".to_owned()],
            Ask::Question(count) => {
                vec![format!("1-{count} choose"), "Enter answer".to_owned()]
            }
        };
        let mut keys = first;
        keys.push("b back".to_owned());
        if matches!(ask, Ask::On | Ask::Task) {
            keys.push("r again".to_owned());
        }
        if ask != Ask::Task {
            keys.push("t try".to_owned());
        }
        keys.push("q quit".to_owned());
        keys.join(self.sheet.draw().separator())
    }
}

/// Whether a signal asks this process to end.
fn ended(inbox: &Inbox) -> Result<(), Halt> {
    if let Some(signal) = inbox.asked_to_end() {
        return Err(Halt::Signal(signal));
    }
    Ok(())
}

/// What a key means on every screen.
fn answer(key: Key) -> Option<Answer> {
    Some(match key {
        Key::Character('\n' | ' ') | Key::Right | Key::PageDown => Answer::On,
        Key::Character('b') | Key::Left | Key::PageUp => Answer::Leave(Turn::Back),
        Key::Character('r') => Answer::Leave(Turn::Again),
        Key::Character('q') => Answer::Leave(Turn::Quit),
        Key::Character('t') => Answer::Try,
        Key::Character(_)
        | Key::Up
        | Key::Down
        | Key::Home
        | Key::End
        | Key::Backspace
        | Key::DeleteLine
        | Key::Escape
        | Key::Redraw
        | Key::Suspend
        | Key::HangUp
        | Key::Other => return None,
    })
}

impl Stage for Terminal<'_> {
    fn begin(&mut self, heading: &Heading) -> Result<(), Halt> {
        self.sheet.begin(heading);
        Ok(())
    }

    fn show(&mut self, item: &Item<'_>) -> Result<(), Halt> {
        if let Item::Reply(..) = item {
            self.sheet.take_back();
        }
        let mut lines = self.sheet.draw().lines(item);
        if lines.len() + 1 > self.sheet.room() && !self.sheet.is_empty() {
            self.turn_page()?;
        }
        self.sheet.begin_item(item);
        self.words += match item {
            Item::Text(text) => text.words(),
            Item::List(texts) => texts.iter().map(|text| text.words()).sum(),
            Item::Choices(choices) => choices.iter().map(|choice| choice.answer.words()).sum(),
            Item::Reply(_, choice) => choice.reply.iter().map(|text| text.words()).sum(),
            _ => 3 * lines.len(),
        };
        if let Item::Command(command) = item {
            self.type_out(command)?;
        }
        // What is longer than a screen comes in pieces.
        while lines.len() > self.sheet.room() && lines.len() > 1 {
            let part = self.sheet.room().clamp(1, lines.len());
            self.sheet.add(lines.drain(..part));
            self.turn_page()?;
        }
        self.sheet.add(lines);
        Ok(())
    }

    fn work(&mut self) -> Result<(), Halt> {
        if self.is_turned() {
            self.redraw(&["running", "Ctrl-C quit"].join(self.sheet.draw().separator()))?;
        }
        Ok(())
    }

    fn ask(&mut self, ask: Ask) -> Result<Answer, Halt> {
        if !self.is_turned() {
            // A command runs as soon as it is typed.
            if ask != Ask::Run {
                self.pause("")?;
            }
            return Ok(Answer::On);
        }
        let bar = self.keys(ask);
        loop {
            let given = match self.key(&bar)? {
                Key::Character(key @ '1'..='9') if ask.has_answer(key) => {
                    Some(Answer::Choose(usize::from(key as u8 - b'1')))
                }
                key => answer(key),
            };
            let Some(given) = given else { continue };
            if (ask, given) == (Ask::Run, Answer::On) {
                self.work()?;
            }
            return Ok(given);
        }
    }

    fn lend_to_shell(&mut self, run: &mut dyn FnMut() -> Result<(), Halt>) -> Result<(), Halt> {
        // What was missing, or wrong, may be so no more.
        self.sheet.take_back();
        if let Some(keyboard) = self.keyboard() {
            // What was typed ahead is not meant for a shell.
            keyboard.flush();
        }
        // What there is to do stays in sight.
        let mut words: String = self.sheet.lines().map(|line| line + "\n").collect();
        let remark = "A shell in the lesson: exit returns.";
        words += &format!("\n{}\n", paint(remark, NOTE, &self.sheet.draw().screen()));
        self.lend(&words, run)
    }

    fn end(&mut self) -> Result<(), Halt> {
        if let Place::Recorded(cast) = &mut self.place {
            cast.end().map_err(OutputError)?;
        }
        Ok(())
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        if let Place::Screen(_) = self.place {
            // If that fails, the terminal is gone.
            let _ = self.write(LEAVE);
        }
    }
}
