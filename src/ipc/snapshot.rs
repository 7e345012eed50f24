//! The objects of an IPC namespace at one moment.

use std::collections::HashMap;

use super::object::slot;
use super::{Key, Kind, Object, Reference, Target};

/// The listed objects, kind by kind, in the order of the kernel's slots or of the directory. Objects
/// appear and disappear during the read; the ones that existed throughout are listed once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The objects.
    pub objects: Vec<Object>,
    /// The kinds that could not be listed. Kinds that were not requested are not among them.
    pub unlisted: Vec<Kind>,
}

impl Snapshot {
    /// The objects of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.kind() == kind)
    }

    /// An index of the objects by id, key and name. `slot_bits` is the size of the slot in an id.
    pub fn index(&self, slot_bits: u32) -> Index {
        let mut index = Index { slot_bits, ..Index::default() };
        for (place, object) in self.objects.iter().enumerate() {
            let kind = object.kind();
            match object.id() {
                Some(id) => {
                    index.by_slot.insert((kind, slot(id, slot_bits)), place);
                    let key = object.permissions().key;
                    if key != Key::PRIVATE {
                        index.by_key.insert((kind, key), place);
                    }
                }
                None => {
                    index.by_name.insert(object.reference(), place);
                }
            }
        }
        index
    }
}

/// Positions of the objects of a snapshot, by slot, key and name.
#[derive(Clone, Debug, Default)]
pub struct Index {
    slot_bits: u32,
    by_slot: HashMap<(Kind, i32), usize>,
    by_key: HashMap<(Kind, Key), usize>,
    by_name: HashMap<Reference, usize>,
}

impl Index {
    /// How many bits of an id are the slot: 15, or 24 if the kernel was booted with `ipcmni_extend`.
    pub fn slot_bits(&self) -> u32 {
        self.slot_bits
    }

    /// The object that a reference names.
    pub fn find<'a>(&self, snapshot: &'a Snapshot, reference: &Reference) -> Option<&'a Object> {
        let kind = reference.kind;
        match &reference.target {
            Target::Id(id) => {
                self.in_slot_of(snapshot, kind, *id).filter(|object| object.id() == Some(*id))
            }
            Target::Key(key) => self.with_key(snapshot, kind, *key),
            Target::Name(_) => snapshot.objects.get(*self.by_name.get(reference)?),
        }
    }

    /// The object with this key.
    pub fn with_key<'a>(&self, snapshot: &'a Snapshot, kind: Kind, key: Key) -> Option<&'a Object> {
        snapshot.objects.get(*self.by_key.get(&(kind, key))?)
    }

    /// The object in the slot of this id, whatever its sequence number: `id = sequence << slot_bits
    /// slot`.
    pub fn in_slot_of<'a>(
        &self,
        snapshot: &'a Snapshot,
        kind: Kind,
        id: i32,
    ) -> Option<&'a Object> {
        snapshot.objects.get(*self.by_slot.get(&(kind, slot(id, self.slot_bits)))?)
    }
}
