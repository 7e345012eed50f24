//! Which processes have to do with an object.

use super::process::Process;
use crate::ipc::object::Semaphore;
use crate::ipc::user::State;
use crate::ipc::{Object, Time, User};

/// The processes whose ids the kernel recorded in an object, dead or alive. `semaphores` are those
/// of a set, where they could be read.
pub fn recorded(object: &Object, semaphores: &[Semaphore]) -> Vec<User> {
    let mut users = Vec::new();
    let mut add = |pid, role: String, when| users.extend(user(pid, role, when));
    match object {
        Object::Queue(queue) => {
            add(queue.last_send_pid, "last sender".to_owned(), queue.last_send);
            add(queue.last_recv_pid, "last receiver".to_owned(), queue.last_recv);
        }
        Object::Segment(segment) => {
            // The kernel keeps no time of creation; whoever started after the last change of the
            // segment did not make it.
            add(segment.creator_pid, "creator".to_owned(), segment.changed);
            let last = segment.last_attach.max(segment.last_detach);
            add(segment.last_pid, "last attach/detach".to_owned(), last);
        }
        Object::SemaphoreSet(set) => {
            for semaphore in semaphores {
                // SETVAL and SETALL leave a pid, too, and the time of a change.
                let last = set.last_op.max(set.changed);
                add(
                    semaphore.last_pid,
                    format!("last operation on semaphore {}", semaphore.index),
                    last,
                );
            }
        }
    }
    users
}

/// The user behind a recorded pid; none for pid 0, which is nobody.
fn user(pid: i32, role: String, when: Option<Time>) -> Option<User> {
    if pid == 0 {
        return None;
    }
    let process = Process::find(pid);
    let state = match &process {
        None => State::Gone,
        // Both are in seconds and the start is rounded down: in doubt it is the same process.
        Some(process) if when.is_some_and(|when| process.started > when) => State::Reused,
        Some(_) => State::Alive,
    };
    let (uid, command) = process.map(|process| (process.uid, process.command)).unzip();
    Some(User { pid, role, since: when, uid, command, state })
}
