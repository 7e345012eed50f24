//! A line of shell at a real terminal: a pseudoterminal whose other end is read as a terminal emulator
//! reads it. What is then on the screen is compared with a file in `tests/screens/`.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::fs::File;

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::pty::{Winsize, openpty};
use vt100::Parser;

use crate::sandbox::{Sandbox, until, until_or};

/// The sizes at which screens are compared: columns and lines.
pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// A terminal on which a line of shell runs.
pub struct Terminal {
    line: String,
    child: Child,
    keyboard: File,
    parser: Arc<Mutex<Parser>>,
    /// Reads what is printed, until nobody has the terminal open.
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Runs a line of shell on a terminal of this size.
    pub fn run(
        shell: &Sandbox,
        (columns, lines): (u16, u16),
        has_color: bool,
        line: &str,
    ) -> Terminal {
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).expect("a pseudoterminal");
        let end = || Stdio::from(pty.slave.try_clone().expect("a descriptor"));
        // With --ctty it is the controlling terminal, so that Ctrl-C reaches the line.
        let mut command = shell.command(&["setsid", "--ctty", "--wait"], line);
        command.env("TERM", "xterm-256color").env_remove("COLUMNS").env_remove("LINES");
        if !has_color {
            command.env("NO_COLOR", "1");
        }
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("nsenter runs");
        drop((command, pty.slave));
        let keyboard = File::from(pty.master);
        let mut screen = keyboard.try_clone().expect("a descriptor");
        let parser = Arc::new(Mutex::new(Parser::new(positive(lines), positive(columns), 0)));
        let shared = parser.clone();
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It fails with EIO as soon as nobody has the other end open.
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                shared.lock().expect("no reader panics").process(&bytes[..length]);
            }
        });
        Terminal { line: line.to_owned(), child, keyboard, parser, reader: Some(reader) }
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub fn shows(self, text: &str) -> Terminal {
        self.until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until this is not on the screen.
    #[track_caller]
    pub fn lacks(self, text: &str) -> Terminal {
        self.until(&format!("no {text:?}"), |screen| !screen.contains(text))
    }

    /// Waits until what is on the screen is right.
    #[track_caller]
    pub fn until(self, what: &str, is_right: impl Fn(&str) -> bool) -> Terminal {
        let screen = || self.screen().text;
        let seen = || format!("{what} at '{}', but\n{}", self.line, screen());
        until_or(|| is_right(&screen()), seen);
        self
    }

    /// What is on the screen now.
    pub fn text(&self) -> String {
        self.screen().text
    }

    /// Gives it another size.
    pub fn resized(self, (columns, lines): (u16, u16)) -> Terminal {
        let size =
            rustix::termios::Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        self.parser
            .lock()
            .expect("no reader panics")
            .screen_mut()
            .set_size(positive(lines), positive(columns));
        rustix::termios::tcsetwinsize(&self.keyboard, size).expect("a terminal");
        self
    }

    /// Types this.
    pub fn types(mut self, keys: &str) -> Terminal {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is open");
        self
    }

    /// Waits for the end of the line, and returns what is on the screen.
    pub fn ends(mut self) -> Screen {
        if let Some(reader) = self.reader.take() {
            until(&format!("the end of '{}'", self.line), || reader.is_finished());
        }
        let _ = self.child.wait();
        self.screen()
    }

    fn screen(&self) -> Screen {
        Screen::of(self.parser.lock().expect("no reader panics").screen())
    }
}

fn positive(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has a size")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is on a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The lines, without blanks and empty lines at their ends.
    pub text: String,
    /// Every text that stands out, a line each: the text, and its colour and weight.
    pub colors: String,
    /// Whether the first line has scrolled away or the last one is in use.
    pub is_full: bool,
}

impl Screen {
    fn of(screen: &vt100::Screen) -> Screen {
        let (lines, columns) = screen.size();
        let (lines, columns) = (lines.get(), columns.get());
        let mut colors = String::new();
        for line in 0..lines {
            let mut span: Option<(String, String)> = None;
            for column in 0..=columns {
                let cell = screen.cell(line, column);
                let look = cell.map(look).unwrap_or_default();
                let text = cell.map_or("", vt100::Cell::contents);
                match &mut span {
                    Some((so_far, of)) if *of == look => *so_far += text,
                    _ => {
                        if let Some((text, of)) = span.filter(|(_, of)| !of.is_empty()) {
                            let _ = writeln!(colors, "{of}: {}", text.trim_end());
                        }
                        span = Some((text.to_owned(), look));
                    }
                }
            }
        }
        let rows = screen.rows(0, columns).map(|row| row.trim_end().to_owned());
        let text = rows.collect::<Vec<_>>().join("\n").trim_end().to_owned() + "\n";
        Screen { text, colors, is_full: screen.cursor_position().0 + 1 == lines }
    }
}

/// How a cell stands out: `red bold`; empty if it does not.
fn look(cell: &vt100::Cell) -> String {
    let color = match cell.fgcolor() {
        vt100::Color::Default => None,
        vt100::Color::Idx(number @ 0..8) => {
            let names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
            Some(names[usize::from(number)].to_owned())
        }
        other => Some(format!("{other:?}")),
    };
    let weights = [(cell.bold(), "bold"), (cell.dim(), "dim"), (cell.underline(), "underlined")];
    let weights = weights.into_iter().filter(|(is_so, _)| *is_so).map(|(_, name)| name.to_owned());
    color.into_iter().chain(weights).collect::<Vec<_>>().join(" ")
}

/// A screen at every size, for the comparison with its file.
pub struct Snapshot {
    text: String,
    last: Option<Screen>,
}

impl Snapshot {
    /// Of this line of shell.
    pub fn of(line: &str) -> Snapshot {
        Snapshot { text: format!("$ {line}\n"), last: None }
    }

    /// Adds a screen. Without colour the text must be the same, and nothing stand out.
    #[track_caller]
    pub fn add(&mut self, (columns, lines): (u16, u16), colored: Screen, plain: &Screen) {
        assert_eq!(colored.text, plain.text, "without colour");
        assert_eq!(plain.colors, "", "without colour");
        if self.last.as_ref() == Some(&colored) {
            let _ = writeln!(self.text, "\n=== {columns}×{lines}: the same");
            return;
        }
        let _ = writeln!(self.text, "\n=== {columns}×{lines}\n{}", colored.text);
        let _ = write!(self.text, "--- colours\n{}", colored.colors);
        self.last = Some(colored);
    }

    /// Compares it with what was expected. With `RENEW=1` in the environment, replaces the file.
    #[track_caller]
    pub fn is(&self, name: &str, expected: &str) {
        if std::env::var("RENEW").is_ok_and(|value| value == "1") {
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}.txt"));
            return std::fs::write(path, &self.text).expect("the file can be written");
        }
        assert!(
            self.text == expected,
            "tests/screens/{name}.txt is\n{expected}\nbut the screen is\n{}\n\
             if that is right: RENEW=1 cargo test --test screens",
            self.text
        );
    }
}
