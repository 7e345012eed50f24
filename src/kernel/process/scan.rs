//! Which processes use an object or wait on it now: one pass over `/proc`, `proc(5)`.

mod compat;
mod found;
mod hidden;
mod holds;
mod inspector;
pub(crate) mod maps;
mod scope;
pub mod sleepers;
pub(crate) mod system_call;

pub use hidden::Hidden;
pub use scope::ScanScope;

use std::collections::HashSet;
use std::fs;
use std::io;

use found::Found;
use inspector::{Inspector, Setting};

use super::pids::listed;
use super::proc_mount::check_proc;
use super::stat::page_size;
use crate::ipc::process::role::Role;
use crate::ipc::{Key, Object, Segment};
use crate::kernel::namespace::identity::Identity;
use crate::kernel::shares::on_all_processors;
use crate::kernel::sysv::shm;

/// The initial process namespace of a machine: a constant inode in the kernel.
const INITIAL_PID: &str = "pid:[4026531836]";

/// The number of the process namespace of this process.
pub fn own_namespace() -> Option<u64> {
    let data = fs::metadata("/proc/self/ns/pid").ok()?;
    Some(std::os::unix::fs::MetadataExt::ino(&data))
}

/// Whether this process sees all processes of the machine: its process namespace is the initial one.
pub(in crate::kernel) fn is_initial_process_namespace() -> bool {
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == INITIAL_PID)
}

/// Whether processes in other process namespaces may use this IPC namespace without being visible here:
/// this process namespace is not the initial one, or that is unknown.
pub fn has_outsiders() -> bool {
    !is_initial_process_namespace()
}

/// The result of inspecting the processes.
#[derive(Debug, Default)]
pub struct Scan {
    found: Found,
    /// The processes that could not be inspected.
    pub uninspected: Vec<Hidden>,
}

impl Scan {
    /// Inspects every process, on all processors, for its use of objects in these IPC namespaces.
    /// Processes that end meanwhile are skipped.
    pub fn new(
        namespaces: impl IntoIterator<Item = Identity>,
        scope: &ScanScope,
    ) -> io::Result<Scan> {
        if scope.is_empty() {
            return Ok(Scan::default());
        }
        check_proc().map_err(io::Error::other)?;
        let here: HashSet<Identity> = namespaces.into_iter().collect();
        let pids = listed()?.collect::<io::Result<Vec<i32>>>()?;
        let devices = if scope.attachments { shm::devices()? } else { Vec::new() };
        let setting = Setting { scope, here: &here, devices: &devices };
        let mut scan = Scan::default();
        // Mounted with hidepid=2, /proc does not even show that other processes exist.
        if !fs::exists("/proc/1").unwrap_or(false) {
            scan.uninspected.push(Hidden::nameless());
        }
        // Starting a thread takes as long as inspecting a few processes.
        let inspect = |pids: &[i32]| Inspector::inspect_all(&setting, pids);
        on_all_processors(&pids, 64, inspect).into_iter().for_each(|found| scan.add(found));
        Ok(scan)
    }

    /// Adds the result for some of the processes.
    fn add(&mut self, (found, hidden): (Found, Vec<Hidden>)) {
        self.found.extend(found);
        self.uninspected.extend(hidden);
    }

    /// The processes that use an object of this namespace now, and how; one entry for each waiting
    /// thread.
    pub fn present(&self, namespace: Identity, object: &Object) -> &[(i32, Role)] {
        self.found.of(namespace, object)
    }

    /// The key that a segment had until it was marked for destruction, which only the mappings of
    /// processes show. Takes a scan for attachments.
    pub fn former_key(&self, namespace: Identity, object: &Object) -> Option<Key> {
        match object {
            Object::Segment(segment) if segment.status.is_marked() => {
                self.found.key((namespace, segment.id))
            }
            Object::Queue(_)
            | Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixQueue(_)
            | Object::PosixMemory(_)
            | Object::PosixSemaphore(_) => None,
        }
    }

    /// Adds to an attached segment that it has huge pages, which only the mappings of processes show.
    /// Takes a scan for attachments.
    pub fn complete(&self, namespace: Identity, segment: &mut Segment) {
        let pages = self.found.huge((namespace, segment.id));
        if let Some(pages) = pages.filter(|_| segment.attached > 0) {
            segment.set_huge_page(pages.size, page_size(), pages.resident);
        }
    }
}
