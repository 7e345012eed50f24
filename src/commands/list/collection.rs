//! The objects of a listing, and how closely they are looked at.

use std::mem;

use super::VERB;
use super::rest::Rest;
use crate::commands::{now, select};
use crate::ipc::{Filter, Kind, Object, Observed, Time};
use crate::kernel;
use crate::kernel::sysv::huge_pages;
use crate::output::stdout::OutputError;
use crate::output::{Format, columns};

/// What is to be looked at beyond the list of the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// Every process: who uses what.
    users: bool,
    /// Each queue: its `max_bytes` costs a system call.
    queues: bool,
    /// Whether segments lie in huge pages.
    huge_pages: bool,
}

impl Depth {
    /// As much as these columns tell.
    pub fn for_columns(format: Format, shows: impl Fn(&str) -> bool) -> Depth {
        Depth {
            users: columns::ON_REQUEST.iter().any(|column| shows(column.name)),
            // A table shows which queues are full.
            queues: format == Format::Table || shows("max_bytes"),
            huge_pages: shows("status") || shows("rss"),
        }
    }
}

/// Objects that are handed out one by one: as they are read where that is enough, all at once where
/// somebody has to look at the processes.
pub(super) struct Collection<'a> {
    filter: &'a Filter,
    now: Time,
    completes: bool,
    huge_pages: Option<huge_pages::Finder>,
    observation: Option<select::Observation>,
    rest: Vec<Observed>,
}

impl<'a> Collection<'a> {
    /// Looks at the processes, where somebody wants to know of them. A `verbose` user is told what is
    /// left out because of doubt.
    pub fn begin(
        filter: &'a Filter,
        depth: Depth,
        rest: Rest,
        verbose: bool,
    ) -> anyhow::Result<Collection<'a>> {
        let now = now();
        let looks = depth.users || filter.needs_users();
        let observation = match looks {
            true => Some(select::observe(VERB, filter, now, verbose)?),
            false => None,
        };
        Ok(Collection {
            filter,
            now,
            completes: depth.queues,
            huge_pages: depth.huge_pages.then(huge_pages::Finder::default),
            observation,
            rest: rest.observed(looks)?,
        })
    }

    /// Hands out each object, and the rest right behind the objects of its kind. Those that were looked
    /// at, and the rest, are handed out once.
    pub fn each(
        &mut self,
        visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>,
    ) -> anyhow::Result<()> {
        let mut rest = mem::take(&mut self.rest).into_iter();
        self.each_object(&mut |observed| {
            if observed.kind() > Kind::Pshm {
                rest.by_ref().try_for_each(&mut *visit)?;
            }
            visit(observed)
        })?;
        Ok(rest.try_for_each(visit)?)
    }

    /// All of them.
    pub fn all(&mut self) -> anyhow::Result<Vec<Observed>> {
        let mut all = Vec::new();
        self.each(&mut |observed| {
            all.push(observed);
            Ok(())
        })?;
        Ok(all)
    }

    fn each_object(
        &mut self,
        visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>,
    ) -> anyhow::Result<()> {
        if let Some(observation) = &mut self.observation {
            for mut observed in mem::take(&mut observation.objects) {
                kernel::object::complete(&mut observed.object);
                visit(observed)?;
            }
            return Ok(());
        }
        select::read_all(VERB, self.filter, |mut object| {
            if !self.filter.may_match(&object, self.now) {
                return Ok(());
            }
            self.complete(&mut object);
            Ok(visit(Observed::from(object))?)
        })?;
        Ok(())
    }

    /// Adds what the list of the kernel leaves out.
    fn complete(&self, object: &mut Object) {
        if self.completes {
            kernel::object::complete(object);
        }
        if let (Some(finder), Object::Segment(segment)) = (&self.huge_pages, object) {
            finder.complete(segment);
        }
    }

    /// Tells who could not be looked at.
    pub fn warn_uninspected(&self) {
        if let Some(observation) = &self.observation {
            observation.warn_uninspected(VERB);
        }
    }
}
