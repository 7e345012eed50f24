//! `--in` and `--all-namespaces`: where else a command looks.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};

use super::print_error;
use crate::commands::Result;
use crate::explain::{Failure, Reason};
use crate::ipc::home::Residence;
use crate::ipc::{Home, Kind, Object, Reference, Snapshot, count};
use crate::kernel::io::os_error;
use crate::kernel::limits::Limit;
use crate::kernel::namespace::{Identity, Manner, NotFound, Place, Places, Stay, Where};
use crate::kernel::process::scan::has_outsiders;
use crate::kernel::process::{self, Process};
use crate::kernel::shares::in_threads;
use crate::kernel::{Errno, Namespace};

/// What became of a visit.
enum Visit<R> {
    /// This was found, and whether its `/dev/shm` could not be opened any more.
    Seen(R, bool),
    /// The caller may not go there.
    Closed,
    /// The place is gone.
    Gone,
    /// It could not be opened for another reason.
    Failed(io::Error),
}

/// All places of the machine, and what may not be looked at.
#[derive(Debug)]
pub(super) struct Everywhere {
    /// The places.
    pub places: Vec<Place>,
    /// The namespaces that may not be entered.
    closed: Vec<Identity>,
    /// How many processes may not be inspected.
    uninspected: u64,
    /// Why places could not be looked at otherwise, the first reason; and how many there were.
    failed: Option<(io::Error, u64)>,
    /// The namespaces of these places.
    failed_in: Vec<Identity>,
    /// The namespaces with a `/dev/shm` that could not be opened.
    unopened: Vec<Identity>,
    /// What was there when the places were found, and could not be opened any more, as processes had ended.
    vanished: Vec<(Identity, Kind)>,
}

impl Everywhere {
    /// Looks at every process.
    pub fn find() -> Result<Everywhere> {
        let found = Places::find().map_err(|error| match error.raw_os_error() {
            Some(_) => io::Error::other(format!(
                "cannot look at all processes: {}",
                os_error::describe(&error)
            )),
            None => error,
        });
        let Places { all, uninspected, failed, unopened } = found?;
        Ok(Everywhere { uninspected, failed, unopened, ..Everywhere::of(all) })
    }

    /// These places, of which nothing else is known.
    fn of(places: Vec<Place>) -> Everywhere {
        Everywhere {
            places,
            closed: Vec::new(),
            uninspected: 0,
            failed: None,
            failed_in: Vec::new(),
            unopened: Vec::new(),
            vanished: Vec::new(),
        }
    }

    /// The same places, for another look.
    pub fn again(&self) -> Everywhere {
        Everywhere::of(self.places.clone())
    }

    /// The places outside of an IPC namespace.
    pub fn outside(&self, here: Identity) -> Everywhere {
        let is_outside = |place: &&Place| place.identity != here;
        Everywhere::of(self.places.iter().filter(is_outside).cloned().collect())
    }

    /// Their POSIX queues: the bytes of queues are charged to their users, wherever they are.
    pub fn queues(mut self) -> Vec<Object> {
        let list = |_: &Place, namespace: &Namespace| {
            namespace.snapshot([Kind::Pmsg]).unwrap_or_default().objects
        };
        self.map(list).into_iter().flat_map(|(_, queues)| queues).collect()
    }

    /// Goes to all places, on all processors, and returns what `look` found in each, in their order, with the
    /// number of the place. One that is gone by now is left out.
    pub fn map<R: Send>(
        &mut self,
        look: impl Fn(&Place, &Namespace) -> R + Sync,
    ) -> Vec<(usize, R)> {
        let numbered: Vec<(usize, &Place)> = self.places.iter().enumerate().collect();
        let visit =
            |&(number, place): &(usize, &Place)| (number, Everywhere::try_to_visit(place, &look));
        // The kernel makes each visitor wait for a moment when it leaves the POSIX queues.
        let visits = in_threads(&numbered, 4, 4, |places| {
            places.iter().map(visit).collect::<Vec<(usize, Visit<R>)>>()
        });
        let mut found = Vec::new();
        for (number, visit) in visits.into_iter().flatten() {
            match visit {
                Visit::Seen(seen, is_shm_lost) => {
                    if is_shm_lost {
                        self.note_vanished(number, Kind::is_in_dev_shm);
                    }
                    found.push((number, seen));
                }
                Visit::Closed => self.closed.push(self.places[number].identity),
                Visit::Gone => self.note_vanished(number, |_| true),
                Visit::Failed(error) => {
                    let (_, count) = self.failed.get_or_insert((error, 0));
                    *count += 1;
                    self.failed_in.push(self.places[number].identity);
                }
            }
        }
        self.closed.sort_unstable();
        self.closed.dedup();
        found
    }

    fn note_vanished(&mut self, number: usize, is_of: impl Fn(Kind) -> bool) {
        let Place { identity, kinds, .. } = &self.places[number];
        let kinds = kinds.iter().copied().filter(|kind| is_of(*kind));
        self.vanished.extend(kinds.map(|kind| (*identity, kind)));
    }

    fn try_to_visit<R>(place: &Place, look: impl FnOnce(&Place, &Namespace) -> R) -> Visit<R> {
        let namespace = match place.open() {
            Ok(namespace) => namespace,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Visit::Closed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Visit::Gone,
            Err(error) => return Visit::Failed(error),
        };
        match namespace.enter(Manner::ByCall) {
            Ok(_stay) => Visit::Seen(look(place, &namespace), namespace.has_lost_shm()),
            Err(Errno::EPERM) => Visit::Closed,
            Err(error) => Visit::Failed(error.into()),
        }
    }

    /// Goes to a place that was visited before. `None` if it is gone by now.
    pub fn visit<R>(
        place: &Place,
        look: impl FnOnce(&Namespace) -> Result<R>,
    ) -> Result<Option<R>> {
        match Everywhere::try_to_visit(place, |_, namespace| look(namespace)) {
            Visit::Seen(seen, _) => seen.map(Some),
            Visit::Closed | Visit::Gone => Ok(None),
            Visit::Failed(error) => Err(error.into()),
        }
    }

    /// Whether every namespace that was seen could be entered.
    pub fn is_whole(&self) -> bool {
        self.closed.is_empty() && self.failed.is_none()
    }

    /// The namespaces that could not be looked at.
    pub fn unseen(&self) -> impl Iterator<Item = Identity> {
        self.closed.iter().chain(&self.failed_in).copied()
    }

    /// The kinds in `/dev/shm` where that could not be opened.
    pub fn unopened(&self) -> impl Iterator<Item = (Identity, Kind)> {
        let kinds = || Kind::ALL.into_iter().filter(|kind| kind.is_in_dev_shm());
        self.unopened.iter().flat_map(move |identity| kinds().map(|kind| (*identity, kind)))
    }

    /// The kinds that were there when the places were found, and could not be opened any more, because processes
    /// had ended. The next look shows whether they are gone.
    pub fn vanished(&self) -> impl Iterator<Item = (Identity, Kind)> {
        self.vanished.iter().copied()
    }

    /// How many namespaces that were seen may not be entered.
    pub fn unreadable(&self) -> u64 {
        self.closed.len() as u64
    }

    /// How many processes may not be inspected, and may live in others.
    pub fn uninspected(&self) -> u64 {
        self.uninspected
    }

    /// How many places could not be looked at for another reason.
    pub fn failed(&self) -> u64 {
        self.failed.as_ref().map_or(0, |(_, number)| *number)
    }

    /// Says what may not be looked at.
    pub fn warn(&self, verb: &str) {
        if let Some((error, number)) = &self.failed {
            let places = count(*number, "place");
            let why = os_error::describe(error);
            print_error(format_args!("{verb}: {places} could not be looked at: {why}"));
        }
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
            // Much may be closed to an ordinary user.
            let more = if process::uid() == 0 { "" } else { "; root may see more" };
            match names.as_slice() {
                _ if has_outsiders() => failure.with_hint("only the processes of this process namespace can be seen; to see those of the machine, run the container privileged, with the process namespace of the host (docker: --privileged --pid=host; a pod: hostPID)"),
                [] => failure.with_hint(format!("no process that can be seen runs in a container{more}; to see the namespaces: ipctool list --namespaces")),
                names => failure.with_hint(format!("containers: {}{more}", names.join(", "))),
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

fn of_io(verb: &'static str, subject: &str, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        ErrorKind::PermissionDenied => return denied(verb, subject),
        ErrorKind::NotFound => Reason::NothingThere,
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
            errno => of_io(verb, subject, &io::Error::from_raw_os_error(errno as i32)),
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

/// All places outside of a namespace. What cannot be seen is left out.
pub(super) fn outside(namespace: &Namespace) -> Option<Everywhere> {
    let here = namespace.handle().identity().ok()?;
    Some(Everywhere::find().ok()?.outside(here))
}

/// What `look` finds in each place outside of a namespace.
fn map_elsewhere<R: Send>(
    namespace: &Namespace,
    look: impl Fn(&Place, &Namespace) -> R + Sync,
) -> Vec<R> {
    let found = outside(namespace).map(|mut outside| outside.map(look)).unwrap_or_default();
    found.into_iter().map(|(_, found)| found).collect()
}

/// How many other IPC namespaces hold objects, as far as they can be seen.
pub(super) fn occupied(namespace: &Namespace) -> usize {
    let occupied = map_elsewhere(namespace, |place, namespace| {
        let holds = |&kind: &Kind| namespace.has(kind).is_ok_and(|has| has);
        place.kinds.iter().any(holds).then_some(place.identity)
    });
    occupied.into_iter().flatten().collect::<HashSet<_>>().len()
}

/// For how many bytes the caller's POSIX queues in each of the other IPC namespaces are charged.
pub(super) fn charged_elsewhere(namespace: &Namespace, uid: u32) -> Vec<(Home, u64)> {
    let charged = map_elsewhere(namespace, |place, namespace| {
        let queues = namespace.snapshot([Kind::Pmsg]).unwrap_or_default();
        let bytes = Limit::RlimitMsgqueue.used(&queues, uid).filter(|bytes| *bytes > 0)?;
        Some(((*place.home).clone(), bytes))
    });
    charged.into_iter().flatten().collect()
}

/// Where else objects have the keys or names of these references.
pub(super) fn find_elsewhere(
    namespace: &Namespace,
    references: &HashSet<Reference>,
) -> HashMap<Reference, Vec<Home>> {
    let found = map_elsewhere(namespace, |place, namespace| {
        let exists = |reference: &&Reference| {
            let named = namespace.resolve(reference).and_then(|it| namespace.read(&it));
            // It may exist and be closed to the caller.
            place.has(reference.kind)
                && named.map_or_else(
                    |error| matches!(error.errno, Errno::EACCES | Errno::EPERM),
                    |_| true,
                )
        };
        let here = references.iter().filter(exists).cloned().collect::<Vec<_>>();
        (here, (*place.home).clone())
    });
    let mut homes: HashMap<Reference, Vec<Home>> = HashMap::new();
    for (references, home) in found {
        for reference in references {
            homes.entry(reference).or_default().push(home.clone());
        }
    }
    homes
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
    pub fn add_owner(&mut self, place: &Place, owner: Option<u64>) {
        if let Some(row) = self.rows.get_mut(&place.identity) {
            row.user_namespace = owner;
        }
    }

    /// The rows, that of process 1 first.
    pub fn into_rows(mut self) -> Vec<Residence> {
        let rows = self.order.iter().filter_map(|identity| self.rows.remove(identity));
        rows.collect()
    }
}
