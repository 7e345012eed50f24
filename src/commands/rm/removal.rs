//! Removes objects, and records the outcome of each.

use std::collections::HashSet;

use serde::Serialize;

use super::{Removed, VERB, explain_marked, remove, what_is_left};
use crate::commands::Result;
use crate::commands::consent::{counted, named};
use crate::commands::{print_error, report_each, resolve};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::outcome::Failed;
use crate::ipc::process::observed::Selected;
use crate::ipc::{Filter, Kind, Object, Reference, Verdict};
use crate::kernel::Namespace;
use crate::kernel::io::os_error::describe;
use crate::kernel::process::uses::Observer;
use crate::kernel::removal::{Spared, remove_unchanged, settle_some};
use crate::output::formats::json::{self, Record};
use crate::output::stdout::{self, OutputError};
use crate::output::{Style, columns};

/// A removal of objects, and its outcome so far.
pub(super) struct Removal<'a> {
    namespace: &'a Namespace,
    force: bool,
    verbose: bool,
    outcome: Outcome,
    /// Failures that are not reported yet.
    failures: Vec<Failure>,
    /// Marked segments that are not explained yet.
    marked: Vec<Object>,
    status: Status,
    /// An error of standard output does not stop the removal; it is reported at the end.
    printed: Result<(), OutputError>,
}

/// The outcome, as `--json` prints it.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    removed: Vec<Reference>,
    marked: Vec<Reference>,
    failed: Vec<Failed>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    /// For a dry run only: what would be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<Vec<Record<'a, Selected>>>,
}

/// How to print the outcome as JSON.
pub(super) struct Form<'a> {
    /// For a dry run: what would be removed.
    pub selected: Option<&'a [Selected]>,
    pub style: &'a Style,
}

impl<'a> Removal<'a> {
    pub fn new(namespace: &'a Namespace, force: bool, verbose: bool) -> Removal<'a> {
        Removal {
            namespace,
            force,
            verbose,
            outcome: Outcome::default(),
            failures: Vec::new(),
            marked: Vec::new(),
            status: Status::Done,
            printed: Ok(()),
        }
    }

    /// The objects that references name, each once, for a dry run: it has to look whether they exist.
    pub fn found(&mut self, references: &[Reference]) -> Vec<Selected> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for reference in references {
            match self.namespace.read(reference) {
                Ok(object) if !seen.insert(object.reference()) => {}
                Ok(object) => found.push(named(object)),
                Err(error) => self.fail(Failure::of_call(VERB, reference, error)),
            }
        }
        found
    }

    /// The objects that references name, each once. All are resolved before any is removed.
    pub fn named(&mut self, references: &[Reference]) -> Vec<Reference> {
        let mut chosen = Vec::new();
        let mut seen = HashSet::new();
        for reference in references {
            match resolve(VERB, self.namespace, reference) {
                Ok(found) if !seen.insert(found.clone()) => {}
                Ok(found) => chosen.push(found),
                Err(failure) => self.fail(failure),
            }
        }
        chosen
    }

    /// Removes what a filter selected, unless it was used since then or is in use now. Works in batches: a
    /// last look, the removal, and only then the output, which may block.
    pub fn remove_selected(&mut self, selected: &[Selected], filter: &Filter) {
        let mut rest = selected;
        while !rest.is_empty() {
            let done = remove_batch(self.namespace, rest, filter.needs_unused());
            rest = &rest[done.len()..];
            for (reference, fate) in done {
                match fate {
                    Ok(removed) => self.removed(reference, removed),
                    // Removed by another process meanwhile.
                    Err(Spared::Missing) => {}
                    Err(Spared::Changed) => self.fail(used_meanwhile(reference)),
                    Err(Spared::Unknown(why)) => {
                        let what = format!("not removed: {why}");
                        self.fail(Failure::new(VERB, reference, what, Reason::Failed));
                    }
                    Err(Spared::Failed(error)) => {
                        self.fail(Failure::of_call(VERB, &reference, error));
                    }
                }
            }
            self.report();
        }
    }

    /// Removes an object that was named, even if it is in use.
    pub fn remove(&mut self, reference: Reference) {
        match remove(VERB, self.namespace, &reference) {
            Ok(removed) => self.removed(reference, removed),
            Err(failure) => self.fail(failure),
        }
    }

    fn removed(&mut self, reference: Reference, removed: Removed) {
        if self.verbose {
            self.print(&format!("{reference}\n"));
        }
        match removed {
            Removed::Gone => self.outcome.removed.push(reference),
            Removed::Marked(object) => {
                self.marked.push(object);
                self.outcome.marked.push(reference);
            }
        }
    }

    /// Reports what failed and what was only marked since the last report, explained by one look at the
    /// system.
    pub fn report(&mut self) {
        let failures = std::mem::take(&mut self.failures);
        let (status, failed) = report_each(self.namespace, &failures);
        self.status = self.status.and(status);
        self.outcome.failed.extend(failed);
        let marked = std::mem::take(&mut self.marked);
        explain_marked(VERB, self.namespace, &marked).into_iter().for_each(print_error);
    }

    /// Records a failure for [`Removal::report`].
    pub fn fail(&mut self, failure: Failure) {
        if !(self.force && failure.is_of_missing()) {
            self.failures.push(failure);
        }
    }

    /// Records that the objects of a kind could not be listed. The reason has been printed already.
    pub fn fail_unlisted(&mut self, kind: Kind) {
        self.status = self.status.and(Status::NotPermitted);
        let error = format!("{}s cannot be listed", kind.noun());
        self.outcome.failed.push(Failed { reference: kind.to_string(), error, errno: None });
    }

    pub fn print(&mut self, text: &str) {
        if self.printed.is_ok() {
            self.printed = stdout::print(text);
        }
    }

    /// Prints the outcome in one line.
    pub fn summarize(&mut self) {
        self.report();
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
            print_error(format_args!("{VERB}: {}", parts.join(", ")));
        }
    }

    /// Reports the rest, and prints the outcome as JSON if `form` says so.
    pub fn finish(mut self, form: Option<Form<'_>>) -> Result<Status> {
        self.report();
        if let Some(Form { selected, style }) = form {
            let record = |selected| Record::of(selected, columns::SELECTED.iter(), style);
            let selected = selected.map(|selected| selected.iter().map(record).collect());
            let outcome = Printed { outcome: &self.outcome, selected };
            let mut text = Vec::new();
            json::write(&mut text, &outcome).map_err(|error| OutputError(error.into()))?;
            text.push(b'\n');
            self.print(&String::from_utf8_lossy(&text));
        }
        match self.printed {
            Err(error) if !error.is_closed_pipe() => Err(error.into()),
            _ => Ok(self.status),
        }
    }
}

/// Objects with the outcome of each.
type Fates = Vec<(Reference, Result<Removed, Spared>)>;

/// Removes the first of these objects: as many as one look at the processes is valid for, at least one.
fn remove_batch(namespace: &Namespace, selected: &[Selected], unused: bool) -> Fates {
    // Only a look at all threads shows who waits on a queue; other kinds are checked one by one.
    let is_queue = |one: &Selected| unused && one.observed.kind() == Kind::Msg;
    let settle = |one: &Selected, observer: Option<&Observer<'_>>| {
        let observed = &one.observed;
        let waiters = match observer {
            Some(observer) if is_queue(one) => {
                observer.observe(observed.object.clone()).is_unused()
            }
            _ => Verdict::Yes,
        };
        let reference = observed.reference();
        let fate = match waiters {
            Verdict::No => Err(Spared::Changed),
            Verdict::Unknown(why) => Err(Spared::Unknown(why)),
            Verdict::Yes => remove_unchanged(namespace, observed, unused)
                .map(|()| what_is_left(namespace, &reference)),
        };
        (reference, fate)
    };
    settle_some(namespace, selected, |one| is_queue(one).then_some(&one.observed.object), settle)
        // What was removed in earlier batches has been reported.
        .unwrap_or_else(|error| {
            let why = format!("the processes cannot be inspected: {}", describe(&error));
            let left =
                |one: &Selected| (one.observed.reference(), Err(Spared::Unknown(why.clone())));
            selected.iter().map(left).collect()
        })
}

pub(super) fn used_meanwhile(reference: impl std::fmt::Display) -> Failure {
    let what = "not removed: it was used after it was selected";
    Failure::new(VERB, reference, what, Reason::Failed)
        .with_hint("--even-if-changed removes it anyway")
}
