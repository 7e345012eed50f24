//! What the checks look at: gathered once, before any of them runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::dev_shm::{self, DevShm};
use crate::ipc::limit::Allowance;
use crate::ipc::limit::is_at;
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::ipc::process::observed::Verdict;
use crate::ipc::process::role::{Role, State};
use crate::ipc::sysv::Semaphore;
use crate::ipc::{
    Caller, Expected, Heirs, Home, Kind, Object, Observed, ProcessName, Queue, Reference, Snapshot,
    Time, Use,
};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::limits::{self, Limit, Load};
use crate::kernel::namespace::{Handle, complete};
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::scan::sleepers::{Sleeper, WaitedFor, sleepers};
use crate::kernel::process::uses::{Inspection, Missed};
use crate::kernel::process::{self, accounts};
use crate::kernel::sysv::{msg, sem};
use crate::output::escape::shell_word;

/// A queue with more messages is not searched for types, because each peek walks past those before it.
const MOST_PEEKED: u64 = 20_000;

/// How long an object that was never used counts as new: its creator may be about to use it.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// What a check looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// All processes, and which objects they use.
    pub users: bool,
    /// The same twice, a tenth of a second apart, to see what has not moved.
    pub rest: bool,
    /// The limits and how much of each is used.
    pub limits: bool,
    /// The files in `/dev/shm`, and how full it is.
    pub dev_shm: bool,
}

impl Needs {
    /// Nothing beyond the objects.
    pub const NONE: Needs = Needs { users: false, rest: false, limits: false, dev_shm: false };
    /// Which processes use which objects.
    pub const USERS: Needs = Needs { users: true, ..Needs::NONE };
    /// The same, and which of them have not moved since the first look.
    pub const REST: Needs = Needs { rest: true, ..Needs::USERS };
    /// Limits, and the orphans whose removal would relieve them.
    pub const LIMITS: Needs = Needs { limits: true, ..Needs::USERS };

    /// The files in `/dev/shm`.
    pub const DEV_SHM: Needs = Needs { dev_shm: true, ..Needs::NONE };

    /// What a quick look needs: neither the processes nor a second look.
    pub(super) fn quick(self) -> Needs {
        Needs { users: false, rest: false, ..self }
    }

    /// Both.
    pub(super) fn and(self, other: Needs) -> Needs {
        Needs {
            users: self.users || other.users,
            rest: self.rest || other.rest,
            limits: self.limits || other.limits,
            dev_shm: self.dev_shm || other.dev_shm,
        }
    }
}

/// What the facts are for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// What to look at.
    pub needs: Needs,
    /// Objects that are kept on purpose.
    pub ignore: &'a [Expected],
    /// The percentage of use from which something counts as nearly full.
    pub threshold: u64,
    /// The present time.
    pub now: Time,
    /// See [`Question`](super::Question).
    pub elsewhere: Option<&'a [Object]>,
    /// See [`Question`](super::Question).
    pub inspection: Option<&'a Inspection>,
}

/// What was seen of the system.
pub(super) struct Facts {
    /// All objects that are not ignored.
    pub objects: Vec<Seen>,
    /// What a second look is needed for; `None` if nothing may be stuck, and after it.
    pause: Option<Pause>,
    /// All limits; empty if no check needs them.
    pub allowances: Vec<Allowance>,
    /// The percentage of use from which something counts as nearly full.
    pub threshold: u64,
    /// The IPC namespace of the objects.
    pub namespace: Handle,
    /// Its name, if several places are looked at.
    pub home: Option<Arc<Home>>,
    /// The caller as System V objects see it.
    system_v_caller: Caller,
    /// The caller as POSIX objects see it.
    posix_caller: Caller,
    /// The largest `max_bytes` that an owner may give a queue.
    pub msgmnb: u64,
    /// Whether the caller may exceed that.
    pub may_exceed_msgmnb: bool,
    /// `ignore` as options, for the filters in a fix.
    pub ignore_options: String,
    /// The present time.
    pub now: Time,
    /// The file system of POSIX shared memory; `None` if there is none or no check needs it.
    pub dev_shm: Option<DevShm>,
    /// The uninspected processes that may matter.
    pub missed: Missed,
    /// Whether everything that the checks need could be looked at, except single processes that the
    /// caller may not inspect. The caller has been warned about the rest.
    pub is_whole: bool,
}

/// An object and what was seen of it.
pub(super) struct Seen {
    /// As it was at the first look.
    pub observed: Observed,
    /// Whether it may be removed because no process uses it any more.
    pub orphan: Verdict,
    /// The threads that slept in one call on it from the first look to the second.
    pub resting: Vec<Sleeper>,
    /// The processes that use a queue, or used it last, and are stopped by a signal.
    pub stopped: BTreeSet<i32>,
    /// A queue at the second look; `None` if it is gone, or if there was no second look.
    pub later: Option<Object>,
    /// The semaphores of a set at the second look; `None` as for `later`.
    pub semaphores: Option<Vec<Semaphore>>,
    /// How many messages of each type a System V queue holds on which a process waits; `None` if
    /// unknown.
    pub types: Option<BTreeMap<i64, u64>>,
}

impl Facts {
    /// Looks at what the checks need, see [`diagnose`](super::diagnose).
    pub fn gather(
        scope: Scope<'_>,
        namespace: &Namespace,
        snapshot: Snapshot,
        warn: &mut dyn FnMut(String),
    ) -> io::Result<Facts> {
        let Scope { needs, ignore, threshold, now, elsewhere, inspection } = scope;
        let mut is_whole = true;
        let load =
            Load { snapshot: &snapshot, space: None, elsewhere: elsewhere.unwrap_or_default() };
        // Ignored objects use up limits as well. /dev/shm has checks of its own.
        let mut allowances = match needs.limits {
            true => limits::survey(load, process::uid(), &mut |limit, error| {
                is_whole = false;
                warn(format!("cannot read {}: {}", limit.name(), os_error::describe(&error)));
            }),
            false => Vec::new(),
        };
        if elsewhere.is_none() {
            allowances.retain(is_of_namespace);
        }
        let Snapshot { mut objects, unlisted } = snapshot;
        objects.iter_mut().for_each(complete);
        let scope = ScanScope::to_judge(&objects);
        let own = match needs.users && inspection.is_none() {
            true => Some(Inspection::of(namespace, &scope)?),
            false => None,
        };
        let inspection = inspection.or(own.as_ref()).filter(|_| needs.users);
        let observer = inspection.map(|it| it.observer(namespace)).transpose()?;
        let observed: Vec<Observed> = match &observer {
            Some(observer) => objects.into_iter().map(|object| observer.observe(object)).collect(),
            None => objects.into_iter().map(Observed::from).collect(),
        };
        // The users of an ignored object may be heirs of others.
        let heirs = observer.as_ref().map(|observer| observer.heirs(&observed));
        let missed = inspection.map_or_else(Missed::default, Inspection::missed);
        let is_kept =
            |observed: &Observed| !ignore.iter().any(|expected| expected.is(&observed.object));
        let kept = observed.into_iter().filter(is_kept);
        let mut seen: Vec<Seen> = kept.map(|one| Seen::at_first(one, heirs.as_ref())).collect();
        let pause = needs.rest.then(|| Pause::begin(&mut seen, scope, threshold)).flatten();
        let (dev_shm, is_shm_whole) =
            if needs.dev_shm { dev_shm::survey(namespace, warn) } else { (None, true) };
        Ok(Facts {
            objects: seen,
            pause,
            allowances,
            threshold,
            namespace: namespace.handle().clone(),
            home: namespace.home().cloned(),
            system_v_caller: process::caller(namespace.handle(), Kind::Msg),
            posix_caller: process::caller(namespace.handle(), Kind::Pmsg),
            msgmnb: Limit::Msgmnb.value().unwrap_or(u64::MAX),
            may_exceed_msgmnb: process::may_exceed_msgmnb(),
            ignore_options: ignore.iter().map(ignore_option).collect(),
            now,
            dev_shm,
            is_whole: is_whole && is_shm_whole && unlisted.is_empty() && missed.error.is_none(),
            missed,
        })
    }

    /// Whether something may be stuck, which shows at a second look.
    pub fn may_be_stuck(&self) -> bool {
        self.pause.is_some()
    }

    /// Looks a second time at what may be stuck, and keeps what has not moved.
    pub fn look_again(&mut self, namespace: &Namespace) {
        if let Some(pause) = self.pause.take() {
            pause.end(namespace, &mut self.objects);
        }
    }

    /// A text with commands, for the place that was looked at.
    pub fn address(&self, text: String) -> String {
        match &self.home {
            Some(home) => home.address(&text),
            None => text,
        }
    }

    /// The caller as objects of this kind see it.
    pub fn caller(&self, kind: Kind) -> &Caller {
        if kind.is_posix() { &self.posix_caller } else { &self.system_v_caller }
    }
}

/// Whether a limit applies to an IPC namespace.
fn is_of_namespace(allowance: &Allowance) -> bool {
    Limit::named(&allowance.name).is_none_or(Limit::is_of_namespace)
}

/// The option that leaves out the same objects.
fn ignore_option(expected: &Expected) -> String {
    let word = match expected {
        Expected::Key(key) => key.to_string(),
        Expected::Name(name) => shell_word(&name.to_string()),
        // By name, because a number could be a key as well.
        Expected::Owner(uid) => shell_word(&accounts::user(*uid)),
        Expected::Number(number) => number.to_string(),
    };
    format!(" --ignore {word}")
}

impl Seen {
    fn at_first(observed: Observed, heirs: Option<&Heirs>) -> Seen {
        Seen {
            // Without a look at the processes nothing is proved.
            orphan: match heirs {
                Some(heirs) => observed.is_orphan().and(|| heirs.are_none_of(&observed)),
                None => Verdict::Unknown("the processes were not inspected".to_owned()),
            },
            resting: Vec::new(),
            stopped: BTreeSet::new(),
            later: None,
            semaphores: None,
            types: None,
            observed,
        }
    }

    /// Its reference.
    pub fn reference(&self) -> Reference {
        self.observed.reference()
    }

    /// Whether every process that may use it is known.
    pub fn has_all_users(&self) -> bool {
        let users = self.observed.users.as_ref();
        users.is_some_and(|users| {
            users.suspects == 0 && !users.has_strangers && !users.has_outsiders
        })
    }

    /// A process by its id, and its command if it uses the object.
    pub fn name(&self, pid: i32) -> ProcessName {
        let user = self.observed.users().iter().find(|user| user.pid == pid);
        user.map_or(ProcessName { pid, command: None }, Use::name)
    }

    /// Several processes, each once.
    pub fn names(&self, pids: impl IntoIterator<Item = i32>) -> String {
        let mut seen = BTreeSet::new();
        let names =
            pids.into_iter().filter(|&pid| seen.insert(pid)).map(|pid| self.name(pid).to_string());
        names.collect::<Vec<_>>().join(", ")
    }

    /// The living processes with such a role.
    pub fn present(&self, is_such: impl Fn(&Role) -> bool) -> impl Iterator<Item = &Use> {
        self.observed.users().iter().filter(move |user| is_such(&user.role))
    }

    /// The living processes that use it or that the kernel recorded for it.
    pub fn pids(&self) -> Vec<i32> {
        let alive = self.observed.users().iter().filter(|user| user.state == State::Alive);
        alive.map(|user| user.pid).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether something may be stuck, even if no waiting process can be seen.
    fn may_be_stuck(&self, threshold: u64) -> bool {
        let is_filled = |(used, most)| most == 0 || is_at(used, most, threshold);
        match &self.observed.object {
            Object::Queue(queue) => queue.fill().is_some_and(is_filled),
            Object::PosixQueue(queue) => queue.fill().is_some_and(is_filled),
            Object::SemaphoreSet(_) => {
                let mut semaphores = self.observed.semaphores.iter().flatten();
                semaphores.any(|semaphore| semaphore.ncount > 0)
            }
            Object::Segment(_) | Object::PosixMemory(_) | Object::PosixSemaphore(_) => false,
        }
    }
}

/// The time between two looks at what may be stuck.
struct Pause {
    scope: ScanScope,
    /// The processes that wait.
    pids: BTreeSet<i32>,
    /// Their threads that sleep in a call.
    before: Vec<Sleeper>,
}

impl Pause {
    /// Looks at what may be stuck; `None` if nothing may.
    fn begin(seen: &mut [Seen], scope: ScanScope, threshold: u64) -> Option<Pause> {
        let waits = |user: &&Use| user.role.waits();
        let pids: BTreeSet<i32> = seen
            .iter()
            .flat_map(|one| one.observed.users().iter().filter(waits))
            .map(|u| u.pid)
            .collect();
        let before: Vec<Sleeper> = pids.iter().flat_map(|&pid| sleepers(pid, &scope)).collect();
        if before.is_empty() && !seen.iter().any(|one| one.may_be_stuck(threshold)) {
            return None;
        }
        for one in seen.iter_mut() {
            if let Object::Queue(queue) = &one.observed.object
                && one.present(|role| matches!(role, Role::WaitsToReceive(_))).next().is_some()
            {
                one.types = types(queue);
            }
        }
        Some(Pause { scope, pids, before })
    }

    /// Looks again, and keeps what has not moved.
    fn end(self, namespace: &Namespace, seen: &mut [Seen]) {
        let Pause { scope, pids, before } = self;
        let after = pids.iter().flat_map(|&pid| sleepers(pid, &scope));
        let after: HashMap<i32, Sleeper> = after.map(|sleeper| (sleeper.thread, sleeper)).collect();
        let mut resting: HashMap<WaitedFor, Vec<Sleeper>> = HashMap::new();
        for sleeper in before {
            if after.get(&sleeper.thread) == Some(&sleeper) {
                resting.entry(sleeper.on).or_default().push(sleeper);
            }
        }
        for one in seen {
            one.look_again(namespace, &resting);
        }
    }
}

impl Seen {
    /// What is the same at the second look, where these threads have not moved.
    fn look_again(&mut self, namespace: &Namespace, resting: &HashMap<WaitedFor, Vec<Sleeper>>) {
        // A file may have several names.
        let on_it = resting.get(&WaitedFor::of(&self.observed.object));
        self.resting = on_it.cloned().unwrap_or_default();
        match &self.observed.object {
            Object::Queue(_) | Object::PosixQueue(_) => {
                let now = namespace.read(&self.reference()).ok();
                self.later = now.filter(|now| self.observed.object.is_same(now));
                let users = self.pids().into_iter();
                self.stopped = users.filter(|&pid| process::is_stopped(pid)).collect();
            }
            Object::SemaphoreSet(set) => self.semaphores = sem::semaphores(set.id, set.nsems).ok(),
            Object::Segment(_) | Object::PosixMemory(_) | Object::PosixSemaphore(_) => {}
        }
    }
}

/// How many messages of each type a queue holds. This takes read permission, and a kernel that supports
/// peeking.
fn types(queue: &Queue) -> Option<BTreeMap<i64, u64>> {
    if queue.messages > MOST_PEEKED {
        return None;
    }
    let mut types = BTreeMap::new();
    // No message is larger than all of them together.
    let mut buffer = vec![0; TYPE_SIZE + queue.bytes as usize];
    for place in 0..queue.messages as i64 {
        msg::peek(queue.id, place, &mut buffer).ok()?;
        *types.entry(type_of(&buffer)).or_default() += 1;
    }
    Some(types)
}
