//! All limits with their current usage.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use super::{Limit, Source};
use crate::ipc::limit::{Allowance, Amount};
use crate::ipc::{Object, Snapshot};
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process;

/// How much of a limit the objects of each user use, by user id; `None` if that is unknown.
type Shares = BTreeMap<u32, Option<u64>>;

/// What takes up limits.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The objects of the IPC namespace.
    pub snapshot: &'a Snapshot,
    /// Its `/dev/shm`, if there is one.
    pub space: Option<&'a Space>,
    /// Objects in other IPC namespaces, which take up limits of users all the same.
    pub elsewhere: &'a [Object],
}

/// The limits of the IPC namespace, of this process and of its user, whose id is `uid`, with how much
/// of each the objects use; and of its `/dev/shm`, if there is one. A limit per user is repeated for every
/// other user who owns objects that it counts. The usage is unknown if the objects could not be listed. What
/// this kernel does not have is left out; `warn` gets what cannot be read.
pub fn survey(load: Load<'_>, uid: u32, warn: &mut dyn FnMut(Limit, io::Error)) -> Vec<Allowance> {
    let Load { snapshot, space, elsewhere } = load;
    let mut allowances = Vec::new();
    let mut of_others = Vec::new();
    for limit in Limit::ALL {
        let (amount, used) = match (limit.source(), space) {
            (Source::DevShm { inodes }, Some(space)) => {
                let (most, used) = match inodes {
                    true => (space.inodes, space.inodes.map(|_| space.used_inodes)),
                    false => (space.bytes, Some(space.used_bytes)),
                };
                (most.map_or(Amount::Unlimited, Amount::Of), used)
            }
            (Source::DevShm { .. }, None) => continue,
            _ => match limit.read() {
                Ok(value) => (value.map_or(Amount::Unlimited, Amount::Of), None),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    warn(limit, error);
                    (Amount::Unknown, None)
                }
            },
        };
        let elsewhere = if limit.is_of_user() { elsewhere } else { &[] };
        let shares = shares(limit, snapshot, elsewhere);
        let used = used.or_else(|| self::used(limit, shares.as_ref(), uid));
        allowances.push(of_caller(limit, amount, used, uid));
        let others = shares.into_iter().flatten();
        let others = others.filter(|&(other, _)| limit.is_of_user() && other != uid);
        of_others.extend(others.map(|(other, used)| of_other(limit, used, other)));
    }
    allowances.extend(of_others);
    allowances
}

impl Limit {
    /// How much of it the objects of a namespace use; for a limit per user, the objects of the user
    /// with this id. `None` if it counts no objects, or that is unknown.
    pub fn used(self, snapshot: &Snapshot, uid: u32) -> Option<u64> {
        used(self, shares(self, snapshot, &[]).as_ref(), uid)
    }
}

/// How much of a limit the objects of each user use, by user id. `None` for a user with an object whose
/// usage is unknown, and `None` altogether if the limit counts no objects or they could not be listed.
/// The kernel charges the creator; the owner stands in for it, which is usually the same user.
fn shares(limit: Limit, snapshot: &Snapshot, elsewhere: &[Object]) -> Option<Shares> {
    let kind = limit.counted_kind().filter(|kind| !snapshot.unlisted.contains(kind))?;
    let mut shares = BTreeMap::new();
    for object in snapshot.of_kind(kind).chain(elsewhere.iter().filter(|one| one.kind() == kind)) {
        let sum = shares.entry(object.permissions().uid).or_insert(Some(0u64));
        *sum = sum.zip(limit.share(object)).map(|(sum, share)| sum.saturating_add(share));
    }
    Some(shares)
}

fn used(limit: Limit, shares: Option<&Shares>, uid: u32) -> Option<u64> {
    if let Some(used) = limit.entry().used_by {
        return used();
    }
    match limit.is_of_user() {
        true => shares?.get(&uid).copied().unwrap_or(Some(0)),
        false => shares?.values().try_fold(0u64, |sum, share| Some(sum.saturating_add((*share)?))),
    }
}

/// A limit as it applies to this process.
fn of_caller(limit: Limit, amount: Amount, used: Option<u64>, uid: u32) -> Allowance {
    Allowance {
        name: Cow::Borrowed(limit.name()),
        user: limit.is_of_user().then_some(uid),
        object: None,
        limit: amount,
        used,
        unit: limit.unit(),
        source: limit.source().to_string(),
        help: limit.help(),
        is_pool: limit.entry().used_by.is_some(),
        home: None,
    }
}

/// A limit as it applies to another user, by the limits of that user's processes.
fn of_other(limit: Limit, used: Option<u64>, uid: u32) -> Allowance {
    let strictest = process::least_queue_bytes(uid);
    let (amount, source) = match strictest {
        Some((pid, bytes)) => {
            (bytes.map_or(Amount::Unlimited, Amount::Of), format!("process {pid}, soft"))
        }
        None => (Amount::Unknown, "the user has no process".to_owned()),
    };
    Allowance { source, ..of_caller(limit, amount, used, uid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Key, Kind, Mode, Permissions, SemaphoreSet};

    fn set(uid: u32, nsems: u64) -> Object {
        let mode = Mode::from_bits(0o600);
        let permissions = Permissions { key: Key::PRIVATE, uid, gid: 0, cuid: 0, cgid: 0, mode };
        let (changed, last_op) = (None, None);
        Object::SemaphoreSet(SemaphoreSet { id: 0, permissions, changed, nsems, last_op })
    }

    #[test]
    fn what_is_used_is_what_the_objects_take() {
        let objects = vec![set(1, 3), set(2, 4), set(1, 5)];
        let seen = Snapshot { objects: objects.clone(), unlisted: Vec::new() };
        let unseen = Snapshot { objects, unlisted: vec![Kind::Sem] };
        let used = |limit: Limit, snapshot| limit.used(snapshot, 1);
        assert_eq!(used(Limit::Semmns, &seen), Some(12));
        assert_eq!(used(Limit::Semmni, &seen), Some(3));
        assert_eq!(used(Limit::Msgmni, &seen), Some(0));
        assert_eq!(used(Limit::Semmns, &unseen), None, "it could not be seen");
        assert_eq!(used(Limit::Semmsl, &seen), None, "it is no question");
        let by_user = BTreeMap::from([(1, Some(8)), (2, Some(4))]);
        assert_eq!(shares(Limit::Semmns, &seen, &[]), Some(by_user));
        let more = BTreeMap::from([(1, Some(8)), (2, Some(10))]);
        assert_eq!(shares(Limit::Semmns, &seen, &[set(2, 6)]), Some(more));
    }
}
