//! What a single process uses: its mappings, its descriptors, and the system calls of its threads.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use super::found::{Found, HugePages};
use super::hidden::{Hidden, home_of};
use super::holds::Holds;
use super::maps::{Attached, Mapping, Maps, Which};
use super::scope::ScanScope;
use super::system_call::SystemCall;
use crate::kernel::namespace::identity::Identity;
use crate::kernel::process::pids::threads;
use crate::kernel::process::stat::{has_left, has_thread_left};
use crate::kernel::sysv::shm::Device;

/// The input of an inspection, the same for all processes.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// What to look for.
    pub(super) scope: &'a ScanScope,
    /// The IPC namespaces of the objects.
    pub(super) here: &'a HashSet<Identity>,
    /// The file systems on which segments reside.
    pub(super) devices: &'a [Device],
}

/// Inspects one process after the other.
#[derive(Debug)]
pub(super) struct Inspector<'a> {
    setting: &'a Setting<'a>,
    /// The results so far.
    found: Found,
    /// The processes that could not be inspected.
    hidden: Vec<Hidden>,
    maps: Maps,
    /// A buffer for one file of `/proc` after the other.
    buffer: Vec<u8>,
}

impl<'a> Inspector<'a> {
    /// What these processes use, and which of them could not be inspected. Processes that end meanwhile
    /// are skipped.
    pub(super) fn inspect_all(setting: &'a Setting<'a>, pids: &[i32]) -> (Found, Vec<Hidden>) {
        let (found, hidden, maps, buffer) = Default::default();
        let mut inspector = Inspector { setting, found, hidden, maps, buffer };
        pids.iter().for_each(|&pid| inspector.visit(pid));
        (inspector.found, inspector.hidden)
    }

    fn visit(&mut self, pid: i32) {
        let scope = self.setting.scope;
        let is_far = home_of(pid).is_some_and(|home| !self.setting.here.contains(&home));
        if is_far && !scope.has_files() {
            return;
        }
        match self.inspect(pid) {
            // A process that has ended uses nothing any more.
            Err(_) if has_left(pid) => {}
            Err(error) => self.hidden.extend(Hidden::of(pid, scope, &error)),
            Ok(()) => {}
        }
    }

    fn inspect(&mut self, pid: i32) -> io::Result<()> {
        let scope = self.setting.scope;
        let (directory, namespace) = living_thread(pid)?;
        // Segments and sets belong to one namespace, but the descriptor of a file may come from another
        // one.
        let attachments = scope.attachments && self.setting.here.contains(&namespace);
        let mut holds = Holds::open(&directory, scope)?;
        if attachments || scope.has_mapped_files() {
            let which = match scope.has_mapped_files() {
                true => Which::Files,
                false => Which::SharedFiles,
            };
            let Inspector { setting, found, maps, .. } = self;
            maps.each(&directory, which, &mut |mapping| {
                if attachments && let Some(segment) = Attached::of(&mapping, setting.devices) {
                    add_attached(found, namespace, &segment, &mapping, pid, &directory);
                }
                holds.add(&mapping, scope);
                Ok(())
            })?;
        }
        // Inspecting the system calls of threads takes more privileges than inspecting what the process
        // holds.
        let waiters = match scope.waiters || holds.may_wait() {
            true => self.find_waiters(pid, &holds),
            false => Ok(()),
        };
        for (file, role) in holds.roles() {
            // A process that waits on a POSIX object also has it open or mapped, and was found before.
            self.found.add_holder(file, pid, role);
        }
        waiters
    }

    /// Inspects the system call of each thread.
    fn find_waiters(&mut self, pid: i32, holds: &Holds) -> io::Result<()> {
        let Setting { scope, here, .. } = *self.setting;
        let mut missed = None;
        for thread in threads(pid)? {
            let directory = format!("/proc/{pid}/task/{thread}");
            if let Err(error) = read(&format!("{directory}/syscall"), &mut self.buffer) {
                // It is also denied for a thread that has ended.
                if !has_thread_left(pid, thread) {
                    missed = Some(error);
                }
                continue;
            }
            let Some(call) = SystemCall::parse(&self.buffer, &directory) else { continue };
            if let Some((kind, id, role)) = call.waits_on(&directory).filter(|_| scope.waiters) {
                // Each thread has its own IPC namespace, which usually is that of its process.
                match Identity::of_thread(pid, thread) {
                    Ok(namespace) if here.contains(&namespace) => {
                        self.found.add_waiter(namespace, (kind, id), pid, role);
                    }
                    Ok(_) => {}
                    Err(error) if !has_thread_left(pid, thread) => missed = Some(error),
                    Err(_) => {}
                }
            }
            if let Some((file, role)) = call.waits_on_file(&directory, holds, scope)? {
                self.found.add_file_waiter(file, pid, role);
            }
        }
        missed.map_or(Ok(()), Err)
    }
}

/// Adds a segment that a process has attached.
fn add_attached(
    found: &mut Found,
    namespace: Identity,
    segment: &Attached,
    mapping: &Mapping<'_>,
    pid: i32,
    directory: &str,
) {
    let Attached { id, key, huge_page } = *segment;
    if let Some(size) = huge_page {
        // Needs privileges. The block count of the file is right, unlike the `rss` of the segment.
        let file = fs::metadata(mapping.link(directory));
        let resident = file.ok().map(|file| file.blocks() * 512);
        found.add_huge((namespace, id), HugePages { size, resident });
    }
    found.add_attached((namespace, id), key, pid);
}

/// The directory of a process in `/proc` and its IPC namespace; those of another thread if the first
/// one has ended and others live.
fn living_thread(pid: i32) -> io::Result<(String, Identity)> {
    let (thread, namespace) = Identity::of_living(pid)?;
    let directory = match thread == pid {
        true => format!("/proc/{pid}"),
        false => format!("/proc/{pid}/task/{thread}"),
    };
    Ok((directory, namespace))
}

/// Reads a whole file of `/proc` into a buffer that is reused.
pub(super) fn read(path: &str, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    File::open(path)?.read_to_end(buffer)?;
    Ok(())
}
