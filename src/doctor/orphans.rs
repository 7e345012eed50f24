//! Objects that no process uses any more.

use super::draft::{Act, Draft, Remedy, Right};
use super::facts::{Facts, HOUR, Seen};
use crate::ipc::finding::Severity;
use crate::ipc::process::observed::Verdict;
use crate::ipc::process::role::{Role, State};
use crate::ipc::{CommandLine, Key, Object, Segment, count};
use crate::output::style::{age, human_size};

/// Makes the removal of the left-over object the fix of a finding. Its messages are saved first.
pub(super) fn fixed_by_removal(draft: Draft, seen: &Seen, facts: &Facts) -> Draft {
    let (remedy, right) = match seen.observed.object.messages() {
        Some(1..) => (Remedy::SaveAndRemove, Right::to(Act::ReadAndControl, seen, facts)),
        // The caller cannot see whether it holds messages.
        None if seen.observed.kind().is_queue() => (Remedy::Decide, Right::Granted),
        Some(0) | None => (Remedy::RemoveOrphans, Right::to(Act::Control, seen, facts)),
    };
    draft.fixed_by(remedy, right)
}

/// Whether any process has ever used it, as far as the kernel records that. For POSIX objects it does not.
fn was_used(seen: &Seen) -> bool {
    match &seen.observed.object {
        Object::Queue(queue) => queue.last_send.max(queue.last_recv).is_some(),
        Object::Segment(segment) => segment.last_attach.max(segment.last_detach).is_some(),
        // Setting the values of a new set only prepares it for use.
        Object::SemaphoreSet(set) => set.last_op.is_some(),
        Object::PosixQueue(_) | Object::PosixMemory(_) | Object::PosixSemaphore(_) => false,
    }
}

/// Whether it may be removed because no process uses it any more. A new object that was never used may
/// not: the kernel does not record its creator, which may be about to use it.
pub(super) fn is_left_over(seen: &Seen, facts: &Facts) -> bool {
    seen.orphan == Verdict::Yes && (was_used(seen) || seen.observed.object.is_idle(HOUR, facts.now))
}

pub(super) fn orphan(seen: &Seen, facts: &Facts) -> Option<Draft> {
    if seen.orphan != Verdict::Yes {
        return None;
    }
    let last = seen.observed.object.last_operation();
    let since =
        last.map_or(String::new(), |last| format!("; last touched {}", age(last, facts.now)));
    let held = match seen.observed.object.messages() {
        Some(number @ 1..) => format!("{}; ", queued(number)),
        Some(0) | None => String::new(),
    };
    let why = format!("{held}{}{since}", seen.observed.orphan_proof());
    let is_posix = seen.observed.kind().is_posix();
    if !is_left_over(seen, facts) {
        let words = match is_posix {
            true => {
                "no process has them open or mapped, but they are new; remove those that no program is about to use"
            }
            false => {
                "no process has used them yet, but they are new; remove those that no program is about to use"
            }
        };
        let rm = CommandLine::new("ipctool rm").word(seen.reference());
        let why = format!("{why}; it is new, so its creator may be about to use it; if not: {rm}");
        return Some(Draft::of(seen, Severity::Note, why).shared(seen, words));
    }
    // With no recorded process there is no proof that its users are gone.
    let is_note = !is_posix && !was_used(seen) && seen.observed.recorded().next().is_none();
    let severity = if is_note { Severity::Note } else { Severity::Warning };
    let words = match (is_posix, is_note) {
        (true, _) => "no process has them open or mapped",
        (false, true) => "no process has ever used them",
        (false, false) => {
            "no process is attached or waits, and every process recorded for them is gone"
        }
    };
    let draft = Draft::of(seen, severity, why);
    Some(fixed_by_removal(draft, seen, facts).shared(seen, words))
}

pub(super) fn ftok_failed(seen: &Seen, facts: &Facts) -> Option<Draft> {
    if seen.observed.permissions().key != Key::FTOK_FAILED {
        return None;
    }
    let why = "its key is what ftok returns on failure, as for a missing path: every program with this bug uses the same object".to_owned();
    // While it is in use, removing it would break a program.
    Some(if is_left_over(seen, facts) {
        fixed_by_removal(Draft::of(seen, Severity::Warning, why), seen, facts)
    } else {
        let pids = seen.pids();
        let users = match pids.as_slice() {
            [] => String::new(),
            pids => format!(" ({})", seen.names(pids.iter().copied())),
        };
        let why = format!("{why}; fix the program that uses it{users} before you remove it");
        Draft { pids, ..Draft::of(seen, Severity::Warning, why) }
    })
}

/// `1 message is queued`.
fn queued(messages: u64) -> String {
    let is = if messages == 1 { "is" } else { "are" };
    format!("{} {is} queued", count(messages, "message"))
}

pub(super) fn marked_attached(seen: &Seen, _: &Facts) -> Option<Draft> {
    let Object::Segment(segment) = &seen.observed.object else { return None };
    let Segment { size, attached, status, .. } = segment;
    if !status.is_marked() {
        return None;
    }
    let pids: Vec<_> = seen.present(|role| *role == Role::Attached).map(|user| user.pid).collect();
    let holders = match pids.as_slice() {
        [] => String::new(),
        pids => format!(": {}", seen.names(pids.iter().copied())),
    };
    let key = seen.observed.former_key().map(|key| format!(" (key {key} until then)"));
    let why = format!(
        "marked for destruction{}, but still attached {}, so its {} stay in memory{holders}; the kernel removes it when the last process detaches it; many programs mark a segment right after attaching it",
        key.unwrap_or_default(),
        count(*attached, "time"),
        human_size(*size),
    );
    let words = "marked for destruction, but still attached, so they stay in memory; the kernel removes each when the last process detaches it; many programs mark a segment right after attaching it";
    Some(Draft { pids, ..Draft::of(seen, Severity::Note, why) }.shared(seen, words))
}

pub(super) fn backlog(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let Object::Queue(queue) = &seen.observed.object else { return None };
    let has_strangers = seen.observed.users.as_ref().is_none_or(|users| users.has_strangers);
    let mut recorded = seen.observed.recorded().peekable();
    recorded.peek()?;
    let is_used = seen.observed.is_unused() == Verdict::No;
    let is_left = recorded.all(|user| user.state != State::Alive);
    if queue.messages == 0 || has_strangers || is_used || !is_left {
        return None;
    }
    let held = queued(queue.messages);
    let why = format!("{held}, and every process that sent or received is gone");
    Some(match &seen.orphan {
        Verdict::Yes => {
            let words = "messages are queued, and every process that sent or received is gone";
            let draft = Draft::of(seen, Severity::Warning, why);
            fixed_by_removal(draft, seen, facts).shared(seen, words)
        }
        Verdict::Unknown(doubt) => {
            let why = format!("{why}; decide whether they are still needed: {doubt}");
            Draft::of(seen, Severity::Warning, why)
        }
        Verdict::No => return None,
    })
}
