//! What happens to messages that were taken and could not be written out.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::escape::shell_word;
use super::message::Record;
use crate::ipc::count;
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error::describe;
use crate::kernel::io::outlet::file_limit;
use crate::kernel::io::stdio::StandardError;

/// What became of them.
#[derive(Debug)]
pub struct Fate {
    returned: u64,
    kept: u64,
    place: Option<Place>,
}

/// Where messages are that are on no queue any more.
#[derive(Debug)]
enum Place {
    Files(Files),
    /// On standard error, so many of them, for this reason.
    Printed(u64, io::Error),
}

/// Files that hold all of something, one behind the other.
#[derive(Debug)]
struct Files {
    paths: Vec<PathBuf>,
    /// What all of their paths begin with.
    stem: PathBuf,
}

impl Fate {
    /// Whether somebody has to read where they are in order not to miss them.
    pub fn must_be_told(&self) -> bool {
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
                        "{kept} saved in {}, as 'send --jsonl' reads it",
                        shell_word(path.as_os_str().as_bytes())
                    )
                }
                paths => {
                    let (number, stem) = (paths.len(), shell_word(stem.as_os_str().as_bytes()));
                    write!(
                        f,
                        "{kept} saved in {number} files: 'cat {stem}*' gives what 'send --jsonl' reads"
                    )
                }
            },
            Place::Printed(printed, error) if *printed == self.kept => {
                write!(f, "{kept} saved nowhere ({}), but printed above", describe(error))
            }
            Place::Printed(printed, error) => {
                let error = describe(error);
                if *printed > 0 {
                    write!(f, "{} printed above, ", were(*printed))?;
                }
                let lost = were(self.kept - printed);
                write!(f, "{lost} lost: there is no place to save them ({error})")
            }
        }
    }
}

/// Puts messages back on their queue, at its end. Those for which there is no room, no right or no
/// queue any more are saved in files, and as the last resort written to standard error.
pub fn rescue<'a>(channel: &Channel, messages: impl Iterator<Item = &'a [u8]> + Clone) -> Fate {
    let sent_back = match channel.is_removed() {
        true => 0,
        false => messages.clone().take_while(|message| channel.send(message).is_ok()).count(),
    };
    // It may have been removed meanwhile, and then they went with it.
    let returned = if channel.is_removed() { 0 } else { sent_back };
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

/// Writes records to standard error; returns how many came out whole.
fn print<'a>(records: impl Iterator<Item = Record<'a>>) -> u64 {
    let mut out = BufWriter::new(StandardError);
    let print = |record: Record<'_>| record.write(&mut out).and_then(|()| out.flush());
    records.map(print).take_while(Result::is_ok).count() as u64
}

/// Leaves word in a file where standard error takes none.
pub fn leave_word(text: &str) {
    // There is no other place.
    let _ = save("txt", std::iter::once(text));
}

/// What can be written as often as one wants to.
trait Line {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;
}

impl Line for Record<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write(out)
    }
}

impl Line for &str {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.as_bytes())
    }
}

/// Saves lines in new files of the caller's own, in the first directory that has room: in one, or, as
/// no file may be larger than `RLIMIT_FSIZE`, in several.
fn save(kind: &str, lines: impl Iterator<Item = impl Line> + Clone) -> io::Result<Files> {
    let last = [std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()];
    let mut result = Err(io::ErrorKind::NotFound.into());
    for directory in std::env::current_dir().into_iter().chain(last) {
        result = save_in(&directory, kind, lines.clone());
        if result.is_ok() {
            break;
        }
    }
    result
}

fn save_in(
    directory: &Path,
    kind: &str,
    lines: impl Iterator<Item = impl Line> + Clone,
) -> io::Result<Files> {
    let limit = file_limit();
    let mut length = Length(0);
    lines.clone().try_for_each(|line| line.write_to(&mut length))?;
    let mut pieces = Pieces::new(directory, kind, limit, length.0 > limit);
    for line in lines {
        let mut length = Length(0);
        line.write_to(&mut length)?;
        // A line is cut only if no file can hold it.
        if pieces.room() < length.0 && length.0 <= limit {
            pieces.end()?;
        }
        let mut out = BufWriter::with_capacity(8192, &mut pieces);
        line.write_to(&mut out)?;
        out.flush()?;
    }
    pieces.keep()
}

/// Counts what is written.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Files of a limited size that are filled one after the other. They are gone again unless all of them
/// are whole.
struct Pieces<'a> {
    directory: &'a Path,
    kind: &'a str,
    limit: u64,
    /// The name that all of them begin with, where there is more than one.
    stem: Option<OsString>,
    is_one_of_many: bool,
    filled: Vec<TempPath>,
    current: Option<(tempfile::NamedTempFile, u64)>,
}

impl<'a> Pieces<'a> {
    fn new(directory: &'a Path, kind: &'a str, limit: u64, is_one_of_many: bool) -> Pieces<'a> {
        let (stem, filled, current) = (None, Vec::new(), None);
        Pieces { directory, kind, limit, stem, is_one_of_many, filled, current }
    }

    /// How many bytes the present file still takes.
    fn room(&self) -> u64 {
        self.limit - self.current.as_ref().map_or(0, |(_, length)| *length)
    }

    /// Begins a file. Those of one set sort in their order.
    fn begin(&mut self) -> io::Result<tempfile::NamedTempFile> {
        let suffix = match self.is_one_of_many {
            true => format!("-{:06}.{}", self.filled.len() + 1, self.kind),
            false => format!(".{}", self.kind),
        };
        let mut builder = tempfile::Builder::new();
        let builder = builder.suffix(&suffix);
        let file = match &self.stem {
            Some(stem) => builder.prefix(stem).rand_bytes(0).tempfile_in(self.directory)?,
            None => builder.prefix("ipctool-recv-").tempfile_in(self.directory)?,
        };
        if self.stem.is_none()
            && let Some(name) = file.path().file_name()
        {
            let name = name.as_encoded_bytes();
            let stem = name[..name.len() - suffix.len()].to_vec();
            self.stem = Some(std::os::unix::ffi::OsStringExt::from_vec(stem));
        }
        Ok(file)
    }

    /// Ends the present file.
    fn end(&mut self) -> io::Result<()> {
        if let Some((file, _)) = self.current.take() {
            file.as_file().sync_all()?;
            self.filled.push(file.into_temp_path());
        }
        Ok(())
    }

    fn keep(mut self) -> io::Result<Files> {
        self.end()?;
        let stem = self.directory.join(self.stem.unwrap_or_default());
        let keep = |path: TempPath| Ok(path.keep()?);
        Ok(Files { paths: self.filled.into_iter().map(keep).collect::<io::Result<_>>()?, stem })
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room() == 0 {
            self.end()?;
        }
        let (mut file, length) = match self.current.take() {
            Some(current) => current,
            None => (self.begin()?, 0),
        };
        let most = (self.limit - length).min(bytes.len() as u64) as usize;
        let written = match most {
            // The limit of no bytes: the kernel says so.
            0 => file.write(bytes),
            most => file.write(&bytes[..most]),
        };
        let count = *written.as_ref().unwrap_or(&0);
        self.current = Some((file, length + count as u64));
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
