//! Merges the findings of one cause, and drops those that contradict another one.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::checks::{Check, Subject};
use super::draft::{Draft, Remedy};
use crate::ipc::finding::Severity;
use crate::ipc::{Reference, count};

/// A finding and its check.
pub(super) type Found = (&'static Check, Draft);

/// Settles the findings, which come in the order of the registry.
pub(super) fn settle(found: Vec<Found>) -> Vec<Found> {
    let found = one_per_object(found);
    let found = no_fix_for_removed_objects(found);
    merge(found)
}

/// Keeps the first of several findings about the use of one object. Drops one whose fix removes left-over
/// objects if another finding removes the same objects for a reason of its own.
fn one_per_object(found: Vec<Found>) -> Vec<Found> {
    let removed = removed(&found, |check| check.subject != Subject::Use);
    let mut seen: HashSet<Reference> = HashSet::new();
    let mut is_kept = |(check, draft): &Found| {
        if check.subject != Subject::Use {
            return true;
        }
        let is_removed = draft.references.iter().all(|one| removed.contains(one));
        let is_new = draft.references.iter().all(|one| !seen.contains(one));
        seen.extend(draft.references.iter().cloned());
        is_new && !(draft.removes() && is_removed)
    };
    found.into_iter().filter(|found| is_kept(found)).collect()
}

/// Takes away each fix that would change an object that another fix removes. Drops a note that removes an
/// object about which there is a worse finding.
fn no_fix_for_removed_objects(found: Vec<Found>) -> Vec<Found> {
    let mut worst: HashMap<Reference, Severity> = HashMap::new();
    for (_, draft) in &found {
        for reference in &draft.references {
            let severity = worst.entry(reference.clone()).or_insert(draft.severity);
            *severity = draft.severity.min(*severity);
        }
    }
    let is_outdone = |(_, draft): &Found| {
        draft.severity == Severity::Note
            && draft.removes()
            && draft.references.iter().any(|one| worst[one] < Severity::Note)
    };
    let mut found: Vec<_> = found.into_iter().filter(|found| !is_outdone(found)).collect();
    let by_system = removed(&found, |check| check.subject == Subject::System);
    let by_any = removed(&found, |_| true);
    for (_, draft) in &mut found {
        let removed = if draft.removes() { &by_system } else { &by_any };
        let is_own = draft.is_of_system || draft.remedy == Remedy::Decide;
        if !is_own && draft.references.iter().any(|one| removed.contains(one)) {
            draft.remedy = Remedy::Decide;
            draft.why += "; the fix of another finding removes it, which ends this problem as well";
        }
    }
    found
}

/// The objects that the fixes of such checks remove.
fn removed(found: &[Found], is_such: impl Fn(&Check) -> bool) -> HashSet<Reference> {
    let such = found.iter().filter(|(check, draft)| draft.removes() && is_such(check));
    such.flat_map(|(_, draft)| draft.references.iter().cloned()).collect()
}

/// Merges findings that are the same for several objects of one owner.
fn merge(found: Vec<Found>) -> Vec<Found> {
    let mut merged: Vec<Found> = Vec::new();
    let mut places: HashMap<_, usize> = HashMap::new();
    for (check, draft) in found {
        let Some(shared) = draft.shared.clone() else {
            merged.push((check, draft));
            continue;
        };
        let same = (check.name, draft.severity, shared, draft.remedy.clone(), draft.right);
        match places.entry(same) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push((check, draft));
            }
            Entry::Occupied(place) => {
                let (_, first) = &mut merged[*place.get()];
                first.references.extend(draft.references);
                first.pids.extend(draft.pids);
            }
        }
    }
    for (_, draft) in &mut merged {
        if let Some(shared) = draft.shared.as_ref().filter(|_| draft.references.len() > 1) {
            let owner = crate::kernel::process::accounts::user(shared.owner);
            let objects = count(draft.references.len() as u64, "object");
            draft.why = format!("{objects} of {owner}: {}", shared.words);
            draft.pids.sort_unstable();
            draft.pids.dedup();
        }
    }
    merged
}
