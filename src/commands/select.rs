//! Finds the objects that pass a filter.

use std::collections::HashSet;

use super::everywhere::Everywhere;
use super::{Error, now, print_error, report};
use crate::commands::Result;
use crate::explain::Failure;
use crate::ipc::changes::Identity;
use crate::ipc::posix::FileIdentity;
use crate::ipc::process::observed::Selected;
use crate::ipc::{Filter, Kind, Object, Observed, Reference, Snapshot, Time, Verdict};
use crate::kernel::Namespace;
use crate::kernel::namespace::{Place, complete};
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::{Inspection, Missed};
use crate::kernel::process::{self, Length};
use crate::kernel::sysv::listing::Detail;

/// Every object of the kinds that can pass the filter, and the kinds that could not be listed. If a POSIX
/// kind cannot be listed, that is an error if the user asked for it, and otherwise only a warning.
pub fn snapshot(verb: &'static str, namespace: &Namespace, filter: &Filter) -> Result<Snapshot> {
    let mut objects = Vec::new();
    let unlisted = read_all(verb, namespace, filter, Detail::Whole, |object| {
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
    detail: Detail,
    mut visit: impl FnMut(Object) -> Result<()>,
) -> Result<Vec<Kind>> {
    let mut unlisted = Vec::new();
    for kind in filter.kinds() {
        match namespace.read_all(kind, detail, &mut visit) {
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

/// The kinds that could not be listed in a namespace.
fn unlisted_in(
    namespace: &Namespace,
    kinds: Vec<Kind>,
) -> impl Iterator<Item = (Option<u64>, Kind)> {
    let number = namespace.home().map(|home| home.namespace);
    kinds.into_iter().map(move |kind| (number, kind))
}

/// The objects that certainly pass a filter, and what could not be seen.
#[derive(Debug, Default)]
pub struct Observation {
    /// The objects with their users.
    pub objects: Vec<Observed>,
    /// The uninspected processes that may matter.
    pub missed: Missed,
    /// Whether objects were skipped because processes in other process namespaces may use them.
    pub has_outsiders: bool,
    /// The kinds that could not be listed, and where: the number of the namespace, if several are looked at.
    pub unlisted: Vec<(Option<u64>, Kind)>,
    /// The objects of which it is not known whether they pass.
    pub uncertain: Vec<Identity>,
}

/// A search for the objects that certainly pass a filter. It looks first at the objects and then at the
/// processes, so that a process that has just begun to use an object is seen.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// The verb that errors name.
    pub verb: &'static str,
    /// The filter.
    pub filter: &'a Filter,
    /// The present time.
    pub now: Time,
    /// Whether to print which objects are skipped as uncertain, and why.
    pub verbose: bool,
    /// How much of each command line to read.
    pub commands: Length,
}

impl Search<'_> {
    /// Searches a namespace.
    pub fn observe(&self, namespace: &Namespace) -> Result<Observation> {
        let Snapshot { objects, unlisted } = self.candidates(namespace)?;
        let inspection = Inspection::of(namespace, &self.scope(&objects))?;
        let unlisted = unlisted_in(namespace, unlisted).collect();
        let mut observation = Observation { unlisted, ..Observation::default() };
        self.judge(&inspection, namespace, objects, &mut observation)?;
        observation.missed = inspection.missed();
        Ok(observation)
    }

    /// Searches every IPC namespace, with one inspection of the processes. The `max_bytes` of queues are
    /// known afterwards, since they cannot be asked for from elsewhere.
    pub fn observe_everywhere(&self, everywhere: &mut Everywhere) -> Result<Observation> {
        self.observe_places(everywhere, |_, error| Err(error))
    }

    /// The same, with a callback for an error in one of the places, which is given the namespace if it was entered.
    /// Unless that fails, the other places are searched all the same.
    pub fn observe_places(
        &self,
        everywhere: &mut Everywhere,
        failed: impl Fn(Option<&Namespace>, Error) -> Result<()> + Sync,
    ) -> Result<Observation> {
        let mut observation = Observation::default();
        let mut candidates: Vec<Vec<Object>> = Vec::new();
        let mut places = Vec::new();
        let look = |place: &Place, namespace: &Namespace| -> Result<_> {
            let Snapshot { objects, unlisted } = match self.candidates(namespace) {
                Ok(found) => found,
                Err(error) => {
                    failed(Some(namespace), error)?;
                    Snapshot { objects: Vec::new(), unlisted: place.kinds.clone() }
                }
            };
            Ok((objects, unlisted_in(namespace, unlisted).collect::<Vec<_>>()))
        };
        for (number, found) in everywhere.map(look) {
            let (objects, unlisted) = found?;
            observation.unlisted.extend(unlisted);
            if !objects.is_empty() {
                candidates.push(objects);
                places.push(everywhere.places[number].clone());
            }
        }
        let scope = self.scope(candidates.iter().flatten());
        let inspection = Inspection::of_all(places.iter().map(|place| place.identity), &scope)?;
        for (place, objects) in places.iter().zip(candidates) {
            let before = observation.objects.len();
            let number = Some(place.identity.number());
            let all: Vec<_> = objects.iter().map(|one| Identity::of_object(one, number)).collect();
            let visited = Everywhere::visit(place, |namespace| {
                let judged = self.judge(&inspection, namespace, objects, &mut observation);
                let found = &mut observation.objects[before..];
                found.iter_mut().for_each(|observed| complete(&mut observed.object));
                match judged {
                    Ok(()) => Ok(true),
                    Err(error) => failed(Some(namespace), error).map(|()| false),
                }
            });
            let is_judged = match visited {
                Ok(visited) => visited.unwrap_or(false),
                Err(error) => failed(None, error).map(|()| false)?,
            };
            if !is_judged {
                // What is gone by now was so short-lived that it need not be shown.
                observation.uncertain.extend(all);
            }
        }
        observation.missed = inspection.missed();
        Ok(observation)
    }

    /// The objects that may pass, and those that matter for a decision about one of them.
    fn candidates(&self, namespace: &Namespace) -> Result<Snapshot> {
        let Search { verb, filter, now, .. } = *self;
        let Snapshot { mut objects, unlisted } = snapshot(verb, namespace, filter)?;
        let candidates = objects.iter().filter(|one| filter.may_match(one, now));
        let kinds: HashSet<_> = candidates.map(Object::kind).collect();
        match filter.needs_heirs() {
            // The users of any object of a kind may be heirs of another one, so the filter applies later.
            true => objects.retain(|object| kinds.contains(&object.kind())),
            false => objects.retain(|object| filter.may_match(object, now)),
        }
        Ok(Snapshot { objects, unlisted })
    }

    fn scope<'a>(&self, objects: impl IntoIterator<Item = &'a Object>) -> ScanScope {
        let scope = match self.filter.needs_unused() {
            true => ScanScope::to_judge(objects),
            false => ScanScope::around(objects),
        };
        scope.with_commands(self.commands)
    }

    /// Adds the objects of a namespace that certainly pass.
    fn judge(
        &self,
        inspection: &Inspection,
        namespace: &Namespace,
        objects: Vec<Object>,
        observation: &mut Observation,
    ) -> Result<()> {
        let Search { verb, filter, now, verbose, .. } = *self;
        let observer = inspection.observer(namespace)?;
        let all: Vec<_> = objects.into_iter().map(|object| observer.observe(object)).collect();
        let heirs = filter.needs_heirs().then(|| observer.heirs(&all));
        for observed in all {
            match filter.matches(&observed, now, heirs.as_ref()) {
                Verdict::Yes => observation.objects.push(observed),
                Verdict::No => {}
                Verdict::Unknown(why) => {
                    observation.has_outsiders |= inspection.has_outsiders();
                    observation.uncertain.push(Identity::of(&observed));
                    if verbose {
                        let reference = observed.reference();
                        let home = namespace.home().map(|home| format!(" in {home}"));
                        let home = home.unwrap_or_default();
                        print_error(format_args!(
                            "{verb} {reference}{home}: skipped as uncertain: {why}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
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

/// The objects that pass a filter, each with the reason.
pub struct Selection {
    /// The objects.
    pub selected: Vec<Selected>,
    /// The kinds that could not be listed.
    pub unlisted: Vec<Kind>,
}

/// Selects the objects that pass a filter, and warns about uninspected processes. With `verbose`, prints
/// which objects are skipped as uncertain, and why.
pub fn select(
    verb: &'static str,
    namespace: &Namespace,
    filter: &Filter,
    verbose: bool,
) -> Result<Selection> {
    select_at(verb, namespace, filter, verbose, Observation::warn_uninspected)
}

/// Takes out of a selection what no longer passes the filter, or is another object by now: while the user
/// answered a question, a process may have begun to use an object. Returns what was taken out.
pub fn spare_changed(
    verb: &'static str,
    namespace: &Namespace,
    filter: &Filter,
    selected: &mut Vec<Selected>,
) -> Result<Vec<Reference>> {
    let now = select_at(verb, namespace, filter, false, |_, _| {})?;
    let still: HashSet<_> = now.selected.iter().map(|one| identity(&one.observed.object)).collect();
    let (kept, changed) = std::mem::take(selected)
        .into_iter()
        .partition::<Vec<_>, _>(|old| still.contains(&identity(&old.observed.object)));
    *selected = kept;
    Ok(changed.iter().map(|old| old.observed.reference()).collect())
}

/// What no other object shares as long as this one exists. A name alone may be given away.
pub fn identity(object: &Object) -> (Reference, Option<FileIdentity>) {
    (object.reference(), object.file().map(|file| file.identity))
}

fn select_at(
    verb: &'static str,
    namespace: &Namespace,
    filter: &Filter,
    verbose: bool,
    warn: fn(&Observation, &'static str),
) -> Result<Selection> {
    let now = now();
    let (observed, unlisted) = if filter.needs_users() {
        let search = Search { verb, filter, now, verbose, commands: Length::Shown };
        let observation = search.observe(namespace)?;
        warn(&observation, verb);
        let unlisted = observation.unlisted.into_iter().map(|(_, kind)| kind).collect();
        (observation.objects, unlisted)
    } else {
        let Snapshot { mut objects, unlisted } = snapshot(verb, namespace, filter)?;
        objects.retain(|object| filter.may_match(object, now));
        (objects.into_iter().map(Observed::from).collect(), unlisted)
    };
    let explained = observed.into_iter().map(|observed| {
        let reason = filter.reason(&observed, now);
        Selected { observed, reason }
    });
    Ok(Selection { selected: explained.collect(), unlisted })
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
