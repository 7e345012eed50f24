//! What can be done with an object of any kind: the one place where a verb meets the kinds.

use nix::errno::Errno;

use super::Namespace;
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Change, Key, Kind, Name, Object, Reference, Snapshot, Target};
use crate::kernel::call::{CallError, CallName};
use crate::kernel::error::{ReadError, StatusError};
use crate::kernel::limits::slot_bits;
use crate::kernel::posix::{mq, mq_calls};
use crate::kernel::sysv::permissions::Changed;
use crate::kernel::sysv::proc_table::{self, Table};
use crate::kernel::sysv::{huge_pages, msg, sem, shm};

/// What asking for a key would mean that such objects do not have.
const NO_KEY: CallError = CallError { name: CallName::Openat, errno: Errno::EINVAL };

/// And for a name, that others do not have.
const NO_NAME: CallError = NO_KEY;

impl Namespace {
    /// The reference that means this object and, of System V, no later one: by id, or by name. Opening
    /// by key asks for no permission.
    pub fn resolve(&self, reference: &Reference) -> Result<Reference, CallError> {
        match &reference.target {
            Target::Key(_) => Ok(Reference::id(reference.kind, self.id(reference)?)),
            Target::Id(_) | Target::Name(_) => Ok(reference.clone()),
        }
    }

    /// The id that a reference of System V means.
    pub(in crate::kernel) fn id(&self, reference: &Reference) -> Result<i32, CallError> {
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

    /// Removes the name of a POSIX object, if it still is that of this file: nothing is opened for that.
    /// `ENOENT` if not, `EINVAL` for an object of System V.
    pub(in crate::kernel) fn unlink_file(
        &self,
        reference: &Reference,
        file: FileIdentity,
    ) -> Result<(), CallError> {
        match reference.kind {
            Kind::Msg | Kind::Shm | Kind::Sem => Err(NO_NAME),
            Kind::Pmsg => mq::unlink_file(self.queues(), name(reference)?, file),
            kind @ (Kind::Pshm | Kind::Psem) => {
                self.shm().unlink(kind, name(reference)?, Some(file))
            }
        }
    }

    /// Changes owner and mode of an object. The kernel sets all of them at once for System V: what
    /// somebody else sets between the reading and the setting of a moment is undone.
    pub fn change(&self, reference: &Reference, change: &Change) -> Result<Changed, CallError> {
        match reference.kind {
            Kind::Msg => msg::change(self.id(reference)?, change),
            Kind::Shm => shm::change(self.id(reference)?, change),
            Kind::Sem => sem::change(self.id(reference)?, change),
            Kind::Pmsg => mq::change(self.queues(), name(reference)?, change),
            kind @ (Kind::Pshm | Kind::Psem) => self.shm().change(kind, name(reference)?, change),
        }
    }

    /// Sets the most bytes that a System V queue may hold; returns what it was, [`msg::set_max_bytes`].
    pub fn set_max_bytes(&self, queue: &Reference, bytes: u64) -> Result<u64, CallError> {
        msg::set_max_bytes(self.id(queue)?, bytes)
    }

    /// Whether the caller may read an object of System V, as the kernel sees it. `EACCES` if not.
    pub fn check_readable(&self, reference: &Reference) -> Result<(), CallError> {
        let id = self.id(reference)?;
        match reference.kind {
            Kind::Msg => msg::check_readable(id),
            Kind::Shm => shm::check_readable(id),
            Kind::Sem => sem::check_readable(id),
            Kind::Pmsg | Kind::Pshm | Kind::Psem => Err(NO_KEY),
        }
    }

    /// An object as it is at this moment, without a look at any other; in a segment, `rss` and `swap`
    /// are not known.
    pub fn read(&self, reference: &Reference) -> Result<Object, CallError> {
        Ok(match reference.kind {
            Kind::Msg => Object::Queue(msg::read(self.id(reference)?)?),
            Kind::Shm => Object::Segment(shm::read(self.id(reference)?)?),
            Kind::Sem => Object::SemaphoreSet(sem::read(self.id(reference)?)?),
            Kind::Pmsg => Object::PosixQueue(mq::read(self.queues(), name(reference)?)?),
            kind @ (Kind::Pshm | Kind::Psem) => self.shm().read(kind, name(reference)?)?,
        })
    }

    /// An object with all that is known of it.
    pub fn status(&self, reference: &Reference) -> Result<Object, StatusError> {
        let mut statuses = self.statuses(std::slice::from_ref(reference));
        statuses.pop().unwrap_or(Err(StatusError::Call(NO_KEY)))
    }

    /// Objects with all that is known of them, in the order of their references. Each is read by itself.
    /// What only the table tells (`rss` and `swap` of segments, and everything where the calls are
    /// forbidden) comes from the table, which is read once for all of them.
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
                        // One that has gone since is as it was.
                        if let Some(now) = index.find(&table, &known) {
                            *object = Ok(now.clone());
                        }
                    }
                }
                Err(error) => {
                    // The first of them says why.
                    if let Some((_, object)) = incomplete.next() {
                        *object = Err(error.into());
                    }
                }
            }
        }
        objects.iter_mut().flatten().for_each(complete);
        objects
    }

    /// Hands each object of a kind to `visit`, in the order of the kernel's slots or of the directory,
    /// and as it is read: nothing is held back, and `visit` may stop it.
    pub fn read_all<E: From<ReadError>>(
        &self,
        kind: Kind,
        mut visit: impl FnMut(Object) -> Result<(), E>,
    ) -> Result<(), E> {
        match kind {
            Kind::Msg => proc_table::read(self.tables(), Table::Msg, visit),
            Kind::Shm => proc_table::read(self.tables(), Table::Shm, |mut object| {
                huge_pages::correct(&mut object);
                visit(object)
            }),
            Kind::Sem => proc_table::read(self.tables(), Table::Sem, visit),
            Kind::Pmsg => mq::read_all(self.queues(), |queue| visit(Object::PosixQueue(queue))),
            Kind::Pshm | Kind::Psem => self.shm().read_all(kind, visit),
        }
    }

    /// Every object of these kinds, as they are now.
    pub fn snapshot(&self, kinds: impl IntoIterator<Item = Kind>) -> Result<Snapshot, ReadError> {
        let mut snapshot = Snapshot::default();
        for kind in kinds {
            self.read_all(kind, |object| {
                snapshot.objects.push(object);
                Ok::<_, ReadError>(())
            })?;
        }
        Ok(snapshot)
    }
}

/// Adds what `/proc/sysvipc` does not tell, where a queue is: its `max_bytes`.
pub fn complete(object: &mut Object) {
    if let Object::Queue(queue) = object {
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

/// The name that a reference of POSIX means.
fn name(reference: &Reference) -> Result<&Name, CallError> {
    match &reference.target {
        Target::Name(name) => Ok(name),
        Target::Id(_) | Target::Key(_) => Err(NO_NAME),
    }
}
