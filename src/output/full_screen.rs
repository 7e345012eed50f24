//! A terminal as one screen that a program draws, and how it is left as it was.

use std::io::{self, Write};
use std::panic;

use crate::kernel::terminal::Keyboard;

/// The other screen of a terminal, without a cursor.
pub const ENTER: &str = "\x1b[?1049h\x1b[?25l";

/// Back to the screen before, as it was.
pub const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Clears a screen, from its upper left corner.
pub const CLEAR: &str = "\x1b[H\x1b[2J";

/// If this program fails, the terminal is as it was before the message.
pub fn restore_in_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let _ = io::stdout().write_all(LEAVE.as_bytes());
        let _ = io::stdout().flush();
        Keyboard::restore();
        print(panic);
    }));
}
