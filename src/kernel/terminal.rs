//! The terminal as a keyboard and as a place for a shell, and pseudoterminals: `termios(3)`, `tcsetpgrp(3)`, `pty(7)`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, killpg};
use nix::sys::termios::{self, FlushArg, LocalFlags, SetArg, SpecialCharacterIndices, Termios};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

use super::io::poll;
use super::process;
use super::signals::deadly;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character; Enter is a line feed.
    Character(char),
    /// The arrow to the left.
    Left,
    /// The arrow to the right.
    Right,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// Page Up.
    PageUp,
    /// Page Down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Backspace.
    Backspace,
    /// Ctrl-U, which deletes a line.
    DeleteLine,
    /// Escape.
    Escape,
    /// Ctrl-L, for a screen on which others have written.
    Redraw,
    /// Ctrl-Z.
    Suspend,
    /// The terminal is gone.
    HangUp,
    /// Anything else.
    Other,
}

/// Standard input, which is a terminal, read key by key and without an echo. Dropped, the terminal is as before.
#[derive(Debug)]
pub struct Keyboard {
    before: Termios,
}

/// How long after the beginning of a sequence the rest of it comes.
const SOON: Duration = Duration::from_millis(25);

/// What a key is set to that is none, `_POSIX_VDISABLE`.
const DISABLED: u8 = 0;

/// The settings that the terminal had before.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

impl Keyboard {
    /// Reads keys from now on.
    pub fn open() -> io::Result<Keyboard> {
        let before = termios::tcgetattr(io::stdin())?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before.clone());
        let keyboard = Keyboard { before };
        keyboard.listen()?;
        Ok(keyboard)
    }

    /// Forgets what was typed.
    pub fn flush(&self) {
        let _ = termios::tcflush(io::stdin(), FlushArg::TCIFLUSH);
    }

    /// Gives the terminal the settings that it had before, where no keyboard is at hand.
    pub fn restore() {
        // If it is in use, it is being restored.
        if let Ok(Some(before)) = BEFORE.try_lock().as_deref() {
            let _ = termios::tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }

    /// Reads keys again, after [`Keyboard::rest`].
    pub fn listen(&self) -> io::Result<()> {
        let mut settings = self.before.clone();
        settings.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO;
        // Ctrl-C stays a signal, also while a command runs. The others are keys.
        for key in [SpecialCharacterIndices::VSUSP, SpecialCharacterIndices::VQUIT] {
            settings.control_chars[key as usize] = DISABLED;
        }
        settings.control_chars[SpecialCharacterIndices::VMIN as usize] = 0;
        settings.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        Ok(termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &settings)?)
    }

    /// Gives the terminal the settings that it had before.
    pub fn rest(&self) {
        // If that fails, the terminal is gone.
        let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before);
    }

    /// The key that was pressed, if there is one.
    pub fn key(&self) -> Option<Key> {
        let byte = match self.byte() {
            // Nothing comes any more from a terminal that is gone.
            Ok(None) if poll::is_hung_up(&io::stdin()) => return Some(Key::HangUp),
            Ok(byte) => byte?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
            Err(_) => return Some(Key::HangUp),
        };
        Some(match byte {
            12 => Key::Redraw,
            21 => Key::DeleteLine,
            26 => Key::Suspend,
            b'\r' => Key::Character('\n'),
            0x1b => self.sequence(),
            8 | 127 => Key::Backspace,
            b'\n' | b'\t' | b' '..=b'~' => Key::Character(char::from(byte)),
            128.. => self.character(byte),
            _ => Key::Other,
        })
    }

    /// A character of several bytes in UTF-8.
    fn character(&self, first: u8) -> Key {
        let length = match first {
            0xc2..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0..0xf5 => 4,
            _ => return Key::Other,
        };
        let mut bytes = vec![first];
        while bytes.len() < length
            && let Some(byte) = self.byte_soon()
        {
            bytes.push(byte);
        }
        let text = std::str::from_utf8(&bytes).ok();
        text.and_then(|text| text.chars().next()).map_or(Key::Other, Key::Character)
    }

    /// What follows an escape character, which the terminal sends in one piece; nothing if it is a key.
    fn sequence(&self) -> Key {
        let mut bytes = Vec::new();
        while let Some(byte) = self.byte_soon() {
            bytes.push(byte);
            let is_begin = bytes.len() == 1 && matches!(byte, b'[' | b'O');
            if !is_begin && matches!(byte, b'@'..=b'~') || bytes.len() > 8 {
                break;
            }
        }
        match bytes.as_slice() {
            b"" => Key::Escape,
            b"[A" | b"OA" => Key::Up,
            b"[B" | b"OB" => Key::Down,
            b"[C" | b"OC" => Key::Right,
            b"[D" | b"OD" => Key::Left,
            b"[5~" => Key::PageUp,
            b"[6~" => Key::PageDown,
            b"[H" | b"OH" | b"[1~" | b"[7~" => Key::Home,
            b"[F" | b"OF" | b"[4~" | b"[8~" => Key::End,
            _ => Key::Other,
        }
    }

    /// A byte that comes at once, or nearly so: a slow line may part what belongs together.
    fn byte_soon(&self) -> Option<u8> {
        if let Ok(Some(byte)) = self.byte() {
            return Some(byte);
        }
        poll::wait_any_readable(&[io::stdin().as_fd()], Some(SOON));
        self.byte().ok().flatten()
    }

    fn byte(&self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let count = nix::unistd::read(io::stdin(), &mut byte)?;
        Ok((count > 0).then_some(byte[0]))
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.rest();
    }
}

/// Lets the processes of this group use the terminal of this process, while something runs: they are in the foreground.
pub fn with_foreground<R>(group: i32, run: impl FnOnce() -> R) -> io::Result<R> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    tcsetpgrp(&terminal, Pid::from_raw(group))?;
    let result = run();
    // A process in the background that changes this is stopped, unless it ignores the signal for that.
    deadly::ignore(libc::SIGTTOU)?;
    let taken = tcsetpgrp(&terminal, getpgrp());
    deadly::set_default(libc::SIGTTOU)?;
    taken?;
    Ok(result)
}

/// Continues the processes in the foreground of the terminal if they are stopped, as no shell is there to do it.
pub fn wake_foreground() {
    let Ok(terminal) = File::open("/dev/tty") else { return };
    if let Ok(group) = tcgetpgrp(&terminal)
        && process::is_stopped(group.as_raw())
    {
        // They may have ended meanwhile.
        let _ = killpg(group, Signal::SIGCONT);
    }
}

/// A terminal that this process draws itself.
#[derive(Debug)]
pub struct Pseudoterminal {
    /// What is printed there can be read here.
    pub screen: File,
    /// The end for programs. While it is open, the screen does not end.
    pub programs: OwnedFd,
}

impl Pseudoterminal {
    /// A terminal of this size, which changes nothing of what is printed.
    pub fn open(columns: u16, rows: u16) -> io::Result<Pseudoterminal> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None)?;
        let mut settings = termios::tcgetattr(&pty.slave)?;
        termios::cfmakeraw(&mut settings);
        termios::tcsetattr(&pty.slave, SetArg::TCSANOW, &settings)?;
        // Otherwise each program would have the other end, too, and it would never end.
        for end in [pty.master.as_fd(), pty.slave.as_fd()] {
            close_on_exec(end)?;
        }
        Ok(Pseudoterminal { screen: File::from(pty.master), programs: pty.slave })
    }
}

fn close_on_exec(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}
