//! `ipctool doctor`: finds what is wrong, says why, and gives the command that mends it.

pub(super) mod checks;
mod draft;
mod facts;
mod limits;
pub(crate) mod logind;
mod memory;
mod orphans;
mod permissions;
mod queues;
mod reader;
mod report;
mod selector;
mod semaphores;
mod settle;

use checks::{Check, Needs};
use facts::Facts;

use super::select;
use crate::cli::Doctor;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::finding::{Finding, Severity};
use crate::kernel::Namespace;
use crate::output::stdout::{self, OutputError};
use crate::output::{Section, Style, columns, write_rows};

const VERB: &str = "doctor";

pub(super) fn run(args: Doctor, namespace: &Namespace, style: Style) -> Result<Status> {
    if args.list_checks {
        let lines: String = checks::ALL.iter().map(|check| format!("{check}\n")).collect();
        stdout::print(&lines)?;
        return Ok(Status::Done);
    }
    let is_wanted = |check: &&Check| {
        (args.only.is_empty() || args.only.contains(check)) && !args.skip.contains(check)
    };
    let checks: Vec<_> = checks::ALL.iter().copied().filter(is_wanted).collect();
    if checks.is_empty() {
        let what = "--only and --skip together leave no check";
        return Err(Failure::usage(VERB, what).into());
    }
    let needs = checks.iter().fold(Needs::NONE, |needs, check| needs.and(check.needs));
    let facts = Facts::gather(namespace, needs, &args.ignore, args.threshold)?;
    let findings = examine(&checks, &facts);
    let format = args.format.chosen();
    if format.is_for_machines() {
        let section = Section::new("findings", &columns::FINDING);
        write_rows(format, section, true, &findings, &style, stdout::buffered()?)
            .map_err(OutputError)?;
    } else if !findings.is_empty() {
        report::write(&findings, &style, stdout::buffered()?).map_err(OutputError)?;
    } else if facts.is_whole && stdout::is_terminal() {
        stdout::print(&report::healthy(facts.objects.len(), checks.len(), &style))?;
    }
    select::warn_uninspected(VERB, &facts.missed);
    let is_bad = findings.iter().any(|finding| finding.severity != Severity::Note);
    Ok(match is_bad {
        true => Status::Findings,
        // That nothing was found says nothing of what could not be looked at.
        false if !facts.is_whole => Status::Failed,
        false => Status::Done,
    })
}

/// What these checks find, each cause once, the worst first.
fn examine(checks: &[&'static Check], facts: &Facts) -> Vec<Finding> {
    let of_check = |check: &'static Check| {
        let drafts = (check.examine)(facts).into_iter();
        drafts.map(move |draft| (check, draft))
    };
    let found = checks.iter().copied().flat_map(of_check).collect();
    let mut findings: Vec<Finding> = settle::settle(found)
        .into_iter()
        .map(|(check, draft)| draft.finish(check.name, facts))
        .collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}
