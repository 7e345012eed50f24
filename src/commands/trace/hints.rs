//! Asks the system what explains a call of a traced program, in the IPC namespace of that program.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::known::Known;
use crate::commands::explain::explain_for;
use crate::commands::semop::operated;
use crate::explain::Explanation;
use crate::explain::traced::{Traced, operations, reference};
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::ipc::process::role::Role;
use crate::ipc::{CommandLine, Kind, Object, Observed, Reference, Target, Use};
use crate::kernel::call::{Call, CallName, Outcome};
use crate::kernel::limits::Limit;
use crate::kernel::namespace::{Census, Identity, Manner, Place, Stay, complete};
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::scan::sleepers::{WaitedFor, sleepers};
use crate::kernel::process::uses::observe_all;
use crate::kernel::process::{Process, Subject};
use crate::kernel::ptrace::{TracedCall, descriptor};
use crate::kernel::sysv::{msg, sem};
use crate::kernel::{Errno, Namespace};

/// The hints of a trace.
#[derive(Default)]
pub(super) struct Hints {
    places: Places,
    /// How many filters the processes have only because they are traced.
    pub filters: u32,
    /// What was found about a call, and when.
    found: HashMap<u64, (Instant, Option<String>)>,
    /// The last hint about calls of a process with a name and a result.
    said: HashMap<(i32, CallName, Option<i32>), String>,
}

/// How long a hint counts: one about the same is looked for once in this time.
const VALID: Duration = Duration::from_secs(1);

/// So many hints are remembered.
const MOST_FOUND: usize = 10_000;

/// How many messages of a queue are looked at.
const MOST_MESSAGES: i64 = 1000;

/// A hint.
pub(super) struct Hint {
    pub text: String,
    /// Whether it was given before about the same call.
    pub is_repeated: bool,
}

impl Hints {
    /// Why a call failed or waits, or what is odd about it.
    pub fn of(
        &mut self,
        call: &TracedCall,
        known: &Known,
        missing_path: Option<(&[u8], Errno)>,
    ) -> Option<Hint> {
        let value = call.call()?;
        if !may_need_one(&value, call.outcome) {
            return None;
        }
        let outcome = match call.outcome {
            Outcome::Failed(errno) => Some(errno as i32),
            Outcome::Unfinished => None,
            // What it returned does not matter.
            Outcome::Returned(_) | Outcome::Interrupted(_) => Some(0),
        };
        let subject = fingerprint(call)?;
        let text = match self.found.get(&subject) {
            Some((when, text)) if when.elapsed() < VALID => text.clone(),
            _ => {
                let text = self.find(call, &value, known, missing_path);
                if self.found.len() >= MOST_FOUND {
                    self.found.clear();
                    self.said.clear();
                }
                self.found.insert(subject, (Instant::now(), text.clone()));
                text
            }
        }?;
        let before = self.said.insert((call.pid, value.name(), outcome), text.clone());
        Some(Hint { is_repeated: before.is_some_and(|before| before == text), text })
    }

    fn find(
        &mut self,
        call: &TracedCall,
        value: &Call<'_>,
        known: &Known,
        missing_path: Option<(&[u8], Errno)>,
    ) -> Option<String> {
        let mut traced = Traced::new(*value, call.outcome);
        (traced.pid, traced.missing_path) = (call.pid, missing_path);
        traced.duration = call.duration;
        traced.began = call.time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        traced.reference = reference(value);
        traced.attached = known.attached(call.pid);
        if let Call::MqTimedsend { descriptor: number, .. }
        | Call::MqTimedreceive { descriptor: number, .. }
        | Call::MqNotify { descriptor: number, .. }
        | Call::MqGetsetattr { descriptor: number, .. } = *value
        {
            let (descriptor, reference) = descriptor(call.thread, number);
            (traced.descriptor, traced.reference) = (Some(descriptor), reference);
        }
        let place = self.places.of(call.pid).ok()?;
        if let Some(Reference { kind, target: Target::Id(id) }) = traced.reference
            && let Some((pid, ago)) = known.remover(place.number, kind, id)
        {
            traced.removed = Some((Process::name(pid), ago));
        }
        let _stay = place.enter().ok()?;
        let namespace = &place.namespace;
        look(&mut traced, call, known, &place);
        traced.hint().or_else(|| {
            let failure = traced.failure()?;
            let subject = Subject::Other { pid: call.pid, filters: self.filters };
            let explained = explain_for(subject, namespace, &[failure]);
            in_one(explained.into_iter().next()?, value.name(), call.outcome.errno()?)
        })
    }

    /// The number of the namespace of a process, and the namespace.
    pub fn place(&mut self, pid: i32) -> Option<Rc<Placed>> {
        self.places.of(pid).ok()
    }

    /// A namespace of a traced process, by its number.
    pub fn numbered(&self, number: u64) -> Option<Rc<Placed>> {
        self.places.all.values().find(|place| place.number == number).cloned()
    }

    /// A process may have moved to another namespace.
    pub fn forget_place(&mut self, pid: i32) {
        self.places.of_process.remove(&pid);
    }
}

/// What happened and why, unless the error says just that.
fn in_one(explained: Explanation, name: CallName, errno: Errno) -> Option<String> {
    let Explanation { what, hint, .. } = explained;
    let what = what.strip_suffix(&format!(" ({errno:?})")).unwrap_or(&what);
    // That one is out of range has two reasons, of which the hint has the right one.
    let is_plain = ["no permission", "not permitted"].contains(&what)
        || errno == Errno::ERANGE
        || what.starts_with(&format!("{name} failed"));
    match hint {
        Some(hint) if is_plain => Some(hint),
        Some(hint) => Some(format!("{what}; {hint}")),
        None if is_plain => None,
        None => Some(what.to_owned()),
    }
}

/// Whether a call may be worth a hint: it failed, it waits, or it can succeed in an odd way.
fn may_need_one(call: &Call<'_>, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed(_) | Outcome::Unfinished => true,
        Outcome::Interrupted(_) => false,
        Outcome::Returned(_) => match *call {
            Call::Msgget { key, .. } | Call::Semget { key, .. } => key == -1,
            Call::Shmget { key, flags, .. } => {
                key == -1 || flags & libc::IPC_CREAT != 0 && key != 0
            }
            // The call alone shows it.
            Call::Msgsnd { .. } => Traced::new(*call, outcome).hint().is_some(),
            _ => false,
        },
    }
}

/// A number for everything that decides a hint: a process, a call with its arguments, and its result.
fn fingerprint(call: &TracedCall) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    call.pid.hash(&mut hasher);
    // Without the text of a message, which decides nothing, and what was returned, which only a segment has of its own.
    let event = call.event(0)?;
    event.call.name().hash(&mut hasher);
    call.outcome.errno().map(|errno| errno as i32).hash(&mut hasher);
    (call.outcome == Outcome::Unfinished).hash(&mut hasher);
    if event.call.name() == CallName::Shmget {
        call.outcome.value().hash(&mut hasher);
    }
    event
        .each_argument(&mut |argument| {
            argument.to_string().hash(&mut hasher);
            Ok(())
        })
        .ok()?;
    Some(hasher.finish())
}

/// Looks at what explains the call.
fn look(traced: &mut Traced<'_>, call: &TracedCall, known: &Known, place: &Placed) {
    let namespace = &place.namespace;
    let is_of_id = matches!(traced.reference, Some(Reference { target: Target::Id(_), .. }));
    let is_about_object =
        is_of_id || matches!(traced.call, Call::MqTimedsend { .. } | Call::MqTimedreceive { .. });
    if is_about_object && !matches!(traced.outcome, Outcome::Returned(_)) {
        let object = traced.reference.as_ref().map(|reference| namespace.read(reference));
        traced.object = object.and_then(Result::ok);
        traced.object.iter_mut().for_each(complete);
    }
    match (traced.call, traced.outcome) {
        (Call::Msgsnd { .. }, Outcome::Failed(Errno::EINVAL)) => {
            traced.msgmax = Limit::Msgmax.value();
        }
        (Call::Msgrcv { id, .. }, Outcome::Failed(Errno::E2BIG | Errno::ENOMSG)) => {
            traced.messages = messages(id);
        }
        (Call::Msgrcv { id, .. }, Outcome::Unfinished) => {
            traced.messages = messages(id);
            traced.users = users(traced, namespace);
        }
        (
            Call::Msgsnd { .. } | Call::MqTimedsend { .. } | Call::MqTimedreceive { .. },
            Outcome::Unfinished,
        )
        | (Call::MqNotify { .. }, Outcome::Failed(Errno::EBUSY)) => {
            traced.users = users(traced, namespace);
        }
        (
            Call::MqTimedsend { .. } | Call::MqTimedreceive { .. },
            Outcome::Failed(Errno::EMSGSIZE),
        ) => {
            if let Some(Object::PosixQueue(queue)) = &traced.object {
                traced.message_size = queue.message_size;
            }
        }
        (
            Call::Semop { id, operations: wanted, .. }
            | Call::Semtimedop { id, operations: wanted, .. },
            Outcome::Failed(_) | Outcome::Unfinished,
        ) => {
            let wanted = operations(wanted.content.unwrap_or_default());
            if let Some(Object::SemaphoreSet(set)) = &traced.object {
                traced.operated = operated(id, set.nsems, &wanted);
                if traced.outcome == Outcome::Unfinished {
                    traced.chain = chain(traced, namespace, call.pid);
                }
            }
        }
        (
            Call::Msgget { .. } | Call::Shmget { .. } | Call::Semget { .. },
            Outcome::Failed(Errno::EEXIST),
        ) => {
            let reference = traced.reference.as_ref();
            traced.existing = reference.and_then(|key| namespace.resolve(key).ok());
        }
        (Call::Shmget { key, .. }, Outcome::Failed(Errno::ENOENT)) => {
            traced.twin = twin(namespace, known, place.number, key, -1);
        }
        (Call::Shmget { key, .. }, Outcome::Returned(id)) => {
            let id = i32::try_from(id).unwrap_or(-1);
            traced.twin = twin(namespace, known, place.number, key, id);
        }
        _ => {}
    }
}

/// The types and sizes of the messages on a queue; `None` if they cannot be seen.
fn messages(id: i32) -> Option<Vec<(i64, usize)>> {
    let most = Limit::Msgmax.value().unwrap_or(8192);
    let mut buffer = vec![0; TYPE_SIZE + usize::try_from(most).ok()?];
    let mut all = Vec::new();
    for place in 0..MOST_MESSAGES {
        match msg::peek(id, place, &mut buffer) {
            Ok(size) => all.push((type_of(&buffer), size)),
            Err(error) if error.errno == Errno::ENOMSG => break,
            Err(_) => return None,
        }
    }
    Some(all)
}

/// The processes that use the object.
fn users(traced: &Traced<'_>, namespace: &Namespace) -> Vec<Use> {
    let object = traced.reference.as_ref().and_then(|reference| namespace.read(reference).ok());
    let observed = object.and_then(|object| observe_all(namespace, vec![object]).ok());
    let users = observed.into_iter().flatten().filter_map(|observed: Observed| observed.users);
    users.flat_map(|users| users.all).collect()
}

/// On what the process waits that operated last on the semaphore that is waited for.
fn chain(traced: &Traced<'_>, namespace: &Namespace, pid: i32) -> Option<String> {
    let semaphores = &traced.operated.semaphores;
    let wanted = traced.operated.operations.iter().find(|one| one.change <= 0)?;
    let last = semaphores.get(usize::from(wanted.semaphore))?.last_pid;
    if last == pid || last == 0 {
        return None;
    }
    let waits = sleepers(last, &ScanScope::around(&traced.object));
    let sleeper = waits.first()?;
    let WaitedFor::SystemV(kind, id) = sleeper.on else { return None };
    let on = Reference::id(kind, id);
    let mut chain = format!("{last} is itself {} of {on}", sleeper.role);
    if let (Role::WaitsOnSemaphores(operations), Ok(Object::SemaphoreSet(other))) =
        (&sleeper.role, namespace.read(&on))
        && let Some(wanted) = operations.first()
        && let Ok(state) = sem::semaphores(id, other.nsems)
        && state.get(usize::from(wanted.semaphore)).is_some_and(|one| one.last_pid == pid)
    {
        chain += ", on which this process operated last: perhaps a deadlock";
    }
    Some(chain)
}

/// Another segment that had the key until it was marked for destruction, and is still attached.
fn twin(namespace: &Namespace, known: &Known, number: u64, key: i32, id: i32) -> Option<Reference> {
    let is_there =
        |reference: &Reference| namespace.read(reference).is_ok_and(|object| object.is_marked());
    let seen = known.marked_with(number, key, id).map(|id| Reference::id(Kind::Shm, id));
    if let Some(twin) = seen.into_iter().find(is_there) {
        return Some(twin);
    }
    // Whoever has it attached knows its key.
    let segments = namespace.snapshot([Kind::Shm]).ok()?;
    let marked: Vec<Object> = segments.objects.into_iter().filter(Object::is_marked).collect();
    if marked.is_empty() {
        return None;
    }
    let observed = observe_all(namespace, marked).ok()?;
    let had_key = |one: &Observed| {
        let users = one.users.as_ref();
        users.and_then(|users| users.former_key).is_some_and(|former| former.0 == key)
    };
    observed.into_iter().find(had_key).map(|one| one.object.reference())
}

/// An IPC namespace of traced processes.
pub(super) struct Placed {
    /// Its number.
    pub number: u64,
    pub namespace: Namespace,
    is_own: bool,
}

impl Placed {
    /// Whether it ends with the processes that were traced there, because no other one lives in it.
    pub fn is_over(&self) -> bool {
        // Of those without processes, this process may keep one.
        let lives = |census: Census| {
            census
                .namespaces
                .iter()
                .any(|(identity, seen)| identity.number() == self.number && seen.oldest.is_some())
        };
        !self.is_own && !Census::take().is_ok_and(lives)
    }

    /// A command that works there.
    pub fn command(&self, command: &CommandLine) -> String {
        let command = command.to_string();
        self.namespace.home().map_or(command.clone(), |home| home.address(&command))
    }

    /// Enters it, until the returned value goes. `EPERM` if that is not permitted.
    pub fn enter(&self) -> Result<Option<Stay>, Errno> {
        match self.is_own {
            true => Ok(None),
            false => self.namespace.enter(Manner::ByCall).map(Some),
        }
    }
}

/// The namespaces of traced processes.
#[derive(Default)]
struct Places {
    of_process: HashMap<i32, Rc<Placed>>,
    /// By number of the IPC namespace and of the mounts.
    all: HashMap<(u64, PathBuf), Rc<Placed>>,
}

impl Places {
    fn of(&mut self, pid: i32) -> io::Result<Rc<Placed>> {
        if let Some(place) = self.of_process.get(&pid) {
            return Ok(place.clone());
        }
        let identity = Identity::of(pid)?;
        let mounts = |who: &str| fs::read_link(format!("/proc/{who}/ns/mnt"));
        let its_mounts = mounts(&pid.to_string())?;
        let known = (identity.number(), its_mounts);
        let place = match self.all.get(&known) {
            Some(place) => place.clone(),
            None => {
                let own = i32::try_from(std::process::id()).unwrap_or(0);
                let is_own = Identity::of(own).ok() == Some(identity)
                    && mounts("self").ok().as_ref() == Some(&known.1);
                let namespace = match is_own {
                    true => Namespace::own(),
                    false => Place::of_process(pid)?.open()?,
                };
                let place = Rc::new(Placed { number: identity.number(), namespace, is_own });
                self.all.insert(known, place.clone());
                place
            }
        };
        self.of_process.insert(pid, place.clone());
        Ok(place)
    }
}
