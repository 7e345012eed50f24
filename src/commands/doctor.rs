//! `ipctool doctor`: finds what is wrong, says why, and gives the command that mends it.

mod checks;
mod logind;

use checks::Facts;

use super::{limits, selection};
use crate::cli::Doctor;
use crate::exit::Status;
use crate::ipc::Filter;
use crate::ipc::finding::{Check, Severity};
use crate::kernel;
use crate::kernel::scan::Look;
use crate::kernel::users::Observer;
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
    let mut objects = selection::snapshot(VERB, &Filter::default())?;
    let observer = Observer::new(&Look::around(&objects))?;
    objects.iter_mut().for_each(kernel::object::complete);
    let facts = Facts {
        known: objects.into_iter().map(|object| observer.know(object)).collect(),
        allowances: limits::survey()?,
        threshold: args.threshold,
        removes_ipc: logind::removes_ipc(),
        now: super::now(),
    };
    let checks = Check::ALL.into_iter().filter(is_wanted);
    let mut findings: Vec<_> = checks.flat_map(|check| checks::examine(check, &facts)).collect();
    findings.sort_by_key(|finding| finding.severity);

    let format = args.format.chosen();
    if !findings.is_empty() || format.is_for_machines() {
        let section = Section::new("findings", &columns::FINDING);
        write_rows(format, section, true, &findings, &style, stdout::buffered()?)
            .map_err(OutputError)?;
    }
    selection::confess(VERB, observer.missed());
    let is_bad = findings.iter().any(|finding| finding.severity != Severity::Note);
    Ok(if is_bad { Status::Findings } else { Status::Done })
}
