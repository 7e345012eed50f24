//! What was seen of the traced processes: which objects they made and removed, what they hold.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libc::{IPC_CREAT, IPC_EXCL, IPC_PRIVATE, IPC_RMID, SEM_UNDO};

use crate::explain::traced::reference;
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Key, Kind, Reference};
use crate::kernel::call::{Call, Pointed};

/// The number of an IPC namespace.
pub(super) type Namespace = u64;

/// What was seen of all processes.
#[derive(Debug, Default)]
pub(super) struct Known {
    processes: HashMap<i32, Process>,
    /// Objects that were removed: by whom, and when.
    removed: HashMap<(Namespace, Kind, i32), (i32, Instant)>,
    /// Objects that somebody is about to remove. Whoever waits on one may hear of it first.
    removing: HashMap<(Namespace, Kind, i32), (i32, Instant)>,
    /// The keys with which segments were opened or created.
    keys: HashMap<(Namespace, i32), i32>,
    /// By how much all processes changed semaphores without `SEM_UNDO`.
    changed: HashMap<Semaphore, i64>,
    /// What processes made that have ended, while others go on that may use it.
    orphans: Vec<(Namespace, Made)>,
    /// Whether the last call of a thread that creates what is missing found it missing.
    is_missing: HashMap<i32, bool>,
}

/// What was seen of a process.
#[derive(Debug, Default)]
struct Process {
    made: Vec<(Namespace, Made)>,
    /// Which segments are attached.
    attached: Vec<Attached>,
    /// By how much it changed semaphores without `SEM_UNDO`.
    changed: HashMap<Semaphore, i64>,
}

/// A semaphore of a set: its namespace, the id of the set, its number.
type Semaphore = (Namespace, i32, u16);

/// A segment that is attached.
#[derive(Clone, Copy, Debug)]
struct Attached {
    address: usize,
    id: i32,
    /// Whether the process has it from its parent.
    is_inherited: bool,
}

/// An object that a process made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// By id, if it has one.
    pub reference: Reference,
    /// Its key, if it has one.
    pub key: Option<Key>,
    /// The process that made it.
    pub by: i32,
    /// Its file, because another process may make one with the same name later.
    pub file: Option<FileIdentity>,
}

/// What a process that has ended leaves, or held.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Made by it or by processes that ended before, and not removed by a call that was seen.
    pub made: Vec<(Namespace, Made)>,
    /// Segments, each with the address where it was attached.
    pub attached: Vec<(usize, i32)>,
    /// Semaphores: the set, the number in it, and how much was taken.
    pub taken: Vec<(Namespace, i32, u16, i64)>,
}

/// So many removed objects are remembered.
const MOST_REMOVED: usize = 100_000;

/// The object that a call removes by its id.
pub(super) fn removed_by(call: &Call<'_>) -> Option<(Kind, i32)> {
    match *call {
        Call::Msgctl { id, command: IPC_RMID, .. } => Some((Kind::Msg, id)),
        Call::Shmctl { id, command: IPC_RMID, .. } => Some((Kind::Shm, id)),
        Call::Semctl { id, command: IPC_RMID, .. } => Some((Kind::Sem, id)),
        _ => None,
    }
}

impl Known {
    /// A call begins that creates an object if it is missing. `exists` is asked only if the call does not tell.
    pub fn creates(
        &mut self,
        thread: i32,
        call: &Call<'_>,
        exists: impl FnOnce(&Reference) -> bool,
    ) {
        let is_exclusive = match *call {
            Call::Msgget { key, flags }
            | Call::Shmget { key, flags, .. }
            | Call::Semget { key, flags, .. } => key == IPC_PRIVATE || flags & IPC_EXCL != 0,
            Call::MqOpen { flags, .. }
            | Call::ShmOpen { flags, .. }
            | Call::Open { flags, .. }
            | Call::Openat { flags, .. } => flags & libc::O_EXCL != 0,
            _ => true,
        };
        let is_missing =
            is_exclusive || reference(call).is_some_and(|reference| !exists(&reference));
        self.is_missing.insert(thread, is_missing);
    }

    /// A call has ended with success.
    pub fn succeeded(
        &mut self,
        pid: i32,
        thread: i32,
        namespace: Namespace,
        call: &Call<'_>,
        value: i64,
    ) {
        if let Some((kind, id)) = removed_by(call) {
            return self.removed(pid, namespace, kind, id);
        }
        let id = i32::try_from(value).unwrap_or(-1);
        match *call {
            Call::Msgget { key, flags } => {
                self.got(pid, thread, namespace, Kind::Msg, id, key, flags)
            }
            Call::Semget { key, flags, .. } => {
                self.got(pid, thread, namespace, Kind::Sem, id, key, flags);
            }
            Call::Shmget { key, flags, .. } => {
                self.keys.insert((namespace, id), key);
                self.got(pid, thread, namespace, Kind::Shm, id, key, flags);
            }
            Call::Semctl { id, command: 16 | 17, .. } => {
                // Values that are set make what was taken before meaningless.
                self.forget_changes(namespace, id);
            }
            Call::Shmat { id, .. } => {
                let attached = Attached { address: value as usize, id, is_inherited: false };
                let all = &mut self.process(pid).attached;
                // SHM_REMAP replaces what is there.
                all.retain(|one| one.address != attached.address);
                all.push(attached);
            }
            Call::Shmdt { address } => {
                self.process(pid).attached.retain(|one| one.address != address);
            }
            Call::Semop { id, operations, .. } | Call::Semtimedop { id, operations, .. } => {
                self.operated(pid, namespace, id, operations);
            }
            Call::MqOpen { .. }
            | Call::ShmOpen { .. }
            | Call::Open { .. }
            | Call::Openat { .. }
                if self.is_missing.remove(&thread) == Some(true) =>
            {
                self.made_file(pid, namespace, call);
            }
            Call::SemOpen { flags: Some(flags), .. } if flags & libc::O_CREAT != 0 => {
                self.made_file(pid, namespace, call);
            }
            Call::MqUnlink { .. }
            | Call::ShmUnlink { .. }
            | Call::SemUnlink { .. }
            | Call::Unlink { .. }
            | Call::Unlinkat { .. } => {
                if let Some(gone) = reference(call) {
                    self.forget(namespace, &gone);
                }
            }
            _ => {}
        }
    }

    /// A call that may create an object has ended, or its thread has.
    pub fn has_ended(&mut self, thread: i32) {
        self.is_missing.remove(&thread);
    }

    fn process(&mut self, pid: i32) -> &mut Process {
        self.processes.entry(pid).or_default()
    }

    #[expect(clippy::too_many_arguments, reason = "they are those of the call")]
    fn got(
        &mut self,
        pid: i32,
        thread: i32,
        namespace: Namespace,
        kind: Kind,
        id: i32,
        key: i32,
        flags: i32,
    ) {
        let is_new = self.is_missing.remove(&thread) == Some(true)
            && (key == IPC_PRIVATE || flags & IPC_CREAT != 0);
        if is_new {
            let key = (key != IPC_PRIVATE).then_some(Key(key));
            let made = Made { reference: Reference::id(kind, id), key, by: pid, file: None };
            self.process(pid).made.push((namespace, made));
        }
    }

    fn made_file(&mut self, pid: i32, namespace: Namespace, call: &Call<'_>) {
        if let Some(reference) = reference(call) {
            self.process(pid)
                .made
                .push((namespace, Made { reference, key: None, by: pid, file: None }));
        }
    }

    /// A process is about to remove an object.
    pub fn removes(&mut self, pid: i32, namespace: Namespace, kind: Kind, id: i32) {
        self.removing.entry((namespace, kind, id)).or_insert((pid, Instant::now()));
    }

    /// It has tried.
    pub fn has_tried_to_remove(&mut self, pid: i32, namespace: Namespace, kind: Kind, id: i32) {
        let object = (namespace, kind, id);
        if self.removing.get(&object).is_some_and(|(who, _)| *who == pid) {
            self.removing.remove(&object);
        }
    }

    /// The object with a name that a process has just made, so that its file can be remembered.
    pub fn newest_file(&mut self, pid: i32) -> Option<&mut Made> {
        let (_, made) = self.processes.get_mut(&pid)?.made.last_mut()?;
        (made.reference.kind.is_posix() && made.file.is_none()).then_some(made)
    }

    fn removed(&mut self, pid: i32, namespace: Namespace, kind: Kind, id: i32) {
        if self.removed.len() >= MOST_REMOVED {
            self.removed.clear();
            self.keys.clear();
        }
        self.removed.insert((namespace, kind, id), (pid, Instant::now()));
        self.forget(namespace, &Reference::id(kind, id));
        self.forget_changes(namespace, id);
    }

    /// An object is gone, whoever made it.
    fn forget(&mut self, namespace: Namespace, gone: &Reference) {
        let is_other =
            |(place, made): &(Namespace, Made)| *place != namespace || made.reference != *gone;
        self.processes.values_mut().for_each(|process| process.made.retain(is_other));
        self.orphans.retain(is_other);
    }

    /// What was done to the semaphores of a set does not matter any more.
    fn forget_changes(&mut self, namespace: Namespace, id: i32) {
        let is_other = |(place, set, _): &Semaphore| (*place, *set) != (namespace, id);
        for process in self.processes.values_mut() {
            process.changed.retain(|semaphore, _| is_other(semaphore));
        }
        self.changed.retain(|semaphore, _| is_other(semaphore));
    }

    fn operated(
        &mut self,
        pid: i32,
        namespace: Namespace,
        id: i32,
        operations: Pointed<&[libc::sembuf]>,
    ) {
        for one in operations.content.unwrap_or_default() {
            let is_undone = i32::from(one.sem_flg) & SEM_UNDO != 0;
            if one.sem_op != 0 && !is_undone {
                let semaphore = (namespace, id, one.sem_num);
                let change = i64::from(one.sem_op);
                *self.process(pid).changed.entry(semaphore).or_default() += change;
                *self.changed.entry(semaphore).or_default() += change;
            }
        }
    }

    /// A process has the segments of its parent attached.
    pub fn forked(&mut self, parent: i32, child: i32) {
        let Some(parent) = self.processes.get(&parent) else { return };
        let inherited = |one: &Attached| Attached { is_inherited: true, ..*one };
        let attached: Vec<_> = parent.attached.iter().map(inherited).collect();
        if !attached.is_empty() {
            self.process(child).attached = attached;
        }
    }

    /// A new program has no segments attached.
    pub fn executed(&mut self, pid: i32) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.attached.clear();
        }
    }

    /// A process has ended. What it made may still be of use to others, if there are any.
    pub fn exited(&mut self, pid: i32, is_last: bool) -> Left {
        let process = self.processes.remove(&pid).unwrap_or_default();
        self.orphans.extend(process.made);
        let made = if is_last { std::mem::take(&mut self.orphans) } else { Vec::new() };
        // Others may have given it back, or it is the one who takes what others give.
        let taken = process.changed.into_iter().filter_map(|(semaphore, change)| {
            let all = self.changed.get(&semaphore).copied().unwrap_or_default();
            let (namespace, id, number) = semaphore;
            let taken = change.min(0).max(all.min(0));
            (taken < 0).then_some((namespace, id, number, -taken))
        });
        let mut taken: Vec<_> = taken.collect();
        taken.sort_unstable();
        let own = process.attached.into_iter().filter(|one| !one.is_inherited);
        let attached = own.map(|one| (one.address, one.id)).collect();
        Left { made, attached, taken }
    }

    /// Who removed an object with an id, and how long ago.
    pub fn remover(&self, namespace: Namespace, kind: Kind, id: i32) -> Option<(i32, Duration)> {
        let object = (namespace, kind, id);
        let (pid, when) = self.removed.get(&object).or_else(|| self.removing.get(&object))?;
        Some((*pid, when.elapsed()))
    }

    /// Segments that had a key and were marked for destruction since.
    pub fn marked_with(
        &self,
        namespace: Namespace,
        key: i32,
        but: i32,
    ) -> impl Iterator<Item = i32> {
        let marked = self.keys.iter().filter(move |((place, id), one)| {
            *place == namespace && **one == key && *id != but && key != IPC_PRIVATE
        });
        let is_marked = move |id: &i32| self.removed.contains_key(&(namespace, Kind::Shm, *id));
        marked.map(|((_, id), _)| *id).filter(is_marked)
    }

    /// Where a process has segments attached.
    pub fn attached(&self, pid: i32) -> Vec<usize> {
        let process = self.processes.get(&pid);
        let mut places: Vec<_> = process
            .map_or(&[][..], |process| process.attached.as_slice())
            .iter()
            .map(|one| one.address)
            .collect();
        places.dedup();
        places
    }
}
