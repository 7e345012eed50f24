//! `ipctool` alone: everything in one screen. It looks at nothing that would take long: not at what each
//! process uses.

mod record;
mod screen;

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::everywhere::{Everywhere, Residences};
use super::{now, report_all, select};
use crate::cli::Overview;
use crate::commands::Result;
use crate::doctor::{CHECKS, Check, Diagnosis, NEAR, Question, diagnose};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::finding::Severity;
use crate::ipc::home::Residence;
use crate::ipc::limit::Allowance;
use crate::ipc::summary::Summary;
use crate::ipc::{Filter, Home, Kind, Snapshot};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::limits::{self, Load};
use crate::kernel::namespace::{Tally, complete};
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process;
use crate::kernel::process::scan::has_outsiders;
use crate::output::Style;
use crate::output::stdout::OutputError;

/// What errors call it.
const VERB: &str = "overview";

/// From how many per cent on a limit is shown.
const NOTABLE: u64 = 50;

/// How long the processes are asked for their namespaces at least. Otherwise it is as long as everything else
/// took, so that a machine with thousands of them gets its overview at once.
const PATIENCE: Duration = Duration::from_micros(500);

/// Everything that the screen shows.
pub(super) struct Facts {
    pub kinds: Vec<Summary>,
    /// The limits that are used to [`NOTABLE`] per cent or more.
    pub limits: Vec<Allowance>,
    /// `None` if there is no `/dev/shm`, or it cannot be read.
    pub dev_shm: Option<Space>,
    pub findings: Findings,
    /// `None` if the namespaces cannot be seen.
    census: Option<Tally>,
    /// Where all this is seen from; `None` if that is nothing out of the ordinary.
    vantage: Option<Vantage>,
    /// The namespaces, if all are asked for.
    residences: Option<Vec<Residence>>,
}

/// What decides which processes and which shared memory one sees.
struct Vantage {
    /// The number of the process namespace of the caller; `None` if it is unknown.
    process_namespace: Option<u64>,
    /// The device of `/dev/shm`, `MAJOR:MINOR`.
    device: Option<String>,
    /// Where the objects are, if not here.
    home: Option<Arc<Home>>,
}

impl Vantage {
    /// In a process namespace of its own, or of another place.
    fn of(namespace: &Namespace) -> Option<Vantage> {
        let is_usual = namespace.home().is_none() && !has_outsiders();
        let device = namespace.shm().device_name();
        let home = namespace.home().cloned();
        (!is_usual).then(|| Vantage { process_namespace: process::own_namespace(), device, home })
    }
}

/// How many findings the quick checks have.
pub(super) struct Findings {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
    checks: Vec<&'static str>,
    /// Whether they could look at everything.
    is_whole: bool,
}

pub(super) fn run(args: Overview, namespace: &Namespace, mut style: Style) -> Result<Status> {
    let mut failures = Vec::new();
    let start = Instant::now();
    let mut facts = facts(namespace, args.all_namespaces, &mut failures)?;
    if !args.all_namespaces {
        let now = Instant::now();
        let deadline = now + now.duration_since(start).max(PATIENCE);
        let census = Tally::take(namespace.handle(), deadline);
        facts.census = census.map_err(|error| failures.push(unread("/proc", &error))).ok();
    }
    let status = report_all(namespace, &failures);
    style.human_sizes = true;
    let written = if args.json { record::write(&facts) } else { screen::write(&facts, &style) };
    written.map_err(OutputError)?;
    Ok(status)
}

/// Looks at everything once, in one place or in all. What could not be looked at is added to the failures.
pub(super) fn facts(
    namespace: &Namespace,
    is_everywhere: bool,
    failures: &mut Vec<Failure>,
) -> Result<Facts> {
    match is_everywhere {
        true => look_everywhere(failures),
        false => Ok(look(namespace, true, failures)?.0),
    }
}

/// Looks at everything in one place once. `is_first` is whether to look at the limits of users and of the
/// machine, too.
fn look(
    namespace: &Namespace,
    is_first: bool,
    failures: &mut Vec<Failure>,
) -> Result<(Facts, Snapshot)> {
    let mut snapshot = select::snapshot(VERB, namespace, &Filter::default())?;
    snapshot.objects.iter_mut().for_each(complete);
    let kinds = Kind::ALL.into_iter().map(|kind| Summary::of(kind, &snapshot)).collect();
    let dev_shm = match Space::read(namespace.shm()) {
        Ok(space) => Some(space),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                failures.push(unread("/dev/shm", &error));
            }
            None
        }
    };
    let load = Load { snapshot: &snapshot, space: dev_shm.as_ref(), elsewhere: &[] };
    let mut limits = limits::survey(load, process::uid(), &mut |limit, error| {
        failures.push(unread(limit.name(), &error));
    });
    limits.retain(|limit| limit.is_at(NOTABLE) && (is_first || limit.user.is_none()));
    limits.iter_mut().for_each(|limit| limit.home = namespace.home().cloned());
    let findings = find(namespace, snapshot.clone(), is_first)?;
    let vantage = Vantage::of(namespace);
    let (census, residences) = (None, None);
    Ok((Facts { kinds, limits, dev_shm, findings, census, vantage, residences }, snapshot))
}

fn unread(subject: &str, error: &io::Error) -> Failure {
    let what = format!("it cannot be read: {}", os_error::describe(error));
    Failure::new(VERB, subject, what, Reason::Failed)
}

/// Looks at every IPC namespace. The `/dev/shm` is that of the first, the host.
fn look_everywhere(failures: &mut Vec<Failure>) -> Result<Facts> {
    let mut everywhere = Everywhere::find()?;
    let mut all: Option<Facts> = None;
    let mut residences = Residences::of(&everywhere);
    let first = everywhere.places.first().map(|place| place.identity);
    let found = everywhere.map(|place, namespace| {
        let mut failures = Vec::new();
        let is_first = Some(place.identity) == first && place.has(Kind::Msg);
        (look(namespace, is_first, &mut failures), failures)
    });
    for (number, (facts, more)) in found {
        let place = &everywhere.places[number];
        failures.extend(more);
        let (mut facts, snapshot) = facts?;
        residences.add(place, &snapshot);
        for fullest in facts.kinds.iter_mut().filter_map(|kind| kind.fullest.as_mut()) {
            fullest.home = Some(place.home.clone());
        }
        match &mut all {
            None => all = Some(facts),
            Some(all) => all.merge(facts),
        }
    }
    everywhere.warn(VERB);
    let closed = || Failure::new(VERB, "", "no IPC namespace may be entered", Reason::NotPermitted);
    let mut all = all.ok_or_else(closed)?;
    all.residences = Some(residences.into_rows());
    // Several places are seen.
    all.vantage = None;
    Ok(all)
}

impl Facts {
    /// Adds what is in another place.
    fn merge(&mut self, other: Facts) {
        for (kind, more) in self.kinds.iter_mut().zip(other.kinds) {
            kind.merge(more);
        }
        self.limits.extend(other.limits);
        let (findings, more) = (&mut self.findings, other.findings);
        findings.errors += more.errors;
        findings.warnings += more.warnings;
        findings.notes += more.notes;
        findings.is_whole &= more.is_whole;
    }
}

/// Runs the checks that are quick. `doctor` explains what they find, and what they could not look at.
fn find(namespace: &Namespace, snapshot: Snapshot, is_first: bool) -> Result<Findings> {
    let checks: Vec<&Check> = CHECKS.iter().filter(|check| check.is_quick).collect();
    let question = Question {
        checks: &checks,
        ignore: &[],
        threshold: NEAR,
        now: now(),
        is_quick: true,
        elsewhere: is_first.then_some(&[]),
        inspection: None,
    };
    let Diagnosis { findings, is_whole, .. } =
        diagnose(question, namespace, snapshot, &mut |_| {})?;
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    Ok(Findings {
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        checks: checks.iter().map(|check| check.name).collect(),
        is_whole,
    })
}
