//! The processes that may use an object again that is unused at the moment.
//!
//! A semaphore set or a message queue is never opened: a process that knows the id can use it again at
//! any time, without a trace in between. A server need not have its segments attached or its POSIX
//! objects open all the time, either. So an object that looks left over may belong to a living program.
//! The sign of that is a process of the same user that uses another object of the same kind and is
//! older than the object. A worker counts as old as its server: Apache replaces its workers, and the
//! new ones know the sets that the old ones used.

use std::collections::{BTreeMap, HashMap};

use super::name::ProcessName;
use super::observed::{Observed, Verdict};
use super::role::{Living, State};
use crate::ipc::clock::Clock;
use crate::ipc::kind::Kind;
use crate::ipc::object::Object;
use crate::ipc::posix::name::Name;
use crate::ipc::reference::Reference;

/// How long a file in `/dev/shm` must be unchanged before it counts as a POSIX object by its place
/// alone: an hour, in seconds.
const SETTLED: u64 = 3600;

/// All processes that use objects of some kinds, to decide whether an unused object may be theirs.
#[derive(Clone, Debug)]
pub struct Heirs {
    clock: Clock,
    /// The living processes of each user that use objects of a kind.
    users: HashMap<(Kind, u32), BTreeMap<i32, Heir>>,
    /// The objects of each kind that processes may use which cannot be seen.
    obscure: HashMap<(Kind, Whose), Pair>,
    /// The POSIX objects in use, by the common part of their names.
    families: HashMap<(Kind, Vec<u8>), Pair>,
    /// The servers whose workers run as another user; `None` if some may be unknown.
    servers: Option<Vec<Server>>,
}

/// A living process with descendants of the same program that run as another user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its id and, if readable, its command line.
    pub name: ProcessName,
    /// When it started, and its user ids.
    pub living: Living,
    /// The effective user of the descendant.
    pub worker_uid: u32,
}

/// Which processes cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// Processes of this effective user; `None` if the user is unknown too.
    Use(Option<u32>),
    /// Processes in other process namespaces.
    Outsiders,
}

/// A process that uses objects.
#[derive(Clone, Debug)]
struct Heir {
    living: Living,
    name: ProcessName,
    uses: Pair,
}

/// Up to two objects, so that one of them is always other than the object in question.
#[derive(Clone, Debug, Default)]
struct Pair(Option<Reference>, Option<Reference>);

impl Pair {
    fn add(&mut self, reference: Reference) {
        match self {
            Pair(None, _) => self.0 = Some(reference),
            Pair(Some(first), None) if *first != reference => self.1 = Some(reference),
            Pair(Some(_), _) => {}
        }
    }

    fn other_than(&self, reference: &Reference) -> Option<&Reference> {
        let Pair(first, second) = self;
        first.iter().chain(second).find(|one| *one != reference)
    }
}

impl Heirs {
    /// Collects the processes from all objects of the kinds in question, each with its users.
    pub fn of(all: &[Observed], clock: Clock, servers: Option<Vec<Server>>) -> Heirs {
        let mut heirs = Heirs {
            clock,
            servers,
            users: HashMap::new(),
            obscure: HashMap::new(),
            families: HashMap::new(),
        };
        for observed in all {
            heirs.add(observed);
        }
        heirs
    }

    fn add(&mut self, observed: &Observed) {
        let (kind, reference) = (observed.kind(), observed.reference());
        let mut hide = |whose| {
            self.obscure.entry((kind, whose)).or_default().add(reference.clone());
        };
        if let Some(users) = observed.users.as_ref().filter(|_| may_have_unseen_users(observed)) {
            users.unseen.iter().for_each(|&uid| hide(Whose::Use(uid)));
            if users.has_outsiders {
                hide(Whose::Outsiders);
            }
        }
        for user in observed.users().iter().filter(|user| user.state == State::Alive) {
            let Some(living) = user.living else {
                hide(Whose::Use(user.uid));
                continue;
            };
            for uid in living.uids {
                let new = || Heir { living, name: user.name(), uses: Pair::default() };
                let of_user = self.users.entry((kind, uid)).or_default();
                of_user.entry(user.pid).or_insert_with(new).uses.add(reference.clone());
            }
        }
        if let Some(file) = observed.object.file()
            && let Some(stem) = stem(&file.name)
            && observed.is_unused() != Verdict::Yes
        {
            self.families.entry((kind, stem.to_owned())).or_default().add(reference);
        }
    }

    /// Whether no process is likely to use this unused object again. That is certain if:
    ///
    /// - no living process of its owner or creator that is older than the object, or whose server is,
    ///   uses another object of its kind;
    /// - its creator has not given it to the user as whom the workers of a living server run;
    /// - no POSIX object is in use whose name differs only in the number at its end.
    pub fn are_none_of(&self, observed: &Observed) -> Verdict {
        let (kind, reference) = (observed.kind(), observed.reference());
        let permissions = observed.permissions();
        let owners = [permissions.uid, permissions.cuid];
        let is_older = |living: &Living, since_boot| {
            observed.object.made_before().is_none_or(|made| {
                self.clock.has_started_after(living, since_boot, made) != Verdict::Yes
            })
        };
        let of_owners = owners.iter().filter_map(|&uid| self.users.get(&(kind, uid)));
        for heir in of_owners.flat_map(BTreeMap::values) {
            if let Some(other) = heir.uses.other_than(&reference)
                && is_older(&heir.living, heir.living.family_since_boot)
            {
                let heir = &heir.name;
                return Verdict::Unknown(format!(
                    "it may still belong to {heir}, which uses {other}"
                ));
            }
        }
        if permissions.was_given_away() {
            let Some(servers) = &self.servers else {
                return Verdict::Unknown(
                    "the server that gave it to its owner may still be running".to_owned(),
                );
            };
            let made_it = |server: &&Server| {
                (server.living.uids[1], server.worker_uid) == (permissions.cuid, permissions.uid)
                    && is_older(&server.living, server.living.since_boot)
            };
            if let Some(server) = servers.iter().find(made_it) {
                let server = &server.name;
                return Verdict::Unknown(format!(
                    "it may still belong to {server}, whose processes run as its owner"
                ));
            }
        }
        let relative =
            observed.object.file().and_then(|file| stem(&file.name)).and_then(|stem| {
                self.families.get(&(kind, stem.to_owned()))?.other_than(&reference)
            });
        if let Some(relative) = relative {
            return Verdict::Unknown(format!(
                "it may belong to the program of {relative}, which is or may be in use"
            ));
        }
        self.is_clear_of_unseen(kind, &reference, owners)
    }

    /// Whether no process that cannot be seen may use another object of this kind.
    fn is_clear_of_unseen(&self, kind: Kind, reference: &Reference, owners: [u32; 2]) -> Verdict {
        let [owner, creator] = owners;
        let who = |whose| match whose {
            Whose::Outsiders => "in another process namespace",
            Whose::Use(_) => "that could not be inspected",
        };
        let unseen = [
            Whose::Outsiders,
            Whose::Use(None),
            Whose::Use(Some(owner)),
            Whose::Use(Some(creator)),
        ];
        let found = unseen.into_iter().find_map(|whose| {
            Some((whose, self.obscure.get(&(kind, whose))?.other_than(reference)?))
        });
        found.map_or(Verdict::Yes, |(whose, other)| {
            Verdict::Unknown(format!(
                "it may still belong to a process {}, which may use {other}",
                who(whose)
            ))
        })
    }

    /// Whether a file in `/dev/shm` has been unchanged for an hour. Objects elsewhere need no such
    /// wait.
    pub fn is_settled(&self, observed: &Observed) -> Verdict {
        if !matches!(observed.kind(), Kind::Pshm | Kind::Psem) {
            return Verdict::Yes;
        }
        let Some(last) = observed.object.last_operation() else {
            return Verdict::Unknown("its last use is not recorded".to_owned());
        };
        match self.clock.is_older(last, SETTLED) {
            Verdict::No => Verdict::Unknown(format!(
                "it may be any file in /dev/shm, and was written within the last hour; naming the kind '{0}' includes it",
                observed.kind()
            )),
            verdict => verdict,
        }
    }
}

/// Whether processes may use an object that are not among its known users.
fn may_have_unseen_users(observed: &Observed) -> bool {
    let has_strangers = observed.users.as_ref().is_none_or(|users| users.has_strangers);
    match &observed.object {
        Object::Segment(_) => observed.counted_unseen() != Some(0),
        Object::SemaphoreSet(_) => has_strangers || observed.counted_unseen() != Some(0),
        // The kernel does not report which processes wait.
        Object::Queue(_) => true,
        Object::PosixQueue(_) | Object::PosixMemory(_) | Object::PosixSemaphore(_) => {
            let lease = observed.users.as_ref().and_then(|users| users.lease.as_ref());
            lease != Some(&Verdict::Yes)
        }
    }
}

/// The common part of the names of one program's objects: a name up to its last `.` or `_` that is
/// followed only by digits, as in `/PostgreSQL.3141592`. `None` for a name without such an end.
fn stem(name: &Name) -> Option<&[u8]> {
    let bytes = name.behind_slash().as_encoded_bytes();
    let end = bytes.iter().rposition(|byte| matches!(byte, b'.' | b'_'))? + 1;
    let digits = &bytes[end..];
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(&bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn names_of_a_family() {
        let stem = |name: &str| {
            let name = Name::of_file(OsStr::new(name));
            stem(&name).map(|stem| String::from_utf8_lossy(stem).into_owned())
        };
        assert_eq!(stem("PostgreSQL.3141592").as_deref(), Some("PostgreSQL."));
        assert_eq!(stem("torch_4711_12_0").as_deref(), Some("torch_4711_12_"));
        for alone in ["cache", "v1.x", "a_", "17", ".x17", ""] {
            assert_eq!(stem(alone), None, "{alone}");
        }
    }

    #[test]
    fn one_of_a_pair_is_another() {
        let reference = |id| Reference::id(Kind::Msg, id);
        let mut pair = Pair::default();
        assert_eq!(pair.other_than(&reference(1)), None);
        for id in [1, 1, 2, 3] {
            pair.add(reference(id));
        }
        assert_eq!(pair.other_than(&reference(1)), Some(&reference(2)));
        assert_eq!(pair.other_than(&reference(2)), Some(&reference(1)));
        assert_eq!(pair.other_than(&reference(9)), Some(&reference(1)));
    }
}
