//! The checks of shared memory as a whole: the space in `/dev/shm`, memory of deleted files, and segments
//! that the kernel destroys by itself.

use std::collections::BTreeSet;

use super::dev_shm::DevShm;
use super::draft::{Draft, Remedy, Right};
use super::facts::Facts;
use crate::ipc::finding::Severity;
use crate::ipc::limit::is_at;
use crate::ipc::process::role::Role;
use crate::ipc::{Object, Observed, Segment, Use, count};
use crate::kernel::limits::{self, Limit};
use crate::kernel::memory::Memory;
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process;
use crate::output::style::human_size;

/// Too little space in `/dev/shm`, now or once programs touch all memory of its files.
pub(super) fn shm_full(facts: &Facts) -> Vec<Draft> {
    let Some(DevShm { space, promised, .. }) = &facts.dev_shm else { return Vec::new() };
    let of_bytes = space.bytes.and_then(|bytes| short_of_bytes(space, bytes, *promised, facts));
    let of_inodes = space.inodes.and_then(|inodes| short_of_inodes(space, inodes, facts));
    of_bytes.into_iter().chain(of_inodes).collect()
}

fn short_of_bytes(space: &Space, bytes: u64, promised: u64, facts: &Facts) -> Option<Draft> {
    let left = bytes.saturating_sub(space.used_bytes);
    let near = severity_of(space.used_bytes, bytes, facts.threshold);
    let mut why = Vec::new();
    if near.is_some() {
        why.push(format!(
            "{} of {bytes} bytes are used in /dev/shm, {:.0} %",
            space.used_bytes,
            percent(space.used_bytes, bytes)
        ));
    }
    if promised > left {
        why.push(format!(
            "the files in /dev/shm are {promised} bytes larger than the memory that they hold, and {left} bytes are left: a process that touches more gets SIGBUS"
        ));
    }
    let why = match why.as_slice() {
        [] => return None,
        why => why.join(", and "),
    };
    let Some(severity) = near else {
        // Many programs create files far larger than they ever need.
        let why = format!(
            "{why}; if programs will touch that memory, enlarge /dev/shm or shrink the files"
        );
        return Some(Draft::of_system(Severity::Warning, why));
    };
    let memory = Memory::read().map_or(0, |memory| memory.total.saturating_add(memory.swap));
    Some(match larger(bytes, memory) {
        Some(size) => enlarge(severity, &why, &format!("size={size}"), facts),
        None => Draft::of_system(
            severity,
            format!("{why}; this machine has no more memory: remove what is not needed"),
        ),
    })
}

/// A larger size for `/dev/shm` on a machine with `memory` bytes of memory and swap, or `None` if it is that
/// large already. Beyond that the kernel would kill processes instead of refusing to enlarge a file.
fn larger(bytes: u64, memory: u64) -> Option<u64> {
    Some(bytes.saturating_mul(2).min(memory)).filter(|size| *size > bytes)
}

fn short_of_inodes(space: &Space, inodes: u64, facts: &Facts) -> Option<Draft> {
    let used = space.used_inodes;
    let severity = severity_of(used, inodes, facts.threshold)?;
    let why = format!(
        "{used} of {inodes} inodes are used in /dev/shm, {:.0} %: each file name takes one",
        percent(used, inodes)
    );
    Some(enlarge(severity, &why, &format!("nr_inodes={}", inodes.saturating_mul(2)), facts))
}

/// A finding that more space fixes, with an option of `mount(8)`.
fn enlarge(severity: Severity, why: &str, option: &str, facts: &Facts) -> Draft {
    let why =
        format!("{why}; in a container it is set from outside, as with docker run --shm-size");
    let right = match process::may_mount() {
        true => Right::Granted,
        // Not even root may if the mount belongs to another user namespace.
        false if !process::root_may_mount() => Right::Denied,
        false => Right::over_system(false, facts),
    };
    let remedy = Remedy::Run(format!("mount -o remount,{option} /dev/shm"));
    Draft::of_system(severity, why).fixed_by(remedy, right)
}

/// How bad it is that this much of a limit is used; `None` below the threshold.
fn severity_of(used: u64, limit: u64, threshold: u64) -> Option<Severity> {
    match () {
        () if !is_at(used, limit, threshold) => None,
        () if is_at(used, limit, 100) => Some(Severity::Error),
        () => Some(Severity::Warning),
    }
}

fn percent(used: u64, limit: u64) -> f64 {
    used as f64 * 100.0 / limit as f64
}

/// Memory of deleted files in `/dev/shm`, which is freed only when no process holds them any more. Many
/// programs do that on purpose, so it is a warning only if space is short.
pub(super) fn shm_deleted(facts: &Facts) -> Vec<Draft> {
    let Some(DevShm { space, removed, hidden, .. }) = &facts.dev_shm else { return Vec::new() };
    let files =
        removed.iter().filter_map(|observed| Some((observed.object.memory()?.rss, observed)));
    let files = files.filter(|(rss, _)| *rss > 0);
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|(rss, _)| std::cmp::Reverse(*rss));
    let held: u64 = files.iter().map(|(rss, _)| rss).sum();
    if held + hidden == 0 {
        return Vec::new();
    }
    let mut why = Vec::new();
    if held > 0 {
        let mut holders: Vec<&Use> = Vec::new();
        for user in files.iter().flat_map(|(_, observed)| observed.users()) {
            let holds = matches!(user.role, Role::Mapped | Role::Open);
            if holds && holders.iter().all(|other| other.pid != user.pid) {
                holders.push(user);
            }
        }
        /// How many holders are named.
        const MOST: usize = 5;
        let others = match holders.len().saturating_sub(MOST) {
            0 => String::new(),
            number => format!(", and {number} more"),
        };
        holders.truncate(MOST);
        why.push(format!(
            "{} in /dev/shm, still open or mapped, {} {}{}{others}",
            count(files.len() as u64, "deleted file"),
            if files.len() == 1 { "holds" } else { "hold" },
            human_size(held),
            names(&holders),
        ));
    }
    if *hidden > 0 {
        why.push(format!(
            "{} more in /dev/shm belong to deleted files that are held by uninspected processes",
            human_size(*hidden)
        ));
    }
    let is_short = |bytes| is_at(space.used_bytes, bytes, facts.threshold);
    let severity =
        if space.bytes.is_some_and(is_short) { Severity::Warning } else { Severity::Note };
    // No fix: only the processes that hold the memory can free it.
    let pids = files.iter().flat_map(|(_, observed)| observed.users()).map(|user| user.pid);
    let pids: BTreeSet<i32> = pids.collect();
    let root = if *hidden > 0 && process::uid() != 0 { "sudo " } else { "" };
    let why = format!("{}; to see them: {root}ipctool list pshm", why.join(", and "));
    let draft = Draft::of_system(severity, why);
    vec![Draft { pids: pids.into_iter().collect(), ..draft }]
}

/// Segments that the kernel destroys by itself. A warning if some are not attached.
pub(super) fn rmid_forced(facts: &Facts) -> Vec<Draft> {
    if Limit::ShmRmidForced.value() != Some(1) {
        return Vec::new();
    }
    let unattached = |observed: &&Observed| {
        matches!(&observed.object, Object::Segment(Segment { attached: 0, .. }))
    };
    let at_risk: Vec<_> = facts
        .objects
        .iter()
        .map(|seen| &seen.observed)
        .filter(unattached)
        .map(|observed| observed.reference())
        .collect();
    let mut why = "kernel.shm_rmid_forced is 1: the kernel destroys a segment when the last process detaches it, and one that is not attached when its creator ends".to_owned();
    let severity = match at_risk.as_slice() {
        [] => Severity::Note,
        [one] => {
            why += &format!("; {one} is not attached");
            Severity::Warning
        }
        [first, ..] => {
            why += &format!(
                "; {first} and {} are not attached",
                count(at_risk.len() as u64 - 1, "other")
            );
            Severity::Warning
        }
    };
    let remedy = Remedy::Run("ipctool limits --set shm_rmid_forced=0".to_owned());
    let right = Right::over_system(limits::is_writable("kernel.shm_rmid_forced"), facts);
    vec![Draft::of_system(severity, why).fixed_by(remedy, right)]
}

/// `: 12 (perl x.pl), 34 (writer)`, or nothing.
fn names(users: &[&Use]) -> String {
    let name = |user: &&Use| user.name().to_string();
    match users {
        [] => String::new(),
        users => format!(": {}", users.iter().map(name).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::larger;

    #[test]
    fn no_more_room_than_the_machine_has() {
        assert_eq!(larger(1 << 20, 1 << 30), Some(2 << 20));
        assert_eq!(larger(3 << 28, 1 << 30), Some(1 << 30));
        assert_eq!(larger(1 << 30, 1 << 30), None);
        assert_eq!(larger(2 << 30, 1 << 30), None);
        assert_eq!(larger(1 << 20, 0), None, "the size of the memory is unknown");
    }
}
