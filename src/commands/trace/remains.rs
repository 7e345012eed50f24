//! What a process that has ended leaves, as sentences.

use super::hints::Hints;
use super::known::Left;
use super::lines::Remains;
use crate::ipc::{CommandLine, Kind, Object, Reference};
use crate::kernel::Errno;
use crate::kernel::sysv::sem;

/// What is left of a process, as far as it is still there.
pub(super) fn describe(left: Left, hints: &mut Hints, pid: i32) -> Vec<Remains> {
    let mut remains = Vec::new();
    for (number, made) in left.made {
        let Some(place) = hints.numbered(number) else { continue };
        if place.is_over() {
            continue;
        }
        let Ok(_stay) = place.enter() else { continue };
        match place.namespace.read(&made.reference) {
            Err(error) if is_gone(error.errno) => continue,
            // Another one has the name now.
            Ok(object) if object.file().is_some_and(|file| Some(file.identity) != made.file) => {
                continue;
            }
            // What cannot be read is there.
            Ok(_) | Err(_) => {}
        }
        let key = made.key.map(|key| format!(" (key {key})")).unwrap_or_default();
        let command = place.command(&CommandLine::new("ipctool rm").word(&made.reference));
        let by = if made.by == pid { String::new() } else { format!(" by {}", made.by) };
        let text = format!(
            "{}{key} is left, made{by} and not removed; to remove it: {command}",
            made.reference
        );
        remains.push(Remains { what: "left", reference: made.reference.to_string(), text });
    }
    for (number, id, semaphore, net) in left.taken {
        let Some(place) = hints.numbered(number) else { continue };
        let Ok(_stay) = place.enter() else { continue };
        let reference = Reference::id(Kind::Sem, id);
        let Ok(Object::SemaphoreSet(set)) = place.namespace.read(&reference) else { continue };
        let state = sem::semaphores(id, set.nsems).unwrap_or_default();
        let Some(state) = state.get(usize::from(semaphore)) else { continue };
        // Somebody whose calls were not seen has given it back.
        if state.value > 0 {
            continue;
        }
        let waiters = match state.ncount {
            0 => String::new(),
            waiters => format!(", and {} for it", count_waiting(waiters)),
        };
        let text = format!(
            "semaphore {semaphore} of {reference}: process {pid} took {net} more than it gave back, without SEM_UNDO; its value is 0{waiters}"
        );
        remains.push(Remains { what: "taken", reference: reference.to_string(), text });
    }
    for (address, id) in left.attached {
        let reference = Reference::id(Kind::Shm, id);
        let text = format!(
            "{reference}, attached at {address:#x}, was not detached by shmdt; the kernel does that"
        );
        remains.push(Remains { what: "attached", reference: reference.to_string(), text });
    }
    remains
}

fn count_waiting(waiters: u32) -> String {
    match waiters {
        1 => "1 thread waits".to_owned(),
        _ => format!("{waiters} threads wait"),
    }
}

fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::EINVAL | Errno::EIDRM)
}
