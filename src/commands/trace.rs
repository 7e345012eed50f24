//! `ipctool trace`: shows the IPC calls of other programs, and says why they fail.

mod counts;
mod hints;
mod known;
mod lines;
mod output;
mod remains;

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::ControlFlow;

use counts::Counts;
use hints::Hints;
use known::Known;
use lines::Lines;
use output::Output;

use super::{command, print_error, report};
use crate::cli::Trace;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::Key;
use crate::kernel::call::{Call, CallName, Outcome};
use crate::kernel::descendants::child::Ended;
use crate::kernel::io::os_error;
use crate::kernel::process::{self, Process};
use crate::kernel::ptrace::{self, Observer, Settings, TracedCall, Tracer};
use crate::kernel::signals::{self, Inbox};
use crate::kernel::{Errno, Namespace};
use crate::output::Style;

const VERB: &str = "trace";

pub(super) fn run(args: Trace, namespace: &Namespace, style: Style) -> Result<Status> {
    if args.command.is_empty() && args.pids.is_empty() {
        let failure = Failure::usage(VERB, "a command to run is missing, or -p PID to attach to");
        return Err(failure.with_hint("for example: ipctool trace -- ./program").into());
    }
    let shown = args.calls();
    // A key is made from the path of the stat before.
    let makes_key =
        |call: &CallName| matches!(call, CallName::Msgget | CallName::Shmget | CallName::Semget);
    let mut calls = shown.clone();
    if shown.iter().any(makes_key) {
        calls.push(CallName::Stat);
    }
    let settings = Settings { calls: &calls, shown: args.shown, slow: args.slow };
    let output = Output::open(&args)?;
    let watch = Watch::new(&args, &shown, output, &style);
    match args.command.is_empty() {
        false => run_command(&args, settings, watch, namespace),
        true => attach(&args, settings, watch),
    }
}

/// Runs a command to its end.
fn run_command(
    args: &Trace,
    settings: Settings<'_>,
    mut watch: Watch<'_>,
    namespace: &Namespace,
) -> Result<Status> {
    let inbox = Inbox::open_to_interrupt()?;
    let mut tracer = Tracer::launch(&args.command, &inbox, settings)
        .map_err(|error| not_traced("", &error, None))?;
    watch.alive.extend(tracer.command());
    watch.command = tracer.command().map(|pid| (inbox, pid));
    watch.hints.filters = u32::from(tracer.has_filter());
    tracer.run(&mut watch)?;
    if let Some(error) = tracer.error() {
        let (failure, status) = command::not_started(VERB, &args.command, &error);
        report(namespace, failure);
        return Ok(status);
    }
    let written = watch.finish();
    Ok(match watch.ended {
        Some(Ended::Status(0)) | None => written,
        Some(ended) => command::status_of(ended, watch.from_terminal),
    })
}

/// Attaches to processes until they end or a signal comes.
fn attach(args: &Trace, settings: Settings<'_>, mut watch: Watch<'_>) -> Result<Status> {
    signals::catch_signals().map_err(|error| Failure::of_no_signals(VERB, "", &error))?;
    let pids: Vec<i32> = args.pids.iter().flat_map(|pids| &pids.0).copied().collect();
    let mut tracer = Tracer::attach(&pids, settings)
        .map_err(|(pid, error)| not_traced(&pid.to_string(), &error, Some(pid)))?;
    watch.lines.has_several = tracer.threads() > 1;
    watch.alive.extend(pids);
    watch.has_begun = true;
    watch.lines.output.begin();
    tracer.run(&mut watch)?;
    tracer.leave();
    let written = watch.finish();
    Ok(signals::pending().map_or(written, Status::Signal))
}

/// Why a process cannot be traced.
fn not_traced(subject: &str, error: &io::Error, pid: Option<i32>) -> Failure {
    let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
    let reason = match errno {
        Errno::ESRCH | Errno::ENOENT if pid.is_some() => Reason::NothingThere,
        Errno::EPERM | Errno::EACCES => Reason::NotPermitted,
        _ => Reason::Failed,
    };
    let what = match reason {
        Reason::NothingThere => "no such process (ESRCH)".to_owned(),
        _ => format!("cannot trace: {}", os_error::describe(error)),
    };
    let failure = Failure::new(VERB, subject, what, reason);
    match (errno, pid) {
        (Errno::EPERM | Errno::EACCES, pid) => failure.with_hint(why_refused(pid)),
        (Errno::EIO | Errno::EINVAL | Errno::ENOSYS, _) => {
            failure.with_hint("tracing takes Linux 5.3 or later, and ptrace(2) and seccomp(2)")
        }
        _ => failure,
    }
}

/// What may forbid to trace a process.
fn why_refused(pid: Option<i32>) -> String {
    if let Some(tracer) = pid.and_then(ptrace::tracer_of) {
        return format!(
            "{} traces it already, and a process can have one tracer",
            Process::name(tracer)
        );
    }
    let own = i32::try_from(std::process::id()).ok();
    if pid.is_some() && pid == own {
        return "a process cannot trace itself".to_owned();
    }
    if let Some(pid) = pid {
        if process::is_kernel_thread(pid) {
            return "it is a thread of the kernel, which makes no system calls".to_owned();
        }
        if process::is_gone(pid) {
            return "it has ended already, and its parent has not asked for its status yet"
                .to_owned();
        }
    } else if let Some(tracer) = own.and_then(ptrace::tracer_of) {
        return format!(
            "{} traces ipctool itself and all that it starts, and a process can have one tracer",
            Process::name(tracer)
        );
    }
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        "1" if pid.is_some() => "kernel.yama.ptrace_scope is 1: only root, or an ancestor of the process, may trace it; use sudo, or start it with 'ipctool trace'".to_owned(),
        "2" => "kernel.yama.ptrace_scope is 2: only root may trace; use sudo".to_owned(),
        "3" => "kernel.yama.ptrace_scope is 3: nobody may trace until the next start of the machine".to_owned(),
        _ => "it takes CAP_SYS_PTRACE, or the same user and no gain of privileges since the program began; in a container also a seccomp profile that allows ptrace(2), as with --cap-add SYS_PTRACE".to_owned(),
    }
}

/// Follows the traced processes.
struct Watch<'a> {
    args: &'a Trace,
    /// The calls that are printed.
    shown: &'a [CallName],
    lines: Lines<'a>,
    counts: Counts,
    hints: Hints,
    known: Known,
    /// The last `stat` of each thread, as long as no other call followed.
    stats: HashMap<i32, Stat>,
    /// Whether the command, or what is attached to, is traced.
    has_begun: bool,
    /// The processes that are traced.
    alive: HashSet<i32>,
    /// Those that made a call.
    active: HashSet<i32>,
    /// The signals of this process and the command to which they go.
    command: Option<(Inbox, i32)>,
    from_terminal: Option<i32>,
    /// How the command ended.
    ended: Option<Ended>,
}

/// A `stat` that may be the first half of `ftok(3)`.
struct Stat {
    call: TracedCall,
    path: Vec<u8>,
}

impl<'a> Watch<'a> {
    fn new(args: &'a Trace, shown: &'a [CallName], output: Output, style: &Style) -> Watch<'a> {
        Watch {
            args,
            shown,
            lines: Lines::new(args, output, style),
            counts: Counts::default(),
            hints: Hints::default(),
            known: Known::default(),
            stats: HashMap::new(),
            has_begun: false,
            alive: HashSet::new(),
            active: HashSet::new(),
            command: None,
            from_terminal: None,
            ended: None,
        }
    }

    /// Writes what is left, and returns the status for that.
    fn finish(&mut self) -> Status {
        if self.args.summary {
            let table = self.counts.table(self.args.json);
            self.lines.output.write(table.as_bytes());
        }
        self.lines.output.flush();
        match self.lines.output.error() {
            Some(error) if !self.lines.output.is_closed_pipe() => {
                let what = format!("cannot write: {}", os_error::describe(error));
                print_error(format_args!("{VERB}: {what}"));
                Status::Failed
            }
            _ => Status::Done,
        }
    }

    /// The number of the namespace of a process.
    fn namespace_of(&mut self, pid: i32) -> u64 {
        self.hints.place(pid).map_or(0, |place| place.number)
    }

    /// Prints the `stat` before a call that used the key of its path. Returns the path and error of one that failed.
    fn key_of_path(
        &mut self,
        call: &TracedCall,
        key: i32,
        is_shown: bool,
    ) -> Option<(Vec<u8>, Errno)> {
        let mut stat = self.stats.remove(&call.thread)?;
        let key = Key(key);
        stat.call.outcome = ptrace::look_up(call.pid, &stat.path);
        match stat.call.outcome {
            Outcome::Failed(errno) if key == Key::FTOK_FAILED => {
                if is_shown {
                    self.lines.path_of_key(&stat.call, None);
                }
                Some((stat.path, errno))
            }
            Outcome::Returned(_) => {
                let project = ptrace::project_of(call.pid, &stat.path, key)?;
                if is_shown {
                    self.lines.path_of_key(&stat.call, Some((key, project)));
                }
                None
            }
            _ => None,
        }
    }

    /// Remembers what a call did to objects.
    fn learn(&mut self, call: &TracedCall, value: &Call<'_>) {
        if let Some((kind, id)) = known::removed_by(value) {
            let namespace = self.namespace_of(call.pid);
            self.known.has_tried_to_remove(call.pid, namespace, kind, id);
        }
        if let Outcome::Returned(result) = call.outcome {
            let namespace = self.namespace_of(call.pid);
            self.known.succeeded(call.pid, call.thread, namespace, value, result);
        }
        self.known.has_ended(call.thread);
        let opens_file = matches!(
            value,
            Call::MqOpen { .. }
                | Call::ShmOpen { .. }
                | Call::SemOpen { .. }
                | Call::Open { .. }
                | Call::Openat { .. }
        );
        if opens_file
            && let Some(made) = self.known.newest_file(call.pid)
            && let Some(place) = self.hints.place(call.pid)
            && let Ok(_stay) = place.enter()
        {
            let object = place.namespace.read(&made.reference).ok();
            made.file = object.and_then(|object| Some(object.file()?.identity));
        }
    }
}

impl Observer for Watch<'_> {
    fn begins(&mut self, call: &TracedCall) {
        let Some(value) = call.call() else { return };
        if let Some((kind, id)) = known::removed_by(&value) {
            let namespace = self.namespace_of(call.pid);
            return self.known.removes(call.pid, namespace, kind, id);
        }
        let place = self.hints.place(call.pid);
        self.known.creates(call.thread, &value, |reference| {
            let Some(place) = &place else { return true };
            let Ok(_stay) = place.enter() else { return true };
            !matches!(place.namespace.read(reference), Err(error) if error.errno == Errno::ENOENT)
        });
    }

    fn ended(&mut self, call: &TracedCall) {
        let Some(value) = call.call() else { return };
        let name = value.name();
        if let Call::Stat { path } = value {
            if let Some(path) = path.content.map(<[u8]>::to_vec) {
                self.stats.insert(call.thread, Stat { call: call.clone(), path });
            }
            return;
        }
        let is_wanted = self.shown.contains(&name)
            && !self.args.summary
            && (!self.args.failed || call.outcome.errno().is_some());
        self.active.insert(call.pid);
        if !self.args.failed || call.outcome.errno().is_some() {
            self.counts.add(name, call);
        }
        let missing = match value {
            Call::Msgget { key, .. } | Call::Shmget { key, .. } | Call::Semget { key, .. } => {
                self.hints.forget_place(call.pid);
                self.key_of_path(call, key, is_wanted)
            }
            _ => None,
        };
        self.stats.remove(&call.thread);
        self.learn(call, &value);
        if !is_wanted {
            return;
        }
        let missing = missing.as_ref().map(|(path, errno)| (path.as_slice(), *errno));
        // The thread of a call that never ended is gone.
        let may_hint = !self.args.no_hints && call.outcome != Outcome::Unfinished;
        let hint = may_hint.then(|| self.hints.of(call, &self.known, missing)).flatten();
        self.lines.call(call, hint.as_ref(), false);
    }

    fn waits(&mut self, call: &TracedCall) {
        let Some(value) = call.call() else { return };
        if self.args.summary || self.args.failed || !self.shown.contains(&value.name()) {
            return;
        }
        let may_hint = !self.args.no_hints;
        let hint = may_hint.then(|| self.hints.of(call, &self.known, None)).flatten();
        self.lines.call(call, hint.as_ref(), true);
    }

    fn started(&mut self, parent: i32, pid: i32, thread: i32) {
        self.lines.has_several = true;
        if pid == thread {
            self.alive.insert(pid);
            self.known.forked(parent, pid);
        }
    }

    fn executed(&mut self, pid: i32) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.lines.output.begin();
        }
        self.known.executed(pid);
    }

    fn noticed(&mut self, pid: i32, notice: ptrace::Notice) {
        print_error(format_args!("{VERB} {}: {notice}", Process::name(pid)));
    }

    fn exited(&mut self, pid: i32, how: Ended) {
        if self.command.as_ref().is_some_and(|(_, command)| *command == pid) {
            self.ended = Some(how);
        }
        self.alive.remove(&pid);
        self.stats.retain(|_, stat| stat.call.pid != pid);
        let left = self.known.exited(pid, self.alive.is_empty());
        let remains = remains::describe(left, &mut self.hints, pid);
        self.hints.forget_place(pid);
        let is_active = self.active.remove(&pid);
        let is_shown = if self.args.json { !remains.is_empty() } else { is_active };
        if (is_shown || !remains.is_empty()) && !self.args.summary {
            self.lines.exited(pid, how, &remains);
        }
    }

    fn interrupted(&mut self) -> ControlFlow<()> {
        self.lines.output.flush();
        let Some((inbox, pid)) = &self.command else {
            let is_over = signals::pending().is_some() || self.lines.output.error().is_some();
            return if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        };
        command::pass_on(inbox, *pid, &mut self.from_terminal);
        ControlFlow::Continue(())
    }
}
