//! Why a reference names nothing: `EINVAL` for an id, `ENOENT` for a key or a name.

mod named;

pub(super) use named::name;

use crate::ipc::object::{sequence, slot};
use crate::ipc::{Key, Kind, Object, Reference};

/// Why an id names nothing: an id is `sequence × 32768 + slot`, and a slot that is used again gets
/// a higher sequence.
pub(super) fn id(kind: Kind, id: i32, objects: &[Object], slot_bits: u32) -> Option<String> {
    let slot = |id| slot(id, slot_bits);
    let sequence = |id| sequence(id, slot_bits);
    let noun = kind.noun();
    let mut named = objects.iter().filter(|object| object.permissions().key != Key::PRIVATE);
    if let Some(keyed) = named.find(|object| object.permissions().key == Key(id)) {
        let (key, object) = (Key(id), keyed.reference());
        return Some(format!("{id} is no id but the key of {object}: write {kind}:{key}"));
    }
    let in_slot = |object: &&Object| object.id().map(slot) == Some(slot(id));
    let Some((present, holder)) =
        objects.iter().find(in_slot).and_then(|object| Some((object, object.id()?)))
    else {
        return Some(match objects {
            [] => format!("there is no {noun} at all in this IPC namespace"),
            _ => format!("it was removed, or never was: 'ipctool list {kind}' shows what is there"),
        });
    };
    let (now, asked) = (present.reference(), Reference::id(kind, id));
    if sequence(holder) > sequence(id) {
        Some(format!("{asked} was removed: its slot {} now holds a newer one, {now}", slot(id)))
    } else if sequence(holder) < sequence(id) {
        Some(format!("{asked} never was: its slot {} still holds an older one, {now}", slot(id)))
    } else {
        // It came into being after the call.
        None
    }
}

pub(super) fn key(kind: Kind, key: Key) -> String {
    match key {
        Key::FTOK_FAILED => {
            "0xffffffff is what ftok returns when its path is missing: check the path".to_owned()
        }
        // Neither kinds nor keys need quotes.
        _ => format!(
            "nobody has made it in this IPC namespace: 'ipctool list {kind}' shows what is there, 'ipctool create {kind} --key {key}' makes it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Mode, Permissions, SemaphoreSet};

    fn set(id: i32) -> Object {
        let permissions = Permissions {
            key: Key::PRIVATE,
            uid: 0,
            gid: 0,
            cuid: 0,
            cgid: 0,
            mode: Mode::from_bits(0o600),
        };
        Object::SemaphoreSet(SemaphoreSet {
            id,
            permissions,
            changed: None,
            nsems: 1,
            last_op: None,
        })
    }

    #[test]
    fn an_id_that_names_nothing_says_why() {
        let hint = |id, present: &[i32]| {
            let objects: Vec<_> = present.iter().map(|&id| set(id)).collect();
            super::id(Kind::Sem, id, &objects, 15).unwrap_or_default()
        };
        assert!(hint(5, &[]).contains("no semaphore set at all"));
        assert!(hint(5, &[6]).contains("was removed, or never was"));
        assert!(
            hint(5, &[6, 32773])
                .contains("was removed: its slot 5 now holds a newer one, sem:32773")
        );
        assert!(hint(65541, &[32773]).contains("never was: its slot 5 still holds an older one"));
    }
}
