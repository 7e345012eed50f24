//! What happens to messages that were taken and could not be written out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::json;
use super::message::Record;
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::ipc::{Foreign, count};
use crate::kernel::channel::Channel;

/// Puts messages back on their queue, at its end. Those for which there is no room, no right or no
/// queue any more are saved in a file, and as the last resort written to standard error. Tells what
/// became of them.
pub fn rescue<'a>(channel: &Channel, messages: impl Iterator<Item = &'a [u8]>) -> String {
    let messages: Vec<&[u8]> = messages.collect();
    let sent_back = match channel.is_removed() {
        true => 0,
        false => messages.iter().take_while(|message| channel.send(message).is_ok()).count(),
    };
    // It may have been removed meanwhile, and then they went with it.
    let returned = if channel.is_removed() { 0 } else { sent_back };
    let mut lines = Vec::new();
    for message in &messages[returned..] {
        let label = channel.label(type_of(message));
        let record = Record::new(label, &message[TYPE_SIZE..]);
        // Writing to a vector cannot fail.
        let _ = json::write(&mut lines, &record);
        lines.push(b'\n');
    }
    let kept = (messages.len() - returned) as u64;
    let mut fate = Vec::new();
    if returned > 0 {
        fate.push(format!("{} went back on the queue", count(returned as u64, "message")));
    }
    if kept > 0 {
        let were = if kept == 1 { "was" } else { "were" };
        let kept = format!("{} {were}", count(kept, "message"));
        fate.push(match save(&lines) {
            Ok(path) => {
                let path = Foreign::from(path.as_path());
                format!("{kept} saved in {path}, as 'send --jsonl' reads it")
            }
            Err(error) => match io::stderr().write_all(&lines) {
                Ok(()) => format!("{kept} saved nowhere ({error}), but printed above"),
                Err(_) => format!("{kept} lost: there is no place to save it ({error})"),
            },
        });
    }
    fate.join(", ")
}

/// Saves them in a new file of the caller's own, in the first directory that has room.
fn save(lines: &[u8]) -> io::Result<PathBuf> {
    let last = [std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()];
    let mut result = Err(io::ErrorKind::NotFound.into());
    for directory in std::env::current_dir().into_iter().chain(last) {
        result = save_in(&directory, lines);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn save_in(directory: &Path, lines: &[u8]) -> io::Result<PathBuf> {
    // Gone again, unless it is kept when it is whole.
    let mut file =
        tempfile::Builder::new().prefix("ipctool-recv-").suffix(".jsonl").tempfile_in(directory)?;
    file.write_all(lines)?;
    file.as_file().sync_all()?;
    Ok(file.keep()?.1)
}
