//! From a filter to the objects that pass it.

use std::collections::HashSet;

use super::{notice, print_error};
use crate::ipc::{Filter, Kind, Object, Observed, Time, Verdict};
use crate::kernel;
use crate::kernel::object::ReadError;
use crate::kernel::process;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::{Missed, Observer};

/// Every object of the kinds that can pass the filter, and the kinds of which there is nothing to
/// tell: where POSIX objects cannot be listed and were not asked for by name, that is told, and the
/// rest is there.
pub fn snapshot(verb: &'static str, filter: &Filter) -> anyhow::Result<(Vec<Object>, Vec<Kind>)> {
    let mut objects = Vec::new();
    let unlisted = read_all(verb, filter, |object| {
        objects.push(object);
        Ok(())
    })?;
    Ok((objects, unlisted))
}

/// The same, each object as it is read.
pub fn read_all(
    verb: &'static str,
    filter: &Filter,
    mut visit: impl FnMut(Object) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Kind>> {
    let mut unlisted = Vec::new();
    for kind in filter.kinds() {
        match kernel::object::read_all(kind, &mut visit) {
            Err(error) if error.is::<ReadError>() && is_dispensable(kind, filter) => {
                print_error(notice(verb, &error));
                unlisted.push(kind);
            }
            read => read?,
        }
    }
    Ok(unlisted)
}

/// Whether nobody asked for this kind by name, and many a system does without it.
fn is_dispensable(kind: Kind, filter: &Filter) -> bool {
    kind.is_posix() && !filter.kinds.contains(&kind)
}

/// What certainly passes a filter, and what stands in the way of knowing all.
pub struct Observation {
    /// The objects with their users.
    pub objects: Vec<Observed>,
    /// Who could not be seen that may matter.
    pub missed: Missed,
    /// Objects were left out that processes of other process namespaces may use.
    pub has_outsiders: bool,
    /// The kinds of which nothing could be listed.
    pub unlisted: Vec<Kind>,
}

/// Looks first at the objects, then at the processes, so that whoever has just come to an object is
/// seen, and keeps what certainly passes the filter. A `verbose` user is told what is left out because
/// of doubt, and why.
pub fn observe(
    verb: &'static str,
    filter: &Filter,
    now: Time,
    verbose: bool,
) -> anyhow::Result<Observation> {
    let (mut objects, unlisted) = snapshot(verb, filter)?;
    // Whoever uses another object of a kind may be the heir of one, whatever else the filter says.
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
    let observer = Observer::new(&scope)?;
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
                    print_error(format_args!("{verb} {}: left out: {why}", observed.reference()));
                }
            }
        }
    }
    Ok(observation)
}

impl Observation {
    /// Tells on standard error who could not be seen, so that nobody is silently missing.
    pub fn warn_uninspected(&self, verb: &'static str) {
        warn_uninspected(verb, &self.missed);
        if self.has_outsiders {
            print_error(format_args!(
                "{verb}: this process namespace is not the machine's own, so not every process can be seen: what others may use is left out"
            ));
        }
    }
}

/// The same of the processes alone.
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
