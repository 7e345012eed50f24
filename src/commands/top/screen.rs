//! The terminal as a screen, and a recording of what is drawn there.

use std::cell::{RefCell, RefMut};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

use crate::commands::Result;
use crate::kernel::io::interruptible::Interruptible;
use crate::kernel::terminal::{Key, Keyboard};
use crate::output::full_screen::{CLEAR, ENTER, LEAVE, restore_in_panic};
use crate::output::{Asciicast, Color, OutputError, Screen as Size, stdout};

/// The size of a terminal that does not tell its own.
const USUAL: (u16, u16) = (80, 24);

/// The screen. Dropped, the terminal is as before.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Shared>>,
    canvas: Shared,
    keyboard: Keyboard,
    size: (u16, u16),
}

impl Screen {
    /// Takes the terminal, and records what is drawn if there is a file for that.
    pub fn open(recording: Option<File>) -> Result<Screen> {
        let size = size();
        let recording = recording.map(|file| Recording::begin(file, size)).transpose()?;
        restore_in_panic();
        let keyboard = Keyboard::open()?;
        let canvas = Canvas { out: stdout::file()?, frame: Vec::new(), recording };
        let mut canvas = Shared(Rc::new(RefCell::new(canvas)));
        canvas.write_all(ENTER.as_bytes())?;
        canvas.flush().map_err(OutputError)?;
        Ok(Screen { terminal: terminal(&canvas, size)?, canvas, keyboard, size })
    }

    /// Draws everything anew; only what differs is written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
        self.terminal.draw(draw).map_err(OutputError)?;
        Ok(())
    }

    /// Follows the size of the terminal. Returns whether it is another one.
    pub fn fit(&mut self) -> Result<bool> {
        let now = size();
        if now == self.size {
            return Ok(false);
        }
        self.size = now;
        if let Some(recording) = &mut self.canvas.borrow().recording {
            recording.resize(now);
        }
        self.clear()?;
        Ok(true)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The key that was pressed, if one was.
    pub fn key(&self) -> Option<Key> {
        self.keyboard.key()
    }

    /// Forgets what was typed ahead.
    pub fn forget_keys(&self) {
        self.keyboard.flush();
    }

    /// Leaves the terminal as it was while this runs.
    pub fn lend<R>(&mut self, run: impl FnOnce() -> R) -> Result<R> {
        self.write(LEAVE)?;
        self.keyboard.rest();
        let result = run();
        self.keyboard.flush();
        self.keyboard.listen()?;
        self.write(ENTER)?;
        self.clear()?;
        Ok(result)
    }

    /// Why the recording ended early, if it just did.
    pub fn recording_failed(&mut self) -> Option<io::Error> {
        self.canvas.borrow().recording.as_mut()?.failed.take()
    }

    /// Ends the recording.
    pub fn end(&mut self) {
        if let Some(recording) = &mut self.canvas.borrow().recording {
            recording.end();
        }
    }

    /// The next frame is written whole.
    pub fn clear(&mut self) -> Result<()> {
        self.write(CLEAR)?;
        self.terminal = terminal(&self.canvas, self.size)?;
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let canvas = &mut self.canvas;
        canvas.write_all(text.as_bytes()).and_then(|()| canvas.flush()).map_err(OutputError)?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If that fails, the terminal is gone.
        let _ = self.write(LEAVE);
    }
}

/// Columns and rows of the terminal.
fn size() -> (u16, u16) {
    let Size { columns, rows, .. } = Size::of_stdout(Color::Never);
    let number = |number: Option<usize>, usual| match number {
        Some(number @ 1..) => number.try_into().unwrap_or(u16::MAX),
        _ => usual,
    };
    (number(columns, USUAL.0), number(rows, USUAL.1))
}

/// An empty terminal. One that is there already cannot be emptied: it would ask for the place of the cursor, and wait
/// for an answer among the keys.
fn terminal(
    canvas: &Shared,
    (width, height): (u16, u16),
) -> Result<Terminal<CrosstermBackend<Shared>>> {
    let viewport = Viewport::Fixed(Rect { x: 0, y: 0, width, height });
    let backend = CrosstermBackend::new(canvas.clone());
    Ok(Terminal::with_options(backend, TerminalOptions { viewport }).map_err(OutputError)?)
}

/// The canvas, on which the terminal draws, too.
#[derive(Clone)]
struct Shared(Rc<RefCell<Canvas>>);

impl Shared {
    fn borrow(&self) -> RefMut<'_, Canvas> {
        self.0.borrow_mut()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.borrow().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.borrow().flush()
    }
}

/// Writes a frame at once, so that it does not flicker.
struct Canvas {
    out: Interruptible,
    frame: Vec<u8>,
    recording: Option<Recording>,
}

impl Write for Canvas {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if let Some(recording) = &mut self.recording {
            recording.print(&self.frame);
        }
        let written = self.out.write_all(&self.frame);
        self.frame.clear();
        written
    }
}

/// A recording, at the pace at which things happen.
struct Recording {
    cast: Asciicast<File>,
    /// The same file.
    file: File,
    last: Instant,
    failed: Option<io::Error>,
    has_ended: bool,
}

impl Recording {
    fn begin(file: File, size: (u16, u16)) -> io::Result<Recording> {
        let cast = Asciicast::begin(file.try_clone()?, size, "ipctool top")?;
        Ok(Recording { cast, file, last: Instant::now(), failed: None, has_ended: false })
    }

    fn print(&mut self, frame: &[u8]) {
        self.add(|cast| cast.print(&String::from_utf8_lossy(frame)));
    }

    fn resize(&mut self, size: (u16, u16)) {
        self.add(|cast| cast.resize(size));
    }

    fn end(&mut self) {
        self.add(Asciicast::end);
        self.has_ended = true;
    }

    /// Adds an event. Where that fails, as on a full disk, the recording ends, and the screen goes on.
    fn add(&mut self, add: impl FnOnce(&mut Asciicast<File>) -> io::Result<()>) {
        if self.has_ended {
            return;
        }
        let now = Instant::now();
        self.cast.wait(now - self.last);
        self.last = now;
        let length = self.file.stream_position();
        if let Err(error) = add(&mut self.cast) {
            // Half an event would make all of it unreadable.
            if let Ok(length) = length {
                let _ = self.file.set_len(length);
            }
            self.failed = Some(error);
            self.has_ended = true;
        }
    }
}

/// A new file for a recording; nothing that is there is written over.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// How long to wait for a key at most: then the size of the terminal is looked at.
pub(super) const SIZE_CHECK: Duration = Duration::from_millis(250);
