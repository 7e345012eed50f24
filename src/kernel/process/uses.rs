//! The processes that use an object: those that the kernel recorded in it, and those that a scan of
//! `/proc` found.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;

use super::proc_mount::check_proc;
use super::scan::{self, Hidden, Scan, ScanScope};
use super::{Length, Process};
use crate::ipc::clock::Clock;
use crate::ipc::process::heirs::Heirs;
use crate::ipc::process::observed::{Observed, Users};
use crate::ipc::process::role::{Role, State};
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Kind, Object, SemaphoreSet, Time, Use, Verdict};
use crate::kernel::namespace::{Identity, Namespace};
use crate::kernel::posix::lease::Leases;
use crate::kernel::process;
use crate::kernel::sysv::sem;

/// One inspection of all processes, for any number of namespaces.
#[derive(Debug)]
pub struct Inspection {
    scan: Scan,
    /// Whether nothing was searched for.
    is_idle: bool,
    processes: RefCell<HashMap<i32, Option<Process>>>,
    /// The most users that may be missing for a single object.
    missed: Cell<u64>,
    has_outsiders: bool,
    clock: Clock,
    /// How much of each command line to read.
    commands: Length,
    /// Whether to take leases.
    leases: bool,
}

/// What an inspection shows of a namespace: for any object, which processes use it.
#[derive(Debug)]
pub struct Observer<'a> {
    namespace: &'a Namespace,
    /// `None` if nothing was searched for.
    identity: Option<Identity>,
    inspection: &'a Inspection,
    leases: Option<Leases<'a>>,
}

/// Why the known users of some objects may be incomplete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// How many processes could not be inspected and may use one of them.
    pub processes: u64,
    /// The error, if it was not a lack of permission.
    pub error: Option<String>,
}

/// These objects with the processes that use them, from one inspection of the processes.
pub fn observe_all(namespace: &Namespace, objects: Vec<Object>) -> io::Result<Vec<Observed>> {
    let inspection = Inspection::of(namespace, &ScanScope::around(&objects))?;
    let observer = inspection.observer(namespace)?;
    Ok(objects.into_iter().map(|object| observer.observe(object)).collect())
}

impl Inspection {
    /// Inspects all processes for what `scope` asks.
    pub fn of(namespace: &Namespace, scope: &ScanScope) -> io::Result<Inspection> {
        let identities = match scope.is_empty() {
            true => None,
            false => {
                check_proc().map_err(io::Error::other)?;
                Some(namespace.handle().identity()?)
            }
        };
        Inspection::of_all(identities, scope)
    }

    /// The same for several namespaces at once.
    pub fn of_all(
        namespaces: impl IntoIterator<Item = Identity>,
        scope: &ScanScope,
    ) -> io::Result<Inspection> {
        Ok(Inspection {
            scan: Scan::new(namespaces, scope)?,
            is_idle: scope.is_empty(),
            processes: RefCell::default(),
            missed: Cell::default(),
            has_outsiders: scan::has_outsiders(),
            clock: process::clock(),
            commands: scope.commands(),
            leases: scope.leases,
        })
    }

    /// What it shows of one of the namespaces, which must be entered.
    pub fn observer<'a>(&'a self, namespace: &'a Namespace) -> io::Result<Observer<'a>> {
        Ok(Observer {
            namespace,
            identity: if self.is_idle { None } else { Some(namespace.handle().identity()?) },
            inspection: self,
            leases: self.leases.then(|| Leases::new(namespace)),
        })
    }

    /// The processes that could not be inspected and may use an object that was observed.
    pub fn missed(&self) -> Missed {
        let processes = self.missed.get();
        let error = self.scan.uninspected.iter().find_map(|hidden| hidden.error.clone());
        Missed { processes, error: error.filter(|_| processes > 0) }
    }

    /// Whether processes may exist that are not visible from this process namespace.
    pub fn has_outsiders(&self) -> bool {
        self.has_outsiders
    }

    fn process(&self, pid: i32) -> Option<Process> {
        self.processes
            .borrow_mut()
            .entry(pid)
            .or_insert_with(|| Process::find(pid, self.commands))
            .clone()
    }
}

impl<'a> Observer<'a> {
    /// The processes that may use an unused object again. `all` must be all objects of their kinds.
    pub fn heirs(&self, all: &[Observed]) -> Heirs {
        // It takes an inspection of all processes, so it is done only if it can matter, which is rare.
        let was_given_away = |observed: &Observed| {
            observed.permissions().was_given_away() && observed.is_unused() == Verdict::Yes
        };
        let servers = match all.iter().any(was_given_away) {
            true => process::servers(self.namespace.handle()).ok(),
            false => Some(Vec::new()),
        };
        Heirs::of(all, self.inspection.clock, servers)
    }

    /// An object with the processes that use it. The pids in semaphores need read permission.
    pub fn observe(&self, object: Object) -> Observed {
        let observed = self.look_at(object);
        if observed.may_miss_users() {
            let uninspected = observed.users.as_ref().map_or(0, |users| users.uninspected);
            let missed = &self.inspection.missed;
            missed.set(missed.get().max(uninspected));
        }
        observed
    }

    fn look_at(&self, mut object: Object) -> Observed {
        let scan = &self.inspection.scan;
        if let (Object::Segment(segment), Some(here)) = (&mut object, self.identity) {
            scan.complete(here, segment);
        }
        let semaphores = match &object {
            Object::SemaphoreSet(set) => sem::semaphores(set.id, set.nsems).ok(),
            Object::Queue(_)
            | Object::Segment(_)
            | Object::PosixQueue(_)
            | Object::PosixMemory(_)
            | Object::PosixSemaphore(_) => None,
        };
        let mut users = self.unseen_users(&object);
        users.former_key = self.identity.and_then(|here| scan.former_key(here, &object));
        self.add_present(&object, &mut users);
        self.add_recorded(&object, semaphores.as_deref(), &mut users);
        let home = self.namespace.home().cloned();
        Observed { object, semaphores, users: Some(users), home }
    }

    /// The processes that may use an object but could not be inspected.
    fn unseen_users(&self, object: &Object) -> Users {
        let hidden = || {
            self.inspection
                .scan
                .uninspected
                .iter()
                .filter(|hidden| hidden.may_reach(self.identity, object))
        };
        // Judged by the mode: privileged processes that override it are not suspected of using it.
        let may_use = |hidden: &&Hidden| {
            hidden.identity.as_ref().is_none_or(|who| {
                let access = object.permissions().access(who);
                access.read || access.write
            })
        };
        let mut unseen: Vec<_> =
            hidden().map(|hidden| hidden.identity.as_ref().map(|who| who.uid)).collect();
        unseen.sort_unstable();
        unseen.dedup();
        Users {
            has_outsiders: self.inspection.has_outsiders,
            uninspected: hidden().count() as u64,
            unseen,
            suspects: hidden().filter(may_use).count() as u64,
            ..Users::default()
        }
    }

    /// Adds the processes that use an object now; if none was found, asks the kernel for proof.
    fn add_present(&self, object: &Object, users: &mut Users) {
        let scan = &self.inspection.scan;
        let present = self.identity.map_or(&[][..], |here| scan.present(here, object));
        if present.is_empty() {
            // A request for a lease does not disturb processes that have the file open.
            users.lease = self.leases.as_ref().and_then(|leases| leases.is_free(object));
        }
        // The segment was attached before the process entered this namespace, so the id means another
        // one.
        if matches!(object, Object::Segment(segment) if segment.attached == 0) {
            return;
        }
        for (pid, role) in present {
            let process = self.inspection.process(*pid);
            let clock = &self.inspection.clock;
            let since = process.as_ref().map(|process| clock.time_of(process.living.since_boot));
            let role = (object.kind(), role.clone());
            users.all.push(user(*pid, role, since, State::Alive, process));
        }
    }

    /// Adds the processes that the kernel recorded in an object.
    fn add_recorded(&self, object: &Object, semaphores: Option<&[Semaphore]>, users: &mut Users) {
        let mut record = |pid, role, when: Option<Time>, has_happened: bool| match pid {
            // No process, or one in another pid namespace.
            0 => users.has_strangers |= has_happened,
            _ => users.all.push(self.recorded(pid, (object.kind(), role), when)),
        };
        match object {
            Object::Queue(queue) => {
                let (sent, received) = (queue.last_send, queue.last_recv);
                record(queue.last_send_pid, Role::LastSender, sent, sent.is_some());
                record(queue.last_recv_pid, Role::LastReceiver, received, received.is_some());
            }
            Object::Segment(segment) => {
                // The kernel does not record the creation time; a process that started after the last
                // change of the segment did not create it.
                record(segment.creator_pid, Role::Creator, segment.changed, true);
                let last = segment.last_attach.max(segment.last_detach);
                record(segment.last_pid, Role::LastAttachDetach, last, last.is_some());
            }
            Object::SemaphoreSet(set) => match semaphores {
                None => users.has_strangers = true,
                Some(semaphores) => {
                    for (pid, numbers, is_stranger) in self.operators(set, semaphores) {
                        // SETVAL and SETALL also record a pid, and set the time of the last change.
                        let last = set.last_op.max(set.changed);
                        record(pid, Role::LastOperation(numbers), last, is_stranger);
                    }
                }
            },
            Object::PosixQueue(queue) => record(queue.notified_pid, Role::Notified, None, false),
            Object::PosixMemory(_) | Object::PosixSemaphore(_) => {}
        }
    }

    /// The processes that last operated on the semaphores of a set, each with the indexes of these
    /// semaphores, and whether pid 0 means a process that is not visible here.
    fn operators(
        &self,
        set: &SemaphoreSet,
        semaphores: &[Semaphore],
    ) -> Vec<(i32, Vec<u32>, bool)> {
        let mut operated: Vec<(i32, Vec<u32>)> = Vec::new();
        for semaphore in semaphores {
            match operated.iter_mut().find(|(pid, _)| *pid == semaphore.last_pid) {
                Some((_, numbers)) => numbers.push(semaphore.index),
                None => operated.push((semaphore.last_pid, vec![semaphore.index])),
            }
        }
        // If all processes are visible, a set that was operated on has at least one pid. Otherwise pid
        // 0 may mean no process or one in another process namespace.
        let is_seen = operated.iter().any(|(pid, _)| *pid != 0);
        let is_stranger = self.inspection.has_outsiders || (set.last_op.is_some() && !is_seen);
        operated.into_iter().map(|(pid, numbers)| (pid, numbers, is_stranger)).collect()
    }

    /// A process that the kernel recorded at a time, and its current state. A process that has its pid
    /// now counts as another one only if it certainly started later.
    fn recorded(&self, pid: i32, role: (Kind, Role), when: Option<Time>) -> Use {
        let Some(process) = self.inspection.process(pid) else {
            let is_gone = process::is_gone(pid);
            let state = if is_gone { State::Gone } else { State::Alive };
            let doubt = (!is_gone).then(|| format!("process {pid} could not be inspected"));
            return Use { doubt, ..user(pid, role, when, state, None) };
        };
        let is_after = when.map_or(Verdict::No, |when| {
            let living = &process.living;
            self.inspection.clock.has_started_after(living, living.since_boot, when)
        });
        let (state, doubt) = match is_after {
            Verdict::Yes => (State::Reused, None),
            Verdict::No => (State::Alive, None),
            Verdict::Unknown(why) => (
                State::Alive,
                Some(format!("cannot tell whether process {pid} is the recorded one: {why}")),
            ),
        };
        Use { doubt, ..user(pid, role, when, state, Some(process)) }
    }
}

fn user(
    pid: i32,
    (kind, role): (Kind, Role),
    since: Option<Time>,
    state: State,
    process: Option<Process>,
) -> Use {
    let living = process.as_ref().map(|process| process.living);
    let (uid, command) = process.map(|process| (process.uid, process.command)).unzip();
    Use { pid, kind, role, since, uid, command, state, living, doubt: None }
}
