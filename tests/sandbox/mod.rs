//! A shell in an IPC namespace of its own, with a `/dev` of its own, and in it `/dev/shm` and
//! `/dev/mqueue`, so that tests run side by side and never see, or touch, the objects of the machine.
//!
//! ```ignore
//! let Some(shell) = Sandbox::new() else { return };
//! shell.run("ipctool create msg --key 0xbeef").prints("msg:0\n");
//! ```
//!
//! Root makes the namespace as it is, anybody else by way of a user namespace. Where neither is
//! allowed, the test is skipped; [`skip()`] says what that means.
#![allow(dead_code, unused_imports, clippy::disallowed_methods)]

mod programs;
mod running;
mod skip;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use running::Running;
pub use skip::{
    CAP_SYS_RESOURCE, Needs, is_root, only_ordinary_user, only_root, only_with, sees_everybody,
    skip,
};

/// The uid that root changes to in order to be another user.
pub const NOBODY: u32 = 65_534;

/// A command that hangs is killed after a minute, with everything that it started. The status is 124.
const IN_TIME: [&str; 4] = ["timeout", "-k", "1", "60"];

/// The caller of the tests may ignore signals: a shell without job control ignores SIGINT for what it
/// starts in the background. A shell cannot reset a signal that it was started with, env(1) can.
const NO_SIGNAL_IGNORED: [&str; 2] = ["env", "--default-signal"];

/// Gives the shell a `/dev` of its own, with an empty `/dev/shm`.
const OWN_DEV: &str = include_str!("dev.sh");

/// Makes POSIX queues small unless a test wants large ones: a user has few bytes for those of all
/// their namespaces, in which tests run side by side.
const SMALL_QUEUES: &str = "echo 512 2> /dev/null > /proc/sys/fs/mqueue/msgsize_default || true";

/// Mounts the POSIX queues of the namespace where programs expect them.
pub const OWN_QUEUES: &str = "mkdir /dev/mqueue; mount -t mqueue mqueue /dev/mqueue";

/// Waits until something is so, for twenty seconds at most.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    until_or(is_so, || what.to_owned());
}

/// The same, with what to say if it never is.
#[track_caller]
pub fn until_or(is_so: impl Fn() -> bool, what: impl FnOnce() -> String) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        if Instant::now() >= deadline {
            panic!("never: {}", what());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A shell in a namespace of its own.
pub struct Sandbox {
    /// Lives as long as its standard input is open, and with it the namespace.
    holder: Child,
    entry: Vec<String>,
    directory: tempfile::TempDir,
}

impl Sandbox {
    /// A namespace in which the test is who it is outside.
    pub fn new() -> Option<Sandbox> {
        Sandbox::enter(OWN_QUEUES, false)
    }

    /// A namespace over which the test has every privilege: it may set its limits and mount.
    pub fn privileged() -> Option<Sandbox> {
        Sandbox::enter(OWN_QUEUES, true)
    }

    /// As [`Sandbox::new`], but with no `/dev/mqueue`: these commands, which may mount, run in its
    /// place.
    pub fn prepared(commands: &str) -> Option<Sandbox> {
        Sandbox::enter(commands, false)
    }

    /// As [`Sandbox::new`], with the program `posix` in its directory, which does with POSIX objects
    /// what programs do.
    pub fn with_posix() -> Option<Sandbox> {
        let shell = Sandbox::new()?;
        shell.compile("posix");
        Some(shell)
    }

    /// With the program `forbid` in its directory, which runs a command in which some system calls
    /// fail: `./forbid ENOSYS msgget,semget COMMAND…`.
    pub fn can_forbid(self) -> Option<Sandbox> {
        self.compile("forbid");
        match self.run("./forbid EPERM msgget true").status() {
            0 => Some(self),
            _ => {
                skip(Needs::Machine, "no seccomp filter is to be had here");
                None
            }
        }
    }

    fn enter(commands: &str, is_privileged: bool) -> Option<Sandbox> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut unshare = Command::new("unshare");
        unshare.args(["--ipc", "--mount"]);
        if !is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        let stay = "echo ready $$; read forever";
        // A user who is root of the namespaces only in order to mount gets their own uid back through one
        // more namespace below.
        let stay = match is_root() || is_privileged {
            true => stay.to_owned(),
            false => {
                let data = std::fs::metadata("/proc/self").expect("/proc is mounted");
                let (uid, gid) = (data.uid(), data.gid());
                format!("unshare --user --map-user={uid} --map-group={gid} sh -c '{stay}'; :")
            }
        };
        let holder = unshare
            .args(["sh", "-ec", &format!("{OWN_DEV}\n{SMALL_QUEUES}\n{commands}\n{stay}")])
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut holder = match holder {
            Ok(holder) => holder,
            Err(error) => {
                skip(Needs::Machine, &format!("there is no unshare(1): {error}"));
                return None;
            }
        };
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the holder speaks");
        let Some(inner) = line.strip_prefix("ready ") else {
            let mut reason = String::new();
            let _ = holder.stderr.take().expect("it is piped").read_to_string(&mut reason);
            let _ = holder.wait();
            skip(Needs::Machine, &format!("no sandbox can be made here: {}", reason.trim()));
            return None;
        };
        let mut entry = format!(
            "nsenter --ipc --mount --target {} --wdns={}",
            holder.id(),
            directory.path().display()
        );
        if !is_root() {
            entry += " --user --preserve-credentials";
        }
        if !is_root() && !is_privileged {
            entry += &format!(" nsenter --user --preserve-credentials --target {inner}");
        }
        let entry = entry.split_whitespace().map(str::to_owned).collect();
        let sandbox = Sandbox { holder, entry, directory };
        open_to_all(sandbox.directory.path());
        Some(sandbox)
    }

    /// The directory in which the shell starts: empty, and open to every user.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a line of shell.
    pub fn run(&self, line: &str) -> Ran {
        self.run_with(line, b"")
    }

    /// Runs a line of shell with this standard input.
    pub fn run_with(&self, line: &str, input: &[u8]) -> Ran {
        Ran { line: line.to_owned(), output: finish(self.command(&IN_TIME, line), input) }
    }

    /// Runs a line of shell again and again until what it prints is right.
    #[track_caller]
    pub fn until(&self, line: &str, is_right: impl Fn(&Ran) -> bool) -> Ran {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let ran = self.run(line);
            if is_right(&ran) {
                return ran;
            }
            assert!(Instant::now() < deadline, "it never came to that{}", ran.report());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs a condition again and again until it succeeds, for twenty seconds at most.
    #[track_caller]
    pub fn wait_until(&self, condition: &str) {
        self.until(condition, |ran| ran.status() == 0);
    }

    /// Runs a line of shell while a process has the segment with this id attached.
    pub fn run_while_attached(&self, id: u32, line: &str) -> Ran {
        self.compile("use");
        self.run(&format!(
            "mkfifo attached; ./use shm {id} > attached & read line < attached; rm attached; \
             {line}; kill $!; wait"
        ))
    }

    /// Whether Python has this module; if not, the part that takes it is skipped.
    #[track_caller]
    pub fn has_python(&self, module: &str) -> bool {
        let has = self.run(&format!("python3 -c 'import {module}'")).status() == 0;
        if !has {
            skip(Needs::Machine, &format!("python3 cannot import {module}"));
        }
        has
    }

    /// Runs a line of shell as another user. Only root can do that; `None` for other users.
    pub fn run_as(&self, uid: u32, line: &str) -> Option<Ran> {
        if !only_root("only root can be two users") {
            return None;
        }
        let uid = uid.to_string();
        let step_down = ["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"];
        let prefix = [&IN_TIME[..], &step_down].concat();
        // The directory in which it was built may be closed to others.
        let binary = self.directory().join("ipctool");
        if !binary.exists() {
            // It is large, so there is one of it where that is possible.
            let built = env!("CARGO_BIN_EXE_ipctool");
            std::fs::hard_link(built, &binary)
                .or_else(|_| std::fs::copy(built, &binary).map(drop))
                .expect("room for the binary");
        }
        let line_there = format!("PATH={}:$PATH; {line}", self.directory().display());
        let output = finish(self.command(&prefix, &line_there), b"");
        Some(Ran { line: line.to_owned(), output })
    }

    /// Starts a line of shell in the background. The line should `exec` its program.
    pub fn start(&self, line: &str) -> Running {
        let mut command = self.command(&[], line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { line: line.to_owned(), child: Some(command.spawn().expect("nsenter runs")) }
    }

    /// A line of shell that is not started yet, with this command before it.
    pub fn command(&self, prefix: &[&str], line: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let built = Path::new(env!("CARGO_BIN_EXE_ipctool")).parent().expect("a directory");
        let (enter, arguments) = self.entry.split_first().expect("a command");
        let mut command = Command::new(enter);
        command
            .args(arguments)
            .args(NO_SIGNAL_IGNORED)
            .args(prefix)
            .args(["sh", "-c", line])
            .current_dir(self.directory())
            .env("PATH", format!("{}:{path}", built.display()))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env_remove("NO_COLOR");
        command
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// Runs a command with this standard input to its end.
fn finish(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("nsenter runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    std::thread::scope(|scope| {
        // A program need not read all of its input.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("it ends")
    })
}

fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(directory, mode).expect("it is ours");
}

/// The result of a line of shell. Every method fails with everything that helps to find out why.
pub struct Ran {
    line: String,
    output: Output,
}

impl Ran {
    /// It ended with status 0 and without a word on standard error.
    #[track_caller]
    pub fn ok(self) -> Ran {
        let ran = self.exits(0);
        assert!(ran.output.stderr.is_empty(), "it complained{}", ran.report());
        ran
    }

    /// It ended with this status; 128+N if signal N ended it.
    #[track_caller]
    pub fn exits(self, status: i32) -> Ran {
        assert_eq!(self.status(), status, "its status{}", self.report());
        self
    }

    /// It succeeded and printed just this.
    #[track_caller]
    pub fn prints(self, expected: &str) -> Ran {
        let ran = self.ok();
        assert_eq!(ran.stdout(), expected, "its output{}", ran.report());
        ran
    }

    /// It wrote this, among other things, to standard error.
    #[track_caller]
    pub fn says(self, expected: &str) -> Ran {
        assert!(self.stderr().contains(expected), "it did not say {expected:?}{}", self.report());
        self
    }

    /// It did not write this to standard error.
    #[track_caller]
    pub fn denies(self, unexpected: &str) -> Ran {
        assert!(!self.stderr().contains(unexpected), "it said {unexpected:?}{}", self.report());
        self
    }

    /// It printed this, among other things.
    #[track_caller]
    pub fn shows(self, expected: &str) -> Ran {
        assert!(self.stdout().contains(expected), "it did not show {expected:?}{}", self.report());
        self
    }

    /// It did not print this.
    #[track_caller]
    pub fn lacks(self, unexpected: &str) -> Ran {
        assert!(!self.stdout().contains(unexpected), "it showed {unexpected:?}{}", self.report());
        self
    }

    /// Its standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Its standard output, byte for byte.
    pub fn bytes(&self) -> &[u8] {
        &self.output.stdout
    }

    /// Its standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}{}", self.report()))
    }

    /// The records that it printed, as a JSON array or as JSON lines.
    #[track_caller]
    pub fn records(&self) -> Vec<Value> {
        let values = serde_json::Deserializer::from_slice(&self.output.stdout).into_iter();
        let values = values.collect::<Result<Vec<_>, _>>();
        match values.unwrap_or_else(|error| panic!("no JSON: {error}{}", self.report())) {
            values if matches!(values.as_slice(), [Value::Array(_)]) => {
                values[0].as_array().expect("it is one").clone()
            }
            values => values,
        }
    }

    /// These fields (words with blanks between) of each record that it printed, an array a record.
    #[track_caller]
    pub fn fields(&self, names: &str) -> Value {
        self.records().iter().map(|record| fields_of(record, names)).collect()
    }

    /// Its exit status, as a shell reports it.
    pub fn status(&self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let status = self.output.status;
        status.code().or(status.signal().map(|signal| 128 + signal)).expect("it has ended")
    }

    fn report(&self) -> String {
        format!(
            "\n$ {}\nstatus {}\n--- stdout\n{}--- stderr\n{}---",
            self.line,
            self.status(),
            self.stdout(),
            self.stderr()
        )
    }
}

/// These fields (words with blanks between) of a record, as an array.
pub fn fields_of(record: &Value, names: &str) -> Value {
    names.split_whitespace().map(|name| record[name].clone()).collect()
}
