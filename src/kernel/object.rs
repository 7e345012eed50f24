//! What can be done with an object of any kind: the one place where a verb meets the kinds.

use std::io;

use nix::errno::Errno;

use super::call::CallError;
use super::io::os_error;
use super::posix::{dev_shm, mq};
use super::process::{self, BadProc};
use super::sysv::permissions::Changed;
use super::sysv::proc_table::{self, Table};
use super::sysv::{huge_pages, msg, sem, shm, totals};
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Change, Key, Kind, Name, Object, Reference, Target};

/// How to make the files of POSIX message queues visible.
pub const MOUNT_HINT: &str =
    "to reach their files, as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue";

/// The objects of a kind could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no `/proc` that would list them.
    #[error("cannot read {path}: {reason}")]
    Proc {
        /// What was to be read.
        path: &'static str,
        /// Why not.
        reason: BadProc,
    },
    /// The kernel has no such objects.
    #[error(
        "cannot read {0}: this kernel, or the sandbox that stands in for one, has no System V IPC (CONFIG_SYSVIPC)"
    )]
    Unsupported(&'static str),
    /// A file or directory could not be opened or read.
    #[error("cannot read {path}: {}", os_error::describe(.error))]
    Io {
        /// Which.
        path: &'static str,
        /// Why.
        error: io::Error,
    },
    /// It holds a line that is not as `proc_sysvipc(5)` says.
    #[error("{path} has a line that is not understood: {line:?}")]
    Malformed {
        /// The file.
        path: &'static str,
        /// The line.
        line: String,
    },
    /// The file system of the POSIX message queues is not mounted, and may not be.
    #[error(
        "cannot list POSIX message queues: their file system is not mounted here, and mounting it fails: {}",
        os_error::describe(.0)
    )]
    Queues(io::Error),
}

impl ReadError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ReadError::Queues(_) => Some(MOUNT_HINT),
            ReadError::Io { .. }
            | ReadError::Malformed { .. }
            | ReadError::Proc { .. }
            | ReadError::Unsupported(_) => None,
        }
    }

    /// The directory of the POSIX queues, which is not to be had.
    pub(super) fn of_queues(error: io::Error) -> ReadError {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(&reason) => ReadError::Proc { path: "the files of POSIX message queues", reason },
            None => ReadError::Queues(error),
        }
    }

    /// A file of `/proc/sysvipc` that could not be opened or read.
    pub(super) fn of_table(path: &'static str, error: io::Error) -> ReadError {
        match error.kind() {
            io::ErrorKind::NotFound => match process::check_proc() {
                Err(reason) => ReadError::Proc { path, reason },
                Ok(()) if totals::has_system_v() => {
                    ReadError::Proc { path, reason: BadProc::Partial }
                }
                Ok(()) => ReadError::Unsupported(path),
            },
            _ => ReadError::Io { path, error },
        }
    }
}

/// The reference that means this object and, of System V, no later one: by id, or by name. Opening
/// by key asks for no permission.
pub fn resolve(reference: &Reference) -> Result<Reference, CallError> {
    let kind = reference.kind;
    match &reference.target {
        Target::Key(key) => Ok(Reference::id(kind, find(kind, *key)?)),
        Target::Id(_) | Target::Name(_) => Ok(reference.clone()),
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

/// What asking for a key would mean that such objects do not have.
const NO_KEY: CallError = CallError { name: "open", errno: Errno::EINVAL };

/// And for a name, that others do not have.
const NO_NAME: CallError = NO_KEY;

/// The id that a reference of System V means.
pub(super) fn id(reference: &Reference) -> Result<i32, CallError> {
    match &reference.target {
        Target::Id(id) => Ok(*id),
        Target::Key(key) => find(reference.kind, *key),
        Target::Name(_) => Err(NO_KEY),
    }
}

/// The name that a reference of POSIX means.
fn name(reference: &Reference) -> Result<&Name, CallError> {
    match &reference.target {
        Target::Name(name) => Ok(name),
        Target::Id(_) | Target::Key(_) => Err(NO_NAME),
    }
}

/// Removes an object: by its id, which no later object shares, or by its name.
pub fn remove(reference: &Reference) -> Result<(), CallError> {
    match reference.kind {
        Kind::Msg => msg::remove(id(reference)?),
        Kind::Shm => shm::remove(id(reference)?),
        Kind::Sem => sem::remove(id(reference)?),
        Kind::Pmsg => mq::unlink(name(reference)?),
        kind @ (Kind::Pshm | Kind::Psem) => dev_shm::unlink(kind, name(reference)?, None),
    }
}

/// Changes owner and mode of an object. The kernel sets all of them at once for System V: what
/// somebody else sets between the reading and the setting of a moment is undone.
pub fn change(reference: &Reference, change: &Change) -> Result<Changed, CallError> {
    match reference.kind {
        Kind::Msg => msg::change(id(reference)?, change),
        Kind::Shm => shm::change(id(reference)?, change),
        Kind::Sem => sem::change(id(reference)?, change),
        Kind::Pmsg => mq::change(name(reference)?, change),
        kind @ (Kind::Pshm | Kind::Psem) => {
            let file_name = dev_shm::file_name(kind, name(reference)?);
            dev_shm::directory().change(&file_name, change)
        }
    }
}

/// Removes the name of a POSIX object, if it still is that of this file: nothing is opened for that.
/// `ENOENT` if not, `EINVAL` for an object of System V.
pub(super) fn unlink_file(reference: &Reference, file: FileIdentity) -> Result<(), CallError> {
    match reference.kind {
        Kind::Msg | Kind::Shm | Kind::Sem => Err(NO_NAME),
        Kind::Pmsg => mq::unlink_file(name(reference)?, file),
        kind @ (Kind::Pshm | Kind::Psem) => dev_shm::unlink(kind, name(reference)?, Some(file)),
    }
}

/// Adds what `/proc/sysvipc` does not tell, where a queue is: its `max_bytes`.
pub fn complete(object: &mut Object) {
    if let Object::Queue(queue) = object {
        queue.max_bytes = msg::max_bytes(queue.id).ok();
    }
}

/// Sets the most bytes that a System V queue may hold; returns what it was, [`msg::set_max_bytes`].
pub fn set_max_bytes(queue: &Reference, bytes: u64) -> Result<u64, CallError> {
    msg::set_max_bytes(id(queue)?, bytes)
}

/// Whether the caller may read an object of System V, as the kernel sees it. `EACCES` if not.
pub fn check_readable(reference: &Reference) -> Result<(), CallError> {
    let id = id(reference)?;
    match reference.kind {
        Kind::Msg => msg::check_readable(id),
        Kind::Shm => shm::check_readable(id),
        Kind::Sem => sem::check_readable(id),
        Kind::Pmsg | Kind::Pshm | Kind::Psem => Err(NO_KEY),
    }
}

/// An object as it is at this moment, without a look at any other; in a segment, `rss` and `swap`
/// are not known.
pub fn read(reference: &Reference) -> Result<Object, CallError> {
    Ok(match reference.kind {
        Kind::Msg => Object::Queue(msg::read(id(reference)?)?),
        Kind::Shm => Object::Segment(shm::read(id(reference)?)?),
        Kind::Sem => Object::SemaphoreSet(sem::read(id(reference)?)?),
        Kind::Pmsg => Object::PosixQueue(mq::read(name(reference)?)?),
        kind @ (Kind::Pshm | Kind::Psem) => dev_shm::read(kind, name(reference)?)?,
    })
}

/// An object with all that is known of it.
pub fn status(reference: &Reference) -> Result<Object, StatusError> {
    let missing = CallError { name: "IPC_STAT", errno: Errno::EINVAL };
    let reference = resolve(reference)?;
    if reference.kind.is_posix() {
        return Ok(read(&reference)?);
    }
    let mut found = None;
    read_all(reference.kind, |object| {
        if object.is_named(&reference.target) {
            found = Some(object);
        }
        Ok::<_, ReadError>(())
    })?;
    // What every call would say to this id.
    let mut object = found.ok_or(missing)?;
    complete(&mut object);
    Ok(object)
}

/// Why there is nothing to tell of an object.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// A call that names it failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The objects of its kind cannot be listed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Hands each object of a kind to `visit`, in the order of the kernel's slots or of the directory,
/// and as it is read: nothing is held back, and `visit` may stop it.
pub fn read_all<E: From<ReadError>>(
    kind: Kind,
    mut visit: impl FnMut(Object) -> Result<(), E>,
) -> Result<(), E> {
    match kind {
        Kind::Msg => proc_table::read(Table::Msg, visit),
        Kind::Shm => proc_table::read(Table::Shm, |mut object| {
            huge_pages::correct(&mut object);
            visit(object)
        }),
        Kind::Sem => proc_table::read(Table::Sem, visit),
        Kind::Pmsg => mq::read_all(|queue| visit(Object::PosixQueue(queue))),
        Kind::Pshm | Kind::Psem => dev_shm::read_all(kind, visit),
    }
}

/// Every object of these kinds.
pub fn snapshot(kinds: impl IntoIterator<Item = Kind>) -> Result<Vec<Object>, ReadError> {
    let mut objects = Vec::new();
    for kind in kinds {
        read_all(kind, |object| {
            objects.push(object);
            Ok::<_, ReadError>(())
        })?;
    }
    Ok(objects)
}
