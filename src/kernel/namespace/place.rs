//! Where objects are: an IPC namespace with a `/dev/shm`, opened when it is looked at.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::sync::Arc;

use super::census::{Census, Member, Seen, is_absent};
use super::{Handle, Identity, Namespace};
use crate::ipc::home::Mounts;
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Foreign, Home, Kind};
use crate::kernel::container::Containers;
use crate::kernel::posix::dev_shm::DevShm;
use crate::kernel::posix::mq_mount::QueueMount;
use crate::kernel::process::{BadProc, check_proc};
use crate::kernel::shares::on_all_processors;

/// A place with objects. It keeps nothing open, so there may be thousands.
#[derive(Clone, Debug)]
pub struct Place {
    /// The IPC namespace.
    pub identity: Identity,
    /// Its name for people.
    pub home: Arc<Home>,
    /// The kinds of objects that are there and in no place before it: several IPC namespaces may share
    /// one `/dev/shm`, and several may belong to one IPC namespace.
    pub kinds: Vec<Kind>,
    seen: Arc<Seen>,
    /// The namespace, if it is open already.
    handle: Option<Handle>,
    /// A process that sees the `/dev/shm`, and which that is; `None` if there is none.
    shm: Option<(i32, FileIdentity)>,
}

impl Place {
    /// The place in which a process lives.
    pub fn of_process(pid: i32) -> io::Result<Place> {
        let (pid, identity) = Identity::of_living(pid)?;
        let member = Member::find(pid).ok_or_else(|| why_unseen(pid))?;
        let shm = match DevShm::of_process(pid) {
            Ok(shm) => shm.identity().map(|identity| (pid, identity)),
            Err(error) if is_absent(&error) => None,
            Err(error) => return Err(error),
        };
        let seen = Arc::new(Seen { oldest: Some(member), ..Seen::default() });
        let mounts = mounts_of(shm.map(|(pid, _)| pid));
        let home = Home { mounts, ..home(identity, Some(pid), &Containers::new()) };
        let home = Arc::new(home);
        Ok(Place { identity, home, kinds: Kind::ALL.to_vec(), seen, handle: None, shm })
    }

    /// The place of the calling process.
    pub fn own() -> io::Result<Place> {
        Place::of_process(i32::try_from(std::process::id()).unwrap_or(0))
    }

    /// The place with this IPC namespace: that of the process that has lived there longest. If none does,
    /// there is no `/dev/shm`. `keeper` is a file that keeps the namespace alive. `None` if nothing does.
    pub fn of(identity: Identity, keeper: Option<&Handle>) -> io::Result<Option<Place>> {
        let mut seen = Census::take()?.namespaces.remove(&identity).unwrap_or_default();
        if let Some(member) = seen.oldest
            && let Ok(place) = Place::of_process(member.pid)
            && place.identity == identity
        {
            return Ok(Some(place));
        }
        seen.keeper = keeper.map(|keeper| keeper.path().into()).or(seen.keeper);
        if seen.open(identity).is_err() {
            return Ok(None);
        }
        let home = Arc::new(home(identity, None, &Containers::new()));
        let kinds = Kind::ALL.to_vec();
        Ok(Some(Place { identity, home, kinds, seen: Arc::new(seen), handle: None, shm: None }))
    }

    /// The same place, with an open file that keeps its namespace alive.
    pub(super) fn kept_by(mut self, handle: Handle) -> Place {
        self.handle = Some(handle);
        self
    }

    /// Opens it. `ENOENT` if the namespace is gone.
    pub fn open(&self) -> io::Result<Namespace> {
        let handle = match &self.handle {
            Some(handle) => handle.clone(),
            None => self.seen.open(self.identity)?,
        };
        let has_shm = self.kinds.iter().any(|kind| kind.is_in_dev_shm());
        let (shm, is_shm_lost) = match self.shm.filter(|_| has_shm) {
            Some((pid, identity)) => match self.open_shm(pid, identity)? {
                Some(shm) => (shm, false),
                None => (DevShm::none(), true),
            },
            None => (DevShm::none(), false),
        };
        let (kinds, home) = (self.kinds.clone(), Some(self.home.clone()));
        let queues = QueueMount::of(handle.clone());
        let tables = "/proc/sysvipc".into();
        Ok(Namespace { tables, shm, queues, handle, kinds, home, is_shm_lost })
    }

    /// Opens the `/dev/shm` that a process sees; `None` if it has ended, and no other one is known to see it.
    fn open_shm(&self, pid: i32, identity: FileIdentity) -> io::Result<Option<DevShm>> {
        let others = self.seen.mounts.values().copied().chain(self.seen.newest);
        for pid in std::iter::once(pid).chain(others) {
            match DevShm::of_process(pid) {
                Ok(shm) if shm.identity() == Some(identity) => return Ok(Some(shm)),
                Err(error) if !is_absent(&error) => return Err(error),
                // The process has ended, and another one may have its pid.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Whether objects of a kind are there.
    pub fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// What was seen of its processes.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }
}

/// All places of the machine, as far as they can be seen.
#[derive(Debug)]
pub struct Places {
    /// The places, those of process 1 first.
    pub all: Vec<Place>,
    /// How many processes the caller may not inspect.
    pub uninspected: u64,
    /// Why some `/dev/shm` could not be opened, the first reason; and how many there were.
    pub failed: Option<(io::Error, u64)>,
    /// The namespaces of these `/dev/shm`.
    pub unopened: Vec<Identity>,
}

impl Places {
    /// Looks at every process.
    pub fn find() -> io::Result<Places> {
        let census = Census::take()?;
        let places = Places::of(&census);
        match check_proc() {
            // The caller itself is always there; and the /proc may have gone during the look.
            Err(error) if census.namespaces.is_empty() || error == BadProc::Missing => {
                Err(io::Error::other(error))
            }
            Ok(()) | Err(_) => Ok(places),
        }
    }

    fn of(census: &Census) -> Places {
        let containers = Containers::new();
        let mut directories = HashSet::new();
        let mut all = Vec::new();
        let mut failed: Option<(io::Error, u64)> = None;
        let mut unopened = Vec::new();
        let order = census.order();
        let namespaces: Vec<_> =
            order.iter().filter_map(|identity| census.namespaces.get_key_value(identity)).collect();
        let look = |share: &[(&Identity, &Seen)]| -> Vec<_> {
            share.iter().map(|(_, seen)| seen.shms()).collect()
        };
        let shms = on_all_processors(&namespaces, 8, look).into_iter().flatten();
        for ((identity, seen), (shms, errors)) in namespaces.into_iter().zip(shms) {
            let identity = *identity;
            let seen = Arc::new(Seen::clone(seen));
            let mut kinds = vec![Kind::Msg, Kind::Shm, Kind::Sem, Kind::Pmsg];
            if !errors.is_empty() {
                unopened.push(identity);
            }
            for error in errors {
                let (_, count) = failed.get_or_insert((error, 0));
                *count += 1;
            }
            let is_new =
                |&(shm, pid): &(FileIdentity, i32)| directories.insert(shm).then_some((pid, shm));
            let mut shms = shms.iter().filter_map(is_new).collect::<Vec<_>>().into_iter();
            let oldest = seen.oldest.map(|member| member.pid);
            let first = shms.next();
            for shm in std::iter::once(first).chain(shms.map(Some)) {
                if shm.is_some() {
                    kinds.extend([Kind::Pshm, Kind::Psem]);
                }
                // Beside the first, a /dev/shm is that of a container which shares the IPC namespace.
                let is_first = kinds.contains(&Kind::Msg);
                let of = if is_first { oldest } else { shm.map(|(pid, _)| pid) };
                let home = match (is_first, of) {
                    (false, Some(pid)) => {
                        Home::new(identity.number(), container_of(pid, &containers))
                    }
                    _ => home(identity, of, &containers),
                };
                let home = Home { mounts: mounts_of(shm.map(|(pid, _)| pid)), ..home };
                let kinds = std::mem::take(&mut kinds);
                all.push(Place {
                    identity,
                    home: Arc::new(home),
                    kinds,
                    seen: seen.clone(),
                    handle: None,
                    shm,
                });
            }
        }
        mark_shared_names(&mut all);
        Places { all, uninspected: census.uninspected, failed, unopened }
    }
}

/// Where a process has its mounts.
fn mounts_of(pid: Option<i32>) -> Mounts {
    let Some(pid) = pid else { return Mounts::Nobodys };
    let space = |of: &str| std::fs::read_link(format!("/proc/{of}/ns/mnt")).ok();
    match space(&pid.to_string()) {
        Some(there) if Some(&there) == space("self").as_ref() => Mounts::Own,
        _ => Mounts::Of(pid),
    }
}

/// Marks places whose containers have one name: it would not tell which is meant.
fn mark_shared_names(places: &mut [Place]) {
    let mut numbers: HashMap<String, u64> = HashMap::new();
    for name in places.iter().filter_map(|place| place.home.container.clone()) {
        *numbers.entry(name).or_default() += 1;
    }
    for place in places {
        let name = place.home.container.as_ref();
        if name.is_some_and(|name| numbers.get(name).is_some_and(|number| *number > 1)) {
            Arc::make_mut(&mut place.home).is_shared = true;
        }
    }
}

/// The name of a namespace whose oldest process this is.
fn home(identity: Identity, oldest: Option<i32>, containers: &Containers) -> Home {
    let container = || container_of(oldest?, containers);
    let container = match Identity::of_host() == Some(identity) {
        true => Some("host".to_owned()),
        false => container(),
    };
    Home::new(identity.number(), container)
}

/// The name of the container of a process, without anything that acts on a terminal.
fn container_of(pid: i32, containers: &Containers) -> Option<String> {
    let label = containers.of(pid).ok()??.label();
    Some(Foreign::from(label).to_string())
}

/// Why a process cannot be looked at: no descriptor, no permission, or it is gone.
fn why_unseen(pid: i32) -> io::Error {
    let unread = fs::read(format!("/proc/{pid}/stat")).err();
    unread.unwrap_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}
