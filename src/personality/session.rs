//! How the programs of old talk: output that is written at the end, and messages behind the name of
//! the program, as `stdio(3)`, `err(3)` and util-linux have it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;

use super::getopt::{Getopt, Given};
use super::number::Invalid;
use super::program::Program;
use crate::exit::Status;
use crate::kernel::{Errno, inherited};
use crate::output::stdout;

/// Output is written when there is so much of it.
const ENOUGH: usize = 64 * 1024;

/// How a program ends early: it has said why.
pub(super) type Result<T> = std::result::Result<T, Status>;

/// One run of a program.
pub(super) struct Session {
    /// What it was called by, path and all.
    path: Vec<u8>,
    /// What is to be written to standard output.
    pub out: Vec<u8>,
    /// It is not written any more once that has failed.
    broken: Option<io::Error>,
    by_line: bool,
}

impl Session {
    /// A run of the program that was called by this path.
    pub fn new(path: OsString) -> Session {
        let by_line = stdout::is_terminal();
        Session { path: path.into_vec(), out: Vec::new(), broken: None, by_line }
    }

    /// The name of the program, without its path.
    pub fn name(&self) -> &[u8] {
        let start = self.path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        &self.path[start..]
    }

    /// Writes what there is if it is enough, or if somebody looks on.
    pub fn flush_some(&mut self) {
        if self.out.len() >= ENOUGH || self.by_line {
            self.flush();
        }
    }

    /// Writes what there is. The first error is kept, and what comes after it is not written.
    pub fn flush(&mut self) {
        if self.broken.is_none() && !self.out.is_empty() {
            let written = stdout::file()
                .and_then(|mut file| Ok(file.write_all(&self.out)?))
                .map_err(|error| error.0);
            self.broken = written.err();
        }
        self.out.clear();
    }

    /// What has become of the output so far.
    pub fn take_broken(&mut self) -> Option<io::Error> {
        self.flush();
        self.broken.take()
    }

    /// Whether nobody reads on.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Writes what is left. Output that was not written makes a failure of every success.
    pub fn finish(mut self, status: Status) -> Status {
        match self.take_broken() {
            None => status,
            // Who closes it from the start wants no output.
            Some(error) if error.raw_os_error() == Some(Errno::EBADF as i32) => status,
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.fail([b"write error: ", words(&error).as_bytes()].concat())
            }
            // Who went away has read enough.
            Some(_) => inherited::signal_of_closed_pipe().map_or(status, Status::Signal),
        }
    }

    /// Says something on standard error, behind the name of the program.
    pub fn warn(&self, message: impl AsRef<[u8]>) {
        say(&[self.name(), b": ", message.as_ref()]);
    }

    /// Says why the program fails.
    pub fn fail(&self, message: impl AsRef<[u8]>) -> Status {
        self.warn(message);
        Status::Failed
    }

    /// The same for a call that failed.
    pub fn fail_with(&self, message: &str, errno: Errno) -> Status {
        let error = io::Error::from_raw_os_error(errno as i32);
        self.fail(format!("{message}: {}", words(&error)))
    }

    /// The same for a number that is none: the reason is told only where it has too many bits.
    pub fn unparsed(&self, message: &str, text: &[u8], invalid: Invalid) -> Status {
        match invalid {
            Invalid::Malformed => self.fail([message.as_bytes(), b": '", text, b"'"].concat()),
            Invalid::OutOfRange => self.unparsed_size(message, text, invalid),
        }
    }

    /// The same for a size: the reason is told always.
    pub fn unparsed_size(&self, message: &str, text: &[u8], invalid: Invalid) -> Status {
        let errno = match invalid {
            Invalid::Malformed => Errno::EINVAL,
            Invalid::OutOfRange => Errno::ERANGE,
        };
        let reason = words(&io::Error::from_raw_os_error(errno as i32));
        let message = [message.as_bytes(), b": '", text, b"': ", reason.as_bytes()];
        self.fail(message.concat())
    }

    /// Says where to learn how the program is called.
    pub fn try_help(&self) -> Status {
        say(&[b"Try '", self.name(), b" --help' for more information."]);
        Status::Failed
    }

    /// The next option. Shows help and version itself.
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
                say(&[&self.path, b": ", &message]);
                Err(self.try_help())
            }
        }
    }

    /// Prints whose program this is, and whose manners it has.
    pub fn version(&mut self, manners: &str) {
        let name = String::from_utf8_lossy(self.name()).into_owned();
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("{name} from ipctool {version}{manners}\n");
        self.out.extend(line.bytes());
    }
}

/// One line on standard error, in one piece.
fn say(parts: &[&[u8]]) {
    // There is nobody left to tell if this fails.
    let _ = io::stderr().write_all(&[&parts.concat(), &b"\n"[..]].concat());
}

/// An error in the words of `strerror(3)`.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
