//! The IPC calls that the programs of a lesson make, for its screen.

use std::env;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;

use crate::kernel::call;

/// The environment variable with the name of the file where this program writes the calls that it makes, a line each.
pub(super) const CALLS: &str = "IPCTOOL_LESSON_CALLS";

static FILE: OnceLock<File> = OnceLock::new();

/// Writes each call of this process from now on to the file of a lesson, if it is part of one.
pub fn record() {
    let Some(file) = env::var_os(CALLS).and_then(|path| open(&path)) else { return };
    if FILE.set(file).is_ok() {
        call::trace(&|event| {
            // In one piece, because other programs of the lesson write to the same file.
            let line = format!("{event}\n");
            let _ = FILE.get().map(|mut file| file.write_all(line.as_bytes()));
        });
    }
}

/// Only a file that is there already: a lesson has made it.
fn open(path: &OsStr) -> Option<File> {
    OpenOptions::new().append(true).open(path).ok()
}
