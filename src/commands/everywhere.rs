//! `--in` and `--all-namespaces`: where else a command looks.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;

use super::print_error;
use crate::commands::Result;
use crate::explain::{Failure, Reason};
use crate::ipc::home::Residence;
use crate::ipc::{Home, Kind, Object, Reference, Snapshot, count};
use crate::kernel::io::os_error;
use crate::kernel::limits::Limit;
use crate::kernel::namespace::{Identity, Manner, NotFound, Place, Places, Stay, Where};
use crate::kernel::process::{self, Process};
use crate::kernel::{Errno, Namespace};

/// All places of the machine, and what may not be looked at.
#[derive(Debug)]
pub(super) struct Everywhere {
    /// The places.
    pub places: Vec<Place>,
    /// The namespaces that may not be entered.
    closed: Vec<Identity>,
    /// How many processes may not be inspected.
    uninspected: u64,
}

impl Everywhere {
    /// Looks at every process.
    pub fn find() -> Result<Everywhere> {
        let Places { all, uninspected } = Places::find()?;
        Ok(Everywhere { places: all, closed: Vec::new(), uninspected })
    }

    /// Goes to each place in turn. One that is gone by now is left out.
    pub fn each(&mut self, mut look: impl FnMut(&Place, &Namespace) -> Result<()>) -> Result<()> {
        let mut closed = Vec::new();
        for place in &self.places {
            match place
                .open()
                .map(|namespace| namespace.enter(Manner::ByCall).map(|stay| (namespace, stay)))
            {
                Ok(Ok((namespace, _stay))) => look(place, &namespace)?,
                Ok(Err(_)) => closed.push(place.identity),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    closed.push(place.identity)
                }
                // It is gone.
                Err(_) => {}
            }
        }
        self.closed.extend(closed);
        self.closed.sort_unstable();
        self.closed.dedup();
        Ok(())
    }

    /// Goes to a place that was visited before. `None` if it is gone by now.
    pub fn visit<R>(place: &Place, look: impl FnOnce(&Namespace) -> R) -> Option<R> {
        let namespace = place.open().ok()?;
        let _stay = namespace.enter(Manner::ByCall).ok()?;
        Some(look(&namespace))
    }

    /// Whether every namespace that was seen could be entered.
    pub fn is_whole(&self) -> bool {
        self.closed.is_empty()
    }

    /// Says what may not be looked at.
    pub fn warn(&self, verb: &str) {
        let namespaces = count(self.closed.len() as u64, "IPC namespace");
        let closed = format!("{namespaces} may not be entered");
        let uninspected = match self.uninspected {
            1 => "1 process may not be inspected and may live in another one".to_owned(),
            number => format!("{number} processes may not be inspected and may live in others"),
        };
        let what = match (self.closed.is_empty(), self.uninspected) {
            (true, 0) => return,
            (true, _) => uninspected,
            (false, 0) => closed,
            (false, _) => format!("{closed}, and {uninspected}"),
        };
        let advice = if process::uid() == 0 { "" } else { "; run as root to see them" };
        print_error(format_args!("{verb}: {what}{advice}"));
    }
}

/// The namespace that a user names.
pub(super) fn find(verb: &'static str, place: &Where) -> Result<Place, Failure> {
    let subject = format!("--in {place}");
    let failed = |what: &str, reason| Failure::new(verb, &subject, what, reason);
    place.find().map_err(|error| match error {
        NotFound::Nowhere(names) => {
            let what = match place {
                Where::Number(..) => "there is no such process, IPC namespace or container",
                _ => "there is no such container",
            };
            let failure = failed(what, Reason::NothingThere);
            match names.as_slice() {
                [] => failure.with_hint("no process that can be seen runs in a container; to see the namespaces: ipctool list --namespaces"),
                names => failure.with_hint(format!("containers: {}", names.join(", "))),
            }
        }
        NotFound::Several(names) => {
            failed(&format!("several containers are called so: {}", names.join(", ")), Reason::Usage)
        }
        NotFound::NoNamespace => failed("it is not an IPC namespace", Reason::Usage)
            .with_hint("a file that is one: /proc/PID/ns/ipc"),
        NotFound::Failed(error) => of_io(verb, &subject, &error),
    })
}

fn of_io(verb: &'static str, subject: &str, error: &std::io::Error) -> Failure {
    let reason = match error.kind() {
        std::io::ErrorKind::PermissionDenied => return denied(verb, subject),
        std::io::ErrorKind::NotFound => Reason::NothingThere,
        _ => Reason::Failed,
    };
    let what = match reason {
        Reason::NothingThere => "there is no such process or file".to_owned(),
        _ => os_error::describe(error),
    };
    Failure::new(verb, subject, what, reason)
}

/// The caller may not look at a place, or enter it.
fn denied(verb: &'static str, subject: &str) -> Failure {
    let what = "you may not enter its IPC namespace";
    let hint = match process::uid() {
        0 => {
            "it takes CAP_SYS_ADMIN and CAP_SYS_PTRACE over it; from inside a container, also the /proc of the host: run the container privileged, with the process namespace of the host"
        }
        _ => {
            "run as root; an ordinary user may enter only namespaces that belong to a user namespace of that user, as those of rootless containers do"
        }
    };
    Failure::new(verb, subject, what, Reason::NotPermitted).with_hint(hint)
}

/// A place that this process is in for a while.
#[derive(Debug)]
pub(super) struct Elsewhere {
    namespace: Namespace,
    /// Ends after the namespace was last used.
    _stay: Stay,
}

impl Elsewhere {
    /// Opens and enters a place.
    pub fn enter(
        verb: &'static str,
        subject: &str,
        place: &Place,
        manner: Manner,
    ) -> Result<Elsewhere, Failure> {
        let namespace = place.open().map_err(|error| of_io(verb, subject, &error))?;
        let stay = namespace.enter(manner).map_err(|errno| match errno {
            Errno::EPERM => denied(verb, subject),
            errno => of_io(verb, subject, &std::io::Error::from_raw_os_error(errno as i32)),
        })?;
        Ok(Elsewhere { namespace, _stay: stay })
    }

    /// Goes where a process lives, and says so. `None` if that is here, or may not be entered.
    pub fn of_process(here: &Namespace, pid: i32) -> Option<Elsewhere> {
        let place = Place::of_process(pid).ok()?;
        if here.handle().identity().ok()? == place.identity {
            return None;
        }
        let there = Elsewhere::enter("list", "--pid", &place, Manner::ByCall).ok()?;
        let home = &place.home;
        print_error(format_args!("list: process {pid} lives in the IPC namespace {home}"));
        Some(there)
    }

    /// The namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

/// How many other IPC namespaces hold objects, as far as they can be seen.
pub(super) fn occupied(namespace: &Namespace) -> usize {
    let mut occupied = HashSet::new();
    each_elsewhere(namespace, |place, namespace| {
        let holds = |&kind: &Kind| {
            namespace.snapshot([kind]).is_ok_and(|snapshot| !snapshot.objects.is_empty())
        };
        if place.kinds.iter().any(holds) {
            occupied.insert(place.identity);
        }
    });
    occupied.len()
}

/// Goes to each place outside of an IPC namespace, as far as they can be seen.
fn each_elsewhere(namespace: &Namespace, mut look: impl FnMut(&Place, &Namespace)) {
    let Ok(here) = namespace.handle().identity() else { return };
    let Ok(mut everywhere) = Everywhere::find() else { return };
    everywhere.places.retain(|place| place.identity != here);
    // What cannot be seen is left out.
    let _ = everywhere.each(|place, namespace| {
        look(place, namespace);
        Ok(())
    });
}

/// The POSIX queues in all other IPC namespaces: their bytes are charged to their users, wherever they are.
pub(super) fn queues_elsewhere(namespace: &Namespace) -> Vec<Object> {
    let mut queues = Vec::new();
    each_elsewhere(namespace, |_, namespace| {
        queues.extend(namespace.snapshot([Kind::Pmsg]).unwrap_or_default().objects);
    });
    queues
}

/// For how many bytes the caller's POSIX queues in each of the other IPC namespaces are charged.
pub(super) fn charged_elsewhere(namespace: &Namespace) -> Vec<(Home, u64)> {
    let (mut charged, uid) = (Vec::new(), process::uid());
    each_elsewhere(namespace, |place, namespace| {
        let queues = namespace.snapshot([Kind::Pmsg]).unwrap_or_default();
        let bytes = Limit::RlimitMsgqueue.used(&queues, uid).unwrap_or(0);
        if bytes > 0 {
            charged.push(((*place.home).clone(), bytes));
        }
    });
    charged
}

/// Where else objects have the keys or names of these references.
pub(super) fn find_elsewhere(
    namespace: &Namespace,
    references: &HashSet<Reference>,
) -> HashMap<Reference, Vec<Home>> {
    let mut found: HashMap<Reference, Vec<Home>> = HashMap::new();
    each_elsewhere(namespace, |place, namespace| {
        for reference in references.iter().filter(|reference| place.has(reference.kind)) {
            let named = namespace.resolve(reference).and_then(|it| namespace.read(&it));
            // It may exist and be closed to the caller.
            let exists = match named {
                Ok(_) => true,
                Err(error) => matches!(error.errno, Errno::EACCES | Errno::EPERM),
            };
            if exists {
                found.entry(reference.clone()).or_default().push((*place.home).clone());
            }
        }
    });
    found
}

/// Every namespace as a row, with its objects if it may be entered.
pub(super) struct Residences {
    order: Vec<Identity>,
    rows: HashMap<Identity, Residence>,
}

impl Residences {
    /// The namespaces, without their objects.
    pub fn of(everywhere: &Everywhere) -> Residences {
        let (mut order, mut rows) = (Vec::new(), HashMap::new());
        for place in &everywhere.places {
            rows.entry(place.identity).or_insert_with(|| {
                order.push(place.identity);
                let seen = place.seen();
                let oldest = seen.oldest.map(|member| Process::name(member.pid));
                let home = (*place.home).clone();
                Residence { processes: seen.processes, oldest, ..Residence::new(home) }
            });
        }
        Residences { order, rows }
    }

    /// Adds the objects of a place. The `max_bytes` of the queues must be known.
    pub fn add(&mut self, place: &Place, snapshot: &Snapshot) {
        if let Some(row) = self.rows.get_mut(&place.identity) {
            row.add(&place.kinds, snapshot);
        }
    }

    /// Adds who owns a namespace.
    pub fn add_owner(&mut self, place: &Place, namespace: &Namespace) {
        if let Some(row) = self.rows.get_mut(&place.identity) {
            row.user_namespace = namespace.handle().owner();
        }
    }

    /// The rows, that of process 1 first.
    pub fn into_rows(mut self) -> Vec<Residence> {
        let rows = self.order.iter().filter_map(|identity| self.rows.remove(identity));
        rows.collect()
    }
}
