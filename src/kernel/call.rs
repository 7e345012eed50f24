//! The single entry point of all IPC calls, with their arguments and results.
//!
//! A call is made and then passed to [`call`], which returns its result and, if tracing is on, hands
//! the whole [`Event`] to the sink that `--trace` installs.

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
pub use value::{Argument, Call, Event, Notification, Outcome, Pointed, Structure};

/// What to do with each call, right after it.
pub type Sink = &'static (dyn Fn(&Event<'_>) + Sync);

static SINK: OnceLock<Sink> = OnceLock::new();

/// Hands each further IPC call to this sink. Only the first sink is kept.
pub fn trace(sink: Sink) {
    let _ = SINK.set(sink);
}

/// Whether calls are traced.
pub fn is_traced() -> bool {
    SINK.get().is_some()
}

/// A failed IPC call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {} ({errno:?})", errno.desc())]
pub struct CallError {
    /// The call.
    pub name: CallName,
    /// Its error.
    pub errno: Errno,
}

impl CallError {
    /// Whether the error means that the object does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self.errno, Errno::EINVAL | Errno::EIDRM | Errno::ENOENT)
    }

    /// The same error under the name of the C library function that programs call, such as
    /// `shm_open(3)` for `openat(2)`.
    pub(super) fn named(self, name: CallName) -> CallError {
        CallError { name, ..self }
    }
}

/// The return type of a call: one value stands for an error, with the reason in `errno`.
pub(super) trait Returned: Copy {
    fn is_error(self) -> bool;

    /// The value as an integer.
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

/// Converts the return value of a call to a result. It must follow the call immediately, before
/// anything changes `errno`. `made` returns the call; it runs only for an error or a sink.
#[inline]
pub(super) fn call<'a, R: Returned>(
    returned: R,
    made: impl FnOnce() -> Call<'a>,
) -> Result<R, CallError> {
    let result = if returned.is_error() { Err(Errno::last()) } else { Ok(returned.number()) };
    note(result, made).map(|_| returned)
}

/// Traces a call whose result is known already, and returns that.
#[inline]
pub(super) fn note<'a>(
    result: Result<i64, Errno>,
    made: impl FnOnce() -> Call<'a>,
) -> Result<i64, CallError> {
    let sink = SINK.get();
    if let (Ok(number), None) = (result, sink) {
        return Ok(number);
    }
    let event = Event { call: made(), outcome: result.into(), shown: Event::SHOWN };
    if let Some(sink) = sink {
        sink(&event);
    }
    result.map_err(|errno| CallError { name: event.call.name(), errno })
}
