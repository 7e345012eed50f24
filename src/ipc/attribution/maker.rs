//! Decides for each object that exists after a command whether the command created it.

use std::collections::HashSet;

use super::descendants::{Descendant, Descendants, Descent};
use super::leak::{
    Difference, Leak, MODE_HIDES, Neighbour, Neighbours, Outcome, Stranger, blind_spot, lives,
};
use crate::ipc::clock::Clock;
use crate::ipc::process::heirs::Heirs;
use crate::ipc::process::role::{Role, Use};
use crate::ipc::{Object, Observed, ProcessName, Reference, Verdict};

/// All objects in a namespace that the command has for itself are leaks. If the list of descendants is
/// complete and has one entry, that process created them all.
pub fn all_leaked(after: Vec<Observed>, descendants: &Descendants) -> Difference {
    let leak = |observed: Observed| {
        let by = author(&observed, descendants.all).or_else(|| match descendants.all {
            [only] if descendants.is_complete => Some(named(only.pid, descendants.all)),
            _ => None,
        });
        Leak { observed, by, outcome: Outcome::GoneWithNamespace, why: None }
    };
    Difference { leaks: after.into_iter().map(leak).collect(), ..Difference::default() }
}

/// Compares the objects before and after a command, in a namespace that it shares with other processes.
///
/// `only_uid` is the one user as whom all descendants certainly ran, if there is one: an object that
/// another user created is not theirs. `neighbours` are the other processes that ran meanwhile. `clock`
/// is the clock by which the processes are dated.
pub fn compare(
    before: &[Object],
    after: Vec<Observed>,
    descendants: &Descendants,
    only_uid: Option<u32>,
    neighbours: &Neighbours,
    clock: Clock,
) -> Difference {
    let others = Others { neighbours, heirs: strange_heirs(&after, descendants, clock) };
    let old: HashSet<Reference> = before.iter().map(Object::reference).collect();
    let present: HashSet<Reference> = after.iter().map(|observed| observed.reference()).collect();
    let mut difference = Difference::default();
    let is_gone = |object: &&Object| !present.contains(&object.reference());
    difference.vanished.extend(before.iter().filter(is_gone).cloned());
    for observed in after.into_iter().filter(|observed| !old.contains(&observed.reference())) {
        let (why, is_certain) = match attribute(&observed, descendants, &others, only_uid) {
            Maker::Command(pid) => {
                let by = Some(named(pid, descendants.all));
                let outcome =
                    if observed.object.is_marked() { Outcome::Marked } else { Outcome::Left };
                difference.leaks.push(Leak { observed, by, outcome, why: None });
                continue;
            }
            Maker::Others(why) => (why, true),
            Maker::Unknown(why) => (why, false),
        };
        difference.strangers.push(Stranger { observed, why, is_certain });
    }
    difference
}

/// Which process created a new object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Maker {
    /// This process of the command created or at least used it, and no other living process did.
    Command(i32),
    /// Another process did, or may have, by the kernel's records; with the reason.
    Others(String),
    /// A process that cannot be seen may have; with the reason.
    Unknown(String),
}

/// The living processes outside the command that may have created a new object or know its id.
struct Others<'a> {
    neighbours: &'a Neighbours,
    heirs: Heirs,
}

/// Decides which process created a new object.
fn attribute(
    observed: &Observed,
    descendants: &Descendants,
    others: &Others,
    only_uid: Option<u32>,
) -> Maker {
    let creator = observed.permissions().cuid;
    if only_uid.is_some_and(|uid| uid != creator) {
        return Maker::Others(format!("user {creator} created it"));
    }
    match used_by(observed, descendants) {
        Err(why) => why,
        Ok(pid) if observed.kind().records_maker() => Maker::Command(pid),
        Ok(pid) => others.maker_beside(pid, observed, descendants),
    }
}

impl Others<'_> {
    /// Decides which process created a queue or a set that process `pid` of the command used. The
    /// kernel records only the last use, which does not prove creation. So the answer is the command
    /// only if no other living process can have created it.
    fn maker_beside(&self, pid: i32, observed: &Observed, descendants: &Descendants) -> Maker {
        let but = |why| format!("process {pid} of the command used it, but {why}");
        if let Some(claim) = claim(observed, descendants) {
            return Maker::Others(but(claim));
        }
        if let Some(unseen) = blind_spot(observed) {
            return Maker::Unknown(but(unseen));
        }
        if let Verdict::Unknown(why) = self.heirs.are_none_of(observed) {
            return Maker::Others(but(why));
        }
        if let Some(Neighbour { name, .. }) = self.neighbours.possible_maker(observed) {
            let why = format!("{name} ran at the same time and may have created it");
            return Maker::Others(but(why));
        }
        match &self.neighbours.unseen {
            Some(unseen) => Maker::Unknown(but(unseen.clone())),
            None => Maker::Command(pid),
        }
    }
}

/// The descendant that created or at least used a new object, by the kernel's records. The error says
/// why there is none.
fn used_by(observed: &Observed, descendants: &Descendants) -> Result<i32, Maker> {
    let (mut doubtful, mut others) = (None, Vec::new());
    for user in evidence(observed) {
        match descendants.descent(user.pid, user.since) {
            Descent::Descendants => return Ok(user.pid),
            Descent::Either => doubtful = Some(user.pid),
            Descent::Stranger => others.push(user.pid),
        }
    }
    // A process that waits on a queue or a set uses it, but the kernel does not record it.
    if let Some(waiter) = waiters(observed).find(|user| descendants.lives(user.pid)) {
        return Ok(waiter.pid);
    }
    others.extend(waiters(observed).map(|user| user.pid));
    if let Some(pid) = doubtful {
        return Err(Maker::Others(format!(
            "process {pid} created or used it, but that pid may have been recycled within the same second"
        )));
    }
    others.sort_unstable();
    others.dedup();
    let others: Vec<_> = others.iter().map(i32::to_string).collect();
    Err(Maker::Others(match (others.as_slice(), &observed.object) {
        ([], Object::SemaphoreSet(_)) if observed.semaphores.is_none() => {
            return Err(Maker::Unknown(MODE_HIDES.to_owned()));
        }
        ([], _) if observed.users.as_ref().is_some_and(|users| users.has_strangers) => {
            "a process in another process namespace created or used it".to_owned()
        }
        ([], _) => "no process has used it yet, so the kernel has none on record".to_owned(),
        ([one], _) => {
            format!("process {one}, {}, created or used it", descendants.unrelated(false))
        }
        (several, _) => {
            format!("processes {}, {}, used it", several.join(", "), descendants.unrelated(true))
        }
    }))
}

/// The other living process that may have created a queue or a set that the command used, as a clause.
fn claim(observed: &Observed, descendants: &Descendants) -> Option<String> {
    let is_stranger = |user: &&Use| {
        lives(user)
            && !descendants.lives(user.pid)
            && descendants.descent(user.pid, user.since) != Descent::Descendants
    };
    let unrelated = descendants.unrelated(false);
    let waiting = waiters(observed)
        .find(is_stranger)
        .map(|user| format!("process {}, {unrelated}, waits on it", user.pid));
    let recorded = || {
        let user = evidence(observed).find(is_stranger)?;
        Some(format!("so did process {}, {unrelated}", user.pid))
    };
    waiting.or_else(recorded)
}

/// The other living processes that use objects: one of them may have created an object without being
/// recorded in it.
fn strange_heirs(all: &[Observed], descendants: &Descendants, clock: Clock) -> Heirs {
    let of_strangers = |observed: &Observed| {
        let mut observed = observed.clone();
        if let Some(users) = &mut observed.users {
            users.all.retain(|user| !descendants.lives(user.pid));
        }
        observed
    };
    let of_strangers: Vec<Observed> = all.iter().map(of_strangers).collect();
    Heirs::of(&of_strangers, clock, Some(Vec::new()))
}

/// The processes that wait on a queue or a set.
fn waiters(observed: &Observed) -> impl Iterator<Item = &Use> {
    observed.users().iter().filter(|user| user.role.waits())
}

/// The recorded uses of an object that say which process used it and when. For a segment the kernel
/// records the creator, so the last attach does not count.
fn evidence(observed: &Observed) -> impl Iterator<Item = &Use> {
    let counts = |role: &Role| {
        matches!(
            role,
            Role::Creator | Role::LastSender | Role::LastReceiver | Role::LastOperation(_)
        )
    };
    observed.recorded().filter(move |user| counts(&user.role))
}

/// The process that created an object or, if that is not recorded, used it last.
fn author(observed: &Observed, family: &[Descendant]) -> Option<ProcessName> {
    Some(named(evidence(observed).next()?.pid, family))
}

fn named(pid: i32, family: &[Descendant]) -> ProcessName {
    let command =
        family.iter().rev().find(|one| one.pid == pid).and_then(|one| one.command.as_deref());
    ProcessName { pid, command: command.cloned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::Kind;
    use crate::ipc::attribution::pid_history::{PidHistory, Reading, SECOND};
    use crate::ipc::message::Wanted;
    use crate::ipc::process::observed::Users;
    use crate::ipc::process::role::{Living, State};
    use crate::ipc::sysv::SegmentStatus;
    use crate::ipc::{Key, Mode, Permissions, Queue, Segment, Time};

    const CLOCK: Clock = Clock { boot: 0, now: 1000 * SECOND as i64, witness: None };

    fn permissions(cuid: u32) -> Permissions {
        Permissions {
            key: Key(0xbeef),
            uid: 1,
            gid: 1,
            cuid,
            cgid: 1,
            mode: Mode::from_bits(0o600),
        }
    }

    fn user(pid: i32, role: Role, since: i64) -> Use {
        let since = Some(Time(since));
        Use {
            pid,
            kind: Kind::Msg,
            role,
            since,
            uid: None,
            command: None,
            state: State::Gone,
            living: None,
            doubt: None,
        }
    }

    fn observed(object: Object, all: Vec<Use>) -> Observed {
        Observed { users: Some(Users { all, ..Users::default() }), ..Observed::from(object) }
    }

    fn queue(id: i32, sender: Option<(i32, i64)>) -> Observed {
        let object = Object::Queue(Queue {
            id,
            permissions: permissions(1),
            changed: Some(Time(100)),
            bytes: 0,
            messages: 0,
            max_bytes: None,
            last_send_pid: sender.map_or(0, |(pid, _)| pid),
            last_send: sender.map(|(_, time)| Time(time)),
            last_recv_pid: 0,
            last_recv: None,
        });
        let users = sender.map(|(pid, time)| user(pid, Role::LastSender, time));
        observed(object, users.into_iter().collect())
    }

    fn segment(creator: i32, last: i32) -> Observed {
        let object = Object::Segment(Segment {
            id: 0,
            permissions: permissions(1),
            changed: Some(Time(100)),
            size: 4096,
            attached: 0,
            status: SegmentStatus::default(),
            huge_page: None,
            rss: Some(0),
            swap: Some(0),
            creator_pid: creator,
            last_pid: last,
            last_attach: None,
            last_detach: None,
        });
        observed(
            object,
            vec![user(creator, Role::Creator, 100), user(last, Role::LastAttachDetach, 100)],
        )
    }

    fn descendant(pid: i32, from: i64, until: i64) -> Descendant {
        let (from, until) = (from as u64 * SECOND, Some(until as u64 * SECOND));
        Descendant { pid, command: Some(std::rc::Rc::new("make test".into())), from, until }
    }

    fn descendants(all: &[Descendant]) -> Descendants<'_> {
        Descendants { all, is_complete: true, pid_history: const { &PidHistory::NONE } }
    }

    fn verdict(observed: Observed, family: &[Descendant]) -> Result<i32, String> {
        maker(&observed, &descendants(family), None)
    }

    /// Neighbours that ran but use no object.
    fn nobody() -> Others<'static> {
        const NOBODY: &Neighbours = &Neighbours { awake: Vec::new(), unseen: None };
        Others { neighbours: NOBODY, heirs: Heirs::of(&[], CLOCK, Some(Vec::new())) }
    }

    /// The process of the command, or why the object is not attributed to it.
    fn maker(
        observed: &Observed,
        descendants: &Descendants,
        only_uid: Option<u32>,
    ) -> Result<i32, String> {
        match attribute(observed, descendants, &nobody(), only_uid) {
            Maker::Command(pid) => Ok(pid),
            Maker::Others(why) | Maker::Unknown(why) => Err(why),
        }
    }

    #[test]
    fn a_recorded_descendant_proves_it() {
        let family = [descendant(7, 90, 110)];
        assert_eq!(verdict(queue(1, Some((7, 100))), &family), Ok(7));
        assert_eq!(verdict(segment(7, 8), &family), Ok(7));
    }

    #[test]
    fn a_number_that_was_used_again_proves_nothing() {
        let family = [descendant(7, 90, 95)];
        assert!(verdict(queue(1, Some((7, 100))), &family).unwrap_err().contains("process 7"));
        let family = [descendant(7, 200, 210)];
        assert!(verdict(queue(1, Some((7, 100))), &family).is_err());
    }

    #[test]
    fn the_second_of_its_end_counts_if_the_number_was_not_used_again() {
        let family = [Descendant { until: Some(100 * SECOND + 5), ..descendant(7, 100, 0) }];
        let leaked = || queue(1, Some((7, 100)));
        assert!(verdict(leaked(), &family).unwrap_err().contains("may have been recycled"));
        let mut pid_history = PidHistory::default();
        let reading = |time, made| Reading {
            time: time * SECOND,
            made,
            room: 50,
            held: vec![1],
            last: (made, made),
            most: 32_768,
            counts_all: true,
            may_be_set: false,
        };
        pid_history.add(reading(99, 1000));
        pid_history.add(reading(102, 1040));
        let descendants =
            Descendants { all: &family, is_complete: true, pid_history: &pid_history };
        assert_eq!(maker(&leaked(), &descendants, None), Ok(7));
        // The watcher may have missed its end, but not its start.
        assert_eq!(maker(&queue(1, Some((7, 101))), &descendants, None), Ok(7));
        assert!(maker(&queue(1, Some((7, 98))), &descendants, None).is_err());
        let mut pid_history = PidHistory::default();
        pid_history.add(reading(99, 1000));
        pid_history.add(reading(103, 1060));
        let descendants = Descendants { pid_history: &pid_history, ..descendants };
        assert!(maker(&leaked(), &descendants, None).is_err());
    }

    #[test]
    fn what_a_living_stranger_uses_too_may_be_theirs() {
        let family = [descendant(7, 90, 110)];
        let with_receiver = |state| {
            let mut observed = queue(1, Some((7, 100)));
            let receiver = Use { state, ..user(8, Role::LastReceiver, 99) };
            observed.users.as_mut().unwrap().all.push(receiver);
            observed
        };
        assert_eq!(verdict(with_receiver(State::Gone), &family), Ok(7));
        assert!(verdict(with_receiver(State::Alive), &family).unwrap_err().contains("process 8"));
    }

    #[test]
    fn where_descendants_may_have_been_missed_a_living_stranger_is_one() {
        let family = [descendant(7, 90, 110)];
        let mut observed = queue(1, Some((7, 100)));
        let receiver = Use { state: State::Alive, ..user(8, Role::LastReceiver, 99) };
        observed.users.as_mut().unwrap().all.push(receiver);
        let partial = Descendants { is_complete: false, ..descendants(&family) };
        let why = maker(&observed, &partial, None).unwrap_err();
        assert!(why.contains("process 8, which was not seen to descend"), "{why}");
    }

    #[test]
    fn what_a_stranger_waits_on_is_theirs_and_what_a_descendant_waits_on_is_the_commands() {
        let waiting = |observed: &mut Observed| {
            let waits = Role::WaitsToReceive(Wanted::Any);
            let waiter = Use { state: State::Alive, ..user(8, waits, 80) };
            observed.users.as_mut().unwrap().all.push(waiter);
        };
        let gone = descendant(7, 90, 110);
        let living = Descendant { pid: 8, until: None, ..gone.clone() };
        let mut used = queue(1, Some((7, 100)));
        waiting(&mut used);
        let why = verdict(used.clone(), std::slice::from_ref(&gone)).unwrap_err();
        assert!(
            why.contains("but process 8, which does not descend from the command, waits on it"),
            "{why}"
        );
        assert_eq!(verdict(used, &[gone, living.clone()]), Ok(7));
        let mut unused = queue(1, None);
        waiting(&mut unused);
        assert_eq!(verdict(unused, &[living]), Ok(8));
    }

    #[test]
    fn what_an_older_stranger_may_have_made_who_uses_another_queue_is_theirs() {
        let family = [descendant(7, 90, 110)];
        let user_of_another = |uid| {
            let living = Some(Living {
                since_boot: 80 * SECOND as i64,
                family_since_boot: 80 * SECOND as i64,
                first_seen: i64::MAX,
                uids: [uid; 4],
            });
            let sender = Use { state: State::Alive, living, ..user(9, Role::LastSender, 95) };
            observed(queue(2, None).object, vec![sender])
        };
        let leaks = |other: Observed, family: &[Descendant]| {
            let before = [other.object.clone()];
            let after = vec![queue(1, Some((7, 100))), other];
            let difference =
                compare(&before, after, &descendants(family), None, &Neighbours::default(), CLOCK);
            difference.leaks.len()
        };
        assert_eq!(leaks(user_of_another(1), &family), 0);
        assert_eq!(leaks(user_of_another(2), &family), 1);
        // A process of the command never counts as another user of the object.
        let [gone] = family;
        let living = Descendant { pid: 9, until: None, ..gone.clone() };
        assert_eq!(leaks(user_of_another(1), &[gone, living]), 1);
    }

    #[test]
    fn what_a_neighbour_of_its_owner_may_have_made_is_theirs() {
        let family = [descendant(7, 90, 110)];
        let beside = |uids: &[u32], unseen: Option<&str>| {
            let uids = Some(uids.iter().copied().collect()).filter(|_| !uids.is_empty());
            let name = ProcessName { pid: 9, command: Some("perl x".into()) };
            let awake = vec![Neighbour { name, uids }];
            let neighbours = Neighbours { awake, unseen: unseen.map(str::to_owned) };
            let others = Others { neighbours: &neighbours, ..nobody() };
            // The object belongs to user 1 and was created by user 3.
            let mut observed = queue(1, Some((7, 100)));
            if let Object::Queue(queue) = &mut observed.object {
                queue.permissions = permissions(3);
            }
            attribute(&observed, &descendants(&family), &others, None)
        };
        let why = "process 7 of the command used it, but 9 (perl x) ran at the same time and may have created it";
        for uids in [&[1][..], &[3], &[2, 3], &[]] {
            assert_eq!(beside(uids, None), Maker::Others(why.to_owned()), "{uids:?}");
        }
        assert_eq!(beside(&[2], None), Maker::Command(7));
        let why = "process 7 of the command used it, but it is hidden".to_owned();
        assert_eq!(beside(&[2], Some("it is hidden")), Maker::Unknown(why));
    }

    #[test]
    fn what_processes_may_use_that_were_not_seen_is_unknown() {
        let family = [descendant(7, 90, 110)];
        let mut observed = queue(1, Some((7, 100)));
        observed.users.as_mut().unwrap().suspects = 2;
        let maker = attribute(&observed, &descendants(&family), &nobody(), None);
        assert!(
            matches!(&maker, Maker::Unknown(why) if why.contains("2 processes that may use it")),
            "{maker:?}"
        );
        observed.users.as_mut().unwrap().suspects = 0;
        assert_eq!(attribute(&observed, &descendants(&family), &nobody(), None), Maker::Command(7));
        observed.users.as_mut().unwrap().has_strangers = true;
        assert!(matches!(
            attribute(&observed, &descendants(&family), &nobody(), None),
            Maker::Unknown(_)
        ));
        // The kernel records the creator of a segment.
        let mut made = segment(7, 0);
        made.users.as_mut().unwrap().suspects = 2;
        assert_eq!(attribute(&made, &descendants(&family), &nobody(), None), Maker::Command(7));
    }

    #[test]
    fn of_a_segment_the_creator_alone_counts() {
        let family = [descendant(7, 90, 110)];
        assert!(verdict(segment(8, 7), &family).is_err());
    }

    #[test]
    fn what_nobody_used_is_nobodys() {
        let why = verdict(queue(1, None), &[descendant(7, 90, 110)]).unwrap_err();
        assert!(why.contains("the kernel has none on record"), "{why}");
    }

    #[test]
    fn what_another_user_created_is_not_the_commands() {
        let family = [descendant(7, 90, 110)];
        assert!(maker(&queue(1, Some((7, 100))), &descendants(&family), Some(1)).is_ok());
        assert!(maker(&queue(1, Some((7, 100))), &descendants(&family), Some(2)).is_err());
    }

    #[test]
    fn before_and_after() {
        let family = [descendant(7, 90, 110)];
        let before = [queue(1, None).object, queue(2, None).object];
        let after =
            vec![queue(2, Some((7, 100))), queue(3, Some((7, 100))), queue(4, Some((8, 100)))];
        let difference =
            compare(&before, after, &descendants(&family), None, &Neighbours::default(), CLOCK);
        let ids = |objects: Vec<&Object>| {
            objects.iter().filter_map(|object| object.id()).collect::<Vec<_>>()
        };
        assert_eq!(ids(difference.leaks.iter().map(|leak| &leak.observed.object).collect()), [3]);
        assert_eq!(ids(difference.strangers.iter().map(|one| &one.observed.object).collect()), [4]);
        assert_eq!(ids(difference.vanished.iter().collect()), [1]);
        let by = difference.leaks[0].by.clone().unwrap();
        assert_eq!((by.pid, by.command), (7, Some("make test".into())));
    }

    #[test]
    fn alone_in_a_namespace_the_only_process_did_it() {
        let family = [descendant(7, 90, 110)];
        let leaks = all_leaked(vec![queue(1, None)], &descendants(&family)).leaks;
        assert_eq!(leaks[0].by.as_ref().map(|by| by.pid), Some(7));
        let unsure = Descendants { is_complete: false, ..descendants(&family) };
        assert_eq!(all_leaked(vec![queue(1, None)], &unsure).leaks[0].by, None);
        let two = [descendant(7, 90, 110), descendant(8, 90, 110)];
        assert_eq!(all_leaked(vec![queue(1, None)], &descendants(&two)).leaks[0].by, None);
    }
}
