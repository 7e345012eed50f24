//! The world of a lesson, seen from `learn`: an IPC namespace of its own with a shell in it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use memchr::memmem;

use super::VERB;
use super::keeper::{CALLS_FILE, HERE, START_FILE};
use super::stage::Turn;
use crate::commands::Error;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::command_line::shell_word;
use crate::kernel::descendants::child::{self, Preparation};
use crate::kernel::io::{os_error, poll};
use crate::kernel::signals::Inbox;
use crate::kernel::terminal::{self, Pseudoterminal};
use crate::lesson::Calls;

/// The size of the terminal to which commands print.
pub(super) const COLUMNS: u16 = 80;
pub(super) const ROWS: u16 = 24;

/// How long a command of a lesson may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends what a command prints, before its status and a newline.
const END: &[u8] = b"\x1eipctool-lesson:";

/// How much of what a command prints a check can look at.
const LONGEST_OUTPUT: usize = 16 << 10;

/// How much of a command a message names.
const LONGEST_NAME: usize = 100;

/// How often to look after the shell of a student.
const LOOK: Duration = Duration::from_millis(500);

/// Why a lesson does not go on.
#[derive(Debug)]
pub(super) enum Halt {
    /// A signal asks this process to end.
    Signal(i32),
    /// A person has left the screen before its end.
    Left(Turn),
    /// The world could not be made; what is wrong was printed. The status to end with.
    NoWorld(Status),
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Error(error.into())
    }
}

/// What a command did.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// What it printed.
    pub output: String,
    /// Its status.
    pub status: u8,
    /// The recorded IPC calls of `ipctool` in it, a line each.
    pub calls: Vec<String>,
}

/// A world. Dropped, it ends with all of its processes and objects.
pub(super) struct World<'a> {
    /// What asks this process to end.
    inbox: &'a Inbox,
    keeper: Child,
    /// The pid of the shell, which leads its process group.
    shell: i32,
    /// Closed, it tells the keeper that this is the end.
    requests: Option<ChildStdin>,
    screen: File,
    directory: PathBuf,
    /// Whether its shell runs, as far as is known.
    is_alive: bool,
    /// Whether there is a file for calls.
    is_recording: bool,
    /// What was printed after the end of the last command.
    rest: Vec<u8>,
}

impl<'a> World<'a> {
    /// Makes an empty world. Its commands have no privileges, unless they keep those of root.
    pub fn open(keeps_rights: bool, inbox: &'a Inbox) -> Result<World<'a>, Halt> {
        let cannot = |error: io::Error| {
            let what = format!("cannot start the lesson: {}", os_error::describe(&error));
            Halt::from(Failure::new(VERB, "", what, Reason::Failed))
        };
        let pty = Pseudoterminal::open(COLUMNS, ROWS).map_err(cannot)?;
        let keeper = if keeps_rights { "privileged" } else { "plain" };
        // Not by its path, where another version may be by now.
        let words = ["/proc/self/exe", VERB, "--world", keeper];
        // A group of its own, so that the keys of the terminal do not end it.
        let mut keeper = child::prepared(&words.map(OsString::from), inbox, Preparation::default())
            .arg0("ipctool")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(pty.programs)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let requests = keeper.stdin.take();
        let mut answer = Vec::new();
        if let Some(answers) = keeper.stderr.take() {
            BufReader::new(answers).read_until(0, &mut answer).map_err(cannot)?;
        }
        if let Some((shell, directory)) = parse(&answer) {
            return Ok(World {
                inbox,
                keeper,
                shell,
                requests,
                screen: pty.screen,
                directory,
                is_alive: true,
                is_recording: true,
                rest: Vec::new(),
            });
        }
        // It printed why there is none, as this program does.
        drop(requests);
        let _ = crate::output::stderr::write_line(answer.trim_ascii_end());
        let status = keeper.wait().map_err(cannot)?.code().unwrap_or(1);
        Err(Halt::NoWorld(match status {
            5 => Status::NotPermitted,
            _ => Status::Failed,
        }))
    }

    /// Whether its shell runs, as far as is known.
    pub fn is_alive(&self) -> bool {
        self.is_alive
    }

    /// Ends it, with all of its processes and objects.
    pub fn end(&mut self) {
        self.requests = None;
        let ended = self.keeper.wait();
        if ended.is_ok_and(|status| status.signal().is_some()) {
            // It could not do that itself.
            let _ = fs::remove_dir_all(&self.directory);
        }
    }

    /// Runs shell commands to their end, and records these of their calls.
    ///
    /// The shell does all that concerns files, with its own rights: a student may have put anything in their place.
    pub fn run(&mut self, commands: &str, which: &Calls) -> Result<Done, Halt> {
        self.run_as(commands, commands, which)
    }

    /// The same for commands that are called something else where they fail.
    fn run_as(&mut self, name: &str, commands: &str, which: &Calls) -> Result<Done, Halt> {
        let records = *which != Calls::NONE;
        let file = shell_word(self.directory.join(CALLS_FILE).as_os_str().as_bytes());
        // Only to a file that is there are they written, which takes time if there are many.
        if records || self.is_recording {
            let prepare = if records { format!(": > {file}") } else { format!("rm -f {file}") };
            let prepare = format!("{{ {prepare}; }} 2>/dev/null");
            self.request(name, &prepare, Some(PATIENCE))?;
            self.is_recording = records;
        }
        let (output, status) = self.request(name, commands, Some(PATIENCE))?;
        let mut calls = Vec::new();
        if records {
            let (text, _) =
                self.request(name, &format!("cat {file} 2>/dev/null"), Some(PATIENCE))?;
            calls = text.lines().filter(|call| is_shown(call, which)).map(str::to_owned).collect();
        }
        Ok(Done { output, status, calls })
    }

    /// Whether all of these shell commands succeed, each line by itself. What they print is not shown. The variables
    /// OUTPUT and STATUS are those of the last command that is shown.
    pub fn holds(&mut self, test: &str, last: &Done) -> Result<bool, Halt> {
        let (output, status) = (beginning(last.output.trim_end(), LONGEST_OUTPUT), last.status);
        let mut all = format!("( OUTPUT={} STATUS={status}\n{{ ", shell_word(output));
        for line in test.lines() {
            let goes_on = ["\\", "&&", "||", "|"].iter().any(|end| line.ends_with(end));
            all += line;
            all += if goes_on { "\n" } else { "\n} || exit 1\n{ " };
        }
        all += ":; } ) >/dev/null 2>&1";
        Ok(self.run_as(test, &all, &Calls::NONE)?.status == 0)
    }

    /// Writes a file into the directory of the lesson.
    pub fn write(&mut self, file: &str, content: &str) -> Result<(), Halt> {
        let path = shell_word(self.directory.join(HERE).join(file).as_os_str().as_bytes());
        let commands = format!("printf %s {} > {path}", shell_word(content));
        let done = self.run(&commands, &Calls::NONE)?;
        if done.status == 0 {
            return Ok(());
        }
        Err(Failure::new(VERB, file, done.output.trim_end(), Reason::Failed).into())
    }

    /// Runs an interactive shell on the terminal, until it exits.
    pub fn try_it(&mut self) -> Result<(), Halt> {
        let start = shell_word(self.directory.join(START_FILE).as_os_str().as_bytes());
        let shell = format!(
            "if command -v bash >/dev/null; then bash --noprofile --rcfile {start} -i; else sh -i; fi </dev/tty >/dev/tty 2>&1"
        );
        let tried = terminal::with_foreground(self.shell, || self.request("t", &shell, None))?;
        match tried {
            // However the student has ended it.
            Err(_) if !self.is_alive => Ok(()),
            tried => tried.map(drop),
        }
    }

    /// Sends commands to the shell, and returns what they print, and their status.
    fn request(
        &mut self,
        name: &str,
        commands: &str,
        patience: Option<Duration>,
    ) -> Result<(String, u8), Halt> {
        let answer = self.answer_to(name, commands, patience);
        self.is_alive &= answer.is_ok();
        answer
    }

    fn answer_to(
        &mut self,
        name: &str,
        commands: &str,
        patience: Option<Duration>,
    ) -> Result<(String, u8), Halt> {
        let named = beginning(name.trim(), LONGEST_NAME);
        let ended = || {
            let what = format!("the shell of the lesson has ended at '{named}'");
            Halt::from(Failure::new(VERB, "", what, Reason::Failed))
        };
        let line = commands.replace('\\', "\\\\").replace('\n', "\\n") + "\n";
        let requests = self.requests.as_mut().filter(|_| self.is_alive).ok_or_else(ended)?;
        requests.write_all(line.as_bytes()).map_err(|_| ended())?;
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut printed = std::mem::take(&mut self.rest);
        let mut looked = 0_usize;
        loop {
            let from = looked.saturating_sub(END.len());
            if let Some(end) = memmem::find(&printed[from..], END).map(|place| from + place) {
                let status = &printed[end + END.len()..];
                if let Some(length) = status.iter().position(|&byte| byte == b'\n') {
                    let number = String::from_utf8_lossy(&status[..length]).parse();
                    // What runs in the background may have printed more since.
                    self.rest = status[length + 1..].to_vec();
                    printed.truncate(end);
                    let output = String::from_utf8_lossy(&printed).into_owned();
                    return Ok((output, number.unwrap_or(0)));
                }
            } else {
                looked = printed.len();
            }
            if let Some(signal) = self.inbox.asked_to_end() {
                return Err(Halt::Signal(signal));
            }
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                let seconds = PATIENCE.as_secs();
                let what = format!("'{named}' has not ended after {seconds} s");
                return Err(Failure::new(VERB, "", what, Reason::Failed).into());
            }
            if left.is_none() {
                // An interactive shell that stops itself would wait for ever.
                terminal::wake_foreground();
            }
            let time = left.unwrap_or(LOOK);
            poll::wait_any_readable(&[self.screen.as_fd(), self.inbox.as_fd()], Some(time));
            if !poll::is_readable(&self.screen) {
                continue;
            }
            let mut bytes = [0; 4096];
            match self.screen.read(&mut bytes) {
                // EIO: nobody has the other end open any more.
                Ok(0) | Err(_) => return Err(ended()),
                Ok(count) => printed.extend_from_slice(&bytes[..count]),
            }
        }
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// The answer of a keeper: the pid of the shell, and the directory.
fn parse(answer: &[u8]) -> Option<(i32, PathBuf)> {
    let answer = answer.strip_suffix(b"\0")?;
    let (shell, directory) = answer.split_at(answer.iter().position(|&byte| byte == b' ')?);
    let shell = str::from_utf8(shell).ok()?.parse().ok()?;
    Some((shell, OsStr::from_bytes(&directory[1..]).into()))
}

/// At most so many bytes of a text.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Whether a call is one of these.
fn is_shown(call: &str, which: &Calls) -> bool {
    match which {
        Calls::All => true,
        Calls::Only(names) => {
            let (name, arguments) = call.split_once('(').unwrap_or((call, ""));
            names.iter().any(|one| match one.split_once('/') {
                Some((one, flag)) => one == name && arguments.contains(flag),
                None => one == name,
            })
        }
    }
}
