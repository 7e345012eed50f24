//! Looks at the objects that pass a filter, again and again, for `watch` and `top`.

use std::collections::HashSet;

use super::everywhere::Everywhere;
use super::now;
use super::reader::{Depth, Reader};
use super::select::{self, Observation, Search};
use crate::commands::Result;
use crate::ipc::changes::{Identity, View};
use crate::ipc::{Filter, Observed, Snapshot};
use crate::kernel::Namespace;
use crate::kernel::namespace::complete;

/// Where to look, for what, and how closely.
pub(super) struct Looker<'a> {
    pub verb: &'static str,
    pub namespace: &'a Namespace,
    /// Whether to look at every IPC namespace.
    pub is_everywhere: bool,
    pub filter: &'a Filter,
    pub depth: Depth,
}

impl Looker<'_> {
    /// Looks once. Says what could not be looked at.
    pub fn look(&self) -> Result<View> {
        let mut everywhere = if self.is_everywhere { Some(Everywhere::find()?) } else { None };
        let mut view = match self.depth.users || self.filter.needs_users() {
            true => self.inspect(everywhere.as_mut())?,
            false => self.read(everywhere.as_mut())?,
        };
        view.is_whole = !self.filter.has_conditions();
        if let Some(everywhere) = everywhere {
            everywhere.warn(self.verb);
            let numbers = everywhere.places.iter().map(|place| place.identity.number());
            view.gaps.found = Some(numbers.collect());
            view.gaps.closed = everywhere.unseen().map(|identity| identity.number()).collect();
            view.gaps.may_hide_some = everywhere.uninspected() > 0 || everywhere.failed() > 0;
        }
        Ok(view)
    }

    /// Reads the objects alone.
    fn read(&self, everywhere: Option<&mut Everywhere>) -> Result<View> {
        let Looker { verb, filter, depth, .. } = *self;
        let reader = Reader { verb, filter, now: now(), depth };
        let read = |namespace: &Namespace| -> Result<View> {
            let mut view = View::default();
            let (objects, others) = (&mut view.objects, &mut view.others);
            let mut take = |observed| {
                objects.push(observed);
                Ok(())
            };
            let unlisted = reader.each(namespace, &mut take, &mut |observed| {
                others.insert(Identity::of(&observed));
            })?;
            let home = namespace.home().map(|home| home.namespace);
            view.gaps.kinds = unlisted.into_iter().map(|kind| (home, kind)).collect();
            Ok(view)
        };
        let Some(everywhere) = everywhere else { return read(self.namespace) };
        let mut all = View::default();
        for (_, view) in everywhere.map(|_, namespace| read(namespace)) {
            let View { objects, others, gaps, .. } = view?;
            all.objects.extend(objects);
            all.others.extend(others);
            all.gaps.kinds.extend(gaps.kinds);
        }
        Ok(all)
    }

    /// Looks at the processes, too.
    fn inspect(&self, mut everywhere: Option<&mut Everywhere>) -> Result<View> {
        let Looker { verb, filter, depth, .. } = *self;
        let search = Search { verb, filter, now: now(), verbose: false, commands: depth.commands };
        let observation = match everywhere.as_deref_mut() {
            Some(everywhere) => search.observe_everywhere(everywhere),
            None => search.observe(self.namespace),
        }?;
        observation.warn_uninspected(verb);
        let Observation { mut objects, unlisted, .. } = observation;
        if everywhere.is_none() {
            objects.iter_mut().for_each(|observed| complete(&mut observed.object));
        }
        let mut view = View::default();
        view.objects = objects;
        view.gaps.kinds = unlisted.into_iter().collect();
        if filter.has_conditions() {
            view.others = self.existing(everywhere)?;
        }
        Ok(view)
    }

    /// Every object of the kinds, whether it matches or not.
    fn existing(&self, everywhere: Option<&mut Everywhere>) -> Result<HashSet<Identity>> {
        let Looker { verb, filter, .. } = *self;
        let list = |namespace: &Namespace| -> Result<Vec<Identity>> {
            let Snapshot { objects, .. } = select::snapshot(verb, namespace, filter)?;
            let identity = |object| {
                let home = namespace.home().cloned();
                Identity::of(&Observed { home, ..Observed::from(object) })
            };
            Ok(objects.into_iter().map(identity).collect())
        };
        let Some(everywhere) = everywhere else {
            return Ok(list(self.namespace)?.into_iter().collect());
        };
        let mut all = HashSet::new();
        for (_, found) in everywhere.map(|_, namespace| list(namespace)) {
            all.extend(found?);
        }
        Ok(all)
    }
}
