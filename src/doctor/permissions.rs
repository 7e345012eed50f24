//! Modes that allow too much or too little.

use super::draft::{Act, Draft, Remedy, Right};
use super::facts::{Facts, Seen};
use crate::ipc::finding::Severity;
use crate::ipc::{Caller, Class};
use crate::kernel::process;

pub(super) fn world_writable(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let mode = seen.observed.permissions().mode;
    if mode.bits() & 0o002 == 0 {
        return None;
    }
    let why = format!("mode {mode} lets every user write to it");
    let others = others(seen);
    if !others.is_empty() {
        let why = format!(
            "{why}, and these processes, which are not of its owner or group, use it: {}; give it a group that they are in before you change the mode",
            seen.names(others.iter().copied())
        );
        return Some(Draft { pids: others, ..Draft::of(seen, Severity::Warning, why) });
    }
    let right = Right::to(Act::Control, seen, facts);
    let draft = Draft::of(seen, Severity::Warning, why).fixed_by(Remedy::Chmod("o-w"), right);
    Some(draft.shared(seen, "their modes let every user write to them"))
}

/// The living processes that use an object and to which the mode's bits for others apply.
fn others(seen: &Seen) -> Vec<i32> {
    let permissions = seen.observed.permissions();
    let is_other = |pid: &i32| {
        let user = seen.observed.users().iter().find(|user| user.pid == *pid);
        // A process whose user is unknown may be one of them; root needs no bits.
        user.and_then(|user| user.uid).is_none_or(|uid| {
            let groups = process::caller_of(*pid).map(|who| who.groups).unwrap_or_default();
            let who = Caller { uid, groups, overrides_mode: false, overrides_ownership: false };
            uid != 0 && permissions.class(&who) == Class::Others
        })
    };
    seen.pids().into_iter().filter(is_other).collect()
}

pub(super) fn locked_out(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let mode = seen.observed.permissions().mode;
    let lost = match (mode.bits() & 0o400, mode.bits() & 0o200) {
        (0, 0) => "read or write",
        (0, _) => "read",
        (_, 0) => "write",
        (_, _) => return None,
    };
    let why = format!("mode {mode} does not let its owner {lost} it");
    let right = Right::to(Act::Control, seen, facts);
    let draft = Draft::of(seen, Severity::Warning, why).fixed_by(Remedy::Chmod("u+rw"), right);
    Some(draft.shared(seen, "their modes do not let their owner read or write them"))
}
