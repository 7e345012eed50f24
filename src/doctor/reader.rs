//! Which processes receive the messages of a System V queue.

use std::collections::BTreeMap;

use super::facts::Seen;
use crate::ipc::message::Wanted;
use crate::ipc::process::role::{Role, State};
use crate::ipc::{Object, count};
use crate::kernel::process::scan::sleepers::Sleeper;

/// Which process receives the messages of a queue.
pub(super) enum Reader {
    /// These processes wait, but not for the types that are queued, which are these. No other process
    /// receives.
    WantsOthers(Vec<i32>, Vec<String>),
    /// This one is stopped by a signal.
    Stopped(i32),
    /// This one received last and is gone. No process waits.
    Gone(i32),
    /// This one received last and is alive.
    Alive(i32),
    /// No process has received yet.
    Never,
    /// Unknown.
    Unknown,
}

impl Reader {
    /// The receiver of a System V queue.
    pub(super) fn of(seen: &Seen) -> Reader {
        let waits = |role: &Role| matches!(role, Role::WaitsToReceive(_));
        let resting: Vec<&Sleeper> = seen.resting.iter().filter(|one| waits(&one.role)).collect();
        let waiting = seen.present(waits).count();
        let last = seen.observed.recorded().find(|user| user.role == Role::LastReceiver);
        if waiting > 0 {
            if let Some(sleeper) = resting.iter().find(|sleeper| sleeper.is_stopped) {
                return Reader::Stopped(sleeper.pid);
            }
            let pids: Vec<i32> = resting.iter().map(|sleeper| sleeper.pid).collect();
            let is_other = |pid: i32| !pids.contains(&pid);
            let reads_else =
                last.is_some_and(|user| user.state == State::Alive && is_other(user.pid));
            let types = seen.types.as_ref().filter(|types| !types.is_empty());
            return match types {
                // Each of them slept between both looks, and no other process may receive.
                Some(types) if resting.len() == waiting && seen.has_all_users() && !reads_else => {
                    match unread(&resting, types) {
                        Some(words) => Reader::WantsOthers(pids, words),
                        None => Reader::Unknown,
                    }
                }
                _ => Reader::Unknown,
            };
        }
        match last {
            Some(user) if user.state != State::Alive => Reader::Gone(user.pid),
            Some(user) if seen.stopped.contains(&user.pid) => Reader::Stopped(user.pid),
            Some(user) => Reader::Alive(user.pid),
            None => match &seen.observed.object {
                Object::Queue(queue) if queue.last_recv.is_none() => Reader::Never,
                Object::Queue(_)
                | Object::Segment(_)
                | Object::SemaphoreSet(_)
                | Object::PosixQueue(_)
                | Object::PosixMemory(_)
                | Object::PosixSemaphore(_) => Reader::Unknown,
            },
        }
    }

    /// The living processes among them.
    pub(super) fn pids(&self) -> Vec<i32> {
        match self {
            Reader::WantsOthers(pids, _) => pids.clone(),
            Reader::Stopped(pid) | Reader::Alive(pid) => vec![*pid],
            Reader::Gone(_) | Reader::Never | Reader::Unknown => Vec::new(),
        }
    }

    /// A clause about it, with a semicolon in front.
    pub(super) fn words(&self, seen: &Seen) -> String {
        match self {
            Reader::WantsOthers(pids, types) => {
                let mut wanted: Vec<String> =
                    seen.resting.iter().filter_map(awaited_type).collect();
                wanted.sort_unstable();
                wanted.dedup();
                format!(
                    "; no process reads what is queued ({}): every receiver waits for {}: {}",
                    types.join(", "),
                    wanted.join(" or "),
                    seen.names(pids.iter().copied())
                )
            }
            Reader::Stopped(pid) => format!(
                "; the receiver, {}, is stopped by a signal: continue it (SIGCONT)",
                seen.name(*pid)
            ),
            Reader::Gone(pid) => format!("; process {pid}, which received last, is gone"),
            Reader::Alive(pid) => format!("; {} received last, and is alive", seen.name(*pid)),
            Reader::Never => "; no process has received from it yet".to_owned(),
            Reader::Unknown => String::new(),
        }
    }
}

/// The queued types, as words, if none of these threads waits for one of them.
fn unread(resting: &[&Sleeper], types: &BTreeMap<i64, u64>) -> Option<Vec<String>> {
    let takes = |sleeper: &Sleeper, message_type: i64| matches!(sleeper.role, Role::WaitsToReceive(wanted) if wanted.matches(message_type));
    let is_unread = |message_type: &i64| !resting.iter().any(|one| takes(one, *message_type));
    let words = types.iter().map(|(message_type, number)| {
        format!("{} of type {message_type}", count(*number, "message"))
    });
    types.keys().all(is_unread).then(|| words.collect())
}

/// Which type of message a thread waits for.
fn awaited_type(sleeper: &Sleeper) -> Option<String> {
    let Role::WaitsToReceive(wanted) = sleeper.role else { return None };
    Some(match wanted {
        Wanted::Any => "any type".to_owned(),
        Wanted::Type(wanted) => format!("type {wanted}"),
        Wanted::UpTo(most) => format!("a type up to {most}"),
        Wanted::Except(other) => format!("a type other than {other}"),
    })
}
