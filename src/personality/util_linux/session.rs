//! How these programs write: output in blocks, and messages after the name of the program, as
//! `stdio(3)`, `err(3)` and util-linux do.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use super::c_number::Invalid;
use super::getopt::{Getopt, Given};
use super::program::Program;
use crate::exit::Status;
use crate::ipc::Foreign;
use crate::kernel::io::inherited;
use crate::kernel::io::os_error::strerror;
use crate::kernel::signals;
use crate::kernel::{Errno, Namespace};
use crate::output::{escape, stderr, stdout};

/// Output is written in blocks of this size, as by `stdio(3)`. So a message on standard error appears
/// between the same bytes if both go to the same file.
const BLOCK: usize = 4096;

/// A status as error: the program ends early and has printed the reason.
pub(in crate::personality) type Result<T> = std::result::Result<T, Status>;

/// One run of a program.
pub(in crate::personality) struct Session {
    /// The namespace of the objects.
    pub namespace: Rc<Namespace>,
    /// The path by which it was called.
    path: Vec<u8>,
    /// Output that is not written yet.
    pub out: Vec<u8>,
    /// The first error of standard output, after which nothing more is written.
    broken: Option<io::Error>,
    by_line: bool,
    /// Whether a message to standard error could not be written.
    unwritten: Cell<bool>,
}

impl Session {
    /// A run of the program that was called by this path.
    pub fn new(path: OsString, namespace: Namespace) -> Session {
        let by_line = stdout::is_terminal();
        Session {
            namespace: Rc::new(namespace),
            path: path.into_vec(),
            out: Vec::new(),
            broken: None,
            by_line,
            unwritten: Cell::new(false),
        }
    }

    /// The name of the program, without directories.
    pub fn name(&self) -> &[u8] {
        let start = self.path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        &self.path[start..]
    }

    /// Writes whole blocks, or everything if the output is a terminal. If the reader of a pipe is gone,
    /// the process ends here, like a C program: the rest of its work is not done.
    pub fn flush_some(&mut self) {
        // A full block is written when more follows.
        let blocks = self.out.len().saturating_sub(1) / BLOCK * BLOCK;
        self.write(if self.by_line { self.out.len() } else { blocks });
        if let Some(signal) = self.broken.as_ref().and_then(signal_of) {
            signals::end_by(signal);
        }
    }

    /// Writes the first `length` bytes. Keeps the first error and writes nothing after it.
    fn write(&mut self, length: usize) {
        if self.broken.is_none() && length > 0 {
            // Off a terminal, every byte is as in util-linux.
            let mut escaped = Vec::new();
            if self.by_line {
                escape::append_payload(&self.out[..length], &mut escaped);
            }
            let text = if self.by_line { &escaped } else { &self.out[..length] };
            let written = stdout::file()
                .and_then(|mut file| Ok(file.write_all(text)?))
                .map_err(|error| error.0);
            self.broken = written.err();
        }
        self.out.drain(..length);
    }

    /// Writes the rest of the output; returns the first error so far.
    pub fn take_broken(&mut self) -> Option<io::Error> {
        self.write(self.out.len());
        self.broken.take()
    }

    /// Whether a write failed.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Writes the rest of the output. If output or a message was not written, a success becomes a
    /// failure.
    pub fn finish(mut self, status: Status) -> Status {
        let was_broken = self.is_broken();
        let status = match self.take_broken() {
            None => status,
            Some(error) => self.unwritten(&error, was_broken, status),
        };
        match status {
            Status::Signal(_) => status,
            _ if self.unwritten.get() => Status::Failed,
            _ => status,
        }
    }

    /// The exit status if output could not be written: at the end or, if `early`, before.
    fn unwritten(&self, error: &io::Error, early: bool, status: Status) -> Status {
        match error.raw_os_error().map(Errno::from_raw) {
            _ if let Some(signal) = signal_of(error) => Status::Signal(signal),
            // util-linux has lost the reason by the time it prints this message.
            _ if early => self.fail("write error"),
            // A reader that closed the pipe wants no more output; a closed descriptor means that none
            // is wanted.
            Some(Errno::EPIPE | Errno::EBADF) => status,
            _ => self.fail([b"write error: ", strerror(error).as_bytes()].concat()),
        }
    }

    /// Writes one line to standard error, in one piece.
    fn print_line(&self, parts: &[&[u8]]) {
        let mut line = parts.concat();
        if io::stderr().is_terminal() {
            line = Foreign::from(&*line).to_string().into();
        }
        let is_written = inherited::was_open(2) && stderr::write_line(line).is_ok();
        self.unwritten.set(self.unwritten.get() || !is_written);
    }

    /// Prints a message on standard error, after the name of the program.
    pub fn warn(&self, message: impl AsRef<[u8]>) {
        self.print_line(&[self.name(), b": ", message.as_ref()]);
    }

    /// Prints why the program fails; returns the status.
    pub fn fail(&self, message: impl AsRef<[u8]>) -> Status {
        self.warn(message);
        Status::Failed
    }

    /// Prints why the program fails, with the reason of a call; returns the status.
    pub fn fail_with(&self, message: &str, errno: Errno) -> Status {
        let error = io::Error::from_raw_os_error(errno as i32);
        self.fail(format!("{message}: {}", strerror(&error)))
    }

    /// Prints that text is not a number; returns the status. The reason is added only for a range
    /// error.
    pub fn unparsed(&self, message: &str, text: &[u8], invalid: Invalid) -> Status {
        match invalid {
            Invalid::Malformed => self.fail([message.as_bytes(), b": '", text, b"'"].concat()),
            Invalid::OutOfRange => self.unparsed_size(message, text, invalid),
        }
    }

    /// Prints that text is not a size; returns the status. The reason is always added.
    pub fn unparsed_size(&self, message: &str, text: &[u8], invalid: Invalid) -> Status {
        let errno = match invalid {
            Invalid::Malformed => Errno::EINVAL,
            Invalid::OutOfRange => Errno::ERANGE,
        };
        let reason = strerror(&io::Error::from_raw_os_error(errno as i32));
        let message = [message.as_bytes(), b": '", text, b"': ", reason.as_bytes()];
        self.fail(message.concat())
    }

    /// Prints how to get help; returns the status.
    pub fn try_help(&self) -> Status {
        self.print_line(&[b"Try '", self.name(), b" --help' for more information."]);
        Status::Failed
    }

    /// The next option. Handles help and version itself.
    pub fn option<'a>(
        &mut self,
        program: &Program,
        options: &mut Getopt<'a>,
    ) -> Result<Option<Given<'a>>> {
        match options.next() {
            None => Ok(None),
            Some(Ok(("help", _))) => {
                let name = String::from_utf8_lossy(self.name()).into_owned();
                self.out.extend(program.usage(&name).bytes());
                Err(Status::Done)
            }
            Some(Ok(("version", _))) => {
                self.version(", as in util-linux 2.38");
                Err(Status::Done)
            }
            Some(Ok(option)) => Ok(Some(option)),
            Some(Err(message)) => {
                self.print_line(&[&self.path, b": ", &message]);
                Err(self.try_help())
            }
        }
    }

    /// Prints the version of this program and which program it imitates.
    pub fn version(&mut self, manners: &str) {
        let name = String::from_utf8_lossy(self.name()).into_owned();
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("{name} from ipctool {version}{manners}\n");
        self.out.extend(line.bytes());
    }
}

/// The signal that would have ended a C program on this error.
fn signal_of(error: &io::Error) -> Option<i32> {
    let is_closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
    inherited::signal_of_closed_pipe().filter(|_| is_closed_pipe)
}
