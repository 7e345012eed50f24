//! `ipctool rm`: removes objects.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use super::{complain, find, now, report, resolve, selection};
use crate::cli::Rm;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::{Kind, Object, Reference, count};
use crate::kernel;
use crate::output::stdout;

const VERB: &str = "rm";

/// What became of the objects, as `--json` tells it.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    removed: Vec<String>,
    marked: Vec<String>,
    failed: Vec<Failed>,
    #[serde(skip)]
    status: Option<Status>,
}

#[derive(Debug, Serialize)]
struct Failed {
    #[serde(rename = "ref")]
    reference: String,
    error: String,
}

impl Outcome {
    fn fail(&mut self, failure: &Failure) {
        let status = report(failure);
        self.status = Some(self.status.map_or(status, |before| before.and(status)));
        self.failed
            .push(Failed { reference: failure.subject.clone(), error: failure.what.clone() });
    }
}

pub(super) fn run(args: Rm) -> anyhow::Result<Status> {
    let references = args.references.all();
    let kinds = [args.all.clone().unwrap_or_default(), args.kinds.clone()].concat();
    let filter = selection::filter(VERB, kinds, args.filter)?;
    let by_filter = args.all.is_some() || !args.kinds.is_empty() || filter.is_narrow();
    let mut outcome = Outcome::default();
    let chosen = match (by_filter, references.is_empty()) {
        (true, false) => {
            let what = "references and filters do not go together: a filter selects by itself";
            return Err(Failure::usage(VERB, what).into());
        }
        (false, true) => {
            return Err(
                Failure::usage(VERB, "nothing was named: give a REF, a filter or --all").into()
            );
        }
        (false, false) => named(&references, args.dry_run, args.force, &mut outcome),
        (true, true) => {
            if !args.yes && !args.dry_run && !can_ask() {
                let what = "a filter or --all needs --yes where there is no terminal to ask on";
                return Err(Failure::usage(VERB, what).into());
            }
            let select = || -> anyhow::Result<Vec<Object>> {
                let now = now();
                let mut objects = kernel::object::snapshot(filter.kinds())?;
                objects.retain(|object| filter.matches(object, now));
                Ok(objects)
            };
            let mut objects = select()?;
            if !args.yes && !args.dry_run && !objects.is_empty() && !confirm(&objects)? {
                return Ok(Status::Failed);
            }
            // Answering takes time: what no longer passes is spared, and what is new was not meant.
            let asked = std::mem::replace(&mut objects, select()?);
            objects.retain(|object| asked.iter().any(|old| old.reference() == object.reference()));
            objects.iter().map(|object| (object.kind(), object.id())).collect()
        }
    };
    // Whoever reads the list may go away: what was to be removed is removed all the same.
    let mut printed = Ok(());
    let mut print =
        |text: String| printed = std::mem::replace(&mut printed, Ok(())).and(stdout::print(&text));
    for (kind, id) in chosen {
        let reference = Reference::id(kind, id);
        if args.dry_run {
            print(format!("{reference}\n"));
            continue;
        }
        match remove(kind, id) {
            Ok(attached) => {
                if attached > 0 {
                    complain(format_args!(
                        "{VERB} {reference}: still attached {}, so only marked: it goes when the last process detaches it",
                        count(attached, "time"),
                    ));
                    outcome.marked.push(reference.to_string());
                } else {
                    outcome.removed.push(reference.to_string());
                }
                if args.verbose {
                    print(format!("{reference}\n"));
                }
            }
            // With a filter, somebody else was quicker.
            Err(failure) if failure.reason == Reason::NothingThere && (args.force || by_filter) => {
            }
            Err(failure) => outcome.fail(&failure),
        }
    }
    if args.json {
        print(serde_json::to_string(&outcome)? + "\n");
    }
    match printed {
        Err(error) if !error.is_closed_pipe() => return Err(error.into()),
        _ => {}
    }
    Ok(outcome.status.unwrap_or(Status::Done))
}

/// The objects behind references, each once. Resolved before anything is removed.
fn named(
    references: &[Reference],
    is_dry: bool,
    force: bool,
    outcome: &mut Outcome,
) -> Vec<(Kind, i32)> {
    let mut chosen = Vec::new();
    for &reference in references {
        // What is not removed must be looked for.
        let found = match is_dry {
            true => find(VERB, reference).map(|object| object.id()),
            false => resolve(VERB, reference),
        };
        match found {
            Ok(id) if chosen.contains(&(reference.kind, id)) => {}
            Ok(id) => chosen.push((reference.kind, id)),
            Err(failure) if force && failure.reason == Reason::NothingThere => {}
            Err(failure) => outcome.fail(&failure),
        }
    }
    chosen
}

/// Removes one object; returns how often it is still attached, if it was only marked.
fn remove(kind: Kind, id: i32) -> Result<u64, Failure> {
    let reference = Reference::id(kind, id);
    kernel::object::remove(kind, id).map_err(|error| Failure::of_call(VERB, reference, error))?;
    if kind != Kind::Shm {
        return Ok(0);
    }
    match kernel::object::status(kind, id) {
        Ok(Some(Object::Segment(segment))) if segment.status.is_marked() => Ok(segment.attached),
        _ => Ok(0),
    }
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether these should go.
fn confirm(objects: &[Object]) -> anyhow::Result<bool> {
    let mut counts = Vec::new();
    for kind in Kind::ALL {
        let number = objects.iter().filter(|object| object.kind() == kind).count() as u64;
        if number > 0 {
            counts.push(count(number, kind.noun()));
        }
    }
    write!(io::stderr(), "remove {}? [y/N] ", counts.join(", "))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
