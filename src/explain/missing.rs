//! Why a reference refers to nothing: `EINVAL` for an id, `ENOENT` for a key or a name.

mod named;

pub(super) use named::name;

use super::facts::{Facts, Wanted};
use crate::ipc::object::{sequence, slot};
use crate::ipc::{CommandLine, Home, Key, Kind, Reference, Target};
use crate::output::escape::shell_word;

/// Asks for the facts that explain why a key or a name refers to nothing.
pub(super) fn want(reference: &Reference, wanted: &mut Wanted) {
    if reference.target != Target::Key(Key::FTOK_FAILED) {
        wanted.elsewhere.insert(reference.clone());
    }
    match (reference.kind, &reference.target) {
        (Kind::Psem, Target::Name(_)) => {
            wanted.impostors.insert(reference.clone());
        }
        (Kind::Pshm, Target::Name(_)) => wanted.removed = true,
        _ => {}
    }
}

/// Where else an object has this key or name, as the last clause of a hint; nothing if none has.
pub(super) fn elsewhere(reference: &Reference, facts: &Facts) -> String {
    let homes = facts.elsewhere.get(reference).map_or(&[][..], Vec::as_slice);
    let Some(first) = homes.first() else { return String::new() };
    let names: Vec<_> = homes.iter().take(MOST_NAMED).map(Home::to_string).collect();
    let more = match homes.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let place = CommandLine::new("ipctool --in").word(first.name());
    let (namespaces, have) = match homes.len() {
        1 => ("the IPC namespace", "has"),
        _ => ("the IPC namespaces", "have"),
    };
    let reference = shell_word(&reference.to_string());
    format!("; {namespaces} {}{more} {have} one: {place} stat {reference}", names.join(", "))
}

/// How many namespaces a hint names.
const MOST_NAMED: usize = 3;

/// Why an id refers to nothing. An id is `sequence << slot_bits | slot`, and a slot that is used again
/// gets a higher sequence.
pub(super) fn id(kind: Kind, id: i32, facts: &Facts) -> Option<String> {
    let Facts { snapshot, index, .. } = facts;
    if snapshot.unlisted.contains(&kind) {
        return None;
    }
    let slot = |id| slot(id, index.slot_bits());
    let sequence = |id| sequence(id, index.slot_bits());
    let key = Key(id);
    if let Some(keyed) = index.with_key(snapshot, kind, key) {
        let object = keyed.reference();
        return Some(format!("{id} is not an id but the key of {object}: write {kind}:{key}"));
    }
    let in_slot = index.in_slot_of(snapshot, kind, id);
    let Some((present, holder)) = in_slot.and_then(|object| Some((object, object.id()?))) else {
        return Some(match snapshot.of_kind(kind).next() {
            None => format!("this IPC namespace has no {}s", kind.noun()),
            Some(_) => {
                format!("it was removed, or never existed; to see what exists: ipctool list {kind}")
            }
        });
    };
    let (now, asked) = (present.reference(), Reference::id(kind, id));
    if sequence(holder) > sequence(id) {
        Some(format!("{asked} was removed: its slot {} now holds a newer one, {now}", slot(id)))
    } else if sequence(holder) < sequence(id) {
        Some(format!("{asked} never existed: its slot {} holds an older one, {now}", slot(id)))
    } else {
        // It was created after the call.
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
            "it was removed, or never created in this IPC namespace; 'ipctool list {kind}' shows what exists; to create it: ipctool create {kind} --key {key}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Mode, Object, Permissions, SemaphoreSet, Snapshot};

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
    fn an_id_of_no_object_is_explained() {
        let hint = |id, present: &[i32]| {
            let objects = present.iter().map(|&id| set(id)).collect();
            let snapshot = Snapshot { objects, unlisted: Vec::new() };
            let facts = Facts { index: snapshot.index(15), snapshot, ..Facts::default() };
            super::id(Kind::Sem, id, &facts).unwrap_or_default()
        };
        assert!(hint(5, &[]).contains("this IPC namespace has no semaphore sets"));
        assert!(hint(5, &[6]).contains("was removed, or never existed"));
        assert!(
            hint(5, &[6, 32773])
                .contains("was removed: its slot 5 now holds a newer one, sem:32773")
        );
        assert!(hint(65541, &[32773]).contains("never existed: its slot 5 holds an older one"));
    }
}
