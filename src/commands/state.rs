//! Where this program keeps what it must remember from one call to the next.

use std::env;
use std::path::PathBuf;

/// The directory, by the XDG Base Directory Specification; `None` if the environment does not tell.
pub(super) fn directory() -> Option<PathBuf> {
    let of = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = of("XDG_STATE_HOME").or_else(|| Some(of("HOME")?.join(".local/state")))?;
    Some(state.join("ipctool"))
}
