use proptest::prelude::*;

use super::*;
use crate::ipc::filter::cases::{memory, queue};
use crate::ipc::{Object, Target};

const BITS: u32 = 15;

/// Queues with these ids and numbers of messages.
fn queues(all: &[(i32, u64)]) -> Vec<Observed> {
    let with = |&(number, many): &(i32, u64)| {
        let Object::Queue(mut queue) = queue() else { unreachable!() };
        (queue.id, queue.messages) = (number, many);
        Observed::from(Object::Queue(queue))
    };
    all.iter().map(with).collect()
}

fn view(objects: Vec<Observed>) -> View {
    View { objects, is_whole: true, ..View::default() }
}

fn at_home(mut objects: Vec<Observed>, number: u64) -> Vec<Observed> {
    for one in &mut objects {
        one.home = Some(Arc::new(Home::new(number, None)));
    }
    objects
}

/// The changes in short: sign, id, and messages before and after.
fn short(changes: &[Change]) -> Vec<String> {
    let messages = |observed: &Observed| observed.object.messages().unwrap_or(0);
    let of = |change: &Change| {
        let what = match change.reference().target {
            Target::Id(id) => id.to_string(),
            other => other.to_string(),
        };
        match change {
            Change::Present(_) => format!("={what}"),
            Change::Appeared(_, Appearance::Created) => format!("+{what}"),
            Change::Appeared(_, Appearance::Matches) => format!("+{what} matches"),
            Change::Appeared(_, Appearance::SeenAgain) => format!("+{what} again"),
            Change::Changed { before, after } => {
                format!("~{what} {} {}", messages(before), messages(after))
            }
            Change::Gone(_, Departure::Removed) => format!("-{what}"),
            Change::Gone(_, how) => format!("-{what} {how:?}"),
            Change::CameAndWent { .. } => format!("±{what}"),
        }
    };
    changes.iter().map(of).collect()
}

#[test]
fn each_change_is_told_once() {
    let mut now = view(queues(&[(0, 1), (1, 1)]));
    assert_eq!(short(&now.present().collect::<Vec<_>>()), ["=0", "=1"]);
    let mut follow = |all: &[(i32, u64)]| short(&now.follow(view(queues(all)), BITS));
    assert!(follow(&[(0, 1), (1, 1)]).is_empty());
    assert_eq!(follow(&[(0, 4), (2, 0)]), ["-1", "~0 1 4", "+2"]);
    assert_eq!(follow(&[(0, 4), (2, 0), (5, 0)]), ["±3", "±4", "+5"]);
    assert!(follow(&[(0, 4), (2, 0), (5, 0)]).is_empty());
    // A slot that was used again: its id has another sequence number.
    assert_eq!(follow(&[(0, 4), ((1 << BITS) + 2, 0), (5, 0)]), ["-2", "+32770"]);
    assert_eq!(follow(&[]), ["-0", "-32770", "-5"]);
}

#[test]
fn what_cannot_be_looked_at_has_not_changed() {
    let mut now = view(queues(&[(0, 1)]));
    let gaps = Gaps { kinds: HashSet::from([(None, Kind::Msg)]), ..Gaps::default() };
    assert!(now.follow(View { gaps, ..view(Vec::new()) }, BITS).is_empty());
    assert_eq!(short(&now.follow(view(queues(&[(0, 2)])), BITS)), ["~0 1 2"]);
}

#[test]
fn a_namespace_may_be_closed_or_out_of_sight_or_gone() {
    let found = |numbers: &[u64], may_hide_some| Gaps {
        found: Some(numbers.iter().copied().collect()),
        may_hide_some,
        ..Gaps::default()
    };
    let start = || view([at_home(queues(&[(0, 1)]), 1), at_home(queues(&[(0, 2)]), 2)].concat());
    let left = || view(at_home(queues(&[(0, 1)]), 1));
    let closed = Gaps { closed: HashSet::from([2]), ..found(&[1, 2], false) };
    for (gaps, expected) in [
        (found(&[1], false), vec!["-0"]),
        (found(&[1], true), vec!["-0 OutOfSight"]),
        (found(&[1, 2], true), vec!["-0"]),
        (closed, vec![]),
    ] {
        let changes = start().follow(View { gaps, ..left() }, BITS);
        assert_eq!(short(&changes), expected);
        assert!(changes.iter().all(|change| change.home().unwrap().namespace == 2));
    }
}

#[test]
fn what_was_out_of_sight_is_seen_again() {
    let look = |objects: Vec<Observed>, found: &[u64], may_hide_some| {
        let found = Some(found.iter().copied().collect());
        View { gaps: Gaps { found, may_hide_some, ..Gaps::default() }, ..view(objects) }
    };
    let there = || at_home(queues(&[(0, 1), (1, 1)]), 2);
    let start = || {
        let mut now = look(there(), &[1, 2], true);
        let changes = now.follow(look(Vec::new(), &[1], true), BITS);
        assert_eq!(short(&changes), ["-0 OutOfSight", "-1 OutOfSight"]);
        assert!(now.may_miss_objects());
        now
    };
    // One was removed meanwhile; that is known, since its namespace is seen.
    let mut now = start();
    let later = look(at_home(queues(&[(1, 5), (2, 0)]), 2), &[1, 2], true);
    assert_eq!(short(&now.follow(later, BITS)), ["+1 again", "+2"]);
    assert!(now.lost.0.is_empty());
    // Several looks later, and once only.
    let mut now = start();
    assert!(now.follow(look(Vec::new(), &[1], true), BITS).is_empty());
    assert_eq!(short(&now.follow(look(there(), &[2], true), BITS)), ["+0 again", "+1 again"]);
    assert!(now.lost.0.is_empty());
    assert!(now.follow(look(there(), &[2], true), BITS).is_empty());
    // All namespaces are seen, and it is not among them.
    let mut now = start();
    assert!(now.follow(look(Vec::new(), &[1], false), BITS).is_empty());
    assert!(!now.may_miss_objects());
}

#[test]
fn another_object_may_have_the_id() {
    let with = |change: &dyn Fn(&mut crate::ipc::Queue)| {
        let Object::Queue(mut queue) = queue() else { unreachable!() };
        change(&mut queue);
        vec![Observed::from(Object::Queue(queue))]
    };
    let changes: [&dyn Fn(&mut crate::ipc::Queue); 3] = [
        &|queue| queue.permissions.key = crate::ipc::Key(0x77),
        &|queue| queue.permissions.cuid += 1,
        &|queue| queue.permissions.cgid += 1,
    ];
    for change in changes {
        let told = view(with(&|_| {})).follow(view(with(change)), BITS);
        assert!(matches!(
            told.as_slice(),
            [Change::Gone(_, Departure::Removed), Change::Appeared(_, Appearance::Created)]
        ));
    }
    let told = view(with(&|_| {})).follow(view(with(&|queue| queue.permissions.uid += 1)), BITS);
    assert!(matches!(told.as_slice(), [Change::Changed { .. }]));
}

#[test]
fn another_dev_shm_covers_what_was_there() {
    let directory = |inode| Some(FileIdentity { device: 7, inode });
    let look = |objects, inode| View { shm: directory(inode), ..view(objects) };
    let all = vec![Observed::from(memory("/it"))];
    let mut now = look(all.clone(), 1);
    assert_eq!(short(&now.follow(look(Vec::new(), 2), BITS)), ["-/it OutOfSight"]);
    assert!(now.follow(look(Vec::new(), 2), BITS).is_empty());
    assert!(now.may_miss_objects());
    assert_eq!(short(&now.follow(look(all, 1), BITS)), ["+/it again"]);
    assert_eq!(short(&now.follow(look(Vec::new(), 1), BITS)), ["-/it"]);
    assert!(!now.may_miss_objects());
}

#[test]
fn what_is_uncertain_or_unsettled_stays_as_it_was() {
    let all = queues(&[(0, 1)]);
    let identity = Identity::of(&all[0]);
    let uncertain = Gaps { uncertain: HashSet::from([identity.clone()]), ..Gaps::default() };
    let unsettled = Gaps { unsettled: HashSet::from([(None, Kind::Msg)]), ..Gaps::default() };
    // It exists in any case.
    for (gaps, others) in [(uncertain, HashSet::from([identity])), (unsettled, HashSet::new())] {
        let mut now = view(all.clone());
        let later = View { gaps, others, ..View::default() };
        assert!(now.follow(later, BITS).is_empty());
        assert_eq!(now.objects, all);
        assert_eq!(short(&now.follow(view(queues(&[(0, 2)])), BITS)), ["~0 1 2"]);
    }
}

#[test]
fn what_matches_no_more_is_not_gone() {
    let other = |all: Vec<Observed>| all.iter().map(Identity::of).collect::<HashSet<_>>();
    let partly = |objects, others| View { objects, others, ..View::default() };
    let mut now = partly(queues(&[(0, 0)]), other(queues(&[(1, 5)])));
    let later = partly(queues(&[(1, 0)]), other(queues(&[(0, 5)])));
    assert_eq!(short(&now.follow(later, BITS)), ["-0 MatchesNoMore", "+1 matches"]);
    // It cannot be told whether others came and went.
    let later = partly(queues(&[(1, 0), (9, 0)]), HashSet::new());
    assert_eq!(short(&now.follow(later, BITS)), ["+9"]);
}

#[test]
fn a_file_is_the_same_wherever_it_is_seen_and_a_name_may_be_given_away() {
    let file = |inode, home| {
        let Object::PosixMemory(mut memory) = memory("/it") else { unreachable!() };
        memory.file.identity.inode = inode;
        at_home(vec![Observed::from(Object::PosixMemory(memory))], home)
    };
    let mut now = view(file(2, 1));
    assert_eq!(short(&now.follow(view(file(2, 7)), BITS)), ["~/it 0 0"]);
    assert_eq!(short(&now.follow(view(file(3, 7)), BITS)), ["-/it", "+/it"]);
}

proptest! {
    /// Whatever is removed and added anywhere, each object is told of once.
    #[test]
    fn objects_are_found_in_any_order(
        before in proptest::collection::hash_set(0i32..60, 0..40), after in proptest::collection::hash_set(0i32..60, 0..40),
    ) {
        // A set has no order.
        let of = |ids: &HashSet<i32>| queues(&ids.iter().map(|id| (*id, 0)).collect::<Vec<_>>());
        let mut now = View { objects: of(&before), ..View::default() };
        let changes = now.follow(View { objects: of(&after), ..View::default() }, BITS);
        let mut told = short(&changes);
        let mut expected: Vec<String> = before.difference(&after).map(|id| format!("-{id}")).collect();
        expected.extend(after.difference(&before).map(|id| format!("+{id}")));
        told.sort();
        expected.sort();
        prop_assert_eq!(told, expected);
    }
}
