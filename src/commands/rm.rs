//! `ipctool rm`: removes objects.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use super::{complain, find, now, report, resolve, selection};
use crate::cli::Rm;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::known::Selected;
use crate::ipc::{Filter, Kind, Known, Object, Reference, Verdict, count};
use crate::kernel::scan::{Look, Scan};
use crate::kernel::users::Observer;
use crate::kernel::{self, process::Process};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Layout, Section, Style, columns, json, renderer};

const VERB: &str = "rm";

/// So many objects are shown before the question whether they should go.
const SHOWN: usize = 20;

pub(super) fn run(args: Rm, style: Style) -> anyhow::Result<Status> {
    let references = args.references.all();
    let kinds = [args.all.clone().unwrap_or_default(), args.kinds.clone()].concat();
    let filter = selection::filter(VERB, kinds, args.filter)?;
    let by_filter = args.all.is_some() || !args.kinds.is_empty() || filter.is_narrow();
    let mut removal = Removal::new(args.force, args.verbose);
    match (by_filter, references.is_empty()) {
        (true, false) => {
            let what = "references and filters do not go together: a filter selects by itself";
            return Err(Failure::usage(VERB, what).into());
        }
        (false, true) => {
            let what = "nothing was named: give a REF, a filter or --all";
            return Err(Failure::usage(VERB, what).into());
        }
        (false, false) => {
            for (kind, id) in removal.named(&references, args.dry_run) {
                match args.dry_run {
                    true => removal.print(&format!("{}\n", Reference::id(kind, id))),
                    false => removal.remove(kind, id),
                }
            }
        }
        (true, true) => {
            if !args.yes && !args.dry_run && !can_ask() {
                let what = "a filter or --all needs --yes where there is no terminal to ask on";
                return Err(Failure::usage(VERB, what).into());
            }
            let mut selected = select(&filter, args.verbose)?;
            if args.dry_run {
                show(&selected, Format::fitting(), &style, stdout::buffered()?)
                    .map_err(OutputError)?;
                return Ok(Status::Done);
            }
            if !args.yes && !selected.is_empty() && !confirm(&selected, &style)? {
                return Ok(Status::Failed);
            }
            if !args.yes && !args.force {
                // Answering takes time, in which somebody may have begun to wait.
                let still = select(&filter, false)?;
                let passes = |known: &Known| {
                    still.iter().any(|still| still.known.reference() == known.reference())
                };
                for Selected { known, .. } in selected.iter().filter(|old| !passes(&old.known)) {
                    removal.fail(&used_meanwhile(known));
                }
                selected.retain(|old| passes(&old.known));
            }
            for Selected { known, .. } in &selected {
                removal.remove_unchanged(&known.object);
            }
            if !args.json && !selected.is_empty() {
                removal.summarize(&selected);
            }
        }
    }
    removal.finish(args.json)
}

/// What passes the filter, and why. What only may pass is left out.
fn select(filter: &Filter, is_verbose: bool) -> anyhow::Result<Vec<Selected>> {
    let now = now();
    let mut objects = kernel::object::snapshot(filter.kinds())?;
    objects.retain(|object| filter.may_match(object, now));
    let observer =
        filter.needs_users().then(|| Observer::new(Look::around(&objects))).transpose()?;
    let mut selected = Vec::new();
    for object in objects {
        let known = match &observer {
            Some(observer) => observer.know(object),
            None => Known::from(object),
        };
        match filter.matches(&known, now) {
            Verdict::Yes => {
                let reason = filter.reason(&known, now);
                selected.push(Selected { known, reason });
            }
            Verdict::Doubtful(why) if is_verbose => {
                complain(format_args!("{VERB} {}: left alone: {why}", known.reference()));
            }
            _ => {}
        }
    }
    if let Some(observer) = &observer {
        selection::confess(VERB, observer.missed());
    }
    Ok(selected)
}

/// The selected objects and the reasons.
fn show(selected: &[Selected], format: Format, style: &Style, out: impl Write) -> io::Result<()> {
    if selected.is_empty() {
        return Ok(());
    }
    let columns = columns::SELECTED.iter().collect();
    let section = Section { title: "objects".to_owned(), columns };
    let layout = Layout { sections: vec![section], chosen: None, headings: true };
    let mut render = renderer(format, layout, style, out)?;
    selected.iter().try_for_each(|row| render.row(0, row))?;
    render.finish()
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
fn counted(kinds: impl Iterator<Item = Kind> + Clone) -> String {
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
    removed: Vec<String>,
    marked: Vec<String>,
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
    fn named(&mut self, references: &[Reference], is_dry: bool) -> Vec<(Kind, i32)> {
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
                Err(failure) => self.fail(&failure),
            }
        }
        chosen
    }

    /// Removes an object if it is still as it was when it was selected: who has sent, received,
    /// attached or operated since then uses it. The kernel cannot do both at once, so what happens
    /// in the instant between the last look and the removal is not seen.
    fn remove_unchanged(&mut self, selected: &Object) {
        let (kind, id) = (selected.kind(), selected.id());
        if !self.force {
            match kernel::object::read(kind, id) {
                Ok(now) if !selected.is_unchanged(&now) => {
                    return self.fail(&used_meanwhile(selected));
                }
                // Somebody else was quicker.
                Err(error) if error.is_missing() => return,
                // Without the right to look, there is none to remove either: that will tell.
                _ => {}
            }
        }
        self.remove(kind, id);
    }

    fn remove(&mut self, kind: Kind, id: i32) {
        let reference = Reference::id(kind, id);
        if let Err(error) = kernel::object::remove(kind, id) {
            return self.fail(&Failure::of_call(VERB, reference, error));
        }
        match kernel::object::read(kind, id) {
            Ok(Object::Segment(segment)) if segment.status.is_marked() => {
                complain(format_args!(
                    "{VERB} {reference}: still attached {}, so only marked: it goes when the last process detaches it{}",
                    count(segment.attached, "time"),
                    holders(id),
                ));
                self.outcome.marked.push(reference.to_string());
            }
            _ => self.outcome.removed.push(reference.to_string()),
        }
        if self.verbose {
            self.print(&format!("{reference}\n"));
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

    fn print(&mut self, text: &str) {
        if self.printed.is_ok() {
            self.printed = stdout::print(text);
        }
    }

    /// What a filter has done, in a line.
    fn summarize(&self, selected: &[Selected]) {
        let of = |references: &[String]| {
            let gone = selected.iter().map(|selected| &selected.known);
            let gone = gone.filter(|known| references.contains(&known.reference().to_string()));
            counted(gone.map(|known| known.kind()).collect::<Vec<_>>().into_iter())
        };
        let mut parts = Vec::new();
        if !self.outcome.removed.is_empty() {
            parts.push(format!("removed {}", of(&self.outcome.removed)));
        }
        if !self.outcome.marked.is_empty() {
            parts.push(format!("marked {}", of(&self.outcome.marked)));
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

fn used_meanwhile(object: &Object) -> Failure {
    let what = "it was used since it was selected: left alone";
    Failure::new(VERB, object.reference(), what, Reason::Failed)
        .with_hint("--force removes it all the same")
}

/// Who has this segment attached, as the second line of a message.
fn holders(id: i32) -> String {
    let Ok(scan) = Scan::new(Look { attachments: true, waiters: false }) else {
        return String::new();
    };
    let name = |(pid, _): &(i32, _)| match Process::find(*pid) {
        Some(process) => format!("{pid} ({})", process.command),
        None => pid.to_string(),
    };
    let holders: Vec<_> = scan.present(Kind::Shm, id).iter().map(name).collect();
    match (holders.as_slice(), scan.uninspected.len()) {
        ([], 0) => String::new(),
        ([], unseen) => {
            format!("\nhint: its holder is one of {unseen} processes that could not be inspected")
        }
        (holders, _) => format!("\nhint: held by {}", holders.join(", ")),
    }
}
