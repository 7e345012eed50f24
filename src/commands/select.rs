//! Finds the objects that pass a filter.

use std::collections::HashSet;

use super::{Error, print_error, report};
use crate::commands::Result;
use crate::explain::Failure;
use crate::ipc::{Filter, Kind, Object, Observed, Snapshot, Time, Verdict};
use crate::kernel::Namespace;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::{Missed, Observer};
use crate::kernel::process::{self, Length};

/// Every object of the kinds that can pass the filter, and the kinds that could not be listed. If a POSIX
/// kind cannot be listed, that is an error if the user asked for it, and otherwise only a warning.
pub fn snapshot(verb: &'static str, namespace: &Namespace, filter: &Filter) -> Result<Snapshot> {
    let mut objects = Vec::new();
    let unlisted = read_all(verb, namespace, filter, |object| {
        objects.push(object);
        Ok(())
    })?;
    Ok(Snapshot { objects, unlisted })
}

/// The same, with a callback for each object as it is read.
pub fn read_all(
    verb: &'static str,
    namespace: &Namespace,
    filter: &Filter,
    mut visit: impl FnMut(Object) -> Result<()>,
) -> Result<Vec<Kind>> {
    let mut unlisted = Vec::new();
    for kind in filter.kinds() {
        match namespace.read_all(kind, &mut visit) {
            Err(Error::Read(error)) if is_dispensable(kind, filter) => {
                report(namespace, Failure::of_reading(verb, "", &error));
                unlisted.push(kind);
            }
            read => read?,
        }
    }
    Ok(unlisted)
}

/// Whether the user did not ask for this kind, which many systems lack.
fn is_dispensable(kind: Kind, filter: &Filter) -> bool {
    kind.is_posix() && !filter.kinds.contains(&kind)
}

/// The objects that certainly pass a filter, and what could not be seen.
pub struct Observation {
    /// The objects with their users.
    pub objects: Vec<Observed>,
    /// The uninspected processes that may matter.
    pub missed: Missed,
    /// Whether objects were skipped because processes in other process namespaces may use them.
    pub has_outsiders: bool,
    /// The kinds that could not be listed.
    pub unlisted: Vec<Kind>,
}

/// The objects that certainly pass the filter. Looks first at the objects and then at the processes, so that
/// a process that has just begun to use an object is seen. With `verbose`, prints which objects are skipped
/// as uncertain, and why. `commands` is how much of each command line to read.
pub fn observe(
    verb: &'static str,
    namespace: &Namespace,
    filter: &Filter,
    now: Time,
    verbose: bool,
    commands: Length,
) -> Result<Observation> {
    let Snapshot { mut objects, unlisted } = snapshot(verb, namespace, filter)?;
    // The users of any object of a kind may be heirs of another one, so the filter applies later.
    let compares = filter.needs_heirs();
    let candidates = objects.iter().filter(|one| filter.may_match(one, now));
    let kinds: HashSet<_> = candidates.map(Object::kind).collect();
    match compares {
        true => objects.retain(|object| kinds.contains(&object.kind())),
        false => objects.retain(|object| filter.may_match(object, now)),
    }
    let scope = match filter.needs_unused() {
        true => ScanScope::to_judge(&objects),
        false => ScanScope::around(&objects),
    };
    let scope = scope.with_commands(commands);
    let observer = Observer::new(namespace, &scope)?;
    let all: Vec<_> = objects.into_iter().map(|object| observer.observe(object)).collect();
    let heirs = compares.then(|| observer.heirs(&all));
    let mut observation = Observation {
        objects: Vec::new(),
        missed: observer.missed(),
        has_outsiders: false,
        unlisted,
    };
    for observed in all {
        match filter.matches(&observed, now, heirs.as_ref()) {
            Verdict::Yes => observation.objects.push(observed),
            Verdict::No => {}
            Verdict::Unknown(why) => {
                observation.has_outsiders |= observer.has_outsiders();
                if verbose {
                    let reference = observed.reference();
                    print_error(format_args!("{verb} {reference}: skipped as uncertain: {why}"));
                }
            }
        }
    }
    Ok(observation)
}

impl Observation {
    /// Warns about everything that could not be seen.
    pub fn warn_uninspected(&self, verb: &'static str) {
        warn_uninspected(verb, &self.missed);
        if self.has_outsiders {
            print_error(format_args!(
                "{verb}: this process namespace is not the machine's own, so not every process can be seen: objects that others may use are skipped"
            ));
        }
    }
}

/// Warns about uninspected processes.
pub fn warn_uninspected(verb: &'static str, missed: &Missed) {
    let Missed { processes, error } = missed;
    if *processes > 0 {
        let noun = if *processes == 1 { "process" } else { "processes" };
        let advice = match error {
            Some(error) => format!(": {error}"),
            None if process::uid() == 0 => String::new(),
            None => "; run as root to see them".to_owned(),
        };
        print_error(format_args!("{verb}: {processes} {noun} could not be inspected{advice}"));
    }
}

/// Prints what the user should know about the conditions of a filter, whatever matches.
pub fn warn_cautions(verb: &'static str, filter: &Filter) {
    filter.cautions().for_each(|caution| print_error(format_args!("{verb}: {caution}")));
}
