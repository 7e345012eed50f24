//! What the tests of explanations have in common.

use std::sync::Mutex;

use crate::sandbox::{Ran, Sandbox, is_root};

/// Held by each test that makes POSIX queues: their bytes are counted for a user wherever they are.
pub static QUEUES: Mutex<()> = Mutex::new(());

/// Somebody without privileges: root steps down, others are.
pub fn ordinary(shell: &Sandbox, line: &str) -> Ran {
    match is_root() {
        true => shell.run_as(54_322, line).expect("root can"),
        false => shell.run(line),
    }
}

/// The command that ends a hint, behind these words.
#[track_caller]
pub fn command(ran: &Ran, words: &str) -> String {
    let told = ran.stderr();
    let hint = told.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
    let command = hint.split_once(words).map(|(_, command)| command.to_owned());
    command.unwrap_or_else(|| panic!("no {words:?} in the hint: {told}"))
}
