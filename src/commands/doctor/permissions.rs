//! Modes that give too much or too little.

use super::checks::{Check, Needs, Subject};
use super::draft::{Act, Draft, Remedy, Right};
use super::facts::{Facts, Seen};
use crate::ipc::finding::Severity;

pub(super) static WORLD_WRITABLE: Check = Check {
    name: "world-writable",
    severity: Severity::Warning,
    help: "every user may write it",
    needs: Needs::NONE,
    subject: Subject::Access,
    examine: |facts| facts.objects.iter().filter_map(|seen| world_writable(seen, facts)).collect(),
};

pub(super) static LOCKED_OUT: Check = Check {
    name: "locked-out",
    severity: Severity::Warning,
    help: "the mode does not let its own owner read or write it",
    needs: Needs::NONE,
    subject: Subject::Access,
    examine: |facts| facts.objects.iter().filter_map(|seen| locked_out(seen, facts)).collect(),
};

fn world_writable(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let mode = seen.known.permissions().mode;
    if mode.bits() & 0o002 == 0 {
        return None;
    }
    let why = format!("mode {mode} lets every user write it");
    let right = Right::to(Act::Control, seen, facts);
    let draft = Draft::of(seen, Severity::Warning, why).mended_by(Remedy::Chmod("o-w"), right);
    Some(draft.shared(seen, "their modes let every user write them"))
}

fn locked_out(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let mode = seen.known.permissions().mode;
    let lost = match (mode.bits() & 0o400, mode.bits() & 0o200) {
        (0, 0) => "read and write",
        (0, _) => "read",
        (_, 0) => "write",
        _ => return None,
    };
    let why = format!("mode {mode} does not let its own owner {lost} it");
    let right = Right::to(Act::Control, seen, facts);
    let draft = Draft::of(seen, Severity::Warning, why).mended_by(Remedy::Chmod("u+rw"), right);
    Some(draft.shared(seen, "their modes do not let their own owner read or write them"))
}
