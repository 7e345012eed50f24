//! Where messages go that cannot be delivered.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::VERB;
use super::journal::{self, JSON};
use crate::cli;
use crate::explain::{Failure, Reason};
use crate::ipc::message::{Message, type_of};
use crate::ipc::{Foreign, Reference};
use crate::kernel::Namespace;
use crate::kernel::channel::Channel;
use crate::kernel::io::os_error;
use crate::output::message::From;

/// An open place for them.
pub(super) enum DeadLetters {
    File { file: Option<File>, path: PathBuf, queue: Reference },
    Queue { channel: Channel, name: String },
}

impl DeadLetters {
    /// Opens it, so that what is wrong with it shows at once. The file for a queue in the directory of the
    /// journals is made when it is needed.
    pub fn open(
        asked: Option<&cli::DeadLetters>,
        journal: &Path,
        namespace: &Namespace,
        queue: &Reference,
    ) -> Result<DeadLetters, Failure> {
        match asked {
            Some(cli::DeadLetters::Queue(to)) => {
                let failed = |error| Failure::of_call(VERB, to, error);
                let is_same = namespace.resolve(to).map_err(failed)?
                    == namespace.resolve(queue).map_err(failed)?;
                if is_same {
                    let what = "dead letters must not go back to the same queue";
                    return Err(Failure::new(VERB, to, what, Reason::Usage));
                }
                let channel = Channel::for_sending(namespace, to).map_err(failed)?;
                Ok(DeadLetters::Queue { channel, name: to.to_string() })
            }
            Some(cli::DeadLetters::File(path)) => {
                let file = open(path).map_err(|error| {
                    let what = format!("cannot write: {}", os_error::describe(&error));
                    let subject = format!("--dead-letter {}", Foreign::from(path.as_path()));
                    Failure::new(VERB, subject, what, Reason::Failed)
                })?;
                let (path, queue) = (path.clone(), queue.clone());
                Ok(DeadLetters::File { file: Some(file), path, queue })
            }
            None => {
                let path = journal.with_file_name(format!("{}.dead.jsonl", journal::stem(queue)));
                Ok(DeadLetters::File { file: None, path, queue: queue.clone() })
            }
        }
    }

    /// Adds a message. It is there for good when this returns.
    pub fn add(&mut self, message: &Message) -> Result<(), String> {
        match self {
            DeadLetters::Queue { channel, .. } => {
                channel.send(message.as_bytes()).map_err(|error| error.to_string())
            }
            DeadLetters::File { file, path, queue } => {
                let added = add_to_file(file, path, queue, message);
                added.map_err(|error| os_error::describe(&error))
            }
        }
    }

    /// Its name for people.
    pub fn shown(&self) -> String {
        match self {
            DeadLetters::File { path, .. } => Foreign::from(path.as_path()).to_string(),
            DeadLetters::Queue { name, .. } => name.clone(),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn add_to_file(
    file: &mut Option<File>,
    path: &Path,
    queue: &Reference,
    message: &Message,
) -> io::Result<()> {
    let file = match file {
        Some(file) => file,
        None => file.insert(open(path)?),
    };
    let name = queue.to_string();
    let from = From { kind: queue.kind, name: &name };
    // Until it is whole, nobody else adds one. A pipe that cannot be locked has no end to look at.
    let _ = file.lock();
    let added = add_line(file, path, &from, message);
    let _ = file.unlock();
    added
}

fn add_line(file: &mut File, path: &Path, from: &From<'_>, message: &Message) -> io::Result<()> {
    let mut line = Vec::new();
    let length = file.seek(io::SeekFrom::End(0));
    // What SIGKILL has left of a line stays one by itself.
    if ends_amid_line(file, path)? {
        line.push(b'\n');
    }
    JSON.append(from, type_of(message.as_bytes()), message.payload(), &mut line);
    let written = file.write_all(&line).and_then(|()| match file.sync_data() {
        // A pipe, or a device.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    });
    if written.is_err()
        && let Ok(length) = length
    {
        // Half a line would make the next one unreadable.
        let _ = file.set_len(length);
    }
    written
}

/// Whether this is a regular file whose last line is not whole.
fn ends_amid_line(file: &File, path: &Path) -> io::Result<bool> {
    let data = file.metadata()?;
    if !data.is_file() || data.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    // One that may not be read is written as before.
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut last, data.len() - 1));
    Ok(read.is_ok() && last != *b"\n")
}
