//! What can be done with an object of any kind: the one place where a verb meets the kinds.

use super::call::CallError;
use super::permissions::Changed;
use super::{msg, sem, shm, sysvipc};
use crate::ipc::{Change, Key, Kind, Object, Reference, Target};

/// The id behind a reference. Opening by key asks for no permission.
pub fn resolve(reference: Reference) -> Result<i32, CallError> {
    match reference.target {
        Target::Id(id) => Ok(id),
        Target::Key(key) => find(reference.kind, key),
    }
}

fn find(kind: Kind, key: Key) -> Result<i32, CallError> {
    match kind {
        Kind::Msg => msg::find(key),
        Kind::Shm => shm::find(key),
        Kind::Sem => sem::find(key),
    }
}

/// Removes an object by its id, which no later object shares.
pub fn remove(kind: Kind, id: i32) -> Result<(), CallError> {
    match kind {
        Kind::Msg => msg::remove(id),
        Kind::Shm => shm::remove(id),
        Kind::Sem => sem::remove(id),
    }
}

/// Changes owner and mode of an object. The kernel sets all of them at once: what somebody else
/// sets between the reading and the setting of a moment is undone.
pub fn change(kind: Kind, id: i32, change: &Change) -> Result<Changed, CallError> {
    match kind {
        Kind::Msg => msg::change(id, change),
        Kind::Shm => shm::change(id, change),
        Kind::Sem => sem::change(id, change),
    }
}

/// Adds what `/proc/sysvipc` does not tell, where a queue is: its `max_bytes`.
pub fn complete(object: &mut Object) {
    if let Object::Queue(queue) = object {
        queue.max_bytes = msg::max_bytes(queue.id).ok();
    }
}

/// An object as it is at this moment, without a look at any other; in a segment, `rss` and `swap`
/// are not known.
pub fn read(kind: Kind, id: i32) -> Result<Object, CallError> {
    Ok(match kind {
        Kind::Msg => Object::Queue(msg::read(id)?),
        Kind::Shm => Object::Segment(shm::read(id)?),
        Kind::Sem => Object::SemaphoreSet(sem::read(id)?),
    })
}

/// The object with this id and all that is known of it, if there is one.
pub fn status(kind: Kind, id: i32) -> Result<Option<Object>, sysvipc::ReadError> {
    let mut found = None;
    sysvipc::read(kind, |object| {
        if object.id() == id {
            found = Some(object);
        }
        Ok::<_, sysvipc::ReadError>(())
    })?;
    if let Some(object) = &mut found {
        complete(object);
    }
    Ok(found)
}

/// Every object of these kinds, as `/proc/sysvipc` tells of them.
pub fn snapshot(kinds: impl IntoIterator<Item = Kind>) -> Result<Vec<Object>, sysvipc::ReadError> {
    let mut objects = Vec::new();
    for kind in kinds {
        sysvipc::read(kind, |object| {
            objects.push(object);
            Ok::<_, sysvipc::ReadError>(())
        })?;
    }
    Ok(objects)
}
