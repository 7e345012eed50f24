//! The keeper of a lesson's world: the process that makes it, runs the shell in it, and ends all of it.
//!
//! It is a process of its own, so that nothing of a lesson outlives `learn`, however that ends: it notices the end of its
//! standard input.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::VERB;
use super::calls::CALLS;
use crate::commands::{Result, print_error};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::Foreign;
use crate::kernel::descendants::child::{self, Fate, Preparation, Rights};
use crate::kernel::io::directory::Directory;
use crate::kernel::io::stdio::StandardError;
use crate::kernel::io::{os_error, poll};
use crate::kernel::namespace::create::{self, Forbidden, Plan};
use crate::kernel::process;
use crate::kernel::signals::{self, Inbox};
use crate::personality;

/// The directories of a lesson: where its commands run, and what else it needs.
pub(super) const HERE: &str = "here";
const PROGRAMS: &str = "bin";
const QUEUES: &str = "mqueue";
/// The file with the calls of its commands.
pub(super) const CALLS_FILE: &str = "calls";
/// What an interactive shell reads at its start.
pub(super) const START_FILE: &str = "start";

/// What the shell of a lesson runs: commands from its standard input, each a line with its newlines and backslashes
/// escaped, and behind each what [`super::world`] knows its end by.
///
/// All variables are exported, so that a student has them in the shell of `t`, too.
const SHELL: &str = r#"set -a
while IFS= read -r _line; do
eval "$(printf %b "$_line")" </dev/null
printf '\036ipctool-lesson:%s\n' "$?"
done"#;

/// An interactive shell says where it is, and completes the command lines of this program.
const START: &str = "PS1='lesson$ '
HISTFILE=
[ -z \"$BASH_VERSION\" ] || eval \"$(COMPLETE=bash ipctool)\"
";

/// The usual limit on bytes for the POSIX queues of a user, `getrlimit(2)`.
const USUAL_QUEUE_BYTES: u64 = 819_200;

/// How long processes may take to end once they are killed.
const DEATH: Duration = Duration::from_secs(5);

/// Makes a world, says its directory on standard error, and keeps it until standard input is closed. Its shell prints to
/// standard output.
pub(super) fn run(keeps_rights: bool) -> Result<Status> {
    let cannot = |what: &str| {
        let what = format!("cannot {what} of the lesson");
        move |error: io::Error| {
            Failure::new(
                VERB,
                "",
                format!("{what}: {}", os_error::describe(&error)),
                Reason::Failed,
            )
        }
    };
    let directory = tempfile::Builder::new().prefix("ipctool-learn-").tempdir();
    let directory = directory.map_err(|error| {
        let place = Foreign::from(env::temp_dir().as_path());
        cannot("make the directory")(error)
            .with_hint(format_args!("it belongs into {place} (TMPDIR)"))
    })?;
    let path = directory.path();
    furnish(path).map_err(cannot("fill the directory"))?;
    let (plan, has_processes) = plan(path).map_err(forbidden)?;
    // A lesson is the same on every machine, with the limits that a kernel comes with.
    plan.enter_anew().map_err(forbidden)?;
    let _ = process::lower_queue_bytes(USUAL_QUEUE_BYTES);
    let rights = match (keeps_rights, has_processes || plan.is_by_user()) {
        (true, _) => Rights::All,
        // It reaches the processes of the lesson alone.
        (false, true) => Rights::Observe,
        (false, false) => Rights::None,
    };
    // The directory itself, whatever becomes of its path.
    let queues = plan.mqueue().and_then(|path| Directory::open(path).ok());
    let preparation = Preparation { mounts_proc: has_processes, rights, dies_with_parent: true };
    let kept = keep(path, preparation);
    queues.iter().for_each(unlink_all);
    drop(queues);
    // The directory of a mount cannot be removed where it is mounted.
    let _ = create::unmount(&path.join(QUEUES));
    match kept {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let failure = cannot("start the shell")(error);
            Err(failure.with_hint("a lesson needs sh in one of the directories of PATH").into())
        }
        kept => Ok(kept.map(|()| Status::Done).map_err(cannot("start the shell"))?),
    }
}

/// Removes all POSIX queues. The kernel would do that later, and charge the user for them until then.
fn unlink_all(queues: &Directory) {
    for queue in fs::read_dir(queues.path()).into_iter().flatten().flatten() {
        // One that cannot be removed goes with the namespace.
        let _ = queues.unlink(&queue.file_name());
    }
}

/// Runs the shell of a world until it ends, or until the world is to end.
fn keep(path: &Path, preparation: Preparation) -> io::Result<()> {
    child::adopt_orphans()?;
    let inbox = Inbox::open()?;
    let shell = start(path, &inbox, preparation)?;
    let answer = [shell.to_string().as_bytes(), b" ", path.as_os_str().as_bytes(), b"\0"].concat();
    let told = StandardError.write_all(&answer);
    let stdin = io::stdin();
    while told.is_ok() && !is_at_end(shell, &inbox) && !poll::is_hung_up(&stdin) {
        poll::wait_hung_up(&stdin, &inbox);
    }
    end_all(&inbox);
    told
}

/// Whether the shell has ended, or a signal asks this process to end.
fn is_at_end(shell: i32, inbox: &Inbox) -> bool {
    let mut is_at_end = inbox.asked_to_end().is_some();
    while let Some(fate) = child::reap() {
        is_at_end |= matches!(fate, Fate::Ended(pid, _) if pid == shell);
    }
    is_at_end
}

/// The namespaces of a world, and whether its processes are in one, too: then a student sees and reaches no others. In
/// many containers that is not permitted, as they hide parts of `/proc`.
fn plan(directory: &Path) -> Result<(Plan, bool), Forbidden> {
    let new = || Plan::new(true).map(|plan| plan.or_mqueue_at(directory.join(QUEUES)));
    let whole = new()?.with_processes();
    if whole.try_out().is_ok() {
        return Ok((whole, true));
    }
    let plan = new()?;
    plan.try_out()?;
    Ok((plan, false))
}

/// What a world needs in its directory.
fn furnish(path: &Path) -> io::Result<()> {
    for name in [HERE, PROGRAMS, QUEUES] {
        fs::create_dir(path.join(name))?;
    }
    fs::write(path.join(CALLS_FILE), "")?;
    // The commands of a lesson print without colours, which those of the student need not.
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    fs::write(
        path.join(START_FILE),
        [START, if plain { "" } else { "unset NO_COLOR\n" }].concat(),
    )?;
    let program = env::current_exe()?;
    let names = personality::ALL.iter().map(|personality| personality.name);
    for name in names.chain(["ipctool"]) {
        symlink(&program, path.join(PROGRAMS).join(name))?;
    }
    Ok(())
}

fn forbidden(forbidden: Forbidden) -> Failure {
    Failure::of_forbidden(VERB, "make a namespace for the lesson", forbidden).with_hint(
        "a lesson needs an IPC namespace and a mount namespace: run it as root (in a container with CAP_SYS_ADMIN), or where users may make user namespaces",
    )
}

/// Starts the shell of the world.
fn start(path: &Path, inbox: &Inbox, preparation: Preparation) -> io::Result<i32> {
    let words = ["sh", "-c", SHELL].map(OsString::from);
    let mut command = child::prepared(&words, inbox, preparation);
    let mut places = vec![path.join(PROGRAMS)];
    places.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let places = env::join_paths(places).map_err(io::Error::other)?;
    let screen = || io::stdout().as_fd().try_clone_to_owned().map(Stdio::from);
    command
        // A group of its own, which gets the terminal when the student does.
        .process_group(0)
        .current_dir(path.join(HERE))
        .env("PATH", places)
        .env(CALLS, path.join(CALLS_FILE))
        .env("NO_COLOR", "1")
        .env("PS1", "lesson$ ")
        .env("ENV", path.join(START_FILE))
        .env_remove("COLUMNS")
        .env_remove("LINES")
        .stdin(Stdio::inherit())
        .stdout(screen()?)
        .stderr(screen()?);
    Ok(command.spawn()?.id() as i32)
}

/// Kills every process of the world: all are children of this one, or become that once their parents are gone. The first
/// one of a process namespace takes all others with it.
fn end_all(inbox: &Inbox) {
    let own = std::process::id() as i32;
    let deadline = Instant::now() + DEATH;
    while child::has_children() && Instant::now() < deadline {
        for process in process::kin().into_iter().filter(|process| process.parent == own) {
            // It may have ended meanwhile, but keeps its pid until it is reaped here.
            let _ = child::kill(process.pid, signals::KILL);
        }
        while child::reap().is_some() {}
        while inbox.next().is_some() {}
        poll::wait_any_readable(&[inbox.as_fd()], Some(Duration::from_millis(2)));
    }
    if child::has_children() {
        print_error(format_args!("{VERB}: some processes of the lesson do not end"));
    }
}
