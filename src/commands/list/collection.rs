//! The objects of a listing, read as completely as the columns need.

use std::mem;

use super::VERB;
use super::rest::Rest;
use crate::commands::{Result, now, select};
use crate::ipc::{Filter, Kind, Object, Observed, Time};
use crate::kernel::Namespace;
use crate::kernel::namespace::complete;
use crate::kernel::sysv::huge_pages;
use crate::output::stdout::OutputError;
use crate::output::{Format, columns};

/// What to look at beyond the kernel's list of objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// Every process, to find which objects it uses.
    users: bool,
    /// Each queue, because its `max_bytes` costs a system call.
    queues: bool,
    /// The processes that have segments attached, to find huge pages.
    huge_pages: bool,
}

impl Depth {
    /// As much as these columns need.
    pub fn for_columns(format: Format, shows: impl Fn(&str) -> bool) -> Depth {
        Depth {
            users: columns::ON_REQUEST.iter().any(|column| shows(column.name)),
            // A table shows which queues are full.
            queues: format == Format::Table || shows("max_bytes"),
            huge_pages: shows("status") || shows("rss"),
        }
    }
}

/// Objects that are handed out one by one: as they are read, or, if a look at the processes is needed, after
/// all of them are read.
pub(super) struct Collection<'a> {
    namespace: &'a Namespace,
    filter: &'a Filter,
    now: Time,
    completes: bool,
    huge_pages: Option<huge_pages::Finder>,
    observation: Option<select::Observation>,
    rest: Vec<Observed>,
}

impl<'a> Collection<'a> {
    /// Looks at the processes if columns or filters need that. With `verbose`, prints what is skipped as
    /// uncertain.
    pub fn begin(
        namespace: &'a Namespace,
        filter: &'a Filter,
        depth: Depth,
        rest: Rest,
        verbose: bool,
    ) -> Result<Collection<'a>> {
        let now = now();
        let looks = depth.users || filter.needs_users();
        let observation = match looks {
            true => Some(select::observe(VERB, namespace, filter, now, verbose)?),
            false => None,
        };
        Ok(Collection {
            namespace,
            filter,
            now,
            completes: depth.queues,
            huge_pages: depth.huge_pages.then(|| huge_pages::Finder::new(namespace.handle())),
            observation,
            rest: rest.observed(namespace, looks)?,
        })
    }

    /// Hands out each object, with the rest right after the POSIX shared memory. The rest, and objects whose
    /// users were looked at, are handed out only once.
    pub fn each(
        &mut self,
        visit: &mut dyn FnMut(Observed) -> Result<(), OutputError>,
    ) -> Result<()> {
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
    pub fn all(&mut self) -> Result<Vec<Observed>> {
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
    ) -> Result<()> {
        if let Some(observation) = &mut self.observation {
            for mut observed in mem::take(&mut observation.objects) {
                complete(&mut observed.object);
                visit(observed)?;
            }
            return Ok(());
        }
        select::read_all(VERB, self.namespace, self.filter, |mut object| {
            if !self.filter.may_match(&object, self.now) {
                return Ok(());
            }
            self.complete(&mut object);
            Ok(visit(Observed::from(object))?)
        })?;
        Ok(())
    }

    /// Adds what the kernel's list does not have.
    fn complete(&self, object: &mut Object) {
        if self.completes {
            complete(object);
        }
        if let (Some(finder), Object::Segment(segment)) = (&self.huge_pages, object) {
            finder.complete(segment);
        }
    }

    /// Warns about uninspected processes.
    pub fn warn_uninspected(&self) {
        if let Some(observation) = &self.observation {
            observation.warn_uninspected(VERB);
        }
    }
}
