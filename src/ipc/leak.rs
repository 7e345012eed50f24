//! What a command left behind, told from what others did meanwhile.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

use super::foreign::Foreign;
use super::key::Key;
use super::kin::{Descendant, Kin, Origin};
use super::kind::Kind;
use super::known::Known;
use super::name::{InvalidName, Name};
use super::object::Object;
use super::posix::FileKind;
use super::reference::Reference;
use super::user::{Role, State, User};

/// A process as the report names it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Named {
    /// Its id.
    pub pid: i32,
    /// Its command line, as far as it is known.
    pub command: Option<Foreign>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{} ({command})", self.pid),
            None => write!(f, "{}", self.pid),
        }
    }
}

/// An object that a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The object.
    pub known: Known,
    /// Who made it, or else used it last, as far as the kernel tells.
    pub by: Option<Named>,
}

impl Leak {
    /// The memory that it takes, in bytes: pages of a segment, payload of a queue.
    pub fn memory(&self) -> u64 {
        match &self.known.object {
            Object::Queue(queue) => queue.bytes,
            Object::Segment(segment) => {
                segment.rss.map_or(segment.size, |rss| rss + segment.swap.unwrap_or_default())
            }
            Object::PosixQueue(queue) => queue.bytes.unwrap_or_default(),
            Object::PosixMemory(memory) => memory.rss,
            Object::SemaphoreSet(_) | Object::PosixSemaphore(_) => 0,
        }
    }

    /// What it is, if it is a file of `/dev/shm` that is no object.
    pub fn other_file(&self) -> Option<FileKind> {
        match &self.known.object {
            Object::PosixMemory(memory) => {
                Some(memory.file_kind).filter(|&kind| kind != FileKind::Regular)
            }
            _ => None,
        }
    }

    /// The processes that hold it.
    pub fn holders(&self) -> impl Iterator<Item = Named> {
        let has_it = |role: &Role| matches!(role, Role::Attached | Role::Mapped | Role::Open);
        let holders = self.known.users().iter().filter(move |user| has_it(&user.role));
        holders.map(|user| Named { pid: user.pid, command: user.command.clone() })
    }
}

/// What a program makes on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Objects of System V with this key.
    Key(Key),
    /// POSIX objects with this name.
    Name(Name),
}

impl Expected {
    fn is(&self, object: &Object) -> bool {
        match self {
            Expected::Key(key) => object.permissions().key == *key,
            Expected::Name(name) => object.file().is_some_and(|file| file.name == *name),
        }
    }
}

impl FromStr for Expected {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Expected> {
        Ok(match text.starts_with('/') {
            true => Expected::Name(match Name::parse(Kind::Pshm, text) {
                // A file in a directory there.
                Err(InvalidName::Slashes(..)) => Name::of_file(OsStr::new(&text[1..])),
                name => name?,
            }),
            false => Expected::Key(text.parse().map_err(|error| {
                anyhow::anyhow!(
                    "{error}; a name begins with a slash; '--' must stand between these and the command"
                )
            })?),
        })
    }
}

/// An object that appeared while a command ran, and cannot be proved to be the command's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The object.
    pub known: Known,
    /// Why it is not called a leak, in words.
    pub why: String,
}

/// What a command has done, as far as it can be proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What it left behind.
    pub leaks: Vec<Leak>,
    /// What appeared meanwhile.
    pub strangers: Vec<Stranger>,
    /// What was there before and is gone, by whomever.
    pub removed: Vec<Object>,
}

impl Difference {
    /// Takes out what was made on purpose. Returns what would be leaks.
    pub fn set_aside(&mut self, expected: &[Expected]) -> Vec<Leak> {
        let is_meant = |object: &Object| expected.iter().any(|one| one.is(object));
        self.strangers.retain(|stranger| !is_meant(&stranger.known));
        self.leaks.extract_if(.., |leak| is_meant(&leak.known)).collect()
    }
}

/// Everything in a namespace of the command's own: all that is there is left behind. Where the
/// family is complete, and has but one member, that one did it all.
pub fn all_leaked(after: Vec<Known>, kin: &Kin) -> Difference {
    let leak = |known: Known| {
        let by = author(&known, kin.all).or_else(|| match kin.all {
            [only] if kin.is_complete => Some(named(only.pid, kin.all)),
            _ => None,
        });
        Leak { known, by }
    };
    Difference { leaks: after.into_iter().map(leak).collect(), ..Difference::default() }
}

/// Compares what was there before a command with what is there after it, in a namespace that it
/// shares with others. `only_uid` is the user whom no descendant can have left, where that is
/// certain.
pub fn compare(
    before: &[Object],
    after: Vec<Known>,
    kin: &Kin,
    only_uid: Option<u32>,
) -> Difference {
    let old: HashSet<Reference> = before.iter().map(Object::reference).collect();
    let present: HashSet<Reference> = after.iter().map(|known| known.reference()).collect();
    let mut difference = Difference::default();
    let is_gone = |object: &&Object| !present.contains(&object.reference());
    difference.removed.extend(before.iter().filter(is_gone).cloned());
    for known in after.into_iter().filter(|known| !old.contains(&known.reference())) {
        match attribute(&known, kin, only_uid) {
            Ok(pid) => {
                let by = Some(named(pid, kin.all));
                difference.leaks.push(Leak { known, by });
            }
            Err(why) => difference.strangers.push(Stranger { known, why }),
        }
    }
    difference
}

/// The descendant of whom the kernel proves that it made, or at least used, a new object; or why
/// there is none.
fn attribute(known: &Known, kin: &Kin, only_uid: Option<u32>) -> Result<i32, String> {
    let creator = known.permissions().cuid;
    if only_uid.is_some_and(|uid| uid != creator) {
        return Err(format!("user {creator} made it"));
    }
    let (mut found, mut doubtful, mut others) = (None, None, Vec::new());
    for user in evidence(known) {
        match kin.origin(user.pid, user.since) {
            Origin::Kin => found = found.or(Some(user.pid)),
            Origin::Either => doubtful = Some(user.pid),
            Origin::Stranger => others.push(user),
        }
    }
    if let Some(pid) = found {
        // Who made it nobody knows, if not the process that made a segment.
        let owner = others.iter().find(|user| kin.is_complete && user.state == State::Alive);
        return match owner {
            Some(owner) => Err(format!(
                "process {pid} of the command used it, but so did process {}, which {}",
                owner.pid,
                kin.unrelated(false)
            )),
            None => Ok(pid),
        };
    }
    if let Some(pid) = doubtful {
        return Err(format!(
            "process {pid} made or used it, but that number may have been used again that second"
        ));
    }
    let others: Vec<_> = others.iter().map(|user| user.pid.to_string()).collect();
    Err(match (others.as_slice(), &known.object) {
        ([], Object::SemaphoreSet(_)) if known.semaphores.is_none() => {
            "its mode hides the processes that the kernel recorded for it".to_owned()
        }
        ([], _) if known.users.as_ref().is_some_and(|users| users.has_strangers) => {
            "a process of another process namespace made or used it".to_owned()
        }
        ([], _) => "nobody has used it yet, so the kernel records no process for it".to_owned(),
        ([one], _) => format!("process {one} made or used it, which {}", kin.unrelated(false)),
        (several, _) => {
            format!("processes {} used it, which {}", several.join(", "), kin.unrelated(true))
        }
    })
}

/// The processes that the kernel recorded for an object in a way that tells whose it is, and when.
/// Of a segment it knows who made it, so who attached it does not count.
fn evidence(known: &Known) -> impl Iterator<Item = &User> {
    let counts = |role: &Role| {
        matches!(
            role,
            Role::Creator | Role::LastSender | Role::LastReceiver | Role::LastOperation(_)
        )
    };
    known.recorded().filter(move |user| counts(&user.role))
}

/// Who made an object, or else used it last, where nobody else can have.
fn author(known: &Known, family: &[Descendant]) -> Option<Named> {
    Some(named(evidence(known).next()?.pid, family))
}

fn named(pid: i32, family: &[Descendant]) -> Named {
    let command =
        family.iter().rev().find(|one| one.pid == pid).and_then(|one| one.command.as_deref());
    Named { pid, command: command.cloned() }
}

#[cfg(test)]
mod tests {
    use super::super::known::Users;
    use super::super::numbers::{Numbers, Reading, SECOND};
    use super::super::time::Time;
    use super::super::{Mode, Permissions, Queue, Segment};
    use super::*;
    use crate::ipc::object::SegmentStatus;
    use std::rc::Rc;

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

    fn user(pid: i32, role: Role, since: i64) -> User {
        let since = Some(Time(since));
        User {
            pid,
            role,
            since,
            uid: None,
            command: None,
            state: State::Gone,
            living: None,
            doubt: None,
        }
    }

    fn known(object: Object, all: Vec<User>) -> Known {
        Known { object, semaphores: None, users: Some(Users { all, ..Users::default() }) }
    }

    fn queue(id: i32, sender: Option<(i32, i64)>) -> Known {
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
        known(object, users.into_iter().collect())
    }

    fn segment(creator: i32, last: i32) -> Known {
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
        known(
            object,
            vec![user(creator, Role::Creator, 100), user(last, Role::LastAttachDetach, 100)],
        )
    }

    fn descendant(pid: i32, from: i64, until: i64) -> Descendant {
        let (from, until) = (from as u64 * SECOND, Some(until as u64 * SECOND));
        Descendant { pid, command: Some(Rc::new("make test".into())), from, until }
    }

    fn kin(all: &[Descendant]) -> Kin<'_> {
        Kin { all, is_complete: true, numbers: const { &Numbers::NONE } }
    }

    fn verdict(known: Known, family: &[Descendant]) -> Result<i32, String> {
        attribute(&known, &kin(family), None)
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
        assert!(verdict(leaked(), &family).unwrap_err().contains("used again"));
        let mut numbers = Numbers::default();
        let reading = |time, made| Reading { time: time * SECOND, made, room: 50, held: vec![1] };
        numbers.add(reading(99, 1000));
        numbers.add(reading(102, 1040));
        let kin = Kin { all: &family, is_complete: true, numbers: &numbers };
        assert_eq!(attribute(&leaked(), &kin, None), Ok(7));
        // Its end may have been missed, not its beginning.
        assert_eq!(attribute(&queue(1, Some((7, 101))), &kin, None), Ok(7));
        assert!(attribute(&queue(1, Some((7, 98))), &kin, None).is_err());
        let mut numbers = Numbers::default();
        numbers.add(reading(99, 1000));
        numbers.add(reading(103, 1060));
        let kin = Kin { numbers: &numbers, ..kin };
        assert!(attribute(&leaked(), &kin, None).is_err());
    }

    #[test]
    fn what_a_living_stranger_uses_too_may_be_his() {
        let family = [descendant(7, 90, 110)];
        let with_receiver = |state| {
            let mut known = queue(1, Some((7, 100)));
            let receiver = User { state, ..user(8, Role::LastReceiver, 99) };
            known.users.as_mut().unwrap().all.push(receiver);
            known
        };
        assert_eq!(verdict(with_receiver(State::Gone), &family), Ok(7));
        assert!(verdict(with_receiver(State::Alive), &family).unwrap_err().contains("process 8"));
    }

    #[test]
    fn of_a_segment_the_creator_alone_counts() {
        let family = [descendant(7, 90, 110)];
        assert!(verdict(segment(8, 7), &family).is_err());
    }

    #[test]
    fn what_nobody_used_is_nobodys() {
        let why = verdict(queue(1, None), &[descendant(7, 90, 110)]).unwrap_err();
        assert!(why.contains("records no process"), "{why}");
    }

    #[test]
    fn what_another_user_made_is_his() {
        let family = [descendant(7, 90, 110)];
        assert!(attribute(&queue(1, Some((7, 100))), &kin(&family), Some(1)).is_ok());
        assert!(attribute(&queue(1, Some((7, 100))), &kin(&family), Some(2)).is_err());
    }

    #[test]
    fn before_and_after() {
        let family = [descendant(7, 90, 110)];
        let before = [queue(1, None).object, queue(2, None).object];
        let after =
            vec![queue(2, Some((7, 100))), queue(3, Some((7, 100))), queue(4, Some((8, 100)))];
        let difference = compare(&before, after, &kin(&family), None);
        let ids = |objects: Vec<&Object>| {
            objects.iter().filter_map(|object| object.id()).collect::<Vec<_>>()
        };
        assert_eq!(ids(difference.leaks.iter().map(|leak| &leak.known.object).collect()), [3]);
        assert_eq!(ids(difference.strangers.iter().map(|one| &one.known.object).collect()), [4]);
        assert_eq!(ids(difference.removed.iter().collect()), [1]);
        let by = difference.leaks[0].by.clone().unwrap();
        assert_eq!((by.pid, by.command), (7, Some("make test".into())));
    }

    #[test]
    fn alone_in_a_namespace_the_only_process_did_it() {
        let family = [descendant(7, 90, 110)];
        let leaks = all_leaked(vec![queue(1, None)], &kin(&family)).leaks;
        assert_eq!(leaks[0].by.as_ref().map(|by| by.pid), Some(7));
        let unsure = Kin { is_complete: false, ..kin(&family) };
        assert_eq!(all_leaked(vec![queue(1, None)], &unsure).leaks[0].by, None);
        let two = [descendant(7, 90, 110), descendant(8, 90, 110)];
        assert_eq!(all_leaked(vec![queue(1, None)], &kin(&two)).leaks[0].by, None);
    }
}
