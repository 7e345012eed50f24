//! `ipctool semop`: operates on semaphores, and holds them while a command runs.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Result, command, is_watched, print_error, remark, report, resolve};
use crate::cli::Semop;
use crate::exit::Status;
use crate::explain::{Failure, Operated, Reason};
use crate::ipc::sysv::Operation;
use crate::ipc::sysv::operation::{Act, SEMVMX, Step};
use crate::ipc::{Name, Reference, Target};
use crate::kernel::descendants::child;
use crate::kernel::posix::semaphore::{Open, OpenError};
use crate::kernel::process::Process;
use crate::kernel::signals::wait::{self, Stopped, Waited};
use crate::kernel::sysv::sem::{self, operate};
use crate::kernel::{CallError, Errno, Namespace, process, signals};
use crate::output::Style;

const VERB: &str = "semop";

pub(super) fn run(args: Semop, namespace: &Namespace, style: &Style) -> Result<Status> {
    let named = &args.semaphore;
    signals::catch_signals().map_err(|error| Failure::of_preparation(VERB, named, &error))?;
    match &named.target {
        Target::Name(name) => on_posix_semaphore(&args, name, namespace, style),
        Target::Id(_) | Target::Key(_) => {
            let reference = resolve(VERB, namespace, named)?;
            Set::open(&args, namespace, reference)?.run(namespace, style)
        }
    }
}

/// What explains that operations on this set failed, or wait.
pub(super) fn operated(id: i32, nsems: u64, operations: &[Operation]) -> Operated {
    let semaphores = sem::semaphores(id, nsems).unwrap_or_default();
    let last = |one: &Operation| Some(semaphores.get(usize::from(one.semaphore))?.last_pid);
    let pids = operations.iter().filter_map(last).filter(|&pid| pid > 0);
    let processes = pids.filter(|&pid| !process::is_gone(pid)).map(Process::name).collect();
    Operated { operations: operations.to_vec(), processes, semaphores }
}

/// Wrong usage of an operation.
fn refused(args: &Semop, what: &str) -> Failure {
    Failure::new(VERB, &args.semaphore, what, Reason::Usage)
}

/// A set, and what is to be done with it.
struct Set<'a> {
    args: &'a Semop,
    /// By id, so that it is this set and no later one.
    id: i32,
    nsems: u64,
}

impl<'a> Set<'a> {
    fn open(args: &'a Semop, namespace: &Namespace, by_id: Reference) -> Result<Set<'a>, Failure> {
        let failed = |error| Failure::of_call(VERB, &args.semaphore, error);
        let id = namespace.id(&by_id).map_err(failed)?;
        Ok(Set { args, id, nsems: sem::read(id).map_err(failed)?.nsems })
    }

    fn run(&self, namespace: &Namespace, style: &Style) -> Result<Status> {
        let args = self.args;
        let before = if args.verbose { self.values() } else { Vec::new() };
        match self.settings()? {
            Some(settings) => self.set(&settings)?,
            None => self.operate(&self.operations()?, style)?,
        }
        self.say(&before);
        if args.command.is_empty() {
            return Ok(Status::Done);
        }
        let error = child::replace(&args.command);
        let (failure, status) = command::not_started(VERB, &args.command, &error);
        report(namespace, failure);
        Ok(status)
    }

    /// The semaphores that are to be set, and their values; `None` if none is.
    fn settings(&self) -> Result<Option<Vec<(u16, u32)>>, Failure> {
        let args = self.args;
        let value = |step: &Step| match step.act {
            Act::Set(value) => Some(value),
            Act::Add(_) | Act::Subtract(_) | Act::WaitForZero => None,
        };
        let values: Vec<u32> = args.operations.iter().filter_map(value).collect();
        if values.is_empty() {
            return Ok(None);
        }
        if values.len() < args.operations.len() {
            let what = "=N (SETVAL) cannot be done at once with other operations: call it alone";
            return Err(refused(args, what));
        }
        if args.undo || !args.command.is_empty() {
            return Err(refused(args, "=N (SETVAL) cannot be undone"));
        }
        let indices = args.operations.iter().map(|step| self.index(step));
        let indices = indices.collect::<Result<Vec<_>, _>>()?;
        // All of them or none.
        for (&index, &value) in indices.iter().zip(&values) {
            let what = match (u64::from(index) < self.nsems, value <= SEMVMX) {
                (true, true) => continue,
                (false, _) => format!(
                    "the set has no semaphore {index}: it has {}, numbered from 0",
                    self.nsems
                ),
                (_, false) => format!("{value} is above semvmx, {SEMVMX} (ERANGE)"),
            };
            return Err(Failure::new(VERB, &args.semaphore, what, Reason::Failed));
        }
        Ok(Some(indices.into_iter().zip(values).collect()))
    }

    fn set(&self, settings: &[(u16, u32)]) -> Result<(), Failure> {
        for &(index, value) in settings {
            let set = sem::set_value(self.id, index, value as i32);
            set.map_err(|error| Failure::of_access(VERB, &self.args.semaphore, 2, error))?;
        }
        Ok(())
    }

    fn operations(&self) -> Result<Vec<Operation>, Failure> {
        let operation = |step: &Step| {
            let beyond = || {
                let what = format!("{} is beyond semvmx, {SEMVMX} (ERANGE)", step.act);
                Failure::new(VERB, &self.args.semaphore, what, Reason::Failed)
            };
            let change = step.act.change().ok_or_else(beyond)?;
            Ok(Operation { semaphore: self.index(step)?, change })
        };
        self.args.operations.iter().map(operation).collect()
    }

    /// The number of the semaphore that is meant.
    fn index(&self, step: &Step) -> Result<u16, Failure> {
        match step.index {
            Some(index) => Ok(index),
            None if self.nsems == 1 => Ok(0),
            None => {
                let what = format!(
                    "the set has {} semaphores: say which one, as in 0:{}",
                    self.nsems, step.act
                );
                Err(refused(self.args, &what))
            }
        }
    }

    fn operate(&self, operations: &[Operation], style: &Style) -> Result<(), Failure> {
        let args = self.args;
        let is_undone = args.undo || !args.command.is_empty();
        let at_once = || operate::operate(self.id, operations, is_undone).map_err(Stopped::Failed);
        let waiting = || {
            let deadline = wait::deadline(args.timeout);
            operate::operate_waiting(self.id, operations, is_undone, deadline)
        };
        let remark_wait = || {
            if let Some(blocked) = self.after_failure(operations).blocked() {
                remark(style, &format!("{}: {blocked}; Ctrl-C ends", args.semaphore));
            }
        };
        patiently(args, style, at_once, waiting, remark_wait).map_err(|stopped| {
            let operated = self.after_failure(operations);
            Failure::of_operation(VERB, &args.semaphore, operated, stopped)
        })
    }

    /// What explains that operations failed.
    fn after_failure(&self, operations: &[Operation]) -> Operated {
        operated(self.id, self.nsems, operations)
    }

    /// The values; none if they cannot be read.
    fn values(&self) -> Vec<u16> {
        sem::values(self.id, self.nsems).unwrap_or_default()
    }

    /// Says with `--verbose` what became of the values.
    fn say(&self, before: &[u16]) {
        if !self.args.verbose {
            return;
        }
        let after = self.values();
        let mut said = Vec::new();
        for index in self.args.operations.iter().filter_map(|step| self.index(step).ok()) {
            if said.contains(&index) {
                continue;
            }
            said.push(index);
            let (number, semaphore) = (usize::from(index), &self.args.semaphore);
            match (before.get(number), after.get(number)) {
                (Some(before), Some(after)) => print_error(format_args!(
                    "{VERB} {semaphore}: semaphore {index}: {before} → {after}"
                )),
                _ => print_error(format_args!("{VERB} {semaphore}: the values cannot be read")),
            }
        }
    }
}

/// Does it at once or, unless the user wants no wait, waits. A person is told of the wait.
fn patiently(
    args: &Semop,
    style: &Style,
    at_once: impl FnOnce() -> Waited<()>,
    waiting: impl FnOnce() -> Waited<()>,
    remark_wait: impl FnOnce(),
) -> Waited<()> {
    if args.nowait {
        return at_once();
    }
    // A time that is over at once is no time to wait, but time to try.
    if !is_watched(style) && args.timeout.is_none() {
        return waiting();
    }
    match at_once() {
        Err(Stopped::Failed(CallError { errno: Errno::EAGAIN, .. })) => {
            remark_wait();
            waiting()
        }
        done => done,
    }
}

fn on_posix_semaphore(
    args: &Semop,
    name: &Name,
    namespace: &Namespace,
    style: &Style,
) -> Result<Status> {
    let act = match args.operations.as_slice() {
        [Step { index: Some(1..), .. }] => {
            return Err(refused(args, "a POSIX semaphore is one: leave out the number").into());
        }
        [Step { act: act @ (Act::Add(_) | Act::Subtract(_)), .. }] => *act,
        [_] => {
            let what = "a POSIX semaphore can only be posted, +N, and waited for, -N";
            return Err(refused(args, what).into());
        }
        _ => return Err(refused(args, "a POSIX semaphore takes one operation").into()),
    };
    if args.undo {
        let what = "--undo is for sets: the kernel undoes nothing to a POSIX semaphore";
        return Err(refused(args, what).into());
    }
    let semaphore = namespace.shm().open_semaphore(name).map_err(|error| match error {
        OpenError::Call(error) => Failure::of_call(VERB, &args.semaphore, error),
        OpenError::Foreign => {
            let what = "it holds no semaphore that this program can operate on";
            Failure::new(VERB, &args.semaphore, what, Reason::Failed).with_hint(
                "it was made by another C library or for another word size, or is something else",
            )
        }
    })?;
    signals::explain_bus_error(format!(
        "ipctool: {VERB} {}: its file was truncated meanwhile (SIGBUS)\n",
        args.semaphore
    ));
    let before = semaphore.value();
    change(args, &semaphore, act, style)?;
    if args.verbose {
        let after = semaphore.value();
        print_error(format_args!("{VERB} {}: {before} → {after}", args.semaphore));
    }
    if args.command.is_empty() {
        return Ok(Status::Done);
    }
    let ran = command::run(&args.command, &[]);
    let left = undo(&semaphore, act);
    if left > 0 {
        let semaphore = &args.semaphore;
        print_error(format_args!("{VERB} {semaphore}: {left} of {act} cannot be undone any more"));
    }
    ran.or_else(|error| {
        let (failure, status) = command::not_started(VERB, &args.command, &error);
        report(namespace, failure);
        Ok(status)
    })
}

/// Posts, or takes, as often as asked; all or nothing.
fn change(args: &Semop, semaphore: &Open, act: Act, style: &Style) -> Result<(), Failure> {
    let deadline = wait::deadline(args.timeout);
    let changed = match act {
        Act::Add(number) => all_or_none(number, deadline, Act::Add, semaphore, || semaphore.post()),
        Act::Subtract(number) => take(args, semaphore, number, deadline, style),
        Act::WaitForZero | Act::Set(_) => Ok(()),
    };
    changed.map_err(|stopped| Failure::of_wait(VERB, &args.semaphore, stopped))
}

/// Takes so many, and waits as long as there are fewer. Nothing is held during the wait, so that two who wait for
/// several cannot keep each other from them.
fn take(
    args: &Semop,
    semaphore: &Open,
    number: u32,
    deadline: Option<Instant>,
    style: &Style,
) -> Waited<()> {
    let (mut is_told, mut pause) = (false, PAUSE);
    loop {
        let taken =
            all_or_none(number, deadline, Act::Subtract, semaphore, || semaphore.try_wait());
        match taken {
            Err(Stopped::Failed(CallError { errno: Errno::EAGAIN, .. })) if !args.nowait => {}
            taken => return taken,
        }
        if is_watched(style) && !std::mem::replace(&mut is_told, true) {
            let (named, value) = (&args.semaphore, semaphore.value());
            let least = if number == 1 { "above 0".to_owned() } else { format!("{number}") };
            remark(style, &format!("{named} is {value}: waiting until it is {least}; Ctrl-C ends"));
        }
        // There is one, at least.
        semaphore.wait(deadline)?;
        if number == 1 {
            return Ok(());
        }
        // Those that wait for several must not all try at the same moment.
        semaphore.post().map_err(Stopped::Failed)?;
        pause = (pause * 2).min(LONGEST_PAUSE);
        wait::sleep(part_of(pause));
    }
}

/// The first and the longest pause before another attempt to take several.
const PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A part of a time, by chance.
fn part_of(time: Duration) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    time.mul_f64(f64::from(now.subsec_nanos() % 1000) / 1000.0)
}

/// Does one step so many times. What it has done before it fails it undoes.
fn all_or_none(
    number: u32,
    deadline: Option<Instant>,
    act: fn(u32) -> Act,
    semaphore: &Open,
    step: impl Fn() -> Result<(), CallError>,
) -> Waited<()> {
    for done in 0..number {
        // Many are done without a wait that a signal or the time could end.
        let stopped = if done > 0 && done.is_multiple_of(MANY) { stopped(deadline) } else { None };
        let result = stopped.map_or_else(|| step().map_err(Stopped::Failed), Err);
        if let Err(stopped) = result {
            undo(semaphore, act(done));
            return Err(stopped);
        }
    }
    Ok(())
}

/// After so many steps it looks at the clock.
const MANY: u32 = 4096;

/// Why it must not go on.
fn stopped(deadline: Option<Instant>) -> Option<Stopped> {
    let is_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
    signals::pending().map(Stopped::Signal).or(is_late.then_some(Stopped::TimedOut))
}

/// Undoes it, as far as that is possible at once. Returns how much of it is left.
fn undo(semaphore: &Open, act: Act) -> u32 {
    let step = || match act {
        Act::Add(_) => semaphore.try_wait(),
        Act::Subtract(_) | Act::WaitForZero | Act::Set(_) => semaphore.post(),
    };
    let number = match act {
        Act::Add(number) | Act::Subtract(number) => number,
        Act::WaitForZero | Act::Set(_) => 0,
    };
    (0..number).position(|_| step().is_err()).map_or(0, |done| number - done as u32)
}
