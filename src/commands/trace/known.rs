//! What was seen of the traced processes: which objects they made and removed, what they hold.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libc::{IPC_CREAT, IPC_EXCL, IPC_PRIVATE, IPC_RMID, SEM_UNDO};

use crate::explain::traced::reference;
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
    /// Whether the last call of a thread that creates what is missing found it missing.
    is_missing: HashMap<i32, bool>,
}

/// What was seen of a process.
#[derive(Debug, Default)]
struct Process {
    made: Vec<(Namespace, Made)>,
    /// Where which segment is attached.
    attached: Vec<(usize, i32)>,
    /// What it took from semaphores without `SEM_UNDO`, and did not give back.
    taken: HashMap<(Namespace, i32, u16), i64>,
}

/// An object that a process made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// By id, if it has one.
    pub reference: Reference,
    /// Its key, if it has one.
    pub key: Option<Key>,
}

/// What a process that has ended leaves, or held.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Made, and not removed by a call that was seen.
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
                for process in self.processes.values_mut() {
                    process.taken.retain(|(place, set, _), _| (*place, *set) != (namespace, id));
                }
            }
            Call::Shmat { id, .. } => {
                self.process(pid).attached.push((value as usize, id));
            }
            Call::Shmdt { address } => {
                self.process(pid).attached.retain(|(place, _)| *place != address);
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
            Call::SemOpen { flags, .. } if flags & libc::O_CREAT != 0 => {
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
            let made = Made { reference: Reference::id(kind, id), key };
            self.process(pid).made.push((namespace, made));
        }
    }

    fn made_file(&mut self, pid: i32, namespace: Namespace, call: &Call<'_>) {
        if let Some(reference) = reference(call) {
            self.process(pid).made.push((namespace, Made { reference, key: None }));
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

    fn removed(&mut self, pid: i32, namespace: Namespace, kind: Kind, id: i32) {
        if self.removed.len() >= MOST_REMOVED {
            self.removed.clear();
        }
        self.removed.insert((namespace, kind, id), (pid, Instant::now()));
        self.forget(namespace, &Reference::id(kind, id));
        for process in self.processes.values_mut() {
            process.taken.retain(|(place, set, _), _| (*place, *set) != (namespace, id));
        }
    }

    /// An object is gone, whoever made it.
    fn forget(&mut self, namespace: Namespace, gone: &Reference) {
        for process in self.processes.values_mut() {
            process.made.retain(|(place, made)| *place != namespace || made.reference != *gone);
        }
    }

    fn operated(
        &mut self,
        pid: i32,
        namespace: Namespace,
        id: i32,
        operations: Pointed<&[libc::sembuf]>,
    ) {
        let taken = &mut self.process(pid).taken;
        for one in operations.content.unwrap_or_default() {
            let is_undone = i32::from(one.sem_flg) & SEM_UNDO != 0;
            if one.sem_op != 0 && !is_undone {
                let place = (namespace, id, one.sem_num);
                let net = taken.entry(place).or_insert(0);
                *net -= i64::from(one.sem_op);
                // What is given without having been taken is no debt of others.
                if *net <= 0 {
                    taken.remove(&place);
                }
            }
        }
    }

    /// A process has the segments of its parent attached.
    pub fn forked(&mut self, parent: i32, child: i32) {
        let attached = self.processes.get(&parent).map(|parent| parent.attached.clone());
        if let Some(attached) = attached.filter(|attached| !attached.is_empty()) {
            self.process(child).attached = attached;
        }
    }

    /// A new program has no segments attached.
    pub fn executed(&mut self, pid: i32) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.attached.clear();
        }
    }

    /// A process has ended.
    pub fn exited(&mut self, pid: i32) -> Left {
        let Some(process) = self.processes.remove(&pid) else { return Left::default() };
        let mut taken: Vec<_> = process
            .taken
            .into_iter()
            .map(|((place, id, number), net)| (place, id, number, net))
            .collect();
        taken.sort_unstable();
        Left { made: process.made, attached: process.attached, taken }
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
        process.map_or(Vec::new(), |one| one.attached.iter().map(|(place, _)| *place).collect())
    }
}
