//! Where the command runs: in a namespace of its own, or where all others are; and what is there.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::VERB;
use crate::cli::Isolate;
use crate::commands::{complain, report, rm};
use crate::explain::{Failure, Notice, Reason};
use crate::ipc::kin::Kin;
use crate::ipc::leak::{self, Difference, Leak};
use crate::ipc::{Kind, Known, Object, Reference};
use crate::kernel::namespace::{self, Forbidden, Plan};
use crate::kernel::process::Length;
use crate::kernel::scan::Look;
use crate::kernel::users::Observer;
use crate::kernel::{self, CallError, process};

/// Where the command runs.
pub(super) enum Ground {
    /// In new namespaces, where the command must not gain these capabilities.
    Isolated { beyond: u64 },
    /// Where these objects were before.
    Shared { before: Vec<Object> },
}

impl Ground {
    /// Moves this process to where the command is to run.
    pub fn choose(isolate: Isolate, keep: bool, is_quiet: bool) -> anyhow::Result<Ground> {
        let forbidden = match isolate {
            Isolate::Never => None,
            _ => match enter(isolate == Isolate::Always, keep)? {
                Ok(beyond) => return Ok(Ground::Isolated { beyond }),
                Err(forbidden) => Some(forbidden),
            },
        };
        match forbidden {
            Some(forbidden) if isolate == Isolate::Always => {
                let reason = match forbidden.is_permission() {
                    true => Reason::NotPermitted,
                    false => Reason::Failed,
                };
                let what = format!("cannot isolate the command: {forbidden}");
                return Err(Failure::new(VERB, "", what, reason)
                    .with_hint("--isolate never tells its objects from those of others by process")
                    .into());
            }
            Some(forbidden) if !is_quiet => complain(format_args!(
                "{VERB}: not isolated: {forbidden}; objects of others are told apart by process, and POSIX objects are not looked at"
            )),
            _ => {}
        }
        Ok(Ground::Shared { before: Vec::new() })
    }

    /// Remembers what is there already.
    pub fn remember(&mut self) -> anyhow::Result<()> {
        if let Ground::Shared { before } = self {
            *before = kernel::object::snapshot(Kind::SYSTEM_V)?;
        }
        Ok(())
    }

    pub fn is_isolated(&self) -> bool {
        matches!(self, Ground::Isolated { .. })
    }

    /// The capabilities that the command must not gain.
    pub fn beyond(&self) -> u64 {
        match self {
            Ground::Isolated { beyond } => *beyond,
            Ground::Shared { .. } => 0,
        }
    }

    /// The IPC namespace that only processes of the command are in.
    pub fn inside(&self) -> Option<u64> {
        if self.is_isolated() { namespace::own() } else { None }
    }

    /// Whether a path leads into the `/dev/shm` outside, which the command does not see.
    pub fn covers(&self, path: &Path) -> bool {
        let place = fs::canonicalize("/dev/shm");
        self.is_isolated()
            && path.is_absolute()
            && (path.starts_with("/dev/shm") || place.is_ok_and(|place| path.starts_with(place)))
    }

    /// The kinds that are compared. A name in the shared `/dev/shm` tells nobody who made it.
    fn kinds(&self) -> &'static [Kind] {
        match self {
            Ground::Isolated { .. } => &Kind::ALL,
            Ground::Shared { .. } => &Kind::SYSTEM_V,
        }
    }

    /// What is there now. Of what was not there before, all that is known, with so much of the command
    /// lines of its users.
    pub fn survey(&self, commands: Length) -> Vec<Known> {
        let before: &[Object] = match self {
            Ground::Isolated { .. } => &[],
            Ground::Shared { before } => before,
        };
        let old: HashSet<Reference> = before.iter().map(Object::reference).collect();
        let mut objects = Vec::new();
        for &kind in self.kinds() {
            match kernel::object::snapshot([kind]) {
                Ok(some) => objects.extend(some),
                // The command has run: what is known of the other kinds is to be told.
                Err(error) => complain(Notice::of_read_error(VERB, &error)),
            }
        }
        if self.is_isolated() {
            let tree = kernel::dev_shm::Tree::read();
            tree.unread.iter().for_each(|unread| complain(format_args!("{VERB}: {unread}")));
            objects.extend(tree.rest());
        }
        let (old, mut new): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| old.contains(&object.reference()));
        new.iter_mut().for_each(kernel::object::complete);
        let mut look = Look::around(&new).with_commands(commands);
        look.waiters = false;
        // Without a view of the processes, what the kernel recorded in the objects must do.
        let observer = Observer::new(&look).or_else(|_| Observer::new(&Look::default()));
        let new: Vec<_> = match observer {
            Ok(observer) => new.into_iter().map(|object| observer.know(object)).collect(),
            Err(error) => {
                complain(format_args!("{VERB}: {error}"));
                new.into_iter().map(Known::from).collect()
            }
        };
        new.into_iter().chain(old.into_iter().map(Known::from)).collect()
    }

    /// What of all this is the command's, of which these are the processes.
    pub fn difference(&self, after: Vec<Known>, kin: &Kin) -> Difference {
        match self {
            Ground::Isolated { .. } => leak::all_leaked(after, kin),
            Ground::Shared { before } => {
                // Only root's descendants can have become somebody else by themselves.
                let only_uid = Some(process::uid()).filter(|&uid| uid != 0);
                let mut difference = leak::compare(before, after, kin, only_uid);
                // What the command could not have removed, somebody else did.
                let caller = process::caller(Kind::Msg);
                difference.removed.retain(|object| object.permissions().access(&caller).control);
                difference
            }
        }
    }
}

/// Moves this process into a namespace of its own, if that is allowed.
fn enter(at_any_price: bool, keep: bool) -> Result<Result<u64, Forbidden>, Failure> {
    let tried = Plan::new(at_any_price).and_then(|plan| plan.try_out().map(|()| plan));
    let plan = match tried {
        Ok(plan) => plan,
        Err(forbidden) => return Ok(Err(forbidden)),
    };
    if keep {
        let what = "--keep: nothing that an isolated command leaves behind outlives its namespace";
        return Err(Failure::usage(VERB, what).with_hint("--keep goes with --isolate never"));
    }
    // Half-way there is no way back: what worked a moment ago must work now.
    plan.enter().map(Ok).map_err(|forbidden| {
        let what = format!("cannot isolate the command: {forbidden}");
        Failure::new(VERB, "", what, Reason::Failed)
    })
}

/// Adds what was not there in an earlier survey.
pub(super) fn add_new(earlier: &mut Vec<Known>, later: Vec<Known>) {
    let seen: HashSet<Reference> = earlier.iter().map(|known| known.reference()).collect();
    earlier.extend(later.into_iter().filter(|known| !seen.contains(&known.reference())));
}

/// Removes what the command left behind, if it is still that. Returns what there is to say of what
/// could not go at once.
pub(super) fn remove(leaks: &[Leak]) -> Vec<Notice> {
    let mut marked = Vec::new();
    for object in leaks.iter().map(|leak| &leak.known.object) {
        let reference = object.reference();
        match kernel::object::read(&reference) {
            Ok(now) if !object.is_same(&now) => continue,
            // Somebody was quicker.
            Err(error) if CallError::is_missing(&error) => continue,
            _ => {}
        }
        match rm::remove(VERB, &reference) {
            Ok(rm::Removed::Marked(object)) => marked.push(object),
            Ok(rm::Removed::Gone) => {}
            Err(failure) if failure.reason == Reason::NothingThere => {}
            Err(failure) => {
                report(&failure);
            }
        }
    }
    rm::explain_marked(VERB, &marked)
}
