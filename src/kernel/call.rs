//! Where every IPC system call passes: its name, its arguments and its result are known here.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;

use super::io::stdio;

static TRACING: AtomicBool = AtomicBool::new(false);

/// From now on, prints each IPC system call to standard error as `strace(1)` would.
pub fn trace() {
    TRACING.store(true, Ordering::Relaxed);
}

/// An IPC system call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {} ({errno:?})", errno.desc())]
pub struct CallError {
    /// The call, `msgget`.
    pub name: &'static str,
    /// Why.
    pub errno: Errno,
}

impl CallError {
    /// Whether it says that the object is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.errno, Errno::EINVAL | Errno::EIDRM | Errno::ENOENT)
    }
}

/// What a system call returns: negative for an error, with the reason in `errno`.
pub(super) trait Returned: Copy + fmt::Display {
    fn is_error(self) -> bool;
}

impl Returned for i32 {
    fn is_error(self) -> bool {
        self < 0
    }
}

impl Returned for isize {
    fn is_error(self) -> bool {
        self < 0
    }
}

/// Performs a call. `arguments` is formatted only when somebody looks.
#[inline]
pub(super) fn call<R: Returned>(
    name: &'static str,
    arguments: fmt::Arguments<'_>,
    perform: impl FnOnce() -> R,
) -> Result<R, CallError> {
    let returned = perform();
    let result = if returned.is_error() {
        Err(CallError { name, errno: Errno::last() })
    } else {
        Ok(returned)
    };
    if TRACING.load(Ordering::Relaxed) {
        match result {
            Ok(value) => stdio::tell_line(format_args!("{name}({arguments}) = {value}")),
            Err(CallError { errno, .. }) => {
                let why = errno.desc();
                stdio::tell_line(format_args!("{name}({arguments}) = -1 {errno:?} ({why})"));
            }
        }
    }
    result
}

/// The flags of a call as `strace(1)` shows them: `IPC_CREAT|0600`.
pub(super) struct Flags(pub i32);

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (libc::IPC_CREAT, "IPC_CREAT"),
            (libc::IPC_EXCL, "IPC_EXCL"),
            (libc::IPC_NOWAIT, "IPC_NOWAIT"),
            (libc::MSG_EXCEPT, "MSG_EXCEPT"),
            (libc::MSG_COPY, "MSG_COPY"),
        ];
        let mut rest = self.0;
        let mut separator = "";
        for (bit, name) in names {
            if rest & bit != 0 {
                rest &= !bit;
                write!(f, "{separator}{name}")?;
                separator = "|";
            }
        }
        match (rest, separator) {
            (0, "|") => Ok(()),
            (0, _) => f.write_str("0"),
            _ => write!(f, "{separator}0{rest:o}"),
        }
    }
}
