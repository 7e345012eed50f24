//! Asks the kernel whether any process has a file open or mapped, with a lease for writing:
//! `F_SETLEASE` in `fcntl(2)`. It is granted only if no other descriptor of the file is open and no
//! process has it mapped, in any process namespace. No process is inspected for that.
//!
//! While the lease is held, other processes that `open(2)` the file wait until it is released; with
//! `O_NONBLOCK` they fail with `EWOULDBLOCK`. So it is held for microseconds only.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use super::file;
use super::{dev_shm, mq, mq_calls, mq_mount};
use crate::ipc::posix::NamedFile;
use crate::ipc::{Kind, Object, PosixMemory, PosixQueue, PosixSemaphore, Verdict};
use crate::kernel::io::os_error;
use crate::kernel::namespace::Namespace;

/// A lease on a file, released on drop.
#[derive(Debug)]
pub(in crate::kernel) struct Lease(File);

/// Why a lease was not granted.
#[derive(Debug, thiserror::Error)]
pub(in crate::kernel) enum Refused {
    /// A process has the file open or mapped.
    #[error("a process that cannot be seen has it open or mapped")]
    InUse,
    /// The name is gone, or belongs to another file now.
    #[error("it is gone")]
    Gone,
    /// The kernel gave another error.
    #[error("cannot tell whether a process has it open or mapped: {0}")]
    Unknown(String),
}

/// Takes leases on the POSIX objects of a namespace.
#[derive(Debug)]
pub(in crate::kernel) struct Leases<'a> {
    namespace: &'a Namespace,
    /// How many repeated attempts are left, for all objects together.
    patience: Cell<u32>,
}

/// How many repeated attempts to make, and how long to wait before each.
const PATIENCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

impl<'a> Leases<'a> {
    pub fn new(namespace: &'a Namespace) -> Leases<'a> {
        Leases { namespace, patience: Cell::new(PATIENCE) }
    }

    /// Whether no process has a POSIX object open or mapped; `None` for a System V object. A process
    /// that only inspects the object has it open for a moment, so an object in use is tried again.
    pub fn is_free(&self, object: &Object) -> Option<Verdict> {
        loop {
            return Some(match self.take(object)? {
                Ok(_) => Verdict::Yes,
                Err(Refused::InUse) if self.patience.get() > 0 => {
                    self.patience.set(self.patience.get() - 1);
                    thread::sleep(PAUSE);
                    continue;
                }
                Err(refused) => Verdict::Unknown(refused.to_string()),
            });
        }
    }

    /// Takes the lease on the file of a POSIX object; `None` for a System V object.
    pub fn take(&self, object: &Object) -> Option<Result<Lease, Refused>> {
        let (opened, found) = match object {
            Object::Queue(_) | Object::Segment(_) | Object::SemaphoreSet(_) => return None,
            Object::PosixQueue(PosixQueue { file, .. }) => (self.open_queue(file), file),
            Object::PosixMemory(PosixMemory { file, .. })
            | Object::PosixSemaphore(PosixSemaphore { file, .. }) => {
                (self.open_in_memory(object.kind(), file), file)
            }
        };
        Some(opened.map_err(|error| refused("open", &error)).and_then(|file| lease(file, found)))
    }

    /// Opens the file of a queue in its directory if that can be reached, otherwise by name.
    fn open_queue(&self, file: &NamedFile) -> io::Result<File> {
        match self.namespace.queues().directory() {
            Ok(Some(found)) => mq_mount::open(&found.directory, &file.name),
            Ok(None) | Err(_) => match mq_calls::open_somehow(&file.name) {
                Ok(queue) => Ok(queue.into_file()),
                Err(error) => Err(io::Error::from_raw_os_error(error.errno as i32)),
            },
        }
    }

    fn open_in_memory(&self, kind: Kind, file: &NamedFile) -> io::Result<File> {
        let directory = self.namespace.shm().directory();
        let file_name = dev_shm::file_name(kind, &file.name);
        let open = |access| directory.open(&file_name, access);
        open(libc::O_RDONLY).or_else(|_| open(libc::O_WRONLY))
    }
}

/// Takes the lease on an open file, if it is the expected one.
fn lease(file: File, found: &NamedFile) -> Result<Lease, Refused> {
    let data = file.metadata().map_err(|error| refused("fstat", &error))?;
    if file::identity(&data) != found.identity {
        return Err(Refused::Gone);
    }
    Lease::take(file)
}

fn refused(what: &str, error: &io::Error) -> Refused {
    match error.raw_os_error() {
        // Opening the file under another process's lease fails like this, too.
        Some(libc::EAGAIN) => Refused::InUse,
        Some(libc::ENOENT) => Refused::Gone,
        _ => Refused::Unknown(format!("{what}: {}", os_error::describe(error))),
    }
}

/// From the uapi header `fcntl.h`, for `fcntl(2)`.
const F_SETSIG: i32 = 10;

impl Lease {
    fn take(file: File) -> Result<Lease, Refused> {
        // When another process opens a leased file, the kernel sends a signal. By default that is
        // SIGIO, which would end this process; SIGURG is ignored by default.
        for (name, what, value) in
            [("F_SETSIG", F_SETSIG, libc::SIGURG), ("F_SETLEASE", libc::F_SETLEASE, libc::F_WRLCK)]
        {
            // The C library and the kernel read a long.
            let value = value as libc::c_long;
            // SAFETY: takes plain numbers.
            if unsafe { libc::fcntl(file.as_raw_fd(), what, value) } != 0 {
                return Err(refused(name, &io::Error::last_os_error()));
            }
        }
        Ok(Lease(file))
    }

    /// The lease on a file that stays open. It is granted only if there is no other open description of
    /// it.
    pub fn of_open(file: &File) -> Result<Lease, Refused> {
        Lease::take(file.try_clone().map_err(|error| refused("dup", &error))?)
    }

    /// The object while no other process can open it, read through the descriptor that holds the lease.
    pub fn read(&self, object: &Object) -> io::Result<Object> {
        let data = self.0.metadata()?;
        Ok(match object {
            Object::PosixQueue(queue) => {
                let file = file::file(queue.file.name.clone(), &data);
                Object::PosixQueue(mq::of(file, Some(self.0.try_clone()?)))
            }
            Object::PosixMemory(PosixMemory { file, .. })
            | Object::PosixSemaphore(PosixSemaphore { file, .. }) => {
                let opened = self.0.try_clone()?;
                dev_shm::of(object.kind(), file.name.clone(), &data, || Ok(opened))
            }
            Object::Queue(_) | Object::Segment(_) | Object::SemaphoreSet(_) => object.clone(),
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Closing the file would also release it.
        let none = libc::F_UNLCK as libc::c_long;
        // SAFETY: takes plain numbers.
        unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_SETLEASE, none) };
    }
}
