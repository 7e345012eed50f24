//! Saves messages that were taken off a queue and could not be written out: they go back on the queue, or
//! into files, or to standard error.

mod files;

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;

use files::{Files, Line, save};

use crate::ipc::count;
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error::describe;
use crate::kernel::io::stdio::StandardError;
use crate::output::escape::shell_word;
use crate::output::message::Record;

/// What happened to such messages.
#[derive(Debug)]
pub struct Fate {
    returned: u64,
    kept: u64,
    place: Option<Place>,
}

/// Where the messages are that could not go back on the queue.
#[derive(Debug)]
enum Place {
    Files(Files),
    /// On standard error: how many of them, and why no file could be written.
    Printed(u64, io::Error),
}

impl Fate {
    /// Whether messages are not on the queue, so that the user must learn where they are.
    pub fn must_be_reported(&self) -> bool {
        self.place.is_some()
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.returned > 0 {
            write!(f, "{} went back on the queue", count(self.returned, "message"))?;
        }
        let Some(place) = &self.place else { return Ok(()) };
        if self.returned > 0 {
            f.write_str(", ")?;
        }
        let were = |number: u64| {
            let were = if number == 1 { "was" } else { "were" };
            format!("{} {were}", count(number, "message"))
        };
        let kept = were(self.kept);
        match place {
            Place::Files(Files { paths, stem }) => match paths.as_slice() {
                [path] => {
                    write!(
                        f,
                        "{kept} saved in {}, which 'send --jsonl' reads",
                        shell_word(path.as_os_str().as_bytes())
                    )
                }
                paths => {
                    let (number, stem) = (paths.len(), shell_word(stem.as_os_str().as_bytes()));
                    write!(
                        f,
                        "{kept} saved in {number} files: 'cat {stem}*' prints what 'send --jsonl' reads"
                    )
                }
            },
            Place::Printed(printed, error) if *printed == self.kept => {
                write!(f, "{kept} not saved ({}), but printed above", describe(error))
            }
            Place::Printed(printed, error) => {
                let error = describe(error);
                if *printed > 0 {
                    write!(f, "{} printed above, ", were(*printed))?;
                }
                let lost = were(self.kept - printed);
                write!(f, "{lost} lost, because no file could be written ({error})")
            }
        }
    }
}

/// Puts messages back on their queue, at its end. If there is no room, no permission or no queue any more,
/// saves them in files, or as the last resort writes them to standard error.
pub fn rescue<'a>(channel: &Channel, messages: impl Iterator<Item = &'a [u8]> + Clone) -> Fate {
    let returned = channel.put_back(messages.clone());
    let kept = messages.skip(returned);
    let records = kept.map(|message| {
        let label = channel.label(type_of(message));
        Record::new(label, &message[TYPE_SIZE..])
    });
    let number = records.clone().count() as u64;
    let place = (number > 0).then(|| match save("jsonl", records.clone()) {
        Ok(files) => Place::Files(files),
        Err(error) => Place::Printed(print(records), error),
    });
    Fate { returned: returned as u64, kept: number, place }
}

/// Writes records to standard error. Returns how many were written completely.
fn print<'a>(records: impl Iterator<Item = Record<'a>>) -> u64 {
    let mut out = BufWriter::new(StandardError);
    let print = |record: Record<'_>| record.write(&mut out).and_then(|()| out.flush());
    records.map(print).take_while(Result::is_ok).count() as u64
}

/// Saves an error message in a file, for when it cannot be written to standard error.
pub fn save_error(text: &str) {
    // If this fails, there is no other place.
    let _ = save("txt", std::iter::once(text));
}

impl Line for Record<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write(out)
    }
}
