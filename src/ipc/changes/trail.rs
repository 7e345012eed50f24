//! The ids of one kind in one namespace, in the order in which the kernel gives them.
//!
//! Since Linux 5.2 the kernel goes round the slots: each new object gets the next free one, and when it begins again
//! at slot 0, the sequence number grows (`ipc_idr_alloc` in `ipc/util.c`). So an id is a point of time, and between
//! two new objects whose ids are apart in one round, each slot that was free in between has been used: an object came
//! and went. On older kernels two objects never have the same sequence number, and nothing is concluded.
//!
//! An id that was restored (`kernel.msg_next_id`, as CRIU does) is out of this order. Where it is beyond the slots
//! that the kernel goes round, that is known, and nothing is concluded from it.

use std::collections::HashSet;

use crate::ipc::object::{sequence, slot};

/// What is known of the order so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    /// The newest object that appeared during the watch. The kernel had given its id, and perhaps later ones.
    newest: Option<i32>,
    /// An id that the kernel had given at the last look at which that one was not there yet.
    floor: Option<i32>,
    /// The slots of objects that have gone since that look.
    vacated: HashSet<i32>,
}

impl Trail {
    /// Follows a look at which `new` had appeared and `gone` were gone, where `before` had been at the look before.
    /// Returns the ids that were given and taken back since the newest object appeared.
    pub fn advance(
        &mut self,
        before: &[i32],
        mut new: Vec<i32>,
        gone: &[i32],
        slot_bits: u32,
    ) -> Vec<i32> {
        let slot = |id: &i32| slot(*id, slot_bits);
        self.vacated.extend(gone.iter().map(slot));
        new.sort_unstable();
        let (Some(&first), Some(&last)) = (new.first(), new.last()) else { return Vec::new() };
        let in_use = (before.len() + new.len()).saturating_sub(gone.len());
        if slot(&last) >= slots_in_round(in_use, slot_bits) {
            return Vec::new();
        }
        let Some(newest) = self.newest else {
            self.begin(before.iter().max().copied(), last, gone.iter().map(slot).collect());
            return Vec::new();
        };
        // The sequence number began anew, or ids were restored.
        if first < newest {
            return Vec::new();
        }
        let mut missed = Vec::new();
        if sequence(newest, slot_bits) == sequence(last, slot_bits) {
            let occupied: HashSet<i32> = before.iter().chain(&new).map(slot).collect();
            let round = 1 << slot_bits;
            let floor = self.floor.unwrap_or(-1);
            missed.extend((newest + 1..last).filter(|id| {
                let slot = slot(id);
                // In the round before, an object may have come into this slot unseen, and still have been there.
                let was_free = id.wrapping_sub(round) <= floor;
                was_free && !occupied.contains(&slot) && !self.vacated.contains(&slot)
            }));
        }
        self.begin(Some(newest), last, gone.iter().map(slot).collect());
        missed
    }

    fn begin(&mut self, floor: Option<i32>, newest: i32, vacated: HashSet<i32>) {
        *self = Trail { newest: Some(newest), floor, vacated };
    }
}

/// How many slots the kernel goes round while so many objects are in use.
fn slots_in_round(in_use: usize, slot_bits: u32) -> i32 {
    /// The size of the slot in an id, unless the kernel runs with `ipcmni_extend`.
    const USUAL_BITS: u32 = 15;
    let fewest = if slot_bits > USUAL_BITS { 64 * 64 } else { 64 };
    i32::try_from(in_use * 3 / 2).unwrap_or(i32::MAX).max(fewest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BITS: u32 = 15;

    /// What a trail concludes from looks, each with the ids that are there.
    fn concluded(looks: &[&[i32]]) -> Vec<i32> {
        let mut trail = Trail::default();
        let mut concluded = Vec::new();
        for pair in looks.windows(2) {
            let [before, after] = pair else { unreachable!() };
            let without = |one: &[i32], other: &[i32]| -> Vec<i32> {
                one.iter().filter(|id| !other.contains(id)).copied().collect()
            };
            let (new, gone) = (without(after, before), without(before, after));
            concluded.extend(trail.advance(before, new, &gone, BITS));
        }
        concluded
    }

    #[test]
    fn a_gap_between_two_new_objects_was_an_object() {
        let next = 1 << BITS;
        for (looks, expected) in [
            (&[&[][..], &[0], &[0, 2]][..], &[1][..]),
            (&[&[], &[0], &[0, 1]], &[]),
            // Those before the first one may be older than the watch.
            (&[&[], &[5]], &[]),
            (&[&[3], &[3, 5], &[5, 8]], &[6, 7]),
            // The slot was taken when the kernel passed.
            (&[&[4], &[4, 2 + next], &[2 + next, 5 + next]], &[3 + next]),
            (&[&[4], &[4, 2 + next], &[2 + next], &[2 + next, 5 + next]], &[3 + next]),
            // Another round.
            (&[&[], &[60], &[60, 2 + next], &[60, 2 + next, 4 + next]], &[3 + next]),
            // Restored, or the sequence begins anew.
            (&[&[], &[9], &[9, 4], &[9, 4, 12]], &[10, 11]),
            // Restored beyond the slots of a round; the next one is an ordinary one.
            (&[&[], &[0], &[0, 70]], &[]),
            (&[&[], &[0], &[0, 70], &[0, 70, 2]], &[1]),
            (&[&[], &[0], &[0, 63]], &(1..63).collect::<Vec<_>>()),
        ] {
            assert_eq!(concluded(looks), expected, "{looks:?}");
        }
    }

    /// A kernel: gives ids as Linux does since 5.2.
    #[derive(Default)]
    struct Kernel {
        next: i32,
        sequence: i32,
        last: i32,
        living: Vec<i32>,
        all: Vec<i32>,
    }

    impl Kernel {
        /// The fewest slots that it goes round.
        const ROUND: i32 = 8;

        fn create(&mut self) {
            let most = Kernel::ROUND.max(self.living.len() as i32 * 3 / 2);
            let slots: HashSet<i32> = self.living.iter().map(|id| slot(*id, BITS)).collect();
            let is_free = |slot: &i32| !slots.contains(slot);
            let found = (self.next..most).find(is_free).or_else(|| (0..most).find(is_free));
            let Some(found) = found else { return };
            if !self.all.is_empty() && found <= self.last {
                self.sequence += 1;
            }
            (self.last, self.next) = (found, found + 1);
            let id = (self.sequence << BITS) + found;
            self.living.push(id);
            self.all.push(id);
        }
    }

    proptest! {
        /// Steps: create, remove one, look.
        #[test]
        fn what_is_concluded_is_true(steps in proptest::collection::vec((0u8..5, 0usize..8), 1..300)) {
            let mut kernel = Kernel::default();
            let mut looks: Vec<Vec<i32>> = vec![Vec::new()];
            for (step, which) in steps {
                match step {
                    0 | 1 => kernel.create(),
                    2 | 3 if !kernel.living.is_empty() => {
                        let which = which % kernel.living.len();
                        kernel.living.swap_remove(which);
                    }
                    _ => looks.push(kernel.living.clone()),
                }
            }
            let looks: Vec<&[i32]> = looks.iter().map(Vec::as_slice).collect();
            let concluded = concluded(&looks);
            let seen: HashSet<i32> = looks.iter().flat_map(|look| look.iter()).copied().collect();
            let distinct: HashSet<i32> = concluded.iter().copied().collect();
            prop_assert_eq!(distinct.len(), concluded.len());
            for id in concluded {
                prop_assert!(kernel.all.contains(&id) && !seen.contains(&id), "{}", id);
            }
        }
    }
}
