//! What has changed between two looks at objects.
//!
//! Pure: [`View::follow`] compares two views, and nobody looks at the kernel here.

mod trail;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use trail::Trail;

use super::posix::FileIdentity;
use super::{Home, Key, Kind, Object, Observed, Reference};

/// What no other object shares as long as this one exists. An id is unique in its namespace, a file on the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    namespace: Option<u64>,
    reference: Reference,
    file: Option<FileIdentity>,
}

impl Identity {
    /// The identity of an object.
    pub fn of(observed: &Observed) -> Identity {
        Identity::of_object(&observed.object, namespace(observed))
    }

    /// The identity of an object that lives in the namespace with this number, if several are looked at.
    pub fn of_object(object: &Object, namespace: Option<u64>) -> Identity {
        let file = object.file().map(|file| file.identity);
        let namespace = namespace.filter(|_| file.is_none());
        Identity { namespace, reference: object.reference(), file }
    }

    /// The reference, which another object may have one day, or in another namespace.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// The number of the namespace in which an object lives; `None` if only one is looked at.
fn namespace(observed: &Observed) -> Option<u64> {
    observed.home.as_ref().map(|home| home.namespace)
}

fn place(observed: &Observed) -> Place {
    (namespace(observed), observed.kind())
}

/// What one look has shown, and what earlier ones have shown of the ids.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The objects that match.
    pub objects: Vec<Observed>,
    /// The objects that exist and do not match. Without conditions there are none.
    pub others: HashSet<Identity>,
    /// What could not be looked at.
    pub gaps: Gaps,
    /// Whether `objects` are all of their kinds, so that a free slot is known to be free.
    pub is_whole: bool,
    /// The present `/dev/shm`, if only one is looked at.
    pub shm: Option<FileIdentity>,
    /// What the views before have shown of the order of the ids.
    pub trails: Trails,
    /// The objects that went out of sight, and have not been seen again.
    pub lost: Lost,
}

/// A kind of objects in a namespace: its number, if several are looked at.
type Place = (Option<u64>, Kind);

/// What is known of the order in which the ids were given.
#[derive(Clone, Debug, Default)]
pub struct Trails(HashMap<Place, Trail>);

/// Objects reported as out of sight, and where they were.
#[derive(Clone, Debug, Default)]
pub struct Lost(HashMap<Identity, Spot>);

/// Where an object was that went out of sight.
#[derive(Clone, Copy, Debug)]
enum Spot {
    /// In a namespace.
    Namespace(Place),
    /// In a `/dev/shm`, which another one covers.
    DevShm(FileIdentity),
}

/// What a look could not show: what was seen there before may exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// The kinds that could not be listed, and where.
    pub kinds: HashSet<Place>,
    /// The kinds that could not be listed because processes ended during the look. The next look shows what is left.
    pub unsettled: HashSet<Place>,
    /// The objects that exist, and of which it is not known whether they match.
    pub uncertain: HashSet<Identity>,
    /// The namespaces that could not be entered.
    pub closed: HashSet<u64>,
    /// All namespaces that were found; `None` if only one is looked at.
    pub found: Option<HashSet<u64>>,
    /// Whether there may be namespaces that were not found.
    pub may_hide_some: bool,
    /// Whether an error was printed: something could not be looked at that is open to the caller.
    pub has_errors: bool,
}

impl Gaps {
    /// Whether a look could not have shown objects of this kind there.
    fn hide(&self, place: Place) -> bool {
        self.kinds.contains(&place)
            || self.unsettled.contains(&place)
            || place.0.is_some_and(|number| self.closed.contains(&number))
    }

    /// Whether this namespace was not found, although it may exist.
    fn may_hide_home(&self, (number, _): Place) -> bool {
        self.may_hide_some
            && match (&self.found, number) {
                (Some(found), Some(number)) => !found.contains(&number),
                _ => false,
            }
    }
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there in the first view.
    Present(Observed),
    /// It was not in the view before.
    Appeared(Observed, Appearance),
    /// It is in another state.
    Changed {
        /// The state in the view before.
        before: Box<Observed>,
        /// The state now.
        after: Box<Observed>,
    },
    /// It is not in the view any more; this was its last state.
    Gone(Observed, Departure),
    /// A System V object that came and went between two looks. The ids prove it; nothing else is known.
    CameAndWent {
        /// Its id.
        reference: Reference,
        /// Where it lived, if several places are looked at.
        home: Option<Arc<Home>>,
    },
}

/// How an object came into view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appearance {
    /// It was created.
    Created,
    /// It existed before, and matches now.
    Matches,
    /// It had gone out of sight.
    SeenAgain,
}

/// How an object went out of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It was removed, or its namespace is gone.
    Removed,
    /// It exists, and does not match any more.
    MatchesNoMore,
    /// Its namespace cannot be found any more, but not all namespaces can be seen; or another `/dev/shm` is there.
    OutOfSight,
}

impl View {
    /// The first view as changes.
    pub fn present(&self) -> impl Iterator<Item = Change> {
        self.objects.iter().cloned().map(Change::Present)
    }

    /// Whether objects that match may exist that are not in this view.
    pub fn may_miss_objects(&self) -> bool {
        let Gaps { kinds, unsettled, closed, may_hide_some, .. } = &self.gaps;
        let is_whole = kinds.is_empty() && unsettled.is_empty() && closed.is_empty();
        *may_hide_some || !is_whole || !self.lost.0.is_empty()
    }

    /// Becomes a later view, and returns what has changed in between: what is gone, then what is in another state,
    /// then what appeared. `slot_bits` is the size of the slot in an id.
    pub fn follow(&mut self, mut later: View, slot_bits: u32) -> Vec<Change> {
        later.trails = std::mem::take(&mut self.trails);
        let mut lost = std::mem::take(&mut self.lost.0);
        if let Some(found) = &later.gaps.found {
            let is_known = |number: &u64| found.contains(number) || later.gaps.may_hide_some;
            later.trails.0.retain(|(number, _), _| number.as_ref().is_none_or(is_known));
        }
        let before = std::mem::take(&mut self.objects);
        let (mut changed, mut appeared) = (Vec::new(), Vec::new());
        let Pairs { of, missing } = pairs(&before, &later.objects);
        let mut gone = Vec::new();
        for (observed, earlier) in later.objects.iter().zip(of) {
            match earlier.map(|place| &before[place]) {
                Some(before) if before == observed => {}
                Some(before) if are_two(&before.object, &observed.object) => {
                    gone.push((before.clone(), Departure::Removed));
                    appeared.push((observed.clone(), Appearance::Created));
                }
                Some(before) => {
                    let (before, after) = (Box::new(before.clone()), Box::new(observed.clone()));
                    changed.push(Change::Changed { before, after });
                }
                None => {
                    let identity = Identity::of(observed);
                    let how = match self.others.contains(&identity) {
                        _ if lost.remove(&identity).is_some() => Appearance::SeenAgain,
                        true => Appearance::Matches,
                        false => Appearance::Created,
                    };
                    appeared.push((observed.clone(), how));
                }
            }
        }
        let gaps = &later.gaps;
        lost.retain(|identity, spot| {
            let may_exist = match *spot {
                Spot::Namespace(place) => gaps.hide(place) || gaps.may_hide_home(place),
                Spot::DevShm(shm) => later.shm != Some(shm),
            };
            may_exist && !later.others.contains(identity)
        });
        let covered = self.shm.filter(|_| self.shm != later.shm);
        for observed in missing.into_iter().map(|place| before[place].clone()) {
            let (identity, place) = (Identity::of(&observed), place(&observed));
            if gaps.uncertain.contains(&identity) {
                // As far as is known, nothing has happened to it.
                later.objects.push(observed);
            } else if later.others.contains(&identity) {
                gone.push((observed, Departure::MatchesNoMore));
            } else if gaps.hide(place) {
                later.objects.push(observed);
            } else if let Some(shm) = covered.filter(|_| place.1.is_in_dev_shm()) {
                lost.insert(identity, Spot::DevShm(shm));
                gone.push((observed, Departure::OutOfSight));
            } else if gaps.may_hide_home(place) {
                lost.insert(identity, Spot::Namespace(place));
                gone.push((observed, Departure::OutOfSight));
            } else {
                gone.push((observed, Departure::Removed));
            }
        }
        later.lost = Lost(lost);
        let brief = match later.is_whole && !(appeared.is_empty() && gone.is_empty()) {
            true => later.came_and_went(ids_of(&before), &appeared, &gone, slot_bits),
            false => Vec::new(),
        };
        *self = later;
        let gone = gone.into_iter().map(|(observed, how)| Change::Gone(observed, how));
        let mut new: Vec<Change> =
            appeared.into_iter().map(|(observed, how)| Change::Appeared(observed, how)).collect();
        new.extend(brief);
        new.sort_by_key(Change::order);
        gone.chain(changed).chain(new).collect()
    }

    /// The System V objects that came and went since the view with these ids.
    fn came_and_went(
        &mut self,
        mut ids: HashMap<Place, Vec<i32>>,
        appeared: &[(Observed, Appearance)],
        gone: &[(Observed, Departure)],
        slot_bits: u32,
    ) -> Vec<Change> {
        let mut moved: HashMap<Place, (Vec<i32>, Vec<i32>)> = HashMap::new();
        let mut homes = HashMap::new();
        for (observed, _) in appeared {
            if let Some(id) = observed.object.id() {
                let place = place(observed);
                moved.entry(place).or_default().0.push(id);
                homes.entry(place).or_insert_with(|| observed.home.clone());
            }
        }
        for (observed, _) in gone {
            if let Some(id) = observed.object.id() {
                moved.entry(place(observed)).or_default().1.push(id);
            }
        }
        let mut brief = Vec::new();
        for (place, (new, gone)) in moved {
            let before = ids.remove(&place).unwrap_or_default();
            let trail = self.trails.0.entry(place).or_default();
            for id in trail.advance(&before, new, &gone, slot_bits) {
                let reference = Reference::id(place.1, id);
                let home = homes.get(&place).cloned().flatten();
                brief.push(Change::CameAndWent { reference, home });
            }
        }
        brief
    }
}

/// Which objects of two views are the same.
struct Pairs {
    /// For each object of the later view, its place in the earlier one.
    of: Vec<Option<usize>>,
    /// The places of those in the earlier view that are not in the later one.
    missing: Vec<usize>,
}

/// Finds the objects of an earlier view in a later one. Nearly all come in the same order, so that they are found
/// without an index.
fn pairs(before: &[Observed], after: &[Observed]) -> Pairs {
    /// So many objects in a row may be gone before an index is needed.
    const AHEAD: usize = 8;
    let mut is_found = vec![false; before.len()];
    let mut next = 0;
    let mut of: Vec<Option<usize>> = after
        .iter()
        .map(|observed| {
            let ahead = (next..before.len()).take(AHEAD);
            let place = ahead.into_iter().find(|&place| are_same(&before[place], observed))?;
            is_found[place] = true;
            next = place + 1;
            Some(place)
        })
        .collect();
    let is_missing = |place: &usize| !is_found[*place];
    if before.iter().enumerate().any(|(place, _)| is_missing(&place)) {
        let missing = (0..before.len()).filter(is_missing);
        let mut index: HashMap<Identity, usize> =
            missing.map(|place| (Identity::of(&before[place]), place)).collect();
        for (place, observed) in of.iter_mut().zip(after).filter(|(place, _)| place.is_none()) {
            *place = index.remove(&Identity::of(observed));
            if let Some(place) = *place {
                is_found[place] = true;
            }
        }
    }
    let missing = (0..before.len()).filter(|&place| !is_found[place]).collect();
    Pairs { of, missing }
}

/// Whether two objects have the same identity.
fn are_same(one: &Observed, other: &Observed) -> bool {
    match (one.object.id(), other.object.id()) {
        (Some(id), Some(other_id)) => {
            id == other_id && one.kind() == other.kind() && namespace(one) == namespace(other)
        }
        (None, None) => Identity::of(one) == Identity::of(other),
        _ => false,
    }
}

/// Whether two objects with one id cannot be the same: restored objects can have the ids of old ones, and a new
/// namespace the number of an old one.
fn are_two(before: &Object, after: &Object) -> bool {
    if before.id().is_none() {
        return false;
    }
    let (old, new) = (before.permissions(), after.permissions());
    // The key of a segment becomes private when it is marked for destruction.
    let has_other_key = old.key != new.key && !(after.is_marked() && new.key == Key::PRIVATE);
    has_other_key
        || (old.cuid, old.cgid) != (new.cuid, new.cgid)
        || match (before, after) {
            (Object::Segment(old), Object::Segment(new)) => {
                (old.size, old.creator_pid) != (new.size, new.creator_pid)
            }
            (Object::SemaphoreSet(old), Object::SemaphoreSet(new)) => old.nsems != new.nsems,
            _ => false,
        }
}

/// The ids of the System V objects, by namespace and kind.
fn ids_of(objects: &[Observed]) -> HashMap<Place, Vec<i32>> {
    let mut ids: HashMap<_, Vec<i32>> = HashMap::new();
    for observed in objects {
        if let Some(id) = observed.object.id() {
            ids.entry(place(observed)).or_default().push(id);
        }
    }
    ids
}

impl Change {
    /// The object.
    pub fn reference(&self) -> Reference {
        match self {
            Change::Present(observed)
            | Change::Appeared(observed, _)
            | Change::Gone(observed, _) => observed.reference(),
            Change::Changed { after, .. } => after.reference(),
            Change::CameAndWent { reference, .. } => reference.clone(),
        }
    }

    /// Where the object lives, if several places are looked at.
    pub fn home(&self) -> Option<&Arc<Home>> {
        match self {
            Change::Present(observed)
            | Change::Appeared(observed, _)
            | Change::Gone(observed, _) => observed.home.as_ref(),
            Change::Changed { after, .. } => after.home.as_ref(),
            Change::CameAndWent { home, .. } => home.as_ref(),
        }
    }

    /// Orders objects of one kind as they were created: by id, as far as they have one.
    fn order(&self) -> (Option<u64>, Kind, i32) {
        let reference = self.reference();
        let id = match reference.target {
            super::Target::Id(id) => id,
            super::Target::Key(_) | super::Target::Name(_) => 0,
        };
        (self.home().map(|home| home.namespace), reference.kind, id)
    }
}

#[cfg(test)]
mod tests;
