//! The kernel's own word on whether anybody anywhere has a file open or mapped: a lease for writing,
//! `F_SETLEASE` in `fcntl(2)`. It is granted only while no other descriptor of the file is open and
//! nobody has it mapped, in whatever process namespace, and it takes no look at any process.
//!
//! While one is held, `open(2)` of the file by others waits until it is released; with `O_NONBLOCK`
//! it fails with `EWOULDBLOCK`. So it is held for microseconds.
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

/// A lease on a file. It is released when it is dropped.
#[derive(Debug)]
pub(in crate::kernel) struct Lease(File);

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(in crate::kernel) enum Refused {
    /// Somebody has the file open or mapped.
    #[error("a process that cannot be seen has it open or mapped")]
    InUse,
    /// The name is gone, or is that of another file now.
    #[error("it is gone")]
    Gone,
    /// The kernel does not say.
    #[error("whether a process has it open or mapped cannot be told: {0}")]
    Unknown(String),
}

/// Leases on the POSIX objects of a namespace.
#[derive(Debug)]
pub(in crate::kernel) struct Leases<'a> {
    namespace: &'a Namespace,
    /// How often to ask again, for all objects together.
    patience: Cell<u32>,
}

/// How often to ask again, and how long to wait for that.
const PATIENCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

impl<'a> Leases<'a> {
    pub fn new(namespace: &'a Namespace) -> Leases<'a> {
        Leases { namespace, patience: Cell::new(PATIENCE) }
    }

    /// Whether nobody has a POSIX object open or mapped; nothing for one of System V. Somebody who only
    /// looks at it has it open for a moment, so one that is in use is asked about again.
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

    /// Takes the lease on the file of a POSIX object; nothing for one of System V.
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

    /// Opens the file of a queue where its directory is to be had, else by name.
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

/// Takes the lease on an open file, if it is the one that was found.
fn lease(file: File, found: &NamedFile) -> Result<Lease, Refused> {
    let data = file.metadata().map_err(|error| refused("fstat", &error))?;
    if file::identity(&data) != found.identity {
        return Err(Refused::Gone);
    }
    Lease::take(file)
}

fn refused(what: &str, error: &io::Error) -> Refused {
    match error.raw_os_error() {
        // Of another process's lease, opening tells the same.
        Some(libc::EAGAIN) => Refused::InUse,
        Some(libc::ENOENT) => Refused::Gone,
        _ => Refused::Unknown(format!("{what}: {}", os_error::describe(error))),
    }
}

/// `fcntl(2)`, of the uapi header `fcntl.h`.
const F_SETSIG: i32 = 10;

impl Lease {
    fn take(file: File) -> Result<Lease, Refused> {
        // Whoever opens a leased file makes the kernel send a signal: SIGIO, which would end this
        // process, unless it is another one. This one does nothing.
        for (name, what, value) in
            [("F_SETSIG", F_SETSIG, libc::SIGURG), ("F_SETLEASE", libc::F_SETLEASE, libc::F_WRLCK)]
        {
            // The library and the kernel read a long.
            let value = value as libc::c_long;
            // SAFETY: takes plain numbers.
            if unsafe { libc::fcntl(file.as_raw_fd(), what, value) } != 0 {
                return Err(refused(name, &io::Error::last_os_error()));
            }
        }
        Ok(Lease(file))
    }

    /// The lease on a file that stays open, granted only if this is the one description of it.
    pub fn of_open(file: &File) -> Result<Lease, Refused> {
        Lease::take(file.try_clone().map_err(|error| refused("dup", &error))?)
    }

    /// The object as it is while nobody else can open it, read through the descriptor that has the
    /// lease.
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
        // Closing the file would release it as well.
        let none = libc::F_UNLCK as libc::c_long;
        // SAFETY: takes plain numbers.
        unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_SETLEASE, none) };
    }
}
