//! Who holds an object or sleeps on it right now: one pass over `/proc`, `proc(5)`.

mod compat;
pub(crate) mod maps;
pub mod sleepers;
pub(crate) mod system_call;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::thread;

use maps::{Attached, attached, mapped};
use system_call::SystemCall;

use super::{Length, is_gone_error, threads};
use crate::ipc::posix::FileIdentity;
use crate::ipc::process::role::Role;
use crate::ipc::{Caller, Kind, Object, PosixMemory, PosixQueue, PosixSemaphore, Segment};
use crate::kernel::io::file_identity::identity_at;
use crate::kernel::io::os_error;
use crate::kernel::namespace::identity::{Handle, Identity};
use crate::kernel::process;
use crate::kernel::sysv::shm;
use crate::kernel::sysv::shm::Device;

/// What to look for: reading costs time.
#[derive(Clone, Debug, Default)]
pub struct ScanScope {
    /// Who has segments attached: reads the maps of every process.
    pub attachments: bool,
    /// Who waits on queues and sets: reads the system call of every thread.
    pub waiters: bool,
    /// Who has these POSIX objects open or mapped: reads the descriptors and maps of every process.
    files: HashMap<FileIdentity, Kind>,
    /// Whether anybody anywhere has them open or mapped: asks the kernel for a lease on each.
    pub leases: bool,
    /// How much to read of the command lines of those who are found.
    commands: Length,
}

impl ScanScope {
    /// What tells of these objects: a segment that the kernel counts as unattached needs no look.
    pub fn around(objects: &[Object]) -> ScanScope {
        let mut scope = ScanScope::default();
        for object in objects {
            match object {
                Object::Segment(segment) => scope.attachments |= segment.attached > 0,
                Object::Queue(_) | Object::SemaphoreSet(_) => scope.waiters = true,
                Object::PosixQueue(PosixQueue { file, .. })
                | Object::PosixMemory(PosixMemory { file, .. })
                | Object::PosixSemaphore(PosixSemaphore { file, .. }) => {
                    scope.files.insert(file.identity, object.kind());
                }
            }
        }
        scope
    }

    /// The same, to tell whether somebody uses them.
    pub fn to_judge(objects: &[Object]) -> ScanScope {
        ScanScope { leases: true, ..ScanScope::around(objects) }
    }

    /// The same with so much of the command line of each process that is found.
    pub fn with_commands(self, length: Length) -> ScanScope {
        ScanScope { commands: length, ..self }
    }

    /// How much to read of command lines.
    pub(in crate::kernel) fn commands(&self) -> Length {
        self.commands
    }

    fn is_for_system_v(&self) -> bool {
        self.attachments || self.waiters
    }

    /// The POSIX object of this device and inode.
    fn wanted(&self, identity: FileIdentity) -> Option<(FileIdentity, Kind)> {
        self.files.get(&identity).map(|&kind| (identity, kind))
    }
}

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
    /// For each object the processes that have to do with it; one entry for each thread that waits.
    present: HashMap<(Kind, i32), Vec<(i32, Role)>>,
    /// The same for POSIX objects.
    holders: HashMap<FileIdentity, Vec<(i32, Role)>>,
    /// The segments of huge pages among those that are attached, by id.
    huge: HashMap<i32, HugePages>,
    /// The processes that could not be inspected.
    pub uninspected: Vec<Hidden>,
}

/// What holds a segment of huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HugePages {
    /// Their size in bytes.
    size: u64,
    /// How many bytes of them are in memory, where the caller may know.
    resident: Option<u64>,
}

/// A process that could not be inspected.
#[derive(Debug)]
pub struct Hidden {
    /// Who it is, as far as that is known.
    pub identity: Option<Caller>,
    /// What went wrong, if it was anything but a lack of permission.
    pub error: Option<String>,
    /// Whether it may be in the IPC namespace of this process.
    is_near: bool,
    /// The devices of the file systems that it sees, as far as that is known.
    devices: Option<HashSet<u64>>,
}

impl Hidden {
    /// Whether it may come to this object at all, whatever its mode.
    pub fn may_reach(&self, object: &Object) -> bool {
        match object {
            Object::PosixMemory(_) | Object::PosixSemaphore(_) => {
                let device = object.file().map_or(0, |file| file.identity.device);
                self.devices.as_ref().is_none_or(|devices| devices.contains(&device))
            }
            Object::Queue(_)
            | Object::Segment(_)
            | Object::SemaphoreSet(_)
            | Object::PosixQueue(_) => self.is_near,
        }
    }
}

impl Scan {
    /// Looks at every process, on all processors, for what is used in this IPC namespace. One that
    /// vanishes meanwhile is no error.
    pub fn new(namespace: &Handle, scope: &ScanScope) -> io::Result<Scan> {
        if !scope.is_for_system_v() && scope.files.is_empty() {
            return Ok(Scan::default());
        }
        process::check_proc().map_err(io::Error::other)?;
        let here = namespace.identity()?;
        let is_init_elsewhere = is_init_elsewhere(here)?;
        let pids = process::listed()?;
        let devices = if scope.attachments { shm::devices()? } else { Vec::new() };
        let part = |pids: &[i32]| {
            let mut scan = Scan::default();
            let mut buffer = Vec::new();
            for &pid in pids {
                let is_near = pid != 1 || !is_init_elsewhere;
                if !is_near && scope.files.is_empty() {
                    continue;
                }
                match scan.inspect(pid, scope, here, &devices, &mut buffer) {
                    // What it used, it uses no more.
                    Err(_) if process::has_left(pid) => {}
                    Err(error) => scan.miss(pid, scope, is_near, &error),
                    Ok(()) => {}
                }
            }
            scan
        };
        // Starting a thread takes as long as looking at some processes.
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let share = pids.len().div_ceil(processors).max(64);
        Ok(thread::scope(|scope| {
            let mut whole = Scan::default();
            // Mounted with hidepid=2, /proc conceals even that there is somebody.
            if !fs::exists("/proc/1").unwrap_or(false) {
                whole.uninspected.push(Hidden {
                    identity: None,
                    error: None,
                    is_near: true,
                    devices: None,
                });
            }
            let mut shares = pids.chunks(share);
            let own_share = shares.next().unwrap_or_default();
            let parts: Vec<_> = shares
                .map(|pids| {
                    let started = thread::Builder::new().spawn_scoped(scope, || part(pids));
                    (pids, started)
                })
                .collect();
            whole.add(part(own_share));
            for (pids, started) in parts {
                // Without a thread to be had, this one looks. What one has not found, as little.
                let found = started.ok().and_then(|thread| thread.join().ok());
                whole.add(found.unwrap_or_else(|| part(pids)));
            }
            whole
        }))
    }

    /// Adds what another part of the processes showed.
    fn add(&mut self, part: Scan) {
        self.uninspected.extend(part.uninspected);
        self.huge.extend(part.huge);
        for (object, users) in part.present {
            self.present.entry(object).or_default().extend(users);
        }
        for (object, users) in part.holders {
            self.holders.entry(object).or_default().extend(users);
        }
    }

    /// Notes that not all of a process could be seen.
    fn miss(&mut self, pid: i32, scope: &ScanScope, is_near: bool, error: &io::Error) {
        // Threads of the kernel have nothing to do with IPC, and nobody may look.
        if process::is_kernel_thread(pid) {
            return;
        }
        let is_denied = error.kind() == ErrorKind::PermissionDenied || is_gone_error(error);
        self.uninspected.push(Hidden {
            identity: process::identity(pid),
            error: (!is_denied).then(|| os_error::describe(error)),
            is_near,
            devices: if scope.files.is_empty() { None } else { process::mounted_devices(pid) },
        });
    }

    /// The processes that have to do with an object now.
    pub fn present(&self, object: &Object) -> &[(i32, Role)] {
        let users = match (object.id(), object.file()) {
            (Some(id), _) => self.present.get(&(object.kind(), id)),
            (None, file) => file.and_then(|file| self.holders.get(&file.identity)),
        };
        users.map_or(&[], Vec::as_slice)
    }

    /// Adds to an attached segment what only its place in the memory of a process tells: that it has
    /// huge pages. Takes a look for attachments.
    pub fn complete(&self, segment: &mut Segment) {
        if let Some(pages) = self.huge.get(&segment.id).filter(|_| segment.attached > 0) {
            segment.set_huge_page(pages.size, process::page_size(), pages.resident);
        }
    }

    fn inspect(
        &mut self,
        pid: i32,
        scope: &ScanScope,
        here: Identity,
        devices: &[Device],
        buffer: &mut Vec<u8>,
    ) -> io::Result<()> {
        let mut directory = format!("/proc/{pid}");
        let mut namespace = Identity::of(pid);
        if namespace.is_err() {
            // The first thread may have ended while others live.
            for thread in threads(pid)? {
                let of_thread = format!("/proc/{pid}/task/{thread}");
                let of_other = Identity::of_thread(pid, thread);
                if of_other.is_ok() {
                    namespace = of_other;
                    directory = of_thread;
                    break;
                }
            }
        }
        let is_near = namespace? == here;
        // Segments and sets belong to their namespace; a file may have been handed on.
        let attachments = scope.attachments && is_near;
        let holds = if scope.files.is_empty() {
            Holds::default()
        } else {
            Holds { open: descriptors(&directory, scope)?, ..Holds::default() }
        };
        let holds = if attachments || scope.files.values().any(|kind| *kind != Kind::Pmsg) {
            read(&format!("{directory}/maps"), buffer)?;
            if attachments {
                for Attached { id, range, huge_page } in attached(buffer, devices) {
                    if let Some(size) = huge_page {
                        // Takes privileges; the kernel keeps a count of its own in the file.
                        let file = fs::metadata(format!("{directory}/map_files/{range}"));
                        let resident = file.ok().map(|file| file.blocks() * 512);
                        self.huge.insert(id, HugePages { size, resident });
                    }
                    let users = self.present.entry((Kind::Shm, id)).or_default();
                    if users.last().is_none_or(|(last, _)| *last != pid) {
                        users.push((pid, Role::Attached));
                    }
                }
            }
            Holds { mapped: mapped(buffer, scope), ..holds }
        } else {
            holds
        };
        // Looking at what a thread does takes more rights than looking at what its process holds.
        let waiters = match scope.waiters || holds.may_wait() {
            true => self.find_waiters(pid, here, &holds, scope, buffer),
            false => Ok(()),
        };
        for (file, role) in holds.roles() {
            let users = self.holders.entry(file).or_default();
            // Who sleeps on it, and so was found before, has it open or mapped anyway.
            if users.last().is_none_or(|(last, _)| *last != pid) {
                users.push((pid, role));
            }
        }
        waiters
    }

    /// Looks at the system call of each thread.
    fn find_waiters(
        &mut self,
        pid: i32,
        here: Identity,
        holds: &Holds,
        scope: &ScanScope,
        buffer: &mut Vec<u8>,
    ) -> io::Result<()> {
        let mut missed = None;
        for thread in threads(pid)? {
            let directory = format!("/proc/{pid}/task/{thread}");
            match read(&format!("{directory}/syscall"), buffer) {
                Ok(()) => {}
                Err(error) => {
                    // Denied for a thread that has ended, too.
                    if !process::has_thread_left(pid, thread) {
                        missed = Some(error);
                    }
                    continue;
                }
            }
            let Some(call) = SystemCall::parse(buffer, &directory) else { continue };
            if let Some((kind, id, role)) = call.waits_on(&directory).filter(|_| scope.waiters) {
                // Each thread has an IPC namespace of its own, though most share that of their process.
                match Identity::of_thread(pid, thread) {
                    Ok(namespace) if namespace == here => {
                        self.present.entry((kind, id)).or_default().push((pid, role));
                    }
                    Ok(_) => {}
                    Err(error) if !process::has_thread_left(pid, thread) => missed = Some(error),
                    Err(_) => {}
                }
            }
            if let Some((file, role)) = call.waits_on_file(&directory, holds, scope)? {
                self.holders.entry(file).or_default().push((pid, role));
            }
        }
        match missed {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Reads a file of `/proc` from its start to its end, into a buffer that is used again.
fn read(path: &str, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    File::open(path)?.read_to_end(buffer)?;
    Ok(())
}

/// The POSIX objects that a process holds.
#[derive(Debug, Default)]
struct Holds {
    open: Vec<(FileIdentity, Kind)>,
    mapped: Vec<(Range<u64>, FileIdentity, Kind)>,
}

impl Holds {
    /// Whether one of its threads may sleep on one of them.
    fn may_wait(&self) -> bool {
        self.open.iter().any(|(_, kind)| *kind == Kind::Pmsg)
            || self.mapped.iter().any(|(.., kind)| *kind == Kind::Psem)
    }

    /// Each object, once or twice, with the strongest role first.
    fn roles(&self) -> impl Iterator<Item = (FileIdentity, Role)> {
        let mapped = self.mapped.iter().map(|&(_, file, _)| (file, Role::Mapped));
        mapped.chain(self.open.iter().map(|&(file, _)| (file, Role::Open)))
    }
}

/// The POSIX objects among the descriptors of a process.
fn descriptors(directory: &str, scope: &ScanScope) -> io::Result<Vec<(FileIdentity, Kind)>> {
    let mut open = Vec::new();
    for entry in fs::read_dir(format!("{directory}/fd"))? {
        match identity_at(&entry?.path()) {
            Ok(file) => open.extend(scope.wanted(file)),
            // Closed meanwhile, it is nothing.
            Err(error) if is_gone_error(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(open)
}
