//! Where the lines go.

use std::fs::File;
use std::io::{self, Write};

use crate::cli::Trace;
use crate::commands::Result;
use crate::explain::{Failure, Reason};
use crate::ipc::Foreign;
use crate::kernel::io::{os_error, stdio};
use crate::output::{Color, Screen};

use super::VERB;

/// The place for the lines. What goes to a file is collected, because others would wait for it; what goes to a terminal
/// or a pipe stands in order with what the command writes there.
pub(super) struct Output {
    file: Target,
    collected: Vec<u8>,
    /// The first error.
    error: Option<io::Error>,
}

enum Target {
    /// Standard error, beside the output of the command.
    Errors,
    /// Standard output.
    Results(File),
    /// A file.
    File(File),
}

/// How many bytes are collected at most.
const MOST: usize = 64 << 10;

impl Output {
    pub fn open(args: &Trace) -> Result<Output> {
        let file = match &args.output {
            Some(path) if path.as_os_str() != "-" => {
                // What is in it goes when the command begins, and not if there is no such command.
                let opened = File::options().create(true).append(true).open(path);
                let opened = opened.map_err(|error| {
                    let reason = match error.kind() {
                        io::ErrorKind::PermissionDenied => Reason::NotPermitted,
                        _ => Reason::Failed,
                    };
                    let subject = format!("-o {}", Foreign::from(path.as_path()));
                    let what = format!("cannot write: {}", os_error::describe(&error));
                    Failure::new(VERB, subject, what, reason)
                });
                Target::File(opened?)
            }
            Some(_) => Target::Results(stdio::standard_output()?.0),
            None if args.command.is_empty() => Target::Results(stdio::standard_output()?.0),
            None => Target::Errors,
        };
        Ok(Output { file, collected: Vec::with_capacity(MOST), error: None })
    }

    /// The screen on which the lines are seen.
    pub fn screen(&self, color: Color) -> Screen {
        match self.file {
            Target::Errors => Screen::of_stderr(color),
            Target::Results(_) => Screen::of_stdout(color),
            Target::File(_) => Screen::NONE,
        }
    }

    /// Writes whole lines.
    pub fn write(&mut self, lines: &[u8]) {
        if self.error.is_some() {
            return;
        }
        match &mut self.file {
            Target::File(_) => {
                self.collected.extend_from_slice(lines);
                if self.collected.len() >= MOST {
                    self.flush();
                }
            }
            Target::Errors => self.error = stdio::StandardError.write_all(lines).err(),
            Target::Results(file) => self.error = file.write_all(lines).err(),
        }
    }

    /// Writes what is collected.
    pub fn flush(&mut self) {
        if let Target::File(file) = &mut self.file
            && self.error.is_none()
            && !self.collected.is_empty()
        {
            self.error = file.write_all(&self.collected).err();
        }
        self.collected.clear();
    }

    /// Removes what is in a regular file from before.
    pub fn begin(&mut self) {
        if let Target::File(file) = &self.file
            && file.metadata().is_ok_and(|data| data.is_file())
        {
            self.error = file.set_len(0).err();
        }
    }

    /// Whether the reader has closed the pipe to which the lines go by default. It wants no more, so that is no failure.
    pub fn is_closed_pipe(&self) -> bool {
        let is_closed =
            self.error.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        is_closed && !matches!(self.file, Target::File(_))
    }

    /// The first error of a write, each time that it is asked for.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }
}
