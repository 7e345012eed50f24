//! Looks at the objects that pass a filter, again and again, for `watch` and `top`.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::everywhere::Everywhere;
use super::reader::{Depth, Reader};
use super::select::{self, Observation, Search};
use super::{Error, end, now};
use crate::commands::Result;
use crate::ipc::changes::{Gaps, Identity, View};
use crate::ipc::{Filter, Kind, Snapshot};
use crate::kernel::Namespace;
use crate::kernel::namespace::{Place, complete};

/// Where to look, for what, and how closely.
pub(super) struct Looker<'a> {
    pub verb: &'static str,
    pub namespace: &'a Namespace,
    /// Whether to look at every IPC namespace.
    pub is_everywhere: bool,
    pub filter: &'a Filter,
    pub depth: Depth,
}

/// Kinds that could not be listed, and where.
type Unlisted = Vec<(Option<u64>, Kind)>;

impl Looker<'_> {
    /// Looks once. Says what could not be looked at.
    pub fn look(&self) -> Result<View> {
        let mut everywhere = if self.is_everywhere { Some(Everywhere::find()?) } else { None };
        let mut view = match self.depth.users || self.filter.needs_users() {
            true => self.inspect(everywhere.as_mut())?,
            false => self.read(everywhere.as_mut())?,
        };
        view.is_whole = !self.filter.has_conditions();
        if !self.is_everywhere {
            view.shm = self.namespace.shm().identity();
        }
        if let Some(everywhere) = everywhere {
            everywhere.warn(self.verb);
            let gaps = &mut view.gaps;
            note(&everywhere, gaps);
            let numbers = everywhere.places.iter().map(|place| place.identity.number());
            gaps.found = Some(numbers.collect());
            gaps.may_hide_some = everywhere.uninspected() > 0 || everywhere.failed() > 0;
        }
        let kinds: HashSet<Kind> = self.filter.kinds().collect();
        view.gaps.kinds.retain(|(_, kind)| kinds.contains(kind));
        view.gaps.unsettled.retain(|(_, kind)| kinds.contains(kind));
        Ok(view)
    }

    /// Reads the objects alone.
    fn read(&self, everywhere: Option<&mut Everywhere>) -> Result<View> {
        let Looker { verb, filter, depth, .. } = *self;
        let reader = Reader { verb, filter, now: now(), depth };
        let read = |namespace: &Namespace| {
            let mut view = View::default();
            let (objects, others) = (&mut view.objects, &mut view.others);
            let mut take = |observed| {
                objects.push(observed);
                Ok(())
            };
            let unlisted = reader.each(namespace, &mut take, &mut |observed| {
                others.insert(Identity::of(&observed));
            });
            (view, unlisted)
        };
        let unlisted_in = |namespace: &Namespace, kinds: Vec<Kind>| -> Unlisted {
            let home = namespace.home().map(|home| home.namespace);
            kinds.into_iter().map(|kind| (home, kind)).collect()
        };
        let Some(everywhere) = everywhere else {
            let (mut view, unlisted) = read(self.namespace);
            view.gaps.kinds.extend(unlisted_in(self.namespace, unlisted?));
            return Ok(view);
        };
        let found = everywhere.map(|place, namespace| {
            let (mut view, unlisted) = read(namespace);
            let unlisted = unlisted.unwrap_or_else(|error| {
                report(verb, Some(namespace), error);
                view.gaps.has_errors = true;
                place.kinds.clone()
            });
            view.gaps.kinds.extend(unlisted_in(namespace, unlisted));
            view
        });
        let mut all = View::default();
        for (_, View { objects, others, gaps, .. }) in found {
            all.objects.extend(objects);
            all.others.extend(others);
            all.gaps.kinds.extend(gaps.kinds);
            all.gaps.has_errors |= gaps.has_errors;
        }
        Ok(all)
    }

    /// Looks at the processes, too.
    fn inspect(&self, mut everywhere: Option<&mut Everywhere>) -> Result<View> {
        let Looker { verb, filter, depth, .. } = *self;
        let mut view = View::default();
        let mut before = None;
        if filter.has_conditions() {
            before = Some(self.existing(everywhere.as_deref(), &mut view.gaps)?);
        }
        let search = Search { verb, filter, now: now(), verbose: false, commands: depth.commands };
        let has_errors = AtomicBool::new(false);
        let observation = match everywhere.as_deref_mut() {
            Some(everywhere) => search.observe_places(everywhere, |namespace, error| {
                report(verb, namespace, error);
                has_errors.store(true, Ordering::Relaxed);
                Ok(())
            }),
            None => search.observe(self.namespace),
        }?;
        observation.warn_uninspected(verb);
        let Observation { mut objects, unlisted, uncertain, .. } = observation;
        if everywhere.is_none() {
            objects.iter_mut().for_each(|observed| complete(&mut observed.object));
        }
        view.objects = objects;
        if let Some(before) = before {
            // What was created or removed during the search is not what existed before, and not what is left.
            view.others = self.existing(everywhere.as_deref(), &mut view.gaps)?;
            view.others.retain(|identity| before.contains(identity));
        }
        view.gaps.kinds.extend(unlisted);
        view.gaps.uncertain = uncertain.into_iter().collect();
        view.gaps.has_errors |= has_errors.into_inner();
        Ok(view)
    }

    /// Every object of the kinds, whether it matches or not. Adds what could not be looked at.
    fn existing(
        &self,
        everywhere: Option<&Everywhere>,
        gaps: &mut Gaps,
    ) -> Result<HashSet<Identity>> {
        let Looker { verb, filter, .. } = *self;
        let list = |namespace: &Namespace| -> Result<Vec<Identity>> {
            let Snapshot { objects, .. } = select::snapshot(verb, namespace, filter)?;
            let number = namespace.home().map(|home| home.namespace);
            Ok(objects.iter().map(|object| Identity::of_object(object, number)).collect())
        };
        let Some(everywhere) = everywhere else {
            return Ok(list(self.namespace)?.into_iter().collect());
        };
        let mut again = everywhere.again();
        let found = again.map(|place: &Place, namespace| {
            list(namespace).map_err(|error| {
                report(verb, Some(namespace), error);
                let number = Some(place.identity.number());
                place.kinds.iter().map(|kind| (number, *kind)).collect::<Unlisted>()
            })
        });
        let mut all = HashSet::new();
        for (_, found) in found {
            match found {
                Ok(identities) => all.extend(identities),
                Err(unlisted) => {
                    gaps.kinds.extend(unlisted);
                    gaps.has_errors = true;
                }
            }
        }
        note(&again, gaps);
        Ok(all)
    }
}

/// Prints why a place could not be looked at. That may have been before it was entered.
fn report(verb: &'static str, namespace: Option<&Namespace>, error: Error) {
    end(verb, namespace.unwrap_or(&Namespace::own()), error);
}

/// Adds what could not be looked at in some places.
fn note(everywhere: &Everywhere, gaps: &mut Gaps) {
    let number = |(identity, kind): (crate::kernel::namespace::Identity, Kind)| {
        (Some(identity.number()), kind)
    };
    gaps.kinds.extend(everywhere.unopened().map(number));
    gaps.unsettled.extend(everywhere.vanished().map(number));
    gaps.closed.extend(everywhere.unseen().map(|identity| identity.number()));
}
