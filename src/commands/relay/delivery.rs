//! One attempt to deliver messages: a run of the command.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};

use super::signs::Signs;
use crate::kernel::io::os_error;

/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// How an attempt ended.
pub(super) enum Attempt {
    /// The command has them.
    Delivered,
    /// It failed, and why.
    Failed(String),
    /// It could not be started, for which no message is to blame.
    NotStarted(io::Error),
}

/// What is run.
pub(super) struct Deliverer<'a> {
    pub command: &'a [OsString],
    pub timeout: Option<Duration>,
}

impl Deliverer<'_> {
    /// Starts the command with this input.
    pub fn start(&self, input: &[u8], environment: &[(&str, String)]) -> io::Result<Running> {
        let child = self.spawn(file_with(input)?, environment)?;
        let deadline = self.timeout.and_then(|time| Instant::now().checked_add(time));
        Ok(Running { child, deadline })
    }

    fn spawn(&self, input: File, environment: &[(&str, String)]) -> io::Result<Child> {
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let environment = environment.iter().map(|(name, value)| (name, value));
        Command::new(program)
            .args(arguments)
            .envs(environment)
            .stdin(Stdio::from(input))
            // What is typed at a terminal ends relay alone, which lets the command finish.
            .process_group(0)
            .spawn()
    }
}

/// The command while it runs.
pub(super) struct Running {
    child: Child,
    deadline: Option<Instant>,
}

impl Running {
    /// Waits for its end. Signals to this process are noted meanwhile.
    pub fn finish(mut self, signs: &mut Signs) -> Attempt {
        match self.wait(signs) {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(0), _) => Attempt::Delivered,
                (Some(code), _) => Attempt::Failed(format!("the command ended with status {code}")),
                (None, signal) => {
                    let signal = signal.unwrap_or(0);
                    let name =
                        Signal::try_from(signal).map_or(String::new(), |it| format!(" ({it})"));
                    Attempt::Failed(format!("the command was ended by signal {signal}{name}"))
                }
            },
            Err(why) => Attempt::Failed(why),
        }
    }

    fn wait(&mut self, signs: &mut Signs) -> Result<ExitStatus, String> {
        let failed = |error: io::Error| os_error::describe(&error);
        loop {
            if let Some(status) = self.child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            let left =
                self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                end(&mut self.child, signs).map_err(failed)?;
                return Err("the command took longer than --timeout, and was ended".to_owned());
            }
            signs.wait(left);
        }
    }
}

/// Ends a command and what it started.
fn end(child: &mut Child, signs: &mut Signs) -> io::Result<()> {
    let group = Pid::from_raw(child.id() as i32);
    let deadline = Instant::now() + GRACE;
    // It may have ended by itself.
    let _ = killpg(group, Signal::SIGTERM);
    while Instant::now() < deadline {
        if child.try_wait()?.is_some() {
            break;
        }
        signs.wait(Some(deadline.saturating_duration_since(Instant::now())));
    }
    let _ = killpg(group, Signal::SIGKILL);
    child.wait().map(drop)
}

/// A file without a name with this content. In place of a pipe it needs nobody who writes while the command reads,
/// or does not.
fn file_with(input: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("message", MemfdFlags::CLOEXEC)?);
    file.write_all(input)?;
    file.rewind()?;
    Ok(file)
}
