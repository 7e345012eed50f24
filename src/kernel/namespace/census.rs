//! The IPC namespaces of the machine: those of processes, and those that a mount or a descriptor alone
//! keeps alive. `namespaces(7)`, "Namespace lifetime".

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use super::{Handle, Identity};
use crate::ipc::posix::FileIdentity;
use crate::kernel::posix::dev_shm::DevShm;
use crate::kernel::process::proc_directory::ProcDirectory;
use crate::kernel::process::{self, has_left, is_gone_error};
use crate::kernel::shares::on_all_processors;

/// How many namespaces there are besides one, as far as there was time to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many namespaces other than the own one have processes.
    pub others: usize,
    /// How many processes were looked at.
    pub seen: usize,
    /// Whether these are all; otherwise the caller may not inspect some, or there was no time for them.
    pub is_whole: bool,
}

impl Tally {
    /// Looks at processes until all are seen, or until the deadline. A namespace without processes is not
    /// seen.
    pub fn take(own: &Handle, deadline: Instant) -> io::Result<Tally> {
        let own = own.identity()?;
        let mut tally = Tally { others: 0, seen: 0, is_whole: true };
        let mut others: BTreeSet<Identity> = BTreeSet::new();
        for pid in process::listed()? {
            let pid = pid?;
            if Instant::now() > deadline {
                tally.is_whole = false;
                break;
            }
            match Identity::of(pid) {
                Ok(identity) => {
                    tally.seen += 1;
                    if identity != own {
                        others.insert(identity);
                    }
                }
                // It has ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => tally.is_whole = false,
            }
        }
        tally.others = others.len();
        Ok(tally)
    }
}

/// A process in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// When it started, in ticks since boot.
    pub started: i64,
    /// Its id.
    pub pid: i32,
}

impl Member {
    /// The process with this id; `None` if it has ended, and for a kernel thread.
    pub fn find(pid: i32) -> Option<Member> {
        Some(Member { started: process::started(pid)?, pid })
    }
}

/// What keeps a namespace alive besides processes that live in it: a file to open it by.
type Keeper = PathBuf;

/// An IPC namespace.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many processes live in it.
    pub processes: u64,
    /// The one that has lived longest.
    pub oldest: Option<Member>,
    /// One of them with a high pid, which may live on when the oldest has ended.
    pub newest: Option<i32>,
    /// A process of each of their mount namespaces, by its number.
    pub mounts: BTreeMap<u64, i32>,
    /// A bind mount, or a descriptor of some process.
    pub keeper: Option<Keeper>,
}

/// All IPC namespaces that the caller can see.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// The namespaces.
    pub namespaces: BTreeMap<Identity, Seen>,
    /// How many processes the caller may not inspect.
    pub uninspected: u64,
}

impl Census {
    /// Looks at every process, on all processors, and at all mounts. Processes that end meanwhile are
    /// left out.
    pub fn take() -> io::Result<Census> {
        let pids = process::listed()?.collect::<io::Result<Vec<i32>>>()?;
        let host = Identity::of(1).ok();
        let look = |pids: &[i32]| Census::of(pids, host);
        let mut census = Census::default();
        on_all_processors(&pids, 64, look).into_iter().for_each(|found| census.add(found));
        census.add_mounts();
        if let Some(seen) = host.and_then(|host| census.namespaces.get_mut(&host)) {
            seen.oldest = Member::find(1).or(seen.oldest);
        }
        Ok(census)
    }

    fn of(pids: &[i32], host: Option<Identity>) -> Census {
        let mut census = Census::default();
        for &pid in pids {
            match census.look_at(pid, host) {
                Ok(()) => {}
                Err(_) if has_left(pid) => {}
                // Its first thread has ended, and others live on.
                Err(error) if is_gone_error(&error) && census.look_at_threads(pid, host) => {}
                // Kernel threads are in the namespace of the machine, as its process 1 is.
                Err(_) if process::is_kernel_thread(pid) => {}
                Err(_) if pid == 1 && Identity::of_host().is_some() => {}
                Err(_) => census.uninspected += 1,
            }
        }
        census
    }

    /// Looks at the other threads of a process until one can be inspected; returns whether one could.
    fn look_at_threads(&mut self, pid: i32, host: Option<Identity>) -> bool {
        let threads = process::threads(pid).unwrap_or_default();
        threads.into_iter().any(|thread| thread != pid && self.look_at(thread, host).is_ok())
    }

    fn look_at(&mut self, pid: i32, host: Option<Identity>) -> io::Result<()> {
        let process = ProcDirectory::open(pid)?;
        let identity = process.ipc_namespace()?;
        let identity = identity.map(Identity::numbered).ok_or(io::ErrorKind::InvalidData)?;
        let mounts = process.mount_namespace()?;
        let mut has_descriptors = false;
        process.each_descriptor(|number, target| {
            has_descriptors = true;
            if let Some(kept) = Identity::in_link(target) {
                let path = || format!("/proc/{pid}/fd/{number}").into();
                self.namespaces.entry(kept).or_default().keeper.get_or_insert_with(path);
            }
        })?;
        // Where process 1 lives, it is the oldest. Kernel threads have no descriptors.
        let is_of_host = Some(identity) == host && has_descriptors;
        let member = if is_of_host { None } else { Some(Member::find(pid)) };
        if member == Some(None) {
            return Ok(());
        }
        let seen = self.namespaces.entry(identity).or_default();
        seen.processes += 1;
        seen.oldest = seen.oldest.into_iter().chain(member.flatten()).min();
        seen.newest = seen.newest.max(Some(pid));
        if let Some(mounts) = mounts {
            let first = seen.mounts.entry(mounts).or_insert(pid);
            *first = pid.min(*first);
        }
        Ok(())
    }

    fn add(&mut self, other: Census) {
        self.uninspected += other.uninspected;
        for (identity, seen) in other.namespaces {
            self.namespaces.entry(identity).or_default().merge(seen);
        }
    }

    /// Adds the namespaces that are mounted somewhere: in this mount namespace, or in that of a process
    /// that was seen.
    fn add_mounts(&mut self) {
        let mut spaces: HashMap<u64, i32> = HashMap::new();
        for seen in self.namespaces.values() {
            for (&space, &pid) in &seen.mounts {
                spaces.entry(space).or_insert(pid);
            }
        }
        for pid in spaces.into_values() {
            let text = fs::read(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
            for (kept, point) in process::mounts::ipc_namespaces(&text) {
                // Below the root of that process.
                let point = point.strip_prefix("/").unwrap_or(&point);
                let path = PathBuf::from(format!("/proc/{pid}/root")).join(point);
                let seen = self.namespaces.entry(Identity::numbered(kept)).or_default();
                seen.keeper.get_or_insert(path);
            }
        }
    }

    /// The numbers of the namespaces, that of process 1 first.
    pub fn order(&self) -> Vec<Identity> {
        let mut all: Vec<Identity> = self.namespaces.keys().copied().collect();
        let host = Identity::of_host();
        all.sort_by_key(|identity| (Some(*identity) != host, *identity));
        all
    }
}

/// Whether an error means that there is no `/dev/shm`: something else has the name, or nothing, or the process
/// that would see it has ended.
pub(super) fn is_absent(error: &io::Error) -> bool {
    let is_something_else = matches!(error.raw_os_error(), Some(libc::ENOTDIR | libc::ELOOP));
    is_something_else || is_gone_error(error)
}

impl Seen {
    fn merge(&mut self, other: Seen) {
        self.processes += other.processes;
        self.oldest = self.oldest.into_iter().chain(other.oldest).min();
        self.newest = self.newest.max(other.newest);
        for (space, pid) in other.mounts {
            let first = self.mounts.entry(space).or_insert(pid);
            *first = pid.min(*first);
        }
        self.keeper = self.keeper.take().or(other.keeper);
    }

    /// Opens the namespace with this identity. `ENOENT` if it is gone.
    pub fn open(&self, identity: Identity) -> io::Result<Handle> {
        let mut error = io::Error::from(io::ErrorKind::NotFound);
        let oldest = self.oldest.map(|member| member.pid);
        let others = self.mounts.values().copied().chain(self.newest);
        let pids = oldest.into_iter().chain(others);
        let paths = pids.map(|pid| format!("/proc/{pid}/ns/ipc").into());
        for path in paths.chain(self.keeper.clone()) {
            match Handle::open(&path) {
                // A process may have ended, and another have its pid.
                Ok(handle) if handle.identity().is_ok_and(|found| found == identity) => {
                    return Ok(handle);
                }
                Ok(_) => {}
                Err(other) if is_gone_error(&other) => {}
                // The descriptor is something else by now.
                Err(other) if other.kind() == io::ErrorKind::InvalidInput => {}
                Err(other) => error = other,
            }
        }
        Err(error)
    }

    /// The directories of POSIX memory that its processes see, each once, with a process that sees it;
    /// that of the oldest process first. Then, why some could not be opened.
    pub fn shms(&self) -> (Vec<(FileIdentity, i32)>, Vec<io::Error>) {
        let oldest = self.oldest.map(|member| member.pid);
        let mut shms: Vec<(FileIdentity, i32)> = Vec::new();
        let mut errors = Vec::new();
        for pid in oldest.into_iter().chain(self.mounts.values().copied()) {
            match DevShm::of_process(pid) {
                Ok(shm) => {
                    let new = |id: &FileIdentity| shms.iter().all(|(known, _)| known != id);
                    shms.extend(shm.identity().filter(new).map(|identity| (identity, pid)));
                }
                // Nothing is there, or the process has ended.
                Err(error) if is_absent(&error) => {}
                Err(error) => errors.push(error),
            }
        }
        (shms, errors)
    }
}
