//! Runs a command as a child, and follows every descendant that becomes a child of this process:
//! `fork(2)`, `wait(2)`, `PR_SET_CHILD_SUBREAPER(2const)`, `pidfd_send_signal(2)`.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use crate::kernel::io::inherited;
use crate::kernel::namespace::create::mount_proc;
use crate::kernel::process::{ProcessIdentity, bar_capabilities, give_up_capabilities};
use crate::kernel::signals::deadly::{self, Set};
use crate::kernel::signals::inbox::Inherited;
use crate::kernel::signals::{self, Inbox};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this status.
    Status(u8),
    /// It was killed by this signal.
    Signal(i32),
}

/// A change in the state of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The child with this pid ended and is reaped.
    Ended(i32, Ended),
    /// The child with this pid was stopped.
    Stopped(i32),
}

/// Makes descendants whose parent ends children of this process, from now on.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(prctl::set_child_subreaper(true)?)
}

/// Starts a command with the descriptors and signals that this process got from its own caller: the
/// same ones closed, ignored and blocked. Returns its pid.
///
/// `extra` are capabilities (a bit each) that the command and its descendants must never gain.
pub fn spawn(words: &[OsString], inbox: &Inbox, extra: u64) -> io::Result<i32> {
    spawn_with(words, &[], inbox, extra)
}

/// [`spawn`] with variables added to its environment.
pub fn spawn_with(
    words: &[OsString],
    environment: &[(&str, String)],
    inbox: &Inbox,
    extra: u64,
) -> io::Result<i32> {
    let mut command = command(words, inbox.inherited(), extra);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    // It is reaped by its pid, like all other children.
    Ok(command.spawn()?.id() as i32)
}

/// Executes a command in place of this program, which has caught signals and has no inbox. Returns only if that
/// fails. A signal that was caught before ends this process.
pub fn replace(words: &[OsString]) -> io::Error {
    // From here on signals end this process, so none is caught and then forgotten.
    for signal in deadly::signals().filter(|&signal| !deadly::is_ignored(signal)) {
        if let Err(error) = deadly::set_default(signal) {
            return error;
        }
    }
    if let Some(signal) = signals::pending() {
        signals::end_by(signal);
    }
    match Set::blocked() {
        Ok(mask) => {
            let ignored_children = deadly::is_ignored(libc::SIGCHLD);
            command(words, Inherited { mask, ignored_children }, 0).exec()
        }
        Err(error) => error,
    }
}

/// What a child does before it becomes its command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preparation {
    /// Mounts a `/proc` of its own process namespace.
    pub mounts_proc: bool,
    /// Which capabilities it keeps.
    pub rights: Rights,
    /// Is killed when this process ends.
    pub dies_with_parent: bool,
}

/// Which capabilities a child keeps, and with it all of its descendants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// Those of this process.
    #[default]
    All,
    /// To look at other processes.
    Observe,
    /// None.
    None,
}

/// A command for the caller to connect and start, with the signals that this process got from its own caller.
pub fn prepared(words: &[OsString], inbox: &Inbox, preparation: Preparation) -> Command {
    let inherited = inbox.inherited();
    command_after(words, move || {
        if preparation.mounts_proc {
            mount_proc()?;
        }
        match preparation.rights {
            Rights::All => {}
            Rights::Observe => give_up_capabilities(true)?,
            Rights::None => give_up_capabilities(false)?,
        }
        // Behind the change of the rights, which would undo it.
        if preparation.dies_with_parent {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
        }
        inherited.restore_signals()
    })
}

impl Inherited {
    /// Gives another program, which this process is about to execute, the descriptors and signals of its own start.
    /// Async-signal-safe.
    pub fn restore(self) -> io::Result<()> {
        for descriptor in (0..3).filter(|&number| !inherited::was_open(number as usize)) {
            // SAFETY: the caller had this descriptor closed. The start of the program opened /dev/null
            // there, which this process does not use before it runs the other program.
            unsafe { libc::close(descriptor) };
        }
        self.restore_signals()
    }

    fn restore_signals(self) -> io::Result<()> {
        let children = std::iter::once((libc::SIGCHLD, self.ignored_children));
        for (signal, is_ignored) in inherited::ignored().chain(children) {
            match is_ignored {
                true => deadly::ignore(signal)?,
                false => deadly::set_default(signal)?,
            }
        }
        self.mask.change(libc::SIG_SETMASK).map(drop)
    }
}

fn command(words: &[OsString], inherited: Inherited, extra: u64) -> Command {
    command_after(words, move || {
        bar_capabilities(extra);
        inherited.restore()
    })
}

/// A command that begins with this in the child, which may make system calls alone.
fn command_after(
    words: &[OsString],
    begin: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    // SAFETY: between fork and exec, both callers of this function make system calls alone.
    unsafe { command.pre_exec(begin) };
    command
}

/// The next change in the state of a child, if there is one. A child that ended is reaped by this call.
pub fn reap() -> Option<Fate> {
    let mut status = 0;
    // Not with a library that names signals: it has no names for real-time signals.
    // SAFETY: the pointer is to a number that outlives the call.
    let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG | libc::WUNTRACED) };
    if pid <= 0 {
        return None;
    }
    Some(match status {
        _ if libc::WIFSTOPPED(status) => Fate::Stopped(pid),
        _ if libc::WIFSIGNALED(status) => Fate::Ended(pid, Ended::Signal(libc::WTERMSIG(status))),
        _ => Fate::Ended(pid, Ended::Status(libc::WEXITSTATUS(status) as u8)),
    })
}

/// Whether this process has children, dead or alive.
pub fn has_children() -> bool {
    let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT | WaitPidFlag::WEXITED;
    waitid(Id::All, flags) != Err(Errno::ECHILD)
}

/// Sends a signal to this process but never to a later one with its pid; `ESRCH` if it has ended.
pub fn signal(process: ProcessIdentity, signal: i32) -> io::Result<()> {
    // SAFETY: takes plain numbers, returns a new descriptor.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, process.pid, 0) };
    if descriptor < 0 {
        let error = io::Error::last_os_error();
        // Linux before 5.3 has no pidfd.
        return match error.raw_os_error() {
            Some(libc::ENOSYS) => kill(process.pid, signal),
            _ => Err(error),
        };
    }
    // SAFETY: the descriptor is new, so nothing else owns it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor as i32) };
    // While this descriptor is open, no other process gets the pid.
    if !process.is_current() {
        return Err(Errno::ESRCH.into());
    }
    // SAFETY: takes plain numbers and no information besides.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            descriptor.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sends a signal to a child, which keeps its pid until it is reaped.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: takes plain numbers.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
