//! The one door of every IPC call: what was called, with which arguments, and what came of it.
//!
//! A call is performed and then handed to [`call`], which gives its result and, where somebody
//! listens, the whole [`Event`] to the sink: `--trace` prints it.

mod flags;
mod layout;
mod name;
mod notation;
mod quoted;
mod structures;
mod value;

use std::sync::OnceLock;

use nix::errno::Errno;

pub(super) use layout::key;
pub use layout::{MsgInfo, SemInfo, SemidDs, ShmInfo, ShmLimits};
pub use name::CallName;
pub use value::{Argument, Call, Event, Filled, Structure};

/// What is done with each call, right after it.
pub type Sink = &'static (dyn Fn(&Event<'_>) + Sync);

static SINK: OnceLock<Sink> = OnceLock::new();

/// From now on, hands each IPC call to this sink. The first sink stays.
pub fn trace(sink: Sink) {
    let _ = SINK.set(sink);
}

/// An IPC call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {} ({errno:?})", errno.desc())]
pub struct CallError {
    /// The call.
    pub name: CallName,
    /// Why.
    pub errno: Errno,
}

impl CallError {
    /// Whether it says that the object is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.errno, Errno::EINVAL | Errno::EIDRM | Errno::ENOENT)
    }

    /// The same error under the name of the function of the C library that programs call, such as
    /// `shm_open(3)` for `openat(2)`.
    pub(super) fn named(self, name: CallName) -> CallError {
        CallError { name, ..self }
    }
}

/// What a call returns: one value stands for an error, with the reason in `errno`.
pub(super) trait Returned: Copy {
    fn is_error(self) -> bool;

    /// The value as a number.
    fn number(self) -> i64;
}

impl Returned for i32 {
    fn is_error(self) -> bool {
        self < 0
    }

    fn number(self) -> i64 {
        self.into()
    }
}

impl Returned for isize {
    fn is_error(self) -> bool {
        self < 0
    }

    fn number(self) -> i64 {
        self as i64
    }
}

impl Returned for *mut libc::sem_t {
    fn is_error(self) -> bool {
        self == libc::SEM_FAILED
    }

    fn number(self) -> i64 {
        self.addr() as i64
    }
}

/// The result of a call that has just returned this: nothing may touch `errno` in between. `made` says
/// which call it was; it is asked only for an error or a sink.
#[inline]
pub(super) fn call<'a, R: Returned>(
    returned: R,
    made: impl FnOnce() -> Call<'a>,
) -> Result<R, CallError> {
    let result = if returned.is_error() { Err(Errno::last()) } else { Ok(returned.number()) };
    note(result, made).map(|_| returned)
}

/// The same for a call whose result is known already.
#[inline]
pub(super) fn note<'a>(
    result: Result<i64, Errno>,
    made: impl FnOnce() -> Call<'a>,
) -> Result<i64, CallError> {
    let sink = SINK.get();
    if let (Ok(number), None) = (result, sink) {
        return Ok(number);
    }
    let event = Event { call: made(), result };
    if let Some(sink) = sink {
        sink(&event);
    }
    result.map_err(|errno| CallError { name: event.call.name(), errno })
}
