//! Enters an IPC namespace: `setns(2)`, `user_namespaces(7)`.
//!
//! Who has `CAP_SYS_ADMIN` over the namespace moves the calling thread into it, and back afterwards. The
//! owner of a rootless container has that only in the container's user namespace, from which no way leads
//! back. So there each call is made by a short-lived child that shares the memory and the descriptors of
//! this process and has entered both namespaces, [`inside`]. Processes, users, files and the terminal stay
//! those of the caller.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CloneCb, CloneFlags, clone, setns, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use super::identity::Handle;
use super::ids::{Entered, IdMaps};
use crate::kernel::io::stdio;
use crate::kernel::process::owner_of;

/// The time during which the calling thread is in another IPC namespace. It returns at the end.
#[derive(Debug)]
#[must_use]
pub struct Stay {
    /// The namespace to return to, if the thread itself has left it.
    back: Option<Handle>,
    /// How calls were made before.
    before: Way,
}

/// How a thread makes its calls.
#[derive(Clone, Debug, Default)]
struct Way {
    /// Through this door; by itself if there is none.
    door: Option<Rc<Door>>,
    /// With the ids of this user namespace.
    ids: Option<Entered>,
}

impl Way {
    /// Makes calls in this way from now on; returns how they were made before.
    fn take(self) -> Way {
        Way { door: DOOR.replace(self.door), ids: Entered::set(self.ids) }
    }

    /// By itself: in the user namespace in which this process is.
    fn plain() -> Way {
        Way { door: None, ids: Entered::now().filter(|entered| entered.for_good) }
    }
}

/// How to enter a namespace that only the owner of its user namespace may enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// For calls that return at once: each call goes there by itself.
    ByCall,
    /// For calls that wait, until the process ends: signals must reach the process while it waits. From
    /// there it can inspect only the processes of the container.
    ForGood,
}

/// The way into a user namespace and an IPC namespace of it.
#[derive(Debug)]
struct Door {
    user: File,
    namespace: Handle,
    /// The stack of the children, which run one after the other.
    stack: RefCell<Vec<u8>>,
}

thread_local! {
    static DOOR: RefCell<Option<Rc<Door>>> = const { RefCell::new(None) };
    /// Whether this is a child that has gone through it.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Moves the calling thread into this namespace. `EPERM` if that is not permitted.
pub(super) fn enter(namespace: &Handle, manner: Manner) -> Result<Stay, Errno> {
    let errno = |error: io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO));
    let own = Handle::own().held().map_err(errno)?;
    let is_own = own.identity().map_err(errno)? == namespace.identity().map_err(errno)?;
    let Some(file) = namespace.file().filter(|_| !is_own) else {
        return Ok(Stay { back: None, before: Way::plain().take() });
    };
    match setns(file, CloneFlags::CLONE_NEWIPC) {
        Ok(()) => return Ok(Stay { back: Some(own), before: Way::plain().take() }),
        Err(Errno::EPERM) => {}
        Err(error) => return Err(error),
    }
    // Also fails with EPERM if the owner is none of this user namespace and its descendants.
    let user = owner_of(file).map_err(|_| Errno::EPERM)?;
    let ids = IdMaps::of(|| pass(&user, namespace)).map_err(|_| Errno::EPERM)?;
    let door = match manner {
        Manner::ForGood => {
            pass_alone(&user, namespace)?;
            None
        }
        Manner::ByCall => {
            let stack = RefCell::new(vec![0; STACK]);
            Some(Rc::new(Door { user, namespace: namespace.clone(), stack }))
        }
    };
    let ids = Some(Entered { ids, for_good: manner == Manner::ForGood });
    Ok(Stay { back: None, before: Way { door, ids }.take() })
}

impl Drop for Stay {
    fn drop(&mut self) {
        // From another user namespace there is no way back.
        let is_for_good = Entered::now().is_some_and(|entered| entered.for_good);
        let before = std::mem::take(&mut self.before);
        if before.ids.is_some() || !is_for_good {
            before.take();
        }
        if let Some(own) = self.back.as_ref().and_then(Handle::file)
            && let Err(error) = setns(own, CloneFlags::CLONE_NEWIPC)
        {
            // All that follows would happen in the wrong namespace. Only memory can be lacking: who may leave a
            // namespace may return to it.
            give_up(error);
        }
    }
}

/// Moves the whole process, which must have no other thread.
fn pass_alone(user: &File, namespace: &Handle) -> nix::Result<()> {
    let (attempts, pause) = PATIENCE;
    for _ in 0..attempts {
        match pass(user, namespace) {
            // A thread that has been joined counts for a moment more.
            Err(Errno::EINVAL) => thread::sleep(pause),
            passed => return passed,
        }
    }
    pass(user, namespace)
}

/// Enters a user namespace and an IPC namespace of it. `EPERM` if that is not permitted.
fn pass(user: &File, namespace: &Handle) -> nix::Result<()> {
    setns(user.as_fd(), CloneFlags::CLONE_NEWUSER)?;
    setns(namespace.file().ok_or(Errno::EINVAL)?, CloneFlags::CLONE_NEWIPC)
}

/// Makes calls in the namespace that the calling thread has entered. They must return at once: signals
/// wait until then. The ids of users in their results are those inside.
#[inline]
pub(in crate::kernel) fn inside<R>(work: impl FnOnce() -> R) -> R {
    let door = if IS_INSIDE.get() { None } else { DOOR.with_borrow(Option::clone) };
    match door {
        None => work(),
        Some(door) => door.through(work),
    }
}

/// Whether a child makes each call.
pub(in crate::kernel) fn goes_by_child() -> bool {
    !IS_INSIDE.get() && DOOR.with_borrow(Option::is_some)
}

/// The same for a call that mounts something. If the calls are made in another user namespace, it takes a
/// mount namespace that belongs to that one; a mount that is attached nowhere outlives it.
pub(in crate::kernel) fn inside_mounting<R>(work: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    inside(|| {
        if IS_INSIDE.get() {
            unshare(CloneFlags::CLONE_NEWNS)?;
        }
        work()
    })
}

/// The size of the stack of a child, in bytes. Only what it touches takes memory.
const STACK: usize = 1 << 20;

/// How often and how long to wait for what is impossible for a moment: a child where too many processes run.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(20));

impl Door {
    /// Does this in a child that has entered the namespaces. Ends this process if it cannot have a child,
    /// since it may not do this elsewhere, or if somebody kills the child half-way.
    fn through<R>(&self, work: impl FnOnce() -> R) -> R {
        let mut work = Some(work);
        let (attempts, pause) = PATIENCE;
        for _ in 0..attempts {
            match self.attempt(&mut work) {
                Ok(done) => return done,
                Err(Errno::EAGAIN | Errno::ENOMEM) => thread::sleep(pause),
                Err(error) => give_up(error),
            }
        }
        give_up(Errno::EAGAIN)
    }

    /// Takes and does the work, unless there is an error.
    fn attempt<R, W: FnOnce() -> R>(&self, work: &mut Option<W>) -> Result<R, Errno> {
        let mut result: Option<Result<thread::Result<R>, Errno>> = None;
        let child: CloneCb<'_> = Box::new(|| {
            IS_INSIDE.set(true);
            result = match pass(&self.user, &self.namespace) {
                Ok(()) => work.take().map(|work| Ok(panic::catch_unwind(AssertUnwindSafe(work)))),
                Err(error) => Some(Err(error)),
            };
            IS_INSIDE.set(false);
            0
        });
        let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK | CloneFlags::CLONE_FILES;
        let mut stack = self.stack.borrow_mut();
        let mut before = SigSet::empty();
        // A handler must not run in both processes.
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))?;
        // SAFETY: with CLONE_VFORK this thread stands still until the child has ended. So the child may use
        // everything that this thread may, its local storage too, on a stack of its own. Other threads see
        // no difference. Without CLONE_THREAD and CLONE_FS it may enter a user namespace.
        let child = unsafe { clone(child, &mut stack, flags, None) };
        let ended = child.and_then(|child| {
            loop {
                match waitpid(child, Some(WaitPidFlag::__WALL)) {
                    Err(Errno::EINTR) => {}
                    ended => break ended,
                }
            }
        });
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
        match (ended?, result) {
            (WaitStatus::Exited(..), Some(Ok(Ok(done)))) => Ok(done),
            (WaitStatus::Exited(..), Some(Ok(Err(panic)))) => panic::resume_unwind(panic),
            (WaitStatus::Exited(..), Some(Err(error))) => Err(error),
            // It was killed, and what it did is not known.
            _ => give_up(Errno::EINTR),
        }
    }
}

fn give_up(error: Errno) -> ! {
    let what = format!("{} ({error:?})", error.desc());
    stdio::print_line(format_args!("ipctool: an IPC namespace cannot be entered any more: {what}"));
    std::process::exit(1)
}
