//! Why a POSIX object does not exist, although something with its name may.

use std::collections::BTreeSet;

use crate::explain::facts::Facts;
use crate::ipc::process::role::Role;
use crate::ipc::{Kind, Name, Observed, Reference, Use};
use crate::output::escape::shell_word;

/// What files and processes show about a name that no object has.
pub(in crate::explain) fn name(kind: Kind, name: &Name, facts: &Facts) -> String {
    let found = match kind {
        Kind::Psem => musl_hint(name, facts),
        Kind::Pshm => removed_hint(name, &facts.removed),
        Kind::Msg | Kind::Shm | Kind::Sem | Kind::Pmsg => None,
    };
    found.unwrap_or_else(|| format!("to see what exists: ipctool list {kind}"))
}

/// A semaphore with this name as programs that use musl create it.
fn musl_hint(name: &Name, facts: &Facts) -> Option<String> {
    if !facts.musl.contains(name) {
        return None;
    }
    let reference = shell_word(&Reference::name(Kind::Pshm, name.clone()).to_string());
    Some(format!(
        "only programs that use glibc know that name; {reference} may be the semaphore of a program that uses musl; to see its value: ipctool stat {reference}"
    ))
}

/// Shared memory that had this name, was removed, and is still open or mapped.
fn removed_hint(name: &Name, removed: &[Observed]) -> Option<String> {
    let is_named =
        |observed: &&Observed| observed.object.file().is_some_and(|file| file.name == *name);
    let observed: Vec<_> = removed.iter().filter(is_named).collect();
    let bytes: u64 = observed
        .iter()
        .filter_map(|observed| observed.object.memory())
        .map(|memory| memory.rss)
        .sum();
    let holders: BTreeSet<_> = observed.into_iter().flat_map(holders).collect();
    let holders = Vec::from_iter(holders);
    let (first, others) = holders.split_first()?;
    let others = match others.len() {
        0 => String::new(),
        number => format!(" and {number} more"),
    };
    Some(format!(
        "it was removed, but its memory ({bytes} bytes) stays in use until it is closed and unmapped by {first}{others}; no command can reach it by name; to see it: ipctool list pshm"
    ))
}

/// The processes that have it open or mapped.
fn holders(observed: &Observed) -> impl Iterator<Item = String> {
    let own = std::process::id();
    let holds = move |user: &&Use| {
        matches!(user.role, Role::Mapped | Role::Open) && user.pid.unsigned_abs() != own
    };
    observed.users().iter().filter(holds).map(|user| user.name().to_string())
}
