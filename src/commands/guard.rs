//! `ipctool guard`: runs a command, and reports the objects that it left behind.

mod removal;
mod report;
mod setting;
mod survey;
mod watch;

use crate::kernel::Namespace;
use std::path::Path;
use std::{env, io};

use report::Report;
use setting::Setting;
use watch::{Course, Watch};

use super::{command, print_error, report};
use crate::cli::Guard;
use crate::commands::Result;
use crate::commands::destination::Destination;
use crate::exit::Status;
use crate::explain::{Failure, Notice};
use crate::ipc::attribution::leak::{Difference, Leak};
use crate::kernel::descendants::child::Ended;
use crate::kernel::signals;
use crate::output::Style;

const VERB: &str = "guard";

/// What an isolated command does not see.
const COVERED: &str = "an isolated command has a /dev/shm of its own, which starts empty; \
                       with --isolate never it sees that of the machine";

pub(super) fn run(args: Guard, namespace: &Namespace, mut style: Style) -> Result<Status> {
    style.human_sizes = true;
    // Everything that can fail without the command is done before it runs.
    let (path, format) = args.document();
    let destination = path.map(|path| Destination::open(VERB, "--report", path)).transpose()?;
    let mut setting = Setting::choose(namespace, args.isolate, args.keep, args.quiet)?;
    // Process ids are recorded from before the command can create anything.
    let mut watch = Watch::begin(&args, &setting)?;
    setting.remember()?;
    if !args.quiet && env::current_dir().is_ok_and(|path| setting.covers(&path)) {
        let what = format_args!("{VERB}: the command starts in the /dev/shm of the machine");
        print_error(Notice::new(what).with_hint(COVERED));
    }
    let Some(ran) = Ran::run(&args, &setting, &mut watch) else {
        return Ok(Status::Signal(signals::INTERRUPT));
    };
    let report = ran.report(&args, &setting);
    if !args.quiet {
        style = style.on_stderr();
        report.print(&style);
    }
    if destination.as_ref().is_some_and(Destination::may_wait) {
        // Only the report is left to write, so from now on a signal may end this process.
        watch.close()?;
    }
    let written = destination
        .map_or(Ok(()), |destination| destination.write(&report.to_document(format, &style)));
    let reported = match written {
        Ok(()) => Status::Done,
        Err(failure) => super::report(setting.namespace(), failure),
    };
    Ok(ran.exit_status(&args, &report, reported))
}

/// A command that has run, or could not be started.
struct Ran {
    /// Its status, as a shell sees it.
    status: u8,
    /// How it ran; `None` if it could not be started.
    course: Option<Course>,
    findings: Findings,
}

impl Ran {
    /// Runs the command and looks at what it left behind. `None` if the user interrupted it twice and does
    /// not want to wait for that.
    fn run(args: &Guard, setting: &Setting, watch: &mut Watch) -> Option<Ran> {
        if let Err(error) = watch.start(setting) {
            let (failure, status) = not_started(args, setting, &error);
            report(setting.namespace(), failure);
            return Some(Ran {
                status: status.code(),
                course: None,
                findings: Findings::default(),
            });
        }
        let mut course = watch.follow();
        if course.is_abandoned {
            if !setting.is_isolated() {
                let what = "interrupted twice: what the command left behind is still there";
                let notice = Notice::new(format_args!("{VERB}: {what}"));
                print_error(notice.with_hint("to see it: ipctool list"));
            }
            return None;
        }
        let findings = Findings::gather(args, setting, watch, &mut course);
        Some(Ran { status: course.status(), course: Some(course), findings })
    }

    fn report<'a>(&'a self, args: &'a Guard, setting: &Setting) -> Report<'a> {
        let is_timed_out = self.course.as_ref().is_some_and(|course| course.is_timed_out);
        Report {
            command: &args.command,
            status: self.status,
            is_isolated: setting.is_isolated(),
            is_failure: self.is_failure(args),
            timed_out: args.timeout.filter(|_| is_timed_out),
            strays: self.course.as_ref().map_or(&[], |course| &course.strays),
            difference: &self.findings.difference,
            ignored: &self.findings.ignored,
            uninspected: &self.findings.uninspected,
        }
    }

    /// Whether it left more behind than is accepted.
    fn is_failure(&self, args: &Guard) -> bool {
        let leaks = self.findings.difference.leaks.len() as u64;
        leaks > args.max_leaks && !args.allow_leaks
    }

    /// The status of this program: that of the command, unless it succeeded. `reported` is the status of
    /// writing the report.
    fn exit_status(&self, args: &Guard, report: &Report<'_>, reported: Status) -> Status {
        match self.course.as_ref().map(|course| (course.ended, course.from_terminal)) {
            // A shell stops a loop on Ctrl-C only if the signal ends this program as well.
            Some((Ended::Signal(signal), Some(typed))) if signal == typed => Status::Signal(signal),
            _ if self.status != 0 => Status::Command(self.status),
            _ if reported != Status::Done => reported,
            // There may be more leaks than were found.
            _ if report.has_blind_spots() => Status::Failed,
            _ if self.is_failure(args) => Status::Findings,
            _ => Status::Done,
        }
    }
}

/// What was found after the command, and the outcome of its removal.
#[derive(Default)]
struct Findings {
    difference: Difference,
    /// Objects that `--ignore` accepts.
    ignored: Vec<Leak>,
    /// Sentences about what could not be looked at.
    uninspected: Vec<String>,
}

impl Findings {
    /// Looks at what the command left behind, ends its background processes if it should, and removes what
    /// may be removed.
    fn gather(args: &Guard, setting: &Setting, watch: &mut Watch, course: &mut Course) -> Findings {
        let commands = watch::length(args);
        let mut survey = setting.survey(commands);
        // Attributed before any process ends, because one that waits on a queue leaves no record in it.
        let mut difference = setting.difference(&survey, &watch.descendants());
        let are_ended = (setting.is_isolated() || args.kill_strays) && watch.end_strays(course);
        if are_ended {
            // What such a process removes only because of SIGTERM still counts as left behind.
            let later = setting.survey(commands);
            difference.add_new(setting.difference(&later, &watch.descendants()));
            if !setting.is_isolated() {
                later.refresh(&mut difference);
            }
            survey.add_notes(later);
        }
        let ignored = difference.set_aside(&args.ignore);
        if !setting.is_isolated() && !args.keep {
            removal::remove(setting.namespace(), &mut difference.leaks, &watch.living());
        }
        Findings { difference, ignored, uninspected: survey.uninspected }
    }
}

/// Why the command did not start, and the status for it.
fn not_started(args: &Guard, setting: &Setting, error: &io::Error) -> (Failure, Status) {
    let (failure, status) = command::not_started(VERB, &args.command, error);
    match setting.covers(Path::new(&args.command[0])) {
        true => (failure.with_hint(COVERED), status),
        false => (failure, status),
    }
}
