//! `ipctool doctor`: finds what is wrong, says why, and gives the command that mends it.

mod checks;
pub(crate) mod logind;
mod memory;

use checks::Facts;

use super::{limits, selection};
use crate::cli::Doctor;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::finding::{Check, Severity};
use crate::ipc::{Filter, Heirs, Known};
use crate::kernel;
use crate::kernel::scan::Look;
use crate::kernel::users::{Missed, Observer};
use crate::output::stdout::{self, OutputError};
use crate::output::{Section, Style, columns, write_rows};

const VERB: &str = "doctor";

pub(super) fn run(args: Doctor, style: Style) -> anyhow::Result<Status> {
    if args.list_checks {
        let lines = Check::ALL.map(|check| format!("{check:<20} {}\n", check.help()));
        stdout::print(&lines.concat())?;
        return Ok(Status::Done);
    }
    let is_wanted = |check: &Check| {
        (args.only.is_empty() || args.only.contains(check)) && !args.skip.contains(check)
    };
    let checks: Vec<_> = Check::ALL.into_iter().filter(is_wanted).collect();
    if checks.is_empty() {
        let what = "--only and --skip together leave no check";
        return Err(Failure::usage(VERB, what).into());
    }
    let (known, heirs, missed) = observe(checks.iter().any(|check| check.needs_users()))?;
    let looks_at_dev_shm =
        checks.iter().any(|check| matches!(check, Check::ShmFull | Check::ShmDeleted));
    let facts = Facts {
        known,
        heirs,
        // What cannot be listed has been told.
        allowances: limits::survey()?.0,
        threshold: args.threshold,
        removes_ipc: logind::removes_ipc(),
        dev_shm: looks_at_dev_shm.then(|| memory::survey(VERB)).flatten(),
        now: super::now(),
    };
    let mut findings: Vec<_> =
        checks.into_iter().flat_map(|check| checks::examine(check, &facts)).collect();
    findings.sort_by_key(|finding| finding.severity);

    let format = args.format.chosen();
    if !findings.is_empty() || format.is_for_machines() {
        let section = Section::new("findings", &columns::FINDING);
        write_rows(format, section, true, &findings, &style, stdout::buffered()?)
            .map_err(OutputError)?;
    }
    selection::confess(VERB, &missed);
    let is_bad = findings.iter().any(|finding| finding.severity != Severity::Note);
    Ok(if is_bad { Status::Findings } else { Status::Done })
}

/// All objects and, if somebody is to look, their users and who may come back to them; also who could
/// not be inspected that may matter.
fn observe(looks: bool) -> anyhow::Result<(Vec<Known>, Heirs, Missed)> {
    let (mut objects, _) = selection::snapshot(VERB, &Filter::default())?;
    objects.iter_mut().for_each(kernel::object::complete);
    let look = if looks { Look::to_judge(&objects) } else { Look::default() };
    let observer = Observer::new(&look)?;
    let known: Vec<_> = match looks {
        true => objects.into_iter().map(|object| observer.know(object)).collect(),
        false => objects.into_iter().map(Known::from).collect(),
    };
    let heirs = observer.heirs(&known);
    Ok((known, heirs, observer.missed()))
}
