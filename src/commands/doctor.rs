//! `ipctool doctor`: finds problems, explains them, and suggests a fix.

mod report;

use super::diagnosis::{self, All};
use super::{now, remark, select};
use crate::cli::Doctor;
use crate::commands::Result;
use crate::doctor::{CHECKS, Check, Diagnosis, Question};
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::count;
use crate::ipc::finding::Severity;
use crate::kernel::Namespace;
use crate::output::stdout::{self, OutputError};
use crate::output::{Section, Style, columns, write_rows};

const VERB: &str = "doctor";

pub(super) fn run(args: Doctor, namespace: &Namespace, style: Style) -> Result<Status> {
    if args.list_checks {
        let lines: String = CHECKS.iter().map(|check| format!("{check}\n")).collect();
        stdout::print(&lines)?;
        return Ok(Status::Done);
    }
    let checks = wanted(&args)?;
    let question = Question {
        checks: &checks,
        ignore: &args.ignore,
        threshold: args.threshold,
        now: now(),
        is_quick: false,
        elsewhere: None,
        inspection: None,
    };
    let diagnosis = match args.all_namespaces {
        true => everywhere(question)?,
        false => diagnosis::of(VERB, question, namespace)?,
    };
    write(&diagnosis, &args, checks.len(), &style)?;
    select::warn_uninspected(VERB, &diagnosis.missed);
    let is_bad = diagnosis.findings.iter().any(|finding| finding.severity != Severity::Note);
    Ok(match is_bad {
        true => Status::Findings,
        // What could not be looked at may have problems.
        false if !diagnosis.is_whole => Status::Failed,
        false => Status::Done,
    })
}

/// Diagnoses every IPC namespace, as if they were one.
fn everywhere(question: Question<'_>) -> Result<Diagnosis> {
    let All { everywhere, found, missed } = diagnosis::of_all(VERB, question)?;
    let mut all = Diagnosis { is_whole: everywhere.is_whole(), missed, ..Diagnosis::default() };
    for (_, diagnosis) in found {
        all.findings.extend(diagnosis.findings);
        all.objects.extend(diagnosis.objects);
        all.is_whole &= diagnosis.is_whole;
    }
    all.findings.sort_by_key(|finding| finding.severity);
    everywhere.warn(VERB);
    Ok(all)
}

/// The checks that `--only` and `--skip` leave.
fn wanted(args: &Doctor) -> Result<Vec<&'static Check>, Failure> {
    let is_wanted = |check: &&Check| {
        (args.only.is_empty() || args.only.contains(check)) && !args.skip.contains(check)
    };
    let checks: Vec<_> = CHECKS.iter().filter(is_wanted).collect();
    match checks.is_empty() {
        true => Err(Failure::usage(VERB, "--only and --skip together leave no check")),
        false => Ok(checks),
    }
}

fn write(diagnosis: &Diagnosis, args: &Doctor, checks: usize, style: &Style) -> Result<()> {
    let Diagnosis { findings, objects, is_whole, .. } = diagnosis;
    let format = args.format.chosen();
    if format.is_for_machines() {
        let has_homes = findings.iter().any(|finding| finding.home.is_some());
        let columns =
            columns::FINDING.iter().filter(|column| has_homes || !columns::is_home(column.name));
        let section = Section::new(columns);
        write_rows(format, section, true, findings, style, stdout::buffered()?)
            .map_err(OutputError)?;
    } else if !findings.is_empty() {
        report::write(findings, style, stdout::buffered()?).map_err(OutputError)?;
    } else if *is_whole {
        let checks = count(checks as u64, "check");
        let objects = count(objects.len() as u64, "object");
        remark(style, &format!("nothing is wrong: {checks}, {objects}"));
    }
    Ok(())
}
