//! Looks at the objects after the command, and records what could not be looked at.

use std::collections::{HashMap, HashSet};

use crate::ipc::attribution::leak::Difference;
use crate::ipc::{Kind, Object, Observed, Reference};
use crate::kernel::Namespace;
use crate::kernel::namespace::complete;
use crate::kernel::posix::dev_shm::Tree;
use crate::kernel::process::Length;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::Inspection;

/// A look at the objects of some kinds.
pub(super) struct Survey {
    /// The objects; new ones come with their users.
    pub objects: Vec<Observed>,
    /// Whether there is a new object whose creator the kernel does not record.
    pub has_obscure: bool,
    /// The kinds that could not be listed.
    unlisted: Vec<Kind>,
    /// Sentences about what could not be looked at.
    pub uninspected: Vec<String>,
}

impl Survey {
    /// Looks at the namespace of an isolated command: at all objects and all other files in `/dev/shm`. The
    /// users are only reported, because everything there is the command's.
    pub fn of_isolated(namespace: &Namespace, commands: Length) -> Survey {
        Survey::take(namespace, &Kind::ALL, None, commands)
    }

    /// Looks at the System V objects of a namespace that the command shares with others. The users of an
    /// object that is not in `before` decide whose it is. A name in the shared `/dev/shm` does not show its
    /// creator, so POSIX objects are left out.
    pub fn of_shared(namespace: &Namespace, before: &[Object], commands: Length) -> Survey {
        Survey::take(namespace, &Kind::SYSTEM_V, Some(before), commands)
    }

    fn take(
        namespace: &Namespace,
        kinds: &[Kind],
        before: Option<&[Object]>,
        commands: Length,
    ) -> Survey {
        let mut survey = Survey {
            objects: Vec::new(),
            has_obscure: false,
            unlisted: Vec::new(),
            uninspected: Vec::new(),
        };
        let mut found = Vec::new();
        for &kind in kinds {
            match namespace.snapshot([kind]) {
                Ok(some) => found.extend(some.objects),
                Err(error) => {
                    survey.unlisted.push(kind);
                    survey.note(error.to_string());
                }
            }
        }
        if before.is_none() {
            let tree = Tree::read(namespace.shm());
            tree.unread.iter().for_each(|unread| survey.note(unread.to_string()));
            found.extend(tree.rest());
        }
        let old: HashSet<Reference> =
            before.unwrap_or_default().iter().map(Object::reference).collect();
        let (old, mut new): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|object| old.contains(&object.reference()));
        new.iter_mut().for_each(complete);
        // The users of an old object may have created a new one, for kinds that do not record the creator.
        let obscure: HashSet<Kind> =
            new.iter().map(Object::kind).filter(|kind| !kind.records_maker()).collect();
        survey.has_obscure = !obscure.is_empty();
        let (compared, old): (Vec<_>, Vec<_>) =
            old.into_iter().partition(|object| obscure.contains(&object.kind()));
        new.extend(compared);
        let inspection =
            Inspection::of(namespace, &ScanScope::around(&new).with_commands(commands));
        let observer = match &inspection {
            Ok(inspection) => inspection.observer(namespace).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match observer {
            Ok(observer) => {
                survey.objects.extend(new.into_iter().map(|object| observer.observe(object)));
            }
            Err(error) => {
                if before.is_some() {
                    survey.note(format!("the processes cannot be inspected: {error}"));
                }
                survey
                    .objects
                    .extend(new.into_iter().map(|object| observe_recorded(namespace, object)));
            }
        }
        if before.is_some() {
            // Other programs remove objects all the time; an object that is gone shows no users.
            survey.objects.retain(|observed| {
                !namespace.read(&observed.reference()).is_err_and(|error| error.is_missing())
            });
        }
        survey.objects.extend(old.into_iter().map(Observed::from));
        survey
    }

    /// Whether the objects of this kind could be listed.
    pub fn has_listed(&self, kind: Kind) -> bool {
        !self.unlisted.contains(&kind)
    }

    /// Adds what a later survey could not look at.
    pub fn add_notes(&mut self, later: Survey) {
        later.uninspected.into_iter().for_each(|what| self.note(what));
    }

    /// Updates the leaks from this later survey. Their users stay those of the earlier survey, by which they
    /// were attributed.
    pub fn refresh(&self, difference: &mut Difference) {
        let now: HashMap<Reference, &Object> =
            self.objects.iter().map(|observed| (observed.reference(), &observed.object)).collect();
        for leak in &mut difference.leaks {
            if let Some(object) = now.get(&leak.observed.reference()) {
                leak.observed.object = (*object).clone();
            }
        }
    }

    fn note(&mut self, what: String) {
        if !self.uninspected.contains(&what) {
            self.uninspected.push(what);
        }
    }
}

/// An object with the processes that the kernel recorded in it, if no others can be seen.
fn observe_recorded(namespace: &Namespace, object: Object) -> Observed {
    // Nothing is searched for, so nothing fails.
    let Ok(inspection) = Inspection::of(namespace, &ScanScope::default()) else {
        return Observed::from(object);
    };
    let Ok(observer) = inspection.observer(namespace) else { return Observed::from(object) };
    let mut observed = observer.observe(object);
    if let Some(users) = &mut observed.users {
        users.has_strangers = true;
    }
    observed
}
