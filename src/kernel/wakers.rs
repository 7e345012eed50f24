//! What the kernel can tell about an object that is waited for, so that it need not be looked at all the time:
//! `inotify(7)`, `pidfd_open(2)`, and `poll(2)` of a POSIX queue.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::namespace::Namespace;
use super::posix::dev_shm::file_name;
use super::signals::{pending, wait};
use crate::ipc::{Kind, Object, Reference, Target};

/// Ends a sleep when something about an object may have changed.
#[derive(Debug, Default)]
pub struct Wakers {
    /// Tells of names that come and go in the directory of the object.
    directory: Option<OwnedFd>,
    /// The name of the object there.
    file_name: OsString,
    /// An open POSIX queue.
    queue: Option<File>,
    /// Processes that use the object.
    processes: Vec<OwnedFd>,
}

/// So many processes are watched; where there are more, time tells.
const MOST: usize = 64;

impl Wakers {
    /// What can be told about this object. With `opens`, its queue is opened, which makes the caller one of its users.
    pub fn of(namespace: &Namespace, reference: &Reference, opens: bool) -> Wakers {
        let Target::Name(name) = &reference.target else { return Wakers::default() };
        let directory = match reference.kind {
            Kind::Pshm | Kind::Psem => Some(namespace.shm().path().to_owned()),
            Kind::Pmsg => {
                let found = namespace.queues().directory().ok().flatten();
                found.map(|found| found.directory.path(OsStr::new("")))
            }
            Kind::Msg | Kind::Shm | Kind::Sem => None,
        };
        let queue = (opens && reference.kind == Kind::Pmsg)
            .then(|| super::posix::mq_calls::open(name, libc::O_RDONLY | libc::O_NONBLOCK).ok())
            .flatten();
        Wakers {
            directory: directory.and_then(|path| watch(&path)),
            file_name: match reference.kind {
                Kind::Pmsg => name.behind_slash().to_owned(),
                kind => file_name(kind, name),
            },
            queue: queue.map(|queue| queue.into_file()),
            processes: Vec::new(),
        }
    }

    /// The end of these processes is told, too.
    pub fn watch(&mut self, pids: impl Iterator<Item = i32>) {
        let open = |pid| pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok();
        self.processes = pids.take(MOST).filter_map(open).collect();
    }

    /// Sleeps until something is told, a signal arrives, or the time is up. `object` is what was last seen.
    pub fn sleep(&self, time: Duration, object: Option<&Object>) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || pending().is_some() || !self.is_told_of_others(left, object) {
                return;
            }
            // Who writes to other files all the time must not keep this process busy.
            wait::sleep(left.min(CALM));
        }
    }

    /// Sleeps once. Returns whether something was told, but not of this object.
    fn is_told_of_others(&self, time: Duration, object: Option<&Object>) -> bool {
        let descriptors = self.directory.iter().chain(&self.processes).map(AsFd::as_fd);
        let mut fds: Vec<_> =
            descriptors.map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN)).collect();
        if let (Some(queue), Some(Object::PosixQueue(seen))) = (&self.queue, object) {
            // Only what is not so yet; the rest would be told at once.
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLIN, seen.messages == Some(0));
            flags.set(PollFlags::POLLOUT, seen.messages == seen.max_messages);
            fds.push(PollFd::new(queue.as_fd(), flags));
        }
        // The caller looks again, whatever ended it.
        let number = ppoll(&mut fds, Some(TimeSpec::from(time)), None).unwrap_or(0);
        let is_told = |fd: &PollFd<'_>| fd.revents().is_some_and(|told| !told.is_empty());
        let of_directory = self.directory.is_some() && fds.first().is_some_and(is_told);
        drop(fds);
        match &self.directory {
            Some(directory) if of_directory => {
                !take_events(directory.as_fd(), &self.file_name) && number == 1
            }
            _ => false,
        }
    }
}

/// How long to rest after news of others.
const CALM: Duration = Duration::from_millis(50);

fn watch(path: &std::path::Path) -> Option<OwnedFd> {
    let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
    let flags = WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVE
        | WatchFlags::MODIFY
        | WatchFlags::ATTRIB;
    inotify::add_watch(&events, path, flags).ok()?;
    Some(events)
}

/// Takes all events. Returns whether one is about this file, or about any because there were too many.
fn take_events(events: BorrowedFd<'_>, file_name: &OsStr) -> bool {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(events, &mut buffer);
    let mut is_ours = false;
    while let Ok(event) = reader.next() {
        is_ours |= match event.file_name() {
            Some(name) => name.to_bytes() == file_name.as_bytes(),
            None => true,
        };
    }
    is_ours
}
