//! `ipctool` alone: everything in one screen. It looks at nothing that would take long: not at what each
//! process uses.

mod record;
mod screen;

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::{now, report_all, select};
use crate::cli::Overview;
use crate::commands::Result;
use crate::doctor::{CHECKS, Check, Diagnosis, Question, diagnose};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::finding::Severity;
use crate::ipc::limit::Allowance;
use crate::ipc::summary::Summary;
use crate::ipc::{Filter, Kind, Snapshot};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::limits;
use crate::kernel::namespace::{Tally, complete};
use crate::kernel::posix::dev_shm::Space;
use crate::kernel::process;
use crate::output::Style;
use crate::output::stdout::OutputError;

/// What errors call it.
const VERB: &str = "overview";

/// From how many per cent on a limit is shown.
const NOTABLE: u64 = 50;

/// From how many per cent on a limit counts as a finding, as for `doctor`.
const NEAR: u64 = 80;

/// How long the processes are asked for their namespaces at least. Otherwise it is as long as everything else
/// took, so that a machine with thousands of them gets its overview at once.
const PATIENCE: Duration = Duration::from_micros(500);

/// Everything that the screen shows.
struct Facts {
    kinds: Vec<Summary>,
    /// The limits that are used to [`NOTABLE`] per cent or more.
    limits: Vec<Allowance>,
    /// `None` if there is no `/dev/shm`, or it cannot be read.
    dev_shm: Option<Space>,
    findings: Findings,
    /// `None` if the namespaces cannot be seen.
    census: Option<Tally>,
}

/// How many findings the quick checks have.
struct Findings {
    errors: usize,
    warnings: usize,
    notes: usize,
    checks: Vec<&'static str>,
    /// Whether they could look at everything.
    is_whole: bool,
}

pub(super) fn run(args: Overview, namespace: &Namespace, mut style: Style) -> Result<Status> {
    let mut failures = Vec::new();
    let facts = look(namespace, &mut failures)?;
    let status = report_all(namespace, &failures);
    style.human_sizes = true;
    let written = if args.json { record::write(&facts) } else { screen::write(&facts, &style) };
    written.map_err(OutputError)?;
    Ok(status)
}

/// Looks at everything once.
fn look(namespace: &Namespace, failures: &mut Vec<Failure>) -> Result<Facts> {
    let start = Instant::now();
    let mut snapshot = select::snapshot(VERB, namespace, &Filter::default())?;
    snapshot.objects.iter_mut().for_each(complete);
    let kinds = Kind::ALL.into_iter().map(|kind| Summary::of(kind, &snapshot)).collect();
    let mut failed = |subject: &str, error: &io::Error| {
        let what = format!("it cannot be read: {}", os_error::describe(error));
        failures.push(Failure::new(VERB, subject, what, Reason::Failed));
    };
    let dev_shm = match Space::read(namespace.shm()) {
        Ok(space) => Some(space),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                failed("/dev/shm", &error);
            }
            None
        }
    };
    let mut limits =
        limits::survey(&snapshot, dev_shm.as_ref(), process::uid(), &mut |limit, error| {
            failed(limit.name(), &error);
        });
    limits.retain(|limit| limit.is_at(NOTABLE));
    let findings = find(namespace, snapshot)?;
    let now = Instant::now();
    let deadline = now + now.duration_since(start).max(PATIENCE);
    let census = Tally::take(namespace.handle(), deadline).map_err(|error| failed("/proc", &error));
    Ok(Facts { kinds, limits, dev_shm, findings, census: census.ok() })
}

/// Runs the checks that are quick. `doctor` explains what they find, and what they could not look at.
fn find(namespace: &Namespace, snapshot: Snapshot) -> Result<Findings> {
    let checks: Vec<&Check> = CHECKS.iter().filter(|check| check.is_quick).collect();
    let question =
        Question { checks: &checks, ignore: &[], threshold: NEAR, now: now(), is_quick: true };
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
