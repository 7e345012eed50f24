//! How the programs of old talk: output that is written at the end, and messages behind the name of
//! the program, as `stdio(3)`, `err(3)` and util-linux have it.

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

/// Output is written in blocks of this size, as `stdio(3)` has it: so what is said on standard error
/// comes between the same bytes, where both lead to the same place.
const BLOCK: usize = 4096;

/// How a program ends early: it has said why.
pub(in crate::personality) type Result<T> = std::result::Result<T, Status>;

/// One run of a program.
pub(in crate::personality) struct Session {
    /// Where the objects are.
    pub namespace: Rc<Namespace>,
    /// What it was called by, path and all.
    path: Vec<u8>,
    /// What is to be written to standard output.
    pub out: Vec<u8>,
    /// It is not written any more once that has failed.
    broken: Option<io::Error>,
    by_line: bool,
    /// A message to standard error could not be written.
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

    /// The name of the program, without its path.
    pub fn name(&self) -> &[u8] {
        let start = self.path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        &self.path[start..]
    }

    /// Writes whole blocks, or all that there is if somebody looks on. Who writes to a pipe that
    /// nobody reads ends here, as a program of C does: what it had still to do is not done.
    pub fn flush_some(&mut self) {
        // A block goes when something comes behind it.
        let blocks = self.out.len().saturating_sub(1) / BLOCK * BLOCK;
        self.write(if self.by_line { self.out.len() } else { blocks });
        if let Some(signal) = self.broken.as_ref().and_then(signal_of) {
            signals::end_by(signal);
        }
    }

    /// Writes as many bytes. The first error is kept, and what comes after it is not written.
    fn write(&mut self, length: usize) {
        if self.broken.is_none() && length > 0 {
            // Off a terminal, every byte is as in the old programs.
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

    /// What has become of the output so far.
    pub fn take_broken(&mut self) -> Option<io::Error> {
        self.write(self.out.len());
        self.broken.take()
    }

    /// Whether nobody reads on.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Writes what is left. Output that was not written makes a failure of every success, on standard
    /// error, too.
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

    /// How it ends when output could not be written: at the end or, if `early`, before.
    fn unwritten(&self, error: &io::Error, early: bool, status: Status) -> Status {
        match error.raw_os_error().map(Errno::from_raw) {
            _ if let Some(signal) = signal_of(error) => Status::Signal(signal),
            // The old programs have forgotten the reason when they come to tell it.
            _ if early => self.fail("write error"),
            // Who went away has read enough, and who closes it from the start wants no output.
            Some(Errno::EPIPE | Errno::EBADF) => status,
            _ => self.fail([b"write error: ", strerror(error).as_bytes()].concat()),
        }
    }

    /// One line on standard error, in one piece.
    fn say(&self, parts: &[&[u8]]) {
        let mut line = parts.concat();
        if io::stderr().is_terminal() {
            line = Foreign::from(&*line).to_string().into();
        }
        let is_written = inherited::was_open(2) && stderr::write_line(line).is_ok();
        self.unwritten.set(self.unwritten.get() || !is_written);
    }

    /// Says something on standard error, behind the name of the program.
    pub fn warn(&self, message: impl AsRef<[u8]>) {
        self.say(&[self.name(), b": ", message.as_ref()]);
    }

    /// Says why the program fails.
    pub fn fail(&self, message: impl AsRef<[u8]>) -> Status {
        self.warn(message);
        Status::Failed
    }

    /// The same for a call that failed.
    pub fn fail_with(&self, message: &str, errno: Errno) -> Status {
        let error = io::Error::from_raw_os_error(errno as i32);
        self.fail(format!("{message}: {}", strerror(&error)))
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
        let reason = strerror(&io::Error::from_raw_os_error(errno as i32));
        let message = [message.as_bytes(), b": '", text, b"': ", reason.as_bytes()];
        self.fail(message.concat())
    }

    /// Says where to learn how the program is called.
    pub fn try_help(&self) -> Status {
        self.say(&[b"Try '", self.name(), b" --help' for more information."]);
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
                self.say(&[&self.path, b": ", &message]);
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

/// The signal that this error would have been in a program of C.
fn signal_of(error: &io::Error) -> Option<i32> {
    let is_closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
    inherited::signal_of_closed_pipe().filter(|_| is_closed_pipe)
}
