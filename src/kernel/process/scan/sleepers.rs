//! Threads that wait in an IPC call, with proof that they did not wake between two observations.

use std::io;

use super::holds::Holds;
use super::inspector::read;
use super::maps::{Maps, Which};
use super::scope::ScanScope;
use super::system_call::SystemCall;
use crate::ipc::posix::FileIdentity;
use crate::ipc::process::role::Role;
use crate::ipc::{
    Kind, Object, PosixMemory, PosixQueue, PosixSemaphore, Queue, Segment, SemaphoreSet,
};
use crate::kernel::process::{pids, status};

/// A thread in a system call that waits on an IPC object. If two observations are equal, the same
/// thread slept in the same call all the time between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sleeper {
    /// Its process.
    pub pid: i32,
    /// Its thread id.
    pub thread: i32,
    /// What it waits for.
    pub role: Role,
    /// Whether it is stopped by a signal (SIGSTOP, or a debugger), so that it cannot continue, whatever
    /// happens to the object.
    pub is_stopped: bool,
    /// How many threads its process has.
    pub siblings: usize,
    /// The object that it waits on.
    pub on: WaitedFor,
    /// How often it went to sleep, `voluntary_ctxt_switches` in `proc_pid_status(5)`.
    switches: u64,
}

/// The object that a thread waits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitedFor {
    /// A System V object with this id.
    SystemV(Kind, i32),
    /// A POSIX object.
    File(FileIdentity),
}

impl WaitedFor {
    /// The value for threads that wait on this object.
    pub fn of(object: &Object) -> WaitedFor {
        let kind = object.kind();
        match object {
            Object::Queue(Queue { id, .. })
            | Object::Segment(Segment { id, .. })
            | Object::SemaphoreSet(SemaphoreSet { id, .. }) => WaitedFor::SystemV(kind, *id),
            Object::PosixQueue(PosixQueue { file, .. })
            | Object::PosixMemory(PosixMemory { file, .. })
            | Object::PosixSemaphore(PosixSemaphore { file, .. }) => WaitedFor::File(file.identity),
        }
    }
}

/// The threads of a process that wait in a call on an object of `scope`. Threads that may not be
/// inspected or have ended are left out.
pub fn sleepers(pid: i32, scope: &ScanScope) -> Vec<Sleeper> {
    let mut buffer = Vec::new();
    find(pid, scope, &mut buffer).unwrap_or_default()
}

fn find(pid: i32, scope: &ScanScope, buffer: &mut Vec<u8>) -> io::Result<Vec<Sleeper>> {
    let directory = format!("/proc/{pid}");
    let mut holds = Holds::open(&directory, scope)?;
    if scope.has_files() {
        Maps::default().each(&directory, Which::Files, &mut |mapping| {
            holds.add(&mapping, scope);
            Ok(())
        })?;
    }
    let threads = pids::threads(pid)?;
    let mut found = Vec::new();
    for &thread in &threads {
        let directory = format!("{directory}/task/{thread}");
        if read(&format!("{directory}/syscall"), buffer).is_err() {
            continue;
        }
        let Some(call) = SystemCall::parse(buffer, &directory) else { continue };
        let system_v = call.waits_on(&directory);
        let system_v = system_v.map(|(kind, id, role)| (WaitedFor::SystemV(kind, id), role));
        let file = || {
            let (file, role) = call.waits_on_file(&directory, &holds, scope).ok()??;
            Some((WaitedFor::File(file), role))
        };
        let Some((on, role)) = system_v.or_else(file) else { continue };
        let Some((switches, is_stopped)) = status::sleep(&directory) else { continue };
        let siblings = threads.len();
        found.push(Sleeper { pid, thread, role, is_stopped, siblings, on, switches });
    }
    Ok(found)
}
