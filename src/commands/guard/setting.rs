//! Where the command runs: in a namespace of its own or in the caller's, and which objects exist there.

use std::fs;
use std::path::Path;

use super::VERB;
use super::survey::Survey;
use crate::cli::Isolate;
use crate::commands::Result;
use crate::commands::print_error;
use crate::explain::{Failure, Reason};
use crate::ipc::attribution::descendants::Descendants;
use crate::ipc::attribution::leak::{self, Difference, Neighbours};
use crate::ipc::{Kind, Object};
use crate::kernel::namespace::create::{Forbidden, Plan};
use crate::kernel::namespace::{Handle, Identity, Namespace};
use crate::kernel::process::scan;
use crate::kernel::process::{self, Activity, Length};

/// Where the command runs.
pub(super) enum Setting<'a> {
    /// In new namespaces, where the command must not gain these capabilities.
    Isolated { namespace: Namespace, beyond: u64 },
    /// In the namespace of the caller, with the objects and the activity of processes from before.
    Shared { namespace: &'a Namespace, before: Vec<Object>, activity: Activity },
}

impl<'a> Setting<'a> {
    /// Chooses the namespace for the command, and moves this process into it.
    pub fn choose(
        outside: &'a Namespace,
        isolate: Isolate,
        keep: bool,
        is_quiet: bool,
    ) -> Result<Setting<'a>> {
        let forbidden = match isolate {
            Isolate::Never => None,
            _ => match enter(isolate == Isolate::Always, keep)? {
                Ok((namespace, beyond)) => return Ok(Setting::Isolated { namespace, beyond }),
                Err(forbidden) => Some(forbidden),
            },
        };
        match forbidden {
            Some(forbidden) if isolate == Isolate::Always => {
                return Err(Failure::of_forbidden(VERB, "isolate the command", forbidden)
                    .with_hint("--isolate never runs it without isolation, and attributes leaks by process")
                    .into());
            }
            Some(forbidden) if !is_quiet => print_error(format_args!(
                "{VERB}: not isolated: {forbidden}; leaks are attributed by process, and POSIX objects are not checked"
            )),
            _ => {}
        }
        Ok(Setting::Shared {
            namespace: outside,
            before: Vec::new(),
            activity: Activity::default(),
        })
    }

    /// Records the existing objects. Records the activity of processes first, so that an object created in
    /// between counts as old.
    pub fn remember(&mut self) -> Result<()> {
        if let Setting::Shared { namespace, before, activity } = self {
            *activity = Activity::now();
            *before = namespace.snapshot(Kind::SYSTEM_V)?.objects;
        }
        Ok(())
    }

    pub fn is_isolated(&self) -> bool {
        matches!(self, Setting::Isolated { .. })
    }

    /// The capabilities that the command must not gain.
    pub fn beyond(&self) -> u64 {
        match self {
            Setting::Isolated { beyond, .. } => *beyond,
            Setting::Shared { .. } => 0,
        }
    }

    /// The IPC namespace that contains only processes of the command.
    pub fn inside(&self) -> Option<Identity> {
        match self {
            Setting::Isolated { namespace, .. } => namespace.handle().identity().ok(),
            Setting::Shared { .. } => None,
        }
    }

    /// The namespace in which the command runs.
    pub fn namespace(&self) -> &Namespace {
        match self {
            Setting::Isolated { namespace, .. } => namespace,
            Setting::Shared { namespace, .. } => namespace,
        }
    }

    /// Whether a path leads into the machine's `/dev/shm`, which an isolated command does not see.
    pub fn covers(&self, path: &Path) -> bool {
        let shm = self.namespace().shm().path();
        self.is_isolated()
            && path.is_absolute()
            && (path.starts_with(shm)
                || fs::canonicalize(shm).is_ok_and(|place| path.starts_with(place)))
    }

    /// Looks at the objects that exist now. New ones come with their users, whose command lines have this
    /// length.
    pub fn survey(&self, commands: Length) -> Survey {
        match self {
            Setting::Isolated { namespace, .. } => Survey::of_isolated(namespace, commands),
            Setting::Shared { namespace, before, .. } => {
                Survey::of_shared(namespace, before, commands)
            }
        }
    }

    /// The objects that the command left behind, given its processes.
    pub fn difference(&self, after: &Survey, descendants: &Descendants) -> Difference {
        match self {
            Setting::Isolated { .. } => leak::all_leaked(after.objects.clone(), descendants),
            Setting::Shared { namespace, before, activity } => {
                let neighbours = neighbours(namespace.handle(), after, activity, descendants);
                // Only descendants of root can have changed their user by themselves.
                let only_uid = Some(process::uid()).filter(|&uid| uid != 0);
                let objects = after.objects.clone();
                let clock = process::clock();
                let mut difference =
                    leak::compare(before, objects, descendants, only_uid, &neighbours, clock);
                // If the caller may not remove an object, another process removed it; and an object of a
                // kind that could not be listed may still exist.
                let caller = process::caller(namespace.handle(), Kind::Msg);
                difference.vanished.retain(|object| {
                    after.has_listed(object.kind()) && object.permissions().access(&caller).control
                });
                difference
            }
        }
    }
}

/// The processes outside the command that may have created a new object whose creator the kernel does not
/// record.
fn neighbours(
    namespace: &Handle,
    after: &Survey,
    activity: &Activity,
    descendants: &Descendants,
) -> Neighbours {
    if !after.has_obscure {
        return Neighbours::default();
    }
    match activity.disturbed(namespace, |pid| descendants.lives(pid), Length::Shown) {
        Ok(awake) => {
            let outside = "processes in other process namespaces may have created it";
            let unseen = scan::has_outsiders().then(|| outside.to_owned());
            Neighbours { awake, unseen }
        }
        Err(error) => {
            let unseen = format!("not every process that may have created it can be seen: {error}");
            Neighbours { awake: Vec::new(), unseen: Some(unseen) }
        }
    }
}

/// Moves this process into a namespace of its own, if that is allowed. `is_required` is `--isolate always`.
fn enter(is_required: bool, keep: bool) -> Result<Result<(Namespace, u64), Forbidden>, Failure> {
    let tried = Plan::new(is_required).and_then(|plan| plan.try_out().map(|()| plan));
    let plan = match tried {
        Ok(plan) => plan,
        Err(forbidden) => return Ok(Err(forbidden)),
    };
    if keep {
        let what = "--keep: nothing that an isolated command leaves behind outlives its namespace";
        return Err(Failure::usage(VERB, what).with_hint("use --keep with --isolate never"));
    }
    // The steps cannot be undone. They worked in the trial run, so a failure now ends the program.
    plan.enter().map(Ok).map_err(|forbidden| {
        let what = format!("cannot isolate the command: {forbidden}");
        Failure::new(VERB, "", what, Reason::Failed)
    })
}
