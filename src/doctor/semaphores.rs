//! Semaphores that no process will release.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Act, Draft, Right, as_root};
use super::facts::{Facts, Seen};
use crate::ipc::finding::Severity;
use crate::ipc::process::role::{Role, State};
use crate::ipc::sysv::{Operation, Semaphore};
use crate::ipc::{Object, PosixSemaphore, Reference, Use, Verdict};
use crate::kernel::process;
use crate::kernel::process::scan::sleepers::Sleeper;

pub(super) fn stuck(seen: &Seen, facts: &Facts) -> Option<Draft> {
    match &seen.observed.object {
        // A set without any operation yet is not held.
        Object::SemaphoreSet(set) => set.last_op.and_then(|_| stuck_in_set(seen, facts)),
        Object::PosixSemaphore(semaphore) => stuck_posix(seen, semaphore),
        Object::Queue(_) | Object::Segment(_) | Object::PosixQueue(_) | Object::PosixMemory(_) => {
            None
        }
    }
}

fn stuck_in_set(seen: &Seen, facts: &Facts) -> Option<Draft> {
    let gone = |index| {
        seen.observed.recorded().find(|user| {
            matches!(&user.role, Role::LastOperation(numbers) if numbers.contains(&index))
                && user.state != State::Alive
        })
    };
    let before = seen.observed.semaphores.as_ref()?;
    let is_held = |one: &Semaphore| one.value == 0 && one.ncount > 0;
    // Nothing happened to it between the two looks.
    let still = |now: &&Semaphore| {
        let first = before.get(now.index as usize);
        is_held(now) && first.is_some_and(|one| is_held(one) && one.last_pid == now.last_pid)
    };
    let mut held = seen.semaphores.as_ref()?.iter().filter(still);
    let (semaphore, last) = held.find_map(|semaphore| Some((semaphore, gone(semaphore.index)?)))?;
    let (index, id) = (semaphore.index, seen.observed.object.id()?);
    let waits = |sleeper: &&Sleeper| awaited_increase(sleeper, index).is_some();
    let waiters: Vec<&Sleeper> = seen.resting.iter().filter(waits).collect();
    let pids: Vec<i32> = waiters.iter().map(|sleeper| sleeper.pid).collect();
    let names = match pids.as_slice() {
        [] => String::new(),
        pids => format!(": {}", seen.names(pids.iter().copied())),
    };
    let waiting = match semaphore.ncount {
        1 => "1 process waits".to_owned(),
        number => format!("{number} processes wait"),
    };
    let mut why = format!(
        "semaphore {index} is 0, {waiting} for it{names}, and process {}, which operated last, is gone; if it counts work for these processes, nothing is wrong; if it is a lock, no process is left to release it",
        last.pid,
    );
    // The smallest increase that one of them waits for.
    let increases = waiters.iter().filter_map(|sleeper| awaited_increase(sleeper, index));
    let more = increases.min().unwrap_or(1);
    let release = format!("ipctool semop sem:{id} {index}:+{more}");
    // Not a fix: if the semaphore is a counter, this would count work that does not exist.
    match Right::to(Act::Write, seen, facts) {
        Right::Granted => why += &format!("; to release it: {release}"),
        Right::Sudo => why += &format!("; to release it: {}", as_root(&release)),
        Right::Denied => {}
    }
    Some(Draft { pids, ..Draft::of(seen, Severity::Warning, why) })
}

/// By how much a thread waits for one semaphore to increase.
fn awaited_increase(sleeper: &Sleeper, index: u32) -> Option<u16> {
    let Role::WaitsOnSemaphores(operations) = &sleeper.role else { return None };
    let operation = operations.iter().find(|one| u32::from(one.semaphore) == index)?;
    Some(operation.change.unsigned_abs()).filter(|&increase| increase > 0)
}

/// The value is 0, and all threads of all processes that have it open wait for it, so none can post.
fn stuck_posix(seen: &Seen, semaphore: &PosixSemaphore) -> Option<Draft> {
    let is_zero = semaphore.state.is_some_and(|state| state.value == 0);
    if !is_zero || seen.resting.is_empty() || !seen.has_all_users() {
        return None;
    }
    let resting = |pid| seen.resting.iter().filter(move |sleeper| sleeper.pid == pid);
    let is_asleep =
        |pid| resting(pid).next().is_some_and(|one| one.siblings == resting(pid).count());
    let holders: BTreeSet<i32> = seen.present(Role::is_present).map(|user| user.pid).collect();
    if !holders.iter().all(|&pid| is_asleep(pid)) {
        return None;
    }
    let threads = seen.resting.len();
    let why = format!(
        "it is 0, {} for it, and no other process has it open: {}; start the process that posts it (sem_post), or end the waiting ones",
        if threads == 1 { "1 thread waits".to_owned() } else { format!("{threads} threads wait") },
        seen.names(holders.iter().copied()),
    );
    let draft = Draft::of(seen, Severity::Warning, why);
    Some(Draft { pids: holders.into_iter().collect(), ..draft })
}

/// A process waits for a semaphore that another process operated on last.
struct Wait<'a> {
    seen: &'a Seen,
    index: u32,
    /// The process that operated on it last.
    holder: i32,
    /// Whether that was certainly a `semop(2)`. The kernel also records a process that sets a value
    /// (`SETVAL`), which does not hold the semaphore.
    is_certain: bool,
}

/// The circles of processes that wait for each other. A process counts only if all its threads wait,
/// because another thread might release what it holds. A process that waits for what it took itself does
/// not count, because that is how a consumer waits for a producer.
pub(super) fn deadlock(facts: &Facts) -> Vec<Draft> {
    let waits = waits(facts);
    let mut circles: BTreeSet<Vec<i32>> = BTreeSet::new();
    let mut done = BTreeSet::new();
    for &pid in waits.keys() {
        follow(pid, &waits, &mut Vec::new(), &mut done, &mut circles);
    }
    circles.iter().map(|circle| draft(circle, &waits)).collect()
}

fn waits(facts: &Facts) -> BTreeMap<i32, Vec<Wait<'_>>> {
    let mut waits: BTreeMap<i32, Vec<Wait<'_>>> = BTreeMap::new();
    let mut asleep: BTreeMap<i32, usize> = BTreeMap::new();
    let mut siblings: BTreeMap<i32, usize> = BTreeMap::new();
    let clock = process::clock();
    for seen in &facts.objects {
        let Object::SemaphoreSet(set) = &seen.observed.object else { continue };
        // In a set without any operation yet, the recorded processes only set values.
        let (Some(semaphores), Some(_)) = (&seen.semaphores, set.last_op) else { continue };
        for sleeper in &seen.resting {
            let Role::WaitsOnSemaphores(operations) = &sleeper.role else { continue };
            let held = operations.iter().filter_map(|operation| {
                let semaphore = semaphores.get(usize::from(operation.semaphore))?;
                let holder = semaphore.last_pid;
                let user = recorded(seen, holder).filter(|_| holder != sleeper.pid)?;
                // Setting a value changes the set, so a process that started later has set none.
                let is_certain = user.living.zip(set.changed).is_some_and(|(living, changed)| {
                    clock.is_after(living.since_boot, changed) == Verdict::Yes
                });
                is_unmet(*operation, semaphore).then_some(Wait {
                    seen,
                    index: semaphore.index,
                    holder,
                    is_certain,
                })
            });
            let held: Vec<_> = held.collect();
            if !held.is_empty() {
                *asleep.entry(sleeper.pid).or_default() += 1;
                siblings.insert(sleeper.pid, sleeper.siblings);
                waits.entry(sleeper.pid).or_default().extend(held);
            }
        }
    }
    waits.retain(|pid, _| asleep.get(pid) == siblings.get(pid));
    waits
}

/// The living process with this id, if it is recorded for one of the semaphores.
fn recorded(seen: &Seen, holder: i32) -> Option<&Use> {
    seen.observed.recorded().find(|user| user.pid == holder && user.state == State::Alive)
}

/// Whether an operation has to wait with the present value.
fn is_unmet(operation: Operation, semaphore: &Semaphore) -> bool {
    match operation.change {
        0 => semaphore.value > 0,
        change => semaphore.value < u32::from(change.unsigned_abs()),
    }
}

/// Follows each wait from the waiting process to the holder, and collects the circles.
fn follow(
    pid: i32,
    waits: &BTreeMap<i32, Vec<Wait<'_>>>,
    path: &mut Vec<i32>,
    done: &mut BTreeSet<i32>,
    circles: &mut BTreeSet<Vec<i32>>,
) {
    if let Some(start) = path.iter().position(|&earlier| earlier == pid) {
        let mut circle = path[start..].to_vec();
        // The same circle starts with the same process, wherever it was entered.
        let least = circle.iter().enumerate().min_by_key(|(_, pid)| **pid).map_or(0, |(n, _)| n);
        circle.rotate_left(least);
        circles.insert(circle);
        return;
    }
    if done.contains(&pid) {
        return;
    }
    path.push(pid);
    for wait in waits.get(&pid).into_iter().flatten() {
        follow(wait.holder, waits, path, done, circles);
    }
    path.pop();
    done.insert(pid);
}

fn draft(circle: &[i32], waits: &BTreeMap<i32, Vec<Wait<'_>>>) -> Draft {
    let mut references: Vec<Reference> = Vec::new();
    let mut steps = Vec::new();
    let mut is_certain = true;
    for (place, pid) in circle.iter().enumerate() {
        let next = circle[(place + 1) % circle.len()];
        let wait = waits[pid].iter().find(|wait| wait.holder == next);
        let Some(wait) = wait else { continue };
        let reference = wait.seen.reference();
        is_certain &= wait.is_certain;
        steps.push(format!(
            "{} waits for semaphore {} of {reference}, on which {next} operated last",
            wait.seen.name(*pid),
            wait.index
        ));
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    let doubt = match is_certain {
        true => "",
        false => "; the kernel records a process that only sets a value (SETVAL) as well",
    };
    let why = format!(
        "{} processes wait for each other: {}{doubt}; if these are locks, none of them can go on: end one of them, or release one of the semaphores",
        circle.len(),
        steps.join("; ")
    );
    let severity = if is_certain { Severity::Error } else { Severity::Warning };
    let system = Draft::of_system(severity, why);
    Draft { is_of_system: false, references, pids: circle.to_vec(), ..system }
}
