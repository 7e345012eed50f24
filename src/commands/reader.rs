//! Reads objects as completely as columns need.

use super::select;
use crate::commands::Result;
use crate::ipc::{Filter, Kind, Object, Observed, Time};
use crate::kernel::Namespace;
use crate::kernel::namespace::complete;
use crate::kernel::process::Length;
use crate::kernel::sysv::huge_pages::Finder;
use crate::kernel::sysv::listing::Detail;
use crate::output::{Format, columns};

/// What to look at beyond the kernel's list of objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// Every process, to find which objects it uses.
    pub users: bool,
    /// Each queue, because its `max_bytes` costs a system call.
    pub queues: bool,
    /// The memory of segments, and the processes that have them attached, to find huge pages.
    pub memory: bool,
    /// How much of each command line.
    pub commands: Length,
}

impl Depth {
    /// As much as these columns need.
    pub fn for_columns(format: Format, shows: impl Fn(&str) -> bool) -> Depth {
        Depth {
            users: columns::on_request().any(&shows),
            // A table shows which queues are full.
            queues: format == Format::Table || shows("max_bytes") || shows("fill"),
            memory: shows("status") || shows("rss") || shows("swap"),
            commands: if format.is_for_machines() { Length::Whole } else { Length::Shown },
        }
    }
}

/// Reads the objects of a namespace that pass a filter by themselves.
pub(super) struct Reader<'a> {
    pub verb: &'static str,
    pub filter: &'a Filter,
    pub now: Time,
    pub depth: Depth,
}

impl Reader<'_> {
    /// Hands out each object as it is read: those that pass to `visit`, the others to `skip`. Returns the kinds that
    /// could not be listed.
    pub fn each(
        &self,
        namespace: &Namespace,
        visit: &mut dyn FnMut(Observed) -> Result<()>,
        skip: &mut dyn FnMut(Observed),
    ) -> Result<Vec<Kind>> {
        let finder = self.depth.memory.then(|| Finder::new(namespace.handle()));
        let detail = match self.depth.memory {
            true => Detail::Whole,
            false => Detail::WithoutMemory,
        };
        let at_home = |object| {
            let home = namespace.home().cloned();
            Observed { home, ..Observed::from(object) }
        };
        select::read_all(self.verb, namespace, self.filter, detail, |mut object| {
            if !self.filter.may_match(&object, self.now) {
                skip(at_home(object));
                return Ok(());
            }
            // What the kernel's list does not have.
            if self.depth.queues {
                complete(&mut object);
            }
            if let (Some(finder), Object::Segment(segment)) = (&finder, &mut object) {
                finder.complete(segment);
            }
            visit(at_home(object))
        })
    }
}
