//! Sums over objects that have something in common.

use std::collections::BTreeMap;

use super::process::role::State;
use super::{Foreign, Kind, Object, Observed};

/// What objects have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The owner.
    Owner,
    /// The creator.
    Creator,
    /// The kind.
    Kind,
    /// A process that uses them, or that the kernel recorded in them.
    Process,
    /// The container of such a process.
    Container,
}

impl By {
    /// All of them.
    pub const ALL: [By; 5] = [By::Owner, By::Creator, By::Kind, By::Process, By::Container];

    /// Its name on the command line and as a column.
    pub fn name(self) -> &'static str {
        match self {
            By::Owner => "owner",
            By::Creator => "creator",
            By::Kind => "kind",
            By::Process => "process",
            By::Container => "container",
        }
    }

    /// Whether it takes a look at the processes.
    pub fn needs_users(self) -> bool {
        match self {
            By::Owner | By::Creator | By::Kind => false,
            By::Process | By::Container => true,
        }
    }
}

/// To whom or what objects belong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A user.
    User(u32),
    /// A kind.
    Kind(Kind),
    /// A process id, and whether the process lives.
    Process(i32, bool),
    /// A container, or `host`.
    Container(String),
    /// Nobody, or unknown.
    Nobody,
}

/// The objects of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The party.
    pub party: Party,
    /// How many objects of each kind, in the order of [`Kind::ALL`].
    pub kinds: [u64; 6],
    /// The bytes of messages on the queues, and of memory.
    pub bytes: u64,
    /// The command line of a process that lives.
    pub command: Option<Foreign>,
}

impl Tally {
    /// Sums up objects, the most bytes first. An object that several processes use counts for each of
    /// them. `container` finds that of a living process.
    pub fn of(
        objects: &[Observed],
        by: By,
        container: impl Fn(i32) -> Option<String>,
    ) -> Vec<Tally> {
        let mut tallies: BTreeMap<Party, Tally> = BTreeMap::new();
        for observed in objects {
            for (party, command) in parties(observed, by, &container) {
                let tally = tallies.entry(party).or_insert_with_key(|party| Tally {
                    party: party.clone(),
                    kinds: [0; 6],
                    bytes: 0,
                    command: None,
                });
                tally.add(&observed.object);
                tally.command = tally.command.take().or(command);
            }
        }
        let mut tallies: Vec<_> = tallies.into_values().collect();
        tallies.sort_by_key(|tally| std::cmp::Reverse((tally.bytes, tally.objects())));
        tallies
    }

    /// How many objects there are.
    pub fn objects(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// How many objects of a kind there are.
    pub fn of_kind(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    fn add(&mut self, object: &Object) {
        self.kinds[object.kind() as usize] += 1;
        self.bytes = self.bytes.saturating_add(bytes(object));
    }
}

/// The bytes of messages or memory.
fn bytes(object: &Object) -> u64 {
    match object {
        Object::Queue(queue) => queue.bytes,
        Object::Segment(segment) => segment.size,
        Object::PosixQueue(queue) => queue.bytes.unwrap_or(0),
        Object::PosixMemory(memory) => memory.size,
        Object::SemaphoreSet(_) | Object::PosixSemaphore(_) => 0,
    }
}

/// The parties of an object, each once.
fn parties(
    observed: &Observed,
    by: By,
    container: &impl Fn(i32) -> Option<String>,
) -> BTreeMap<Party, Option<Foreign>> {
    let permissions = observed.permissions();
    let mut parties = BTreeMap::new();
    match by {
        By::Owner => drop(parties.insert(Party::User(permissions.uid), None)),
        By::Creator if observed.kind().is_posix() => {}
        By::Creator => drop(parties.insert(Party::User(permissions.cuid), None)),
        By::Kind => drop(parties.insert(Party::Kind(observed.kind()), None)),
        By::Process => parties.extend(observed.users().iter().map(|user| {
            let is_alive = user.state == State::Alive;
            let command = user.command.clone().filter(|_| is_alive);
            (Party::Process(user.pid, is_alive), command)
        })),
        By::Container if observed.home.is_some() => {
            let home = observed.home.as_ref().map(|home| Party::Container(home.name()));
            parties.extend(home.map(|home| (home, None)));
        }
        By::Container => {
            let alive = observed.users().iter().filter(|user| user.state == State::Alive);
            let of_user = |pid| container(pid).map_or(Party::Nobody, Party::Container);
            parties.extend(alive.map(|user| (of_user(user.pid), None)));
        }
    }
    if parties.is_empty() {
        parties.insert(Party::Nobody, None);
    }
    parties
}
