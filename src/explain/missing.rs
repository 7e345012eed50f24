//! Why a POSIX object is not there though something of its name may be.

use crate::ipc::{Kind, Name, Reference};
use crate::kernel::dev_shm;
use crate::output::escape::shell_word;

/// What the files around say to a name that no object has.
pub(super) fn hint(kind: Kind, name: &Name) -> String {
    let musl = match kind {
        Kind::Psem => musl_hint(name),
        Kind::Msg | Kind::Shm | Kind::Sem | Kind::Pmsg | Kind::Pshm => None,
    };
    musl.unwrap_or_else(|| format!("'ipctool list {kind}' shows what is there"))
}

/// The semaphore of this name as programs with musl make it.
fn musl_hint(name: &Name) -> Option<String> {
    dev_shm::musl_semaphore(name)?;
    let reference = shell_word(&Reference::name(Kind::Pshm, name.clone()).to_string());
    Some(format!(
        "that is the name for programs with glibc; {reference} may be the semaphore of a program with musl; to see its value: ipctool stat {reference}"
    ))
}
