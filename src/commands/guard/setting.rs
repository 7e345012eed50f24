//! Where the command runs: in a namespace of its own, or where all others are; and what is there.

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
    /// Where these objects were before, and the processes did this.
    Shared { namespace: &'a Namespace, before: Vec<Object>, activity: Activity },
}

impl<'a> Setting<'a> {
    /// Moves this process to where the command is to run.
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
                let reason = match forbidden.is_permission() {
                    true => Reason::NotPermitted,
                    false => Reason::Failed,
                };
                let what = format!("cannot isolate the command: {forbidden}");
                return Err(Failure::new(VERB, "", what, reason)
                    .with_hint("--isolate never tells its objects from those of others by process")
                    .into());
            }
            Some(forbidden) if !is_quiet => print_error(format_args!(
                "{VERB}: not isolated: {forbidden}; objects of others are told apart by process, and POSIX objects are not looked at"
            )),
            _ => {}
        }
        Ok(Setting::Shared {
            namespace: outside,
            before: Vec::new(),
            activity: Activity::default(),
        })
    }

    /// Remembers what is there already. First what the processes do: what one makes after that is new.
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

    /// The IPC namespace that only processes of the command are in.
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

    /// Whether a path leads into the `/dev/shm` outside, which the command does not see.
    pub fn covers(&self, path: &Path) -> bool {
        let shm = self.namespace().shm().path();
        self.is_isolated()
            && path.is_absolute()
            && (path.starts_with(shm)
                || fs::canonicalize(shm).is_ok_and(|place| path.starts_with(place)))
    }

    /// What is there now. Of what was not there before, all that is known, with so much of the command
    /// lines of its users.
    pub fn survey(&self, commands: Length) -> Survey {
        match self {
            Setting::Isolated { namespace, .. } => Survey::of_isolated(namespace, commands),
            Setting::Shared { namespace, before, .. } => {
                Survey::of_shared(namespace, before, commands)
            }
        }
    }

    /// What of all this is the command's, of which these are the processes.
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
                // What the command had no right to remove, another process did; and what could not be
                // listed may be there.
                let caller = process::caller(namespace.handle(), Kind::Msg);
                difference.vanished.retain(|object| {
                    after.has_listed(object.kind()) && object.permissions().access(&caller).control
                });
                difference
            }
        }
    }
}

/// The processes beside the command that may have made one of the new objects, as far as the kernel does
/// not record who made it.
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
            let outside = "processes of other process namespaces may have made it";
            let unseen = scan::has_outsiders().then(|| outside.to_owned());
            Neighbours { awake, unseen }
        }
        Err(error) => {
            let unseen = format!("not every process that may have made it can be seen: {error}");
            Neighbours { awake: Vec::new(), unseen: Some(unseen) }
        }
    }
}

/// Moves this process into a namespace of its own, if that is allowed.
fn enter(at_any_price: bool, keep: bool) -> Result<Result<(Namespace, u64), Forbidden>, Failure> {
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
