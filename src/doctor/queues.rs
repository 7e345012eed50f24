//! Queues without room, and messages that no process receives.

use super::draft::{Act, Draft, Remedy, Right};
use super::facts::{Facts, Seen};
use super::orphans;
use super::reader::Reader;
use crate::ipc::finding::Severity;
use crate::ipc::limit::is_at;
use crate::ipc::process::role::{Role, State};
use crate::ipc::{Object, PosixQueue, Queue, Use, count};
use crate::kernel::limits;
use crate::kernel::process::scan::sleepers::Sleeper;

/// The threads that wait to send: those that continue once there is room, and those that a signal has
/// stopped.
struct Senders<'a> {
    blocked: Vec<&'a Sleeper>,
    stopped: Vec<&'a Sleeper>,
}

impl Senders<'_> {
    /// The threads that sleep in a send because their message does not fit.
    fn of(seen: &Seen, fits: impl Fn(u64) -> bool) -> Senders<'_> {
        let waits = |one: &&Sleeper| matches!(one.role, Role::WaitsToSend(size) if !fits(size));
        let (stopped, blocked) =
            seen.resting.iter().filter(waits).partition(|sleeper| sleeper.is_stopped);
        Senders { blocked, stopped }
    }

    fn is_empty(&self) -> bool {
        self.blocked.is_empty() && self.stopped.is_empty()
    }

    fn severity(&self) -> Severity {
        if self.blocked.is_empty() { Severity::Warning } else { Severity::Error }
    }

    /// The bytes that all of them want to send.
    fn bytes(&self) -> u64 {
        let size = |one: &&Sleeper| {
            let Role::WaitsToSend(size) = one.role else { return None };
            Some(size)
        };
        self.blocked.iter().chain(&self.stopped).filter_map(size).sum()
    }

    fn pids(&self) -> impl Iterator<Item = i32> {
        self.blocked.iter().chain(&self.stopped).map(|sleeper| sleeper.pid)
    }

    /// `, and 1 thread blocked sending: 12 (x)`, and the same for the stopped ones.
    fn words(&self, seen: &Seen) -> String {
        let names = |some: &[&Sleeper]| seen.names(some.iter().map(|sleeper| sleeper.pid));
        let threads = |some: &[&Sleeper]| count(some.len() as u64, "thread");
        let mut words = String::new();
        if !self.blocked.is_empty() {
            let (threads, names) = (threads(&self.blocked), names(&self.blocked));
            words += &format!(", and {threads} blocked sending: {names}");
        }
        if !self.stopped.is_empty() {
            let (threads, names) = (threads(&self.stopped), names(&self.stopped));
            words += &format!(
                ", and {threads} stopped by a signal while sending: {names}: continue them (SIGCONT)"
            );
        }
        words
    }
}

pub(super) fn full(seen: &Seen, facts: &Facts) -> Option<Draft> {
    match Looks::of(seen)? {
        Looks::Queue(first, now) => queue_full(seen, first, now, facts),
        Looks::PosixQueue(first, now) => posix_queue_full(seen, first, now, facts),
    }
}

/// A queue at the first look and at the second.
enum Looks<'a> {
    Queue(&'a Queue, &'a Queue),
    PosixQueue(&'a PosixQueue, &'a PosixQueue),
}

impl Looks<'_> {
    fn of(seen: &Seen) -> Option<Looks<'_>> {
        let later = seen.later.as_ref()?;
        match &seen.observed.object {
            Object::Queue(first) => match later {
                Object::Queue(now) => Some(Looks::Queue(first, now)),
                Object::Segment(_)
                | Object::SemaphoreSet(_)
                | Object::PosixQueue(_)
                | Object::PosixMemory(_)
                | Object::PosixSemaphore(_) => None,
            },
            Object::PosixQueue(first) => match later {
                Object::PosixQueue(now) => Some(Looks::PosixQueue(first, now)),
                Object::Queue(_)
                | Object::Segment(_)
                | Object::SemaphoreSet(_)
                | Object::PosixMemory(_)
                | Object::PosixSemaphore(_) => None,
            },
            Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixMemory(_)
            | Object::PosixSemaphore(_) => None,
        }
    }
}

fn queue_full(seen: &Seen, first: &Queue, now: &Queue, facts: &Facts) -> Option<Draft> {
    let most = now.max_bytes?;
    let senders = Senders::of(seen, |size| now.has_room_for(size));
    let is_full = first.is_full() && now.is_full();
    let has_received = first.last_recv != now.last_recv || now.messages < first.messages;
    if has_received || (senders.is_empty() && (!is_full || is_flowing(seen, now, facts))) {
        return None;
    }
    if (first.max_bytes, most) == (Some(0), 0) {
        return closed(seen, now, &senders, facts);
    }
    let held = count(now.messages, "message");
    let mut why = format!("{held} fill {} of {most} bytes{}", now.bytes, senders.words(seen));
    let reader = Reader::of(seen);
    why += &reader.words(seen);
    let draft = Draft::of(seen, senders.severity(), why);
    let draft = relieve(draft, seen, &reader, now.bytes.saturating_add(senders.bytes()), facts);
    let mut pids: Vec<i32> = senders.pids().chain(reader.pids()).collect();
    pids.sort_unstable();
    pids.dedup();
    let draft = Draft { pids, ..draft };
    // A queue with waiting senders is a case of its own.
    Some(if senders.is_empty() { draft.shared(seen, "they are full") } else { draft })
}

/// A queue with a `max_bytes` of 0, which accepts no message. `recv --then-rm` closes a queue in this way
/// while it empties it.
fn closed(seen: &Seen, now: &Queue, senders: &Senders, facts: &Facts) -> Option<Draft> {
    if now.messages == 0 && orphans::is_left_over(seen, facts) {
        return None;
    }
    let why = format!(
        "it accepts no messages: its max_bytes is 0, which 'recv --then-rm' sets, and leaves if it is killed{}; if none is running, open the queue again",
        senders.words(seen)
    );
    let draft = Draft::of(seen, senders.severity(), why);
    let draft = draft.fixed_by(Remedy::Raise(facts.msgmnb), Right::to(Act::Control, seen, facts));
    Some(Draft { pids: senders.pids().collect(), ..draft })
}

/// Whether a living process received within the last second. Times are in whole seconds, so it may receive
/// all the time.
fn is_flowing(seen: &Seen, queue: &Queue, facts: &Facts) -> bool {
    let is_receiver = |user: &Use| user.role == Role::LastReceiver && user.state == State::Alive;
    queue.last_recv.is_some_and(|last| last.age(facts.now).as_secs() < 1)
        && seen.observed.recorded().any(is_receiver)
}

pub(super) fn near_full(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let is_near = |used: u64, most: u64| used < most && is_at(used, most, facts.threshold);
    let percent = |used: u64, most: u64| u128::from(used) * 100 / u128::from(most.max(1));
    match Looks::of(seen)? {
        Looks::Queue(first, now) => {
            let ((before, _), (used, most)) = (first.fill()?, now.fill()?);
            if !is_near(before, most) || !is_near(used, most) {
                return None;
            }
            let (held, percent) = (count(now.messages, "message"), percent(used, most));
            let reader = Reader::of(seen);
            let why = format!(
                "{held} take {} of {most} bytes, {percent} %{}",
                now.bytes,
                reader.words(seen)
            );
            let draft = Draft::of(seen, Severity::Warning, why);
            let draft = relieve(draft, seen, &reader, now.bytes, facts);
            Some(draft.shared(seen, "they are nearly full"))
        }
        Looks::PosixQueue(first, now) => {
            let ((before, _), (used, most)) = (first.fill()?, now.fill()?);
            if !is_near(before, most) || !is_near(used, most) {
                return None;
            }
            let why = format!(
                "it holds {used} of {} (mq_maxmsg), {} %; the limit was set when the queue was created, so the receiver must be faster, or the program must create a larger queue",
                count(most, "message"),
                percent(used, most)
            );
            let words = "they are nearly full; their limits were set when they were created, so the receivers must be faster, or the programs must create larger queues";
            Some(Draft::of(seen, Severity::Warning, why).shared(seen, words))
        }
    }
}

/// Adds the fix that gives a queue room for these bytes, if there is one.
fn relieve(draft: Draft, seen: &Seen, reader: &Reader, needed: u64, facts: &Facts) -> Draft {
    match reader {
        _ if orphans::is_left_over(seen, facts) => orphans::fixed_by_removal(draft, seen, facts),
        // More room would not help these.
        Reader::WantsOthers(..) | Reader::Stopped(_) => draft,
        // The receiver has to be started again. Until then more room lets the senders continue, if the
        // caller may give it.
        Reader::Gone(_) if seen.has_all_users() => {
            let draft = Draft { why: draft.why + ": start the program that receives", ..draft };
            let raised = raise(draft.clone(), seen, needed, facts);
            if raised.right == Right::Granted { raised } else { draft }
        }
        Reader::Gone(_) | Reader::Alive(_) | Reader::Never | Reader::Unknown => {
            raise(draft, seen, needed, facts)
        }
    }
}

/// Adds a larger `max_bytes` as the fix. Up to `msgmnb` the owner may set it; beyond that takes a privilege.
fn raise(draft: Draft, seen: &Seen, needed: u64, facts: &Facts) -> Draft {
    let Object::Queue(Queue { max_bytes: Some(most), .. }) = &seen.observed.object else {
        return draft;
    };
    let most = *most;
    let room = needed.saturating_add(needed / 4);
    let wanted = most.saturating_mul(2).max(room).max(1024);
    let ceiling = facts.msgmnb;
    let owns = Right::to(Act::Control, seen, facts);
    if wanted <= ceiling || facts.may_exceed_msgmnb {
        return draft.fixed_by(Remedy::Raise(wanted), owns);
    }
    if room.max(most) < ceiling {
        return draft.fixed_by(Remedy::Raise(ceiling), owns);
    }
    // Root of a container may raise msgmnb, but may not exceed it.
    if owns == Right::Granted && limits::is_writable("kernel.msgmnb") {
        let queue = super::draft::word(&seen.reference());
        let line = format!(
            "ipctool limits --set msgmnb={wanted} && ipctool limits --queue-bytes {wanted} {queue}"
        );
        return draft.fixed_by(Remedy::Run(line), Right::Granted);
    }
    draft.fixed_by(Remedy::Raise(wanted), Right::over_system(false, facts))
}

fn posix_queue_full(
    seen: &Seen,
    first: &PosixQueue,
    now: &PosixQueue,
    facts: &Facts,
) -> Option<Draft> {
    let most = now.max_messages?;
    // The file time changes with every message sent or received.
    let has_moved = first.file.modified != now.file.modified;
    if !first.is_full() || !now.is_full() || has_moved {
        return None;
    }
    let senders = Senders::of(seen, |_| false);
    let mut why =
        format!("it holds {most} of {} (mq_maxmsg){}", count(most, "message"), senders.words(seen));
    let sending: Vec<i32> = senders.pids().collect();
    let holds = |role: &Role| matches!(role, Role::Open | Role::Notified | Role::WaitsToReceive(_));
    let others: Vec<i32> =
        seen.present(holds).map(|user| user.pid).filter(|pid| !sending.contains(pid)).collect();
    let stopped = others.iter().copied().find(|&pid| seen.stopped.contains(&pid));
    why += &match (others.as_slice(), stopped) {
        (_, Some(pid)) => format!(
            "; {} has it open and is stopped by a signal: continue it (SIGCONT)",
            seen.name(pid)
        ),
        ([], _) if seen.has_all_users() => {
            "; no other process has it open: start the program that receives".to_owned()
        }
        ([], _) => String::new(),
        (others, _) => {
            format!("; it is open in {}, which must receive", seen.names(others.iter().copied()))
        }
    };
    let draft = Draft::of(seen, senders.severity(), why);
    // A program may be about to open a queue that was filled just now.
    let draft = match orphans::is_left_over(seen, facts) {
        true => orphans::fixed_by_removal(draft, seen, facts),
        false => draft,
    };
    let mut pids = [sending, others].concat();
    pids.sort_unstable();
    pids.dedup();
    let draft = Draft { pids, ..draft };
    Some(if senders.is_empty() { draft.shared(seen, "they are full") } else { draft })
}

pub(super) fn nobody_reads_type(seen: &Seen, _: &Facts) -> Option<Draft> {
    let reader = Reader::of(seen);
    let Reader::WantsOthers(pids, _) = &reader else { return None };
    let words = reader.words(seen);
    let what = words.trim_start_matches("; ").to_owned();
    let reference = super::draft::word(&seen.reference());
    let why = format!(
        "{what}; a receiver is missing, or the sender uses the wrong type; to see the messages: ipctool recv {reference} --peek --all --json"
    );
    Some(Draft { pids: pids.clone(), ..Draft::of(seen, Severity::Warning, why) })
}
