//! Operations on objects of any kind. This is the only place where a command meets the kinds.

use nix::errno::Errno;

use super::Namespace;
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Change, Key, Kind, Name, Object, Reference, Snapshot, Target};
use crate::kernel::call::{CallError, CallName};
use crate::kernel::error::{ReadError, StatusError};
use crate::kernel::limits::slot_bits;
use crate::kernel::posix::{mq, mq_calls};
use crate::kernel::sysv::listing::Detail;
use crate::kernel::sysv::permissions::Changed;
use crate::kernel::sysv::proc_table::Table;
use crate::kernel::sysv::{listing, msg, sem, shm};

/// The error for a key that names an object of a kind without keys.
const NO_KEY: CallError = CallError { name: CallName::Openat, errno: Errno::EINVAL };

/// The error for a name that names an object of a kind without names.
const NO_NAME: CallError = NO_KEY;

impl Namespace {
    /// The reference that names this object for good: a System V object by id, which no later object
    /// shares, a POSIX object by name. Finding an id by key needs no permission.
    pub fn resolve(&self, reference: &Reference) -> Result<Reference, CallError> {
        match &reference.target {
            Target::Key(_) => Ok(Reference::id(reference.kind, self.id(reference)?)),
            Target::Id(_) | Target::Name(_) => Ok(reference.clone()),
        }
    }

    /// The id of the System V object that a reference names.
    pub fn id(&self, reference: &Reference) -> Result<i32, CallError> {
        match &reference.target {
            Target::Id(id) => Ok(*id),
            Target::Key(key) => find(reference.kind, *key),
            Target::Name(_) => Err(NO_KEY),
        }
    }

    /// Removes an object: by its id, which no later object shares, or by its name.
    pub fn remove(&self, reference: &Reference) -> Result<(), CallError> {
        match reference.kind {
            Kind::Msg => msg::remove(self.id(reference)?),
            Kind::Shm => shm::remove(self.id(reference)?),
            Kind::Sem => sem::remove(self.id(reference)?),
            Kind::Pmsg => mq_calls::unlink(name(reference)?),
            kind @ (Kind::Pshm | Kind::Psem) => self.shm().unlink(kind, name(reference)?, None),
        }
    }

    /// Removes the name of a POSIX object if it still belongs to this file; opens nothing. `ENOENT` if
    /// it does not, `EINVAL` for a System V object.
    pub fn unlink_file(&self, reference: &Reference, file: FileIdentity) -> Result<(), CallError> {
        match reference.kind {
            Kind::Msg | Kind::Shm | Kind::Sem => Err(NO_NAME),
            Kind::Pmsg => mq::unlink_file(self.queues(), name(reference)?, file),
            kind @ (Kind::Pshm | Kind::Psem) => {
                self.shm().unlink(kind, name(reference)?, Some(file))
            }
        }
    }

    /// Changes owner and mode of an object. The kernel sets all of them at once for a System V object,
    /// so a change that another process makes between the read and the write is lost.
    pub fn change(&self, reference: &Reference, change: &Change) -> Result<Changed, CallError> {
        match reference.kind {
            Kind::Msg => msg::change(self.id(reference)?, change),
            Kind::Shm => shm::change(self.id(reference)?, change),
            Kind::Sem => sem::change(self.id(reference)?, change),
            Kind::Pmsg => mq::change(self.queues(), name(reference)?, change),
            kind @ (Kind::Pshm | Kind::Psem) => self.shm().change(kind, name(reference)?, change),
        }
    }

    /// Sets the maximum number of bytes of a System V queue; returns the old one,
    /// [`msg::set_max_bytes`].
    pub fn set_max_bytes(&self, queue: &Reference, bytes: u64) -> Result<u64, CallError> {
        msg::set_max_bytes(self.id(queue)?, bytes)
    }

    /// Whether the kernel lets the caller read a System V object. `EACCES` if not.
    pub fn check_readable(&self, reference: &Reference) -> Result<(), CallError> {
        let id = self.id(reference)?;
        match reference.kind {
            Kind::Msg => msg::check_readable(id),
            Kind::Shm => shm::check_readable(id),
            Kind::Sem => sem::check_readable(id),
            Kind::Pmsg | Kind::Pshm | Kind::Psem => Err(NO_KEY),
        }
    }

    /// The current state of an object, without reading any other; `rss` and `swap` of a segment are
    /// unknown.
    pub fn read(&self, reference: &Reference) -> Result<Object, CallError> {
        Ok(match reference.kind {
            Kind::Msg => Object::Queue(msg::read(self.id(reference)?)?),
            Kind::Shm => Object::Segment(shm::read(self.id(reference)?)?),
            Kind::Sem => Object::SemaphoreSet(sem::read(self.id(reference)?)?),
            Kind::Pmsg => Object::PosixQueue(mq::read(self.queues(), name(reference)?)?),
            kind @ (Kind::Pshm | Kind::Psem) => self.shm().read(kind, name(reference)?)?,
        })
    }

    /// The current state of an object, complete.
    pub fn status(&self, reference: &Reference) -> Result<Object, StatusError> {
        let mut statuses = self.statuses(std::slice::from_ref(reference));
        statuses.pop().unwrap_or(Err(StatusError::Call(NO_KEY)))
    }

    /// The current states of objects, complete, in the order of their references. Each is read by
    /// itself. Values that only the table has (`rss` and `swap` of segments, and everything if the
    /// calls are forbidden) come from the table, which is read once for all of them.
    pub fn statuses(&self, references: &[Reference]) -> Vec<Result<Object, StatusError>> {
        let mut objects: Vec<Result<Object, StatusError>> =
            references.iter().map(|reference| Ok(self.read(reference)?)).collect();
        for kind in Kind::SYSTEM_V {
            let is_incomplete = |(reference, object): &(&Reference, &mut Result<_, _>)| {
                reference.kind == kind
                    && match object {
                        Ok(object) => matches!(object, Object::Segment(_)),
                        Err(StatusError::Call(error)) => !error.is_missing(),
                        Err(StatusError::Read(_)) => false,
                    }
            };
            let mut incomplete =
                references.iter().zip(&mut objects).filter(is_incomplete).peekable();
            if incomplete.peek().is_none() {
                continue;
            }
            match self.snapshot([kind]) {
                Ok(table) => {
                    let index = table.index(slot_bits());
                    for (reference, object) in incomplete {
                        let known =
                            object.as_ref().map_or_else(|_| reference.clone(), Object::reference);
                        // An object that was removed meanwhile stays as it was read.
                        if let Some(now) = index.find(&table, &known) {
                            *object = Ok(now.clone());
                        }
                    }
                }
                Err(error) => {
                    // Each of them says why.
                    let mut error = Some(error);
                    for (_, object) in incomplete {
                        let again = || self.snapshot([kind]).err();
                        if let Some(error) = error.take().or_else(again) {
                            *object = Err(error.into());
                        }
                    }
                }
            }
        }
        objects.iter_mut().flatten().for_each(complete);
        objects
    }

    /// Passes each object of a kind to `visit` as it is read, in the order of the kernel's slots or of
    /// the directory. `visit` can stop by returning an error.
    pub fn read_all<E: From<ReadError>>(
        &self,
        kind: Kind,
        detail: Detail,
        mut visit: impl FnMut(Object) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.kinds.contains(&kind) {
            return Ok(());
        }
        match kind {
            Kind::Msg => listing::read(self.tables(), Table::Msg, detail, visit),
            Kind::Shm => listing::read(self.tables(), Table::Shm, detail, visit),
            Kind::Sem => listing::read(self.tables(), Table::Sem, detail, visit),
            Kind::Pmsg => mq::read_all(self.queues(), |queue| visit(Object::PosixQueue(queue))),
            Kind::Pshm | Kind::Psem => self.shm().read_all(kind, visit),
        }
    }

    /// The current state of all objects of these kinds.
    pub fn snapshot(&self, kinds: impl IntoIterator<Item = Kind>) -> Result<Snapshot, ReadError> {
        self.snapshot_in(kinds, Detail::Whole)
    }

    /// The same in less detail.
    pub fn snapshot_in(
        &self,
        kinds: impl IntoIterator<Item = Kind>,
        detail: Detail,
    ) -> Result<Snapshot, ReadError> {
        let mut snapshot = Snapshot::default();
        for kind in kinds {
            self.read_all(kind, detail, |object| {
                snapshot.objects.push(object);
                Ok::<_, ReadError>(())
            })?;
        }
        Ok(snapshot)
    }

    /// Whether there is any object of a kind.
    pub fn has(&self, kind: Kind) -> Result<bool, ReadError> {
        /// Why the reading ended early.
        enum End {
            Found,
            Error(ReadError),
        }
        impl From<ReadError> for End {
            fn from(error: ReadError) -> End {
                End::Error(error)
            }
        }
        match self.read_all(kind, Detail::WithoutMemory, |_| Err(End::Found)) {
            Ok(()) => Ok(false),
            Err(End::Found) => Ok(true),
            Err(End::Error(error)) => Err(error),
        }
    }
}

/// Adds the `max_bytes` of a queue, which `/proc/sysvipc` does not show.
pub fn complete(object: &mut Object) {
    if let Object::Queue(queue) = object
        && queue.max_bytes.is_none()
    {
        queue.max_bytes = msg::max_bytes(queue.id).ok();
    }
}

fn find(kind: Kind, key: Key) -> Result<i32, CallError> {
    match kind {
        Kind::Msg => msg::find(key),
        Kind::Shm => shm::find(key),
        Kind::Sem => sem::find(key),
        Kind::Pmsg | Kind::Pshm | Kind::Psem => Err(NO_KEY),
    }
}

/// The name of the POSIX object that a reference names.
fn name(reference: &Reference) -> Result<&Name, CallError> {
    match &reference.target {
        Target::Name(name) => Ok(name),
        Target::Id(_) | Target::Key(_) => Err(NO_NAME),
    }
}
