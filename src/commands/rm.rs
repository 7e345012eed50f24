//! `ipctool rm`: removes objects.

use std::collections::HashSet;
use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use super::selection::{self, Observed};
use super::{complain, find, now, report, resolve};
use crate::cli::Rm;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::known::Selected;
use crate::ipc::{Filter, Kind, Known, Object, Reference, Segment, count};
use crate::kernel::scan::{Look, Scan};
use crate::kernel::{self, process::Process};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, columns, json, write_rows};

const VERB: &str = "rm";

/// So many objects are shown before the question whether they should go.
const SHOWN: usize = 20;

pub(super) fn run(args: Rm, style: Style) -> anyhow::Result<Status> {
    let references = args.references.all();
    let kinds = [args.all.clone().unwrap_or_default(), args.kinds.clone()].concat();
    let filter = selection::filter(VERB, kinds, args.filter)?;
    let by_filter = args.all.is_some() || !args.kinds.is_empty() || filter.is_narrow();
    let mut removal = Removal::new(args.force, args.verbose);
    // What is named is meant, so there is nothing to spare.
    let has_filter = by_filter || !filter.ignore.is_empty();
    match (by_filter, references.is_empty()) {
        _ if has_filter && !references.is_empty() => {
            let what = "references and filters do not go together: a filter selects by itself";
            return Err(Failure::usage(VERB, what).into());
        }
        (false, true) => {
            let what = "nothing was named: give a REF, a filter or --all";
            return Err(Failure::usage(VERB, what).into());
        }
        (_, false) => {
            for reference in removal.named(&references, args.dry_run) {
                match args.dry_run {
                    true => removal.print(&format!("{reference}\n")),
                    false => removal.remove(reference),
                }
            }
        }
        (true, true) => {
            if !args.yes && !args.dry_run && !can_ask() {
                let what = "a filter or --all needs --yes where there is no terminal to ask on";
                return Err(Failure::usage(VERB, what).into());
            }
            let Selection { mut selected, missed, unlisted } = select(&filter, args.verbose)?;
            selection::confess(VERB, missed);
            if args.all.is_some() {
                // All that were meant cannot be gone.
                unlisted.into_iter().for_each(|kind| removal.out_of_reach(kind));
            }
            if args.dry_run {
                show(&selected, Format::fitting(), &style, stdout::buffered()?)
                    .map_err(OutputError)?;
                return Ok(Status::Done);
            }
            if !args.yes && !selected.is_empty() {
                if !confirm(&selected, &style)? {
                    return Ok(Status::Failed);
                }
                if !args.force {
                    // Answering takes time, in which somebody may have begun to wait.
                    let still = select(&filter, false)?.selected;
                    let still: HashSet<_> =
                        still.iter().map(|still| still.known.reference()).collect();
                    let passes = |old: &Selected| still.contains(&old.known.reference());
                    for Selected { known, .. } in selected.iter().filter(|old| !passes(old)) {
                        removal.fail(&used_meanwhile(known));
                    }
                    selected.retain(passes);
                }
            }
            for Selected { known, .. } in &selected {
                removal.remove_unchanged(&known.object);
            }
            if !args.json {
                removal.summarize();
            }
        }
    }
    removal.finish(args.json)
}

/// What passes a filter, and what stands in the way of knowing all.
struct Selection {
    /// The objects, and why.
    selected: Vec<Selected>,
    /// How many processes could not be inspected that may matter.
    missed: u64,
    /// The kinds of which nothing could be listed.
    unlisted: Vec<Kind>,
}

fn select(filter: &Filter, is_verbose: bool) -> anyhow::Result<Selection> {
    let now = now();
    let Observed { known, missed, unlisted } = if filter.needs_users() {
        selection::observe(VERB, filter, now, is_verbose)?
    } else {
        let (mut objects, unlisted) = selection::snapshot(VERB, filter)?;
        objects.retain(|object| filter.may_match(object, now));
        Observed { known: objects.into_iter().map(Known::from).collect(), missed: 0, unlisted }
    };
    let explained = known.into_iter().map(|known| {
        let reason = filter.reason(&known, now);
        Selected { known, reason }
    });
    Ok(Selection { selected: explained.collect(), missed, unlisted })
}

/// The selected objects and the reasons.
fn show(selected: &[Selected], format: Format, style: &Style, out: impl Write) -> io::Result<()> {
    if selected.is_empty() {
        return Ok(());
    }
    let section = Section::new("objects", &columns::SELECTED);
    write_rows(format, section, true, selected, style, out)
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether these should go.
fn confirm(selected: &[Selected], style: &Style) -> anyhow::Result<bool> {
    if selected.len() <= SHOWN {
        show(selected, Format::Plain, style, io::stderr())?;
    }
    let kinds = selected.iter().map(|selected| selected.known.kind());
    write!(io::stderr(), "remove {}? [y/N] ", counted(kinds))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// `2 message queues, 1 semaphore set`.
pub(super) fn counted(kinds: impl Iterator<Item = Kind> + Clone) -> String {
    let number = |kind| kinds.clone().filter(|other| *other == kind).count() as u64;
    let present = Kind::ALL.into_iter().filter(|&kind| number(kind) > 0);
    let words: Vec<_> = present.map(|kind| count(number(kind), kind.noun())).collect();
    words.join(", ")
}

/// Removing, and what became of it.
struct Removal {
    force: bool,
    verbose: bool,
    outcome: Outcome,
    status: Status,
    /// Whoever reads the list may go away: what was to be removed is removed all the same.
    printed: Result<(), OutputError>,
}

/// What became of the objects, as `--json` tells it.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    removed: Vec<Reference>,
    marked: Vec<Reference>,
    failed: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct Failed {
    #[serde(rename = "ref")]
    reference: String,
    error: String,
}

impl Removal {
    fn new(force: bool, verbose: bool) -> Removal {
        let outcome = Outcome::default();
        Removal { force, verbose, outcome, status: Status::Done, printed: Ok(()) }
    }

    /// The objects behind references, each once. Resolved before anything is removed.
    fn named(&mut self, references: &[Reference], is_dry: bool) -> Vec<Reference> {
        let mut chosen = Vec::new();
        let mut seen = HashSet::new();
        for reference in references {
            // What is not removed must be looked for.
            let found = match is_dry {
                true => find(VERB, reference).map(|object| object.reference()),
                false => resolve(VERB, reference),
            };
            match found {
                Ok(found) if !seen.insert(found.clone()) => {}
                Ok(found) => chosen.push(found),
                Err(failure) => self.fail(&failure),
            }
        }
        chosen
    }

    /// Removes an object if it is still as it was when it was selected: who has sent, received,
    /// attached or operated since then uses it. The kernel cannot do both at once, so what happens
    /// in the instant between the last look and the removal is not seen.
    fn remove_unchanged(&mut self, selected: &Object) {
        let reference = selected.reference();
        if !self.force {
            match kernel::object::read(&reference) {
                Ok(now) if !selected.is_unchanged(&now) => {
                    return self.fail(&used_meanwhile(selected));
                }
                // Somebody else was quicker.
                Err(error) if error.is_missing() => return,
                // Without the right to look, there is none to remove either: that will tell.
                _ => {}
            }
        }
        self.remove(reference);
    }

    fn remove(&mut self, reference: Reference) {
        let removed = match remove(VERB, &reference) {
            Ok(removed) => removed,
            Err(failure) => return self.fail(&failure),
        };
        if self.verbose {
            self.print(&format!("{reference}\n"));
        }
        match removed {
            Removed::Gone => self.outcome.removed.push(reference),
            Removed::Marked(note) => {
                complain(note);
                self.outcome.marked.push(reference);
            }
        }
    }

    fn fail(&mut self, failure: &Failure) {
        if self.force && failure.reason == Reason::NothingThere {
            return;
        }
        self.status = self.status.and(report(failure));
        let (reference, error) = (failure.subject.clone(), failure.what.clone());
        self.outcome.failed.push(Failed { reference, error });
    }

    /// The objects of a kind could not be listed, which has been told.
    fn out_of_reach(&mut self, kind: Kind) {
        self.status = self.status.and(Status::NotPermitted);
        let error = format!("{}s cannot be listed", kind.noun());
        self.outcome.failed.push(Failed { reference: kind.to_string(), error });
    }

    fn print(&mut self, text: &str) {
        if self.printed.is_ok() {
            self.printed = stdout::print(text);
        }
    }

    /// What a filter has done, in a line.
    fn summarize(&self) {
        let Outcome { removed, marked, .. } = &self.outcome;
        let mut parts = Vec::new();
        for (participle, references) in [("removed", removed), ("marked", marked)] {
            if !references.is_empty() {
                let kinds = references.iter().map(|reference| reference.kind);
                parts.push(format!("{participle} {}", counted(kinds)));
            }
        }
        if !self.outcome.failed.is_empty() {
            parts.push(format!("{} failed", self.outcome.failed.len()));
        }
        if !parts.is_empty() {
            complain(format_args!("{VERB}: {}", parts.join(", ")));
        }
    }

    fn finish(mut self, as_json: bool) -> anyhow::Result<Status> {
        if as_json {
            let mut text = Vec::new();
            json::write(&mut text, &self.outcome)?;
            text.push(b'\n');
            self.print(&String::from_utf8_lossy(&text));
        }
        match self.printed {
            Err(error) if !error.is_closed_pipe() => Err(error.into()),
            _ => Ok(self.status),
        }
    }
}

/// What has become of an object that was removed.
pub(super) enum Removed {
    /// It is gone.
    Gone,
    /// It goes when the last process detaches it; says so, and who holds it.
    Marked(String),
}

/// Removes an object.
pub(super) fn remove(verb: &'static str, reference: &Reference) -> Result<Removed, Failure> {
    kernel::object::remove(reference).map_err(|error| Failure::of_call(verb, reference, error))?;
    let left = match reference.kind {
        Kind::Shm => kernel::object::read(reference).ok(),
        _ => None,
    };
    Ok(match left {
        Some(object @ Object::Segment(Segment { attached, status, .. })) if status.is_marked() => {
            Removed::Marked(format!(
                "{verb} {reference}: still attached {}, so only marked: it goes when the last process detaches it{}",
                count(attached, "time"),
                holders(&object),
            ))
        }
        _ => Removed::Gone,
    })
}

fn used_meanwhile(object: &Object) -> Failure {
    let what = "it was used since it was selected: left alone";
    Failure::new(VERB, object.reference(), what, Reason::Failed)
        .with_hint("--force removes it all the same")
}

/// Who has this segment attached, as the second line of a message.
fn holders(segment: &Object) -> String {
    let Ok(scan) = Scan::new(&Look::around(std::slice::from_ref(segment))) else {
        return String::new();
    };
    let name = |(pid, _): &(i32, _)| match Process::find(*pid) {
        Some(process) => format!("{pid} ({})", process.command),
        None => pid.to_string(),
    };
    let holders: Vec<_> = scan.present(segment).iter().map(name).collect();
    match (holders.as_slice(), scan.uninspected.len()) {
        ([], 0) => String::new(),
        ([], unseen) => {
            format!("\nhint: its holder is one of {unseen} processes that could not be inspected")
        }
        (holders, _) => format!("\nhint: held by {}", holders.join(", ")),
    }
}
