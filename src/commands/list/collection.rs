//! The objects of a listing, read as completely as the columns need.

use std::mem;

use super::VERB;
use super::rest::Rest;
use crate::commands::everywhere::Everywhere;
use crate::commands::reader::{Depth, Reader};
use crate::commands::select::Search;
use crate::commands::{Result, now, select};
use crate::ipc::{Filter, Kind, Observed, Time};
use crate::kernel::Namespace;
use crate::kernel::namespace::complete;
use crate::output::stdout::OutputError;

/// Objects that are handed out one by one: as they are read, or, if a look at the processes is needed, after
/// all of them are read.
pub(super) struct Collection<'a> {
    namespace: &'a Namespace,
    filter: &'a Filter,
    now: Time,
    /// Whether to look at the processes.
    looks: bool,
    verbose: bool,
    depth: Depth,
    observation: Option<select::Observation>,
    rest: Rest,
    /// All places, if the objects of all of them are asked for.
    everywhere: Option<Everywhere>,
}

impl<'a> Collection<'a> {
    /// Reads nothing yet. With `verbose`, what is skipped as uncertain is printed later.
    pub fn new(
        namespace: &'a Namespace,
        filter: &'a Filter,
        depth: Depth,
        rest: Rest,
        everywhere: Option<Everywhere>,
        verbose: bool,
    ) -> Collection<'a> {
        Collection {
            namespace,
            filter,
            now: now(),
            looks: depth.users || filter.needs_users(),
            verbose,
            depth,
            observation: None,
            rest,
            everywhere,
        }
    }

    /// Looks at the processes if columns or filters need that, and hands out each object once, with the rest
    /// right after the POSIX shared memory.
    pub fn each(
        &mut self,
        visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>,
    ) -> Result<()> {
        if self.looks {
            let Collection { filter, now, verbose, depth, .. } = *self;
            let commands = depth.commands;
            let search = Search { verb: VERB, filter, now, verbose, commands };
            self.observation = Some(match &mut self.everywhere {
                Some(everywhere) => search.observe_everywhere(everywhere),
                None => search.observe(self.namespace),
            }?);
        }
        let rest = mem::take(&mut self.rest);
        let mut rest = rest.observed(self.namespace, self.looks)?.into_iter();
        self.each_object(&mut |observed| {
            if observed.kind() > Kind::Pshm {
                rest.by_ref().try_for_each(&mut *visit)?;
            }
            visit(observed)
        })?;
        Ok(rest.try_for_each(visit)?)
    }

    /// All objects, or those that were read before an error.
    pub fn all(&mut self) -> (Vec<Observed>, Result<()>) {
        let mut all = Vec::new();
        let read = self.each(&mut |observed| {
            all.push(observed);
            Ok(())
        });
        (all, read)
    }

    fn each_object(
        &mut self,
        visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>,
    ) -> Result<()> {
        if let Some(observation) = &mut self.observation {
            for mut observed in mem::take(&mut observation.objects) {
                if self.everywhere.is_none() {
                    complete(&mut observed.object);
                }
                visit(observed)?;
            }
            return Ok(());
        }
        let Collection { filter, now, depth, .. } = *self;
        let reader = Reader { verb: VERB, filter, now, depth };
        let Some(everywhere) = &mut self.everywhere else {
            reader.each(self.namespace, &mut |observed| Ok(visit(observed)?), &mut |_| {})?;
            return Ok(());
        };
        let found = everywhere.map(|_, namespace| {
            let mut all = Vec::new();
            let mut take = |observed| {
                all.push(observed);
                Ok(())
            };
            let read = reader.each(namespace, &mut take, &mut |_| {});
            (all, read)
        });
        for (_, (all, read)) in found {
            all.into_iter().try_for_each(&mut *visit)?;
            read?;
        }
        Ok(())
    }

    /// Warns about uninspected processes.
    pub fn warn_uninspected(&self) {
        if let Some(everywhere) = &self.everywhere {
            everywhere.warn(VERB);
        }
        if let Some(observation) = &self.observation {
            observation.warn_uninspected(VERB);
        }
    }
}
