//! What a process that has ended leaves, as sentences.

use super::hints::Hints;
use super::known::Left;
use super::lines::Remains;
use crate::ipc::{CommandLine, Kind, Object, Reference};
use crate::kernel::Errno;

/// What is left of a process, as far as it is still there.
pub(super) fn describe(left: Left, hints: &mut Hints, pid: i32) -> Vec<Remains> {
    let mut remains = Vec::new();
    for (number, made) in left.made {
        let Some(place) = hints.numbered(number) else { continue };
        if place.is_over() {
            continue;
        }
        let Ok(_stay) = place.enter() else { continue };
        // What cannot be read is there.
        if matches!(place.namespace.read(&made.reference), Err(error) if is_gone(error.errno)) {
            continue;
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
        let state = crate::kernel::sysv::sem::semaphores(id, set.nsems).unwrap_or_default();
        let state = state.get(usize::from(semaphore)).map(|one| {
            let waiters = one.ncount;
            match waiters {
                0 => format!("; its value is {}", one.value),
                _ => format!("; its value is {}, and {waiters} wait", one.value),
            }
        });
        let text = format!(
            "semaphore {semaphore} of {reference}: process {pid} took {net} more than it gave back, without SEM_UNDO{}",
            state.unwrap_or_default()
        );
        remains.push(Remains { what: "held", reference: reference.to_string(), text });
    }
    for (address, id) in left.attached {
        let reference = Reference::id(Kind::Shm, id);
        let text =
            format!("{reference} was attached at {address:#x} to the end; the kernel detaches it");
        remains.push(Remains { what: "attached", reference: reference.to_string(), text });
    }
    remains
}

fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::EINVAL | Errno::EIDRM)
}
