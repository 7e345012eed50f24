//! Who holds an object or sleeps on it right now: one pass over `/proc`, `proc(5)`.

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

use std::fs;
use std::io;
use std::thread;

use found::Found;
use inspector::{Inspector, Setting};

use super::pids::listed;
use super::proc_mount::check_proc;
use super::stat::page_size;
use crate::ipc::process::role::Role;
use crate::ipc::{Object, Segment};
use crate::kernel::namespace::identity::{Handle, Identity};
use crate::kernel::sysv::shm;

/// The process namespace in which the first process of a machine lives: a fixed inode of the kernel.
const INITIAL_PID: &str = "pid:[4026531836]";

/// Whether processes of other process namespaces may share the IPC namespace of this one, and never
/// be seen here: this process namespace is not the machine's own, or that cannot be told.
pub fn has_outsiders() -> bool {
    fs::read_link("/proc/self/ns/pid").map_or(true, |link| link.as_os_str() != INITIAL_PID)
}

/// Whether process 1 is that of the machine, and this IPC namespace is another one: not even every root
/// may look at that process, and it is not here.
pub(in crate::kernel) fn is_init_elsewhere(here: Identity) -> io::Result<bool> {
    Ok(!here.is_initial() && fs::read_link("/proc/self/ns/pid")?.as_os_str() == INITIAL_PID)
}

/// What was seen of the processes.
#[derive(Debug, Default)]
pub struct Scan {
    found: Found,
    /// The processes that could not be inspected.
    pub uninspected: Vec<Hidden>,
}

impl Scan {
    /// Looks at every process, on all processors, for what is used in this IPC namespace. One that
    /// vanishes meanwhile is no error.
    pub fn new(namespace: &Handle, scope: &ScanScope) -> io::Result<Scan> {
        if scope.is_empty() {
            return Ok(Scan::default());
        }
        check_proc().map_err(io::Error::other)?;
        let here = namespace.identity()?;
        let is_init_elsewhere = is_init_elsewhere(here)?;
        let pids = listed()?.collect::<io::Result<Vec<i32>>>()?;
        let devices = if scope.attachments { shm::devices()? } else { Vec::new() };
        let setting = Setting { scope, here, is_init_elsewhere, devices: &devices };
        let mut scan = Scan::default();
        // Mounted with hidepid=2, /proc conceals even that there are other processes.
        if !fs::exists("/proc/1").unwrap_or(false) {
            scan.uninspected.push(Hidden::nameless());
        }
        scan.inspect_on_all_processors(&setting, &pids);
        Ok(scan)
    }

    fn inspect_on_all_processors(&mut self, setting: &Setting<'_>, pids: &[i32]) {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        // Starting a thread takes as long as looking at some processes.
        let share = pids.len().div_ceil(processors).max(64);
        let mut shares = pids.chunks(share);
        let own_share = shares.next().unwrap_or_default();
        thread::scope(|scope| {
            let start = |pids| {
                let inspect = move || Inspector::inspect_all(setting, pids);
                (pids, thread::Builder::new().spawn_scoped(scope, inspect))
            };
            let started: Vec<_> = shares.map(start).collect();
            self.add(Inspector::inspect_all(setting, own_share));
            for (pids, started) in started {
                // Where no thread could be started, or one has failed, this one looks.
                let found = started.ok().and_then(|thread| thread.join().ok());
                self.add(found.unwrap_or_else(|| Inspector::inspect_all(setting, pids)));
            }
        });
    }

    /// Adds what some of the processes showed.
    fn add(&mut self, (found, hidden): (Found, Vec<Hidden>)) {
        self.found.extend(found);
        self.uninspected.extend(hidden);
    }

    /// The processes that use an object now, and how; one entry for each thread that waits.
    pub fn present(&self, object: &Object) -> &[(i32, Role)] {
        self.found.of(object)
    }

    /// Adds to an attached segment what only its place in the memory of a process shows: that it has huge
    /// pages. Takes a scan for attachments.
    pub fn complete(&self, segment: &mut Segment) {
        if let Some(pages) = self.found.huge(segment.id).filter(|_| segment.attached > 0) {
            segment.set_huge_page(pages.size, page_size(), pages.resident);
        }
    }
}
