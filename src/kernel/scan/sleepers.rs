//! Threads asleep in an IPC call, each by its id and with what proves that it never woke in between.

use std::fs;
use std::io;

use super::system_call::SystemCall;
use super::{Holds, Look, descriptors, mapped, number, read};
use crate::ipc::posix::FileIdentity;
use crate::ipc::user::Role;
use crate::ipc::{Kind, Object};
use crate::kernel::process;

/// A thread in a system call that waits for an IPC object. Two that are equal, seen at two moments,
/// are one thread that has slept in one call all the time between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sleeper {
    /// Its process.
    pub pid: i32,
    /// Its own id.
    pub thread: i32,
    /// What it waits for.
    pub role: Role,
    /// Whether a signal has stopped it (SIGSTOP, or a debugger): it cannot go on, whatever happens
    /// to the object.
    pub is_stopped: bool,
    /// How many threads its process has.
    pub siblings: usize,
    on: Target,
    /// How often it has gone to sleep, `voluntary_ctxt_switches` in `proc_pid_status(5)`.
    switches: u64,
}

/// The object for which a thread waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    SystemV(Kind, i32),
    File(FileIdentity),
}

impl Sleeper {
    /// Whether it waits for this object.
    pub fn is_on(&self, object: &Object) -> bool {
        match self.on {
            Target::SystemV(kind, id) => object.kind() == kind && object.id() == Some(id),
            Target::File(identity) => object.file().is_some_and(|file| file.identity == identity),
        }
    }
}

/// The threads of a process that are asleep in a call on one of the objects of `look`. What may not
/// be inspected, and what has ended, is left out.
pub fn sleepers(pid: i32, look: &Look) -> Vec<Sleeper> {
    let mut buffer = Vec::new();
    find(pid, look, &mut buffer).unwrap_or_default()
}

fn find(pid: i32, look: &Look, buffer: &mut Vec<u8>) -> io::Result<Vec<Sleeper>> {
    let process = format!("/proc/{pid}");
    let holds = match look.files.is_empty() {
        true => Holds::default(),
        false => {
            let open = descriptors(&process, look)?;
            read(&format!("{process}/maps"), buffer)?;
            Holds { open, mapped: mapped(buffer, look) }
        }
    };
    let tasks: Vec<_> = fs::read_dir(format!("{process}/task"))?.flatten().collect();
    let mut found = Vec::new();
    for thread in tasks.iter().filter_map(|task| number(&task.file_name())) {
        let directory = format!("{process}/task/{thread}");
        if read(&format!("{directory}/syscall"), buffer).is_err() {
            continue;
        }
        let Some(call) = SystemCall::parse(buffer, &directory) else { continue };
        let system_v = call.waits_on(&directory);
        let system_v = system_v.map(|(kind, id, role)| (Target::SystemV(kind, id), role));
        let file = || {
            let (file, role) = call.waits_on_file(&directory, &holds, look).ok()??;
            Some((Target::File(file), role))
        };
        let Some((on, role)) = system_v.or_else(file) else { continue };
        let Some((switches, is_stopped)) = process::sleep(&directory) else { continue };
        let siblings = tasks.len();
        found.push(Sleeper { pid, thread, role, is_stopped, siblings, on, switches });
    }
    Ok(found)
}
