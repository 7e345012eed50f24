//! Which processes have to do with an object: those that the kernel recorded in it, and those that
//! a scan of `/proc` found at it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;

use super::process::{self, Process};
use super::scan::{self, Hidden, Look, Scan};
use super::sem;
use crate::ipc::known::{Known, Users};
use crate::ipc::user::{Role, State};
use crate::ipc::{Object, Time, User};

/// Somebody who has looked at all processes once, and can tell of any object who uses it.
#[derive(Debug)]
pub struct Observer {
    scan: Scan,
    processes: RefCell<HashMap<i32, Option<Process>>>,
    /// The most that may be missing among the users of one object.
    missed: Cell<u64>,
    has_outsiders: bool,
}

impl Observer {
    /// Looks around.
    pub fn new(look: &Look) -> io::Result<Observer> {
        let scan = Scan::new(look)?;
        Ok(Observer {
            scan,
            processes: RefCell::default(),
            missed: Cell::default(),
            has_outsiders: scan::has_outsiders(),
        })
    }

    /// How many processes could not be inspected that may have to do with an object that this
    /// observer was asked about.
    pub fn missed(&self) -> u64 {
        self.missed.get()
    }

    /// All that is known of an object. The pids in semaphores are seen only with read permission.
    pub fn know(&self, object: Object) -> Known {
        let known = self.look_at(object);
        if known.may_miss_users() {
            let uninspected = known.users.as_ref().map_or(0, |users| users.uninspected);
            self.missed.set(self.missed.get().max(uninspected));
        }
        known
    }

    fn look_at(&self, mut object: Object) -> Known {
        if let Object::Segment(segment) = &mut object {
            self.scan.complete(segment);
        }
        let semaphores = match &object {
            Object::SemaphoreSet(set) => sem::semaphores(set.id, set.nsems).ok(),
            _ => None,
        };
        // By its mode: a privileged process that overrides it is not suspected of being here.
        let may_use = |hidden: &&Hidden| {
            hidden.identity.as_ref().is_none_or(|who| {
                let access = object.permissions().access(who);
                access.read || access.write
            })
        };
        let hidden = || self.scan.uninspected.iter().filter(|hidden| hidden.may_reach(&object));
        let mut users = Users {
            uninspected: hidden().count() as u64,
            suspects: hidden().filter(may_use).count() as u64,
            ..Users::default()
        };
        // Attached before its process came into this namespace: the id is that of another segment.
        let is_elsewhere = matches!(&object, Object::Segment(segment) if segment.attached == 0);
        let present = self.scan.present(&object);
        for (pid, role) in present.iter().filter(|_| !is_elsewhere) {
            let process = self.process(*pid);
            let since = process.as_ref().map(|process| process.started);
            users.all.push(user(*pid, role.clone(), since, State::Alive, process));
        }
        let mut record = |pid, role, when: Option<Time>, has_happened: bool| match pid {
            // Nobody, or somebody of another pid namespace.
            0 => users.has_strangers |= has_happened,
            _ => {
                let process = self.process(pid);
                users.all.push(user(pid, role, when, state(pid, process.as_ref(), when), process));
            }
        };
        match &object {
            Object::Queue(queue) => {
                let (sent, received) = (queue.last_send, queue.last_recv);
                record(queue.last_send_pid, Role::LastSender, sent, sent.is_some());
                record(queue.last_recv_pid, Role::LastReceiver, received, received.is_some());
                users.has_strangers |= self.has_outsiders;
            }
            Object::Segment(segment) => {
                // The kernel keeps no time of creation; whoever started after the last change of
                // the segment did not make it.
                record(segment.creator_pid, Role::Creator, segment.changed, true);
                let last = segment.last_attach.max(segment.last_detach);
                record(segment.last_pid, Role::LastAttachDetach, last, last.is_some());
            }
            Object::SemaphoreSet(set) => {
                // SETVAL and SETALL leave a pid, too, and the time of a change.
                let last = set.last_op.max(set.changed);
                let Some(semaphores) = &semaphores else {
                    users.has_strangers = true;
                    return Known { object, semaphores, users: Some(users) };
                };
                let mut operated: Vec<(i32, Vec<u32>)> = Vec::new();
                for semaphore in semaphores {
                    match operated.iter_mut().find(|(pid, _)| *pid == semaphore.last_pid) {
                        Some((_, numbers)) => numbers.push(semaphore.index),
                        None => operated.push((semaphore.last_pid, vec![semaphore.index])),
                    }
                }
                // A set that was operated on has at least one pid, if all can be seen; elsewhere
                // nobody cannot be told from somebody of another process namespace.
                let is_seen = operated.iter().any(|(pid, _)| *pid != 0);
                let is_stranger = self.has_outsiders || (set.last_op.is_some() && !is_seen);
                for (pid, numbers) in operated {
                    record(pid, Role::LastOperation(numbers), last, is_stranger);
                }
            }
            Object::PosixQueue(queue) => {
                record(queue.notified_pid, Role::Notified, None, false);
                users.has_strangers |= self.has_outsiders;
            }
            Object::PosixMemory(_) | Object::PosixSemaphore(_) => {
                users.has_strangers |= self.has_outsiders;
            }
        }
        Known { object, semaphores, users: Some(users) }
    }

    fn process(&self, pid: i32) -> Option<Process> {
        self.processes.borrow_mut().entry(pid).or_insert_with(|| Process::find(pid)).clone()
    }
}

fn user(pid: i32, role: Role, since: Option<Time>, state: State, process: Option<Process>) -> User {
    let (uid, command) = process.map(|process| (process.uid, process.command)).unzip();
    User { pid, role, since, uid, command, state }
}

/// What has become of a process that did something at a time. Both that and its start are in
/// seconds, and the start is rounded down: in doubt it is the same process.
fn state(pid: i32, process: Option<&Process>, when: Option<Time>) -> State {
    match process {
        None if process::is_gone(pid) => State::Gone,
        // It may not be looked at.
        None => State::Alive,
        Some(process) if when.is_some_and(|when| process.started > when) => State::Reused,
        Some(_) => State::Alive,
    }
}
