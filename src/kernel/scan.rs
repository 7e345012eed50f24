//! Who holds an object or sleeps on it right now: one pass over `/proc`, `proc(5)`.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::thread;

use super::{dev_shm, named, process, shm};
use crate::ipc::message::Wanted;
use crate::ipc::object::FileIdentity;
use crate::ipc::user::{Operation, Role};
use crate::ipc::{Caller, Kind, Object};

/// What to look for: reading costs time.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Who has segments attached: reads the maps of every process.
    pub attachments: bool,
    /// Who waits on queues and sets: reads the system call of every thread.
    pub waiters: bool,
    /// Who has these POSIX objects open or mapped: reads the descriptors and maps of every process.
    files: HashMap<FileIdentity, Kind>,
    /// How their files are called: most descriptors are told by that to be none of them.
    file_names: HashSet<OsString>,
}

impl Look {
    /// What tells of these objects: a segment that the kernel counts as unattached needs no look.
    pub fn around(objects: &[Object]) -> Look {
        let mut look = Look::default();
        for object in objects {
            match object {
                Object::Segment(segment) => look.attachments |= segment.attached > 0,
                Object::Queue(_) | Object::SemaphoreSet(_) => look.waiters = true,
                _ => {}
            }
            if let Some(file) = object.file() {
                look.files.insert(file.identity, object.kind());
                look.file_names.insert(dev_shm::file_name(object.kind(), &file.name));
            }
        }
        look
    }

    fn is_for_system_v(&self) -> bool {
        self.attachments || self.waiters
    }

    /// The POSIX object of this device and inode.
    fn wanted(&self, identity: FileIdentity) -> Option<(FileIdentity, Kind)> {
        self.files.get(&identity).map(|&kind| (identity, kind))
    }
}

/// The namespaces in which the first process of a machine lives: the kernel's fixed inodes.
const INITIAL_IPC: &str = "ipc:[4026531839]";
const INITIAL_PID: &str = "pid:[4026531836]";

/// Whether processes of other process namespaces may well share the IPC namespace of this one: it is
/// the machine's, and the process namespace is not.
pub fn has_outsiders() -> bool {
    is_initial()
        && fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() != INITIAL_PID)
}

/// Whether this process lives in the IPC namespace of the machine.
pub fn is_initial() -> bool {
    fs::read_link("/proc/self/ns/ipc").is_ok_and(|link| link.as_os_str() == INITIAL_IPC)
}

/// What was seen of the processes.
#[derive(Debug, Default)]
pub struct Scan {
    /// For each object the processes that have to do with it; one entry for each thread that waits.
    present: HashMap<(Kind, i32), Vec<(i32, Role)>>,
    /// The same for POSIX objects.
    holders: HashMap<FileIdentity, Vec<(i32, Role)>>,
    /// The processes that could not be inspected.
    pub uninspected: Vec<Hidden>,
}

/// A process that could not be inspected.
#[derive(Debug)]
pub struct Hidden {
    /// Who it is, as far as that is known.
    pub identity: Option<Caller>,
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
            _ => self.is_near,
        }
    }
}

impl Scan {
    /// Looks at every process, on all processors. One that vanishes meanwhile is no error.
    pub fn new(look: &Look) -> io::Result<Scan> {
        if !look.is_for_system_v() && look.files.is_empty() {
            return Ok(Scan::default());
        }
        if !process::is_own_proc() {
            return Err(io::Error::other(
                "/proc belongs to another process namespace: mount one for this namespace first",
            ));
        }
        let own = fs::read_link("/proc/self/ns/ipc")?.into_os_string();
        // Not even every root may look at the first process of the machine, which is not here.
        let is_init_elsewhere =
            own != *INITIAL_IPC && fs::read_link("/proc/self/ns/pid")?.as_os_str() == INITIAL_PID;
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc")? {
            pids.extend(number(&entry?.file_name()));
        }
        let devices = if look.attachments { shm::devices() } else { Vec::new() };
        let part = |pids: &[i32]| {
            let mut scan = Scan::default();
            let mut buffer = Vec::new();
            for &pid in pids {
                let is_near = pid != 1 || !is_init_elsewhere;
                if !is_near && look.files.is_empty() {
                    continue;
                }
                let seen = scan.inspect(pid, look, &own, &devices, &mut buffer);
                let is_hidden =
                    seen.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
                // Threads of the kernel have nothing to do with IPC, and nobody may look.
                if is_hidden && !process::is_kernel_thread(pid) {
                    let devices = || process::mounted_devices(pid);
                    scan.uninspected.push(Hidden {
                        identity: process::identity(pid),
                        is_near,
                        devices: if look.files.is_empty() { None } else { devices() },
                    });
                }
            }
            scan
        };
        // Starting a thread takes as long as looking at some processes.
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let share = pids.len().div_ceil(processors).max(64);
        Ok(thread::scope(|scope| {
            let parts: Vec<_> = pids.chunks(share).map(|pids| scope.spawn(|| part(pids))).collect();
            let mut whole = Scan::default();
            // Mounted with hidepid=2, /proc conceals even that there is somebody.
            if !fs::exists("/proc/1").unwrap_or(false) {
                whole.uninspected.push(Hidden { identity: None, is_near: true, devices: None });
            }
            for part in parts.into_iter().filter_map(|part| part.join().ok()) {
                whole.uninspected.extend(part.uninspected);
                for (object, users) in part.present {
                    whole.present.entry(object).or_default().extend(users);
                }
                for (object, users) in part.holders {
                    whole.holders.entry(object).or_default().extend(users);
                }
            }
            whole
        }))
    }

    /// The processes that have to do with an object now.
    pub fn present(&self, object: &Object) -> &[(i32, Role)] {
        let users = match (object.id(), object.file()) {
            (Some(id), _) => self.present.get(&(object.kind(), id)),
            (None, file) => file.and_then(|file| self.holders.get(&file.identity)),
        };
        users.map_or(&[], Vec::as_slice)
    }

    fn inspect(
        &mut self,
        pid: i32,
        look: &Look,
        own: &OsString,
        devices: &[(u32, u32)],
        buffer: &mut Vec<u8>,
    ) -> io::Result<()> {
        let mut directory = format!("/proc/{pid}");
        let mut namespace = fs::read_link(format!("{directory}/ns/ipc"));
        if namespace.is_err() {
            // The first thread may have ended while others live.
            for task in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
                let of_task = fs::read_link(task.path().join("ns/ipc"));
                if of_task.is_ok() {
                    namespace = of_task;
                    directory = task.path().to_string_lossy().into_owned();
                    break;
                }
            }
        }
        let is_near = namespace?.as_os_str() == own;
        // Segments and sets belong to their namespace; a file may have been handed on.
        let attachments = look.attachments && is_near;
        let holds = if look.files.is_empty() {
            Holds::default()
        } else {
            Holds { open: descriptors(&directory, look)?, ..Holds::default() }
        };
        let holds = if attachments || look.files.values().any(|kind| *kind != Kind::Pmsg) {
            read(&format!("{directory}/maps"), buffer)?;
            if attachments {
                for id in attached(buffer, devices) {
                    let users = self.present.entry((Kind::Shm, id)).or_default();
                    if users.last().is_none_or(|(last, _)| *last != pid) {
                        users.push((pid, Role::Attached));
                    }
                }
            }
            Holds { mapped: mapped(buffer, look), ..holds }
        } else {
            holds
        };
        let waits = (look.waiters && is_near) || holds.may_wait();
        if waits {
            self.find_waiters(pid, look.waiters && is_near, &holds, look, buffer)?;
        }
        for (file, role) in holds.roles() {
            let users = self.holders.entry(file).or_default();
            // Who sleeps on it has it open or mapped anyway.
            if users.iter().all(|(user, _)| *user != pid) {
                users.push((pid, role));
            }
        }
        Ok(())
    }

    /// Looks at the system call of each thread.
    fn find_waiters(
        &mut self,
        pid: i32,
        is_near: bool,
        holds: &Holds,
        look: &Look,
        buffer: &mut Vec<u8>,
    ) -> io::Result<()> {
        let mut denied = None;
        let mut has_read = false;
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let Some(thread) = number(&task?.file_name()) else { continue };
            let directory = format!("/proc/{pid}/task/{thread}");
            match read(&format!("{directory}/syscall"), buffer) {
                Ok(()) => has_read = true,
                Err(error) => {
                    // Denied for a thread that has ended, too.
                    denied = Some(error).filter(|e| e.kind() == ErrorKind::PermissionDenied);
                    continue;
                }
            }
            let Some(call) = SystemCall::parse(buffer) else { continue };
            if let Some((kind, id, role)) = call.waits_on(&directory).filter(|_| is_near) {
                self.present.entry((kind, id)).or_default().push((pid, role));
            }
            if let Some((file, role)) = call.waits_on_file(&directory, holds, look) {
                self.holders.entry(file).or_default().push((pid, role));
            }
        }
        match denied.filter(|_| !has_read) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
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
fn descriptors(directory: &str, look: &Look) -> io::Result<Vec<(FileIdentity, Kind)>> {
    let mut open = Vec::new();
    for entry in fs::read_dir(format!("{directory}/fd"))? {
        let path = entry?.path();
        // Closed meanwhile.
        let Ok(target) = fs::read_link(&path) else { continue };
        // Asking some file systems about a file takes for ever: these are asked by their names only.
        let is_candidate = target.file_name().is_some_and(|name| {
            look.file_names.contains(name)
                || name
                    .as_bytes()
                    .strip_suffix(b" (deleted)")
                    .is_some_and(|name| look.file_names.contains(std::ffi::OsStr::from_bytes(name)))
        });
        if is_candidate {
            let data = fs::metadata(&path).ok();
            open.extend(data.and_then(|data| look.wanted(named::identity(&data))));
        }
    }
    Ok(open)
}

fn number(name: &OsString) -> Option<i32> {
    name.to_str()?.parse().ok()
}

/// Reads a file of `/proc` from its start to its end, into a buffer that is used again.
fn read(path: &str, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    File::open(path)?.read_to_end(buffer)?;
    Ok(())
}

/// The ids of the segments in the text of `/proc/PID/maps`: the mapped file is called `/SYSV…` and
/// lies on the kernel's own file system for segments, its inode is the id. A name alone proves
/// nothing: anybody can give it to a file.
fn attached<'a>(maps: &'a [u8], devices: &'a [(u32, u32)]) -> impl Iterator<Item = i32> + 'a {
    let may_have_some = maps.windows(6).any(|window| window == b" /SYSV");
    let lines = if may_have_some { maps } else { b"" };
    lines.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.split_ascii_whitespace().skip(3);
        let (major, minor) = words.next()?.split_once(':')?;
        let device = (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
        let inode = words.next()?;
        let is_segment = devices.contains(&device) && words.next()?.starts_with("/SYSV");
        is_segment.then(|| inode.parse().ok())?
    })
}

/// The POSIX objects in the text of `/proc/PID/maps`, and where they lie.
fn mapped(maps: &[u8], look: &Look) -> Vec<(Range<u64>, FileIdentity, Kind)> {
    let line = |line: &[u8]| {
        let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let (major, minor) = words.nth(2)?.split_once(':')?;
        let number = |text| u32::from_str_radix(text, 16).ok();
        let device = libc::makedev(number(major)?, number(minor)?);
        let inode = words.next()?.parse().ok()?;
        let (file, kind) = look.wanted(FileIdentity { device, inode })?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        Some((address(start)?..address(end)?, file, kind))
    };
    // Most are of programs and libraries: a name that is no text is seldom, and may be ours.
    maps.split(|&byte| byte == b'\n').filter_map(|text| line(up_to_name(text))).collect()
}

/// A line of `/proc/PID/maps` without the name at its end.
fn up_to_name(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|&byte| byte == b'/').unwrap_or(line.len());
    &line[..end]
}

/// The system call in which a thread is, `/proc/PID/task/TID/syscall`.
struct SystemCall {
    number: i64,
    arguments: [u64; 6],
}

impl SystemCall {
    fn parse(text: &[u8]) -> Option<SystemCall> {
        let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
        // "running" is none.
        let number = words.next()?.parse().ok()?;
        let mut arguments = [0u64; 6];
        for argument in &mut arguments {
            *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        Some(SystemCall { number, arguments })
    }

    /// On which object of System V the thread sleeps, if on one.
    fn waits_on(&self, directory: &str) -> Option<(Kind, i32, Role)> {
        let arguments = &self.arguments;
        let id = arguments[0] as i32;
        Some(match self.number {
            libc::SYS_msgsnd => (Kind::Msg, id, Role::WaitsToSend(arguments[2])),
            libc::SYS_msgrcv => {
                let except = arguments[4] as i32 & libc::MSG_EXCEPT != 0;
                let wanted = Wanted::from_number(arguments[3] as i64, except);
                (Kind::Msg, id, Role::WaitsToReceive(wanted))
            }
            libc::SYS_semop | libc::SYS_semtimedop => {
                let operations = operations(directory, arguments[1], arguments[2]);
                (Kind::Sem, id, Role::WaitsOnSemaphores(operations))
            }
            _ => return None,
        })
    }

    /// On which POSIX object it sleeps: a queue by its descriptor, a semaphore by its address.
    fn waits_on_file(
        &self,
        directory: &str,
        holds: &Holds,
        look: &Look,
    ) -> Option<(FileIdentity, Role)> {
        let [first, second, third, ..] = self.arguments;
        let queue = || {
            let data = fs::metadata(format!("{directory}/fd/{}", first as i32)).ok()?;
            Some(look.wanted(named::identity(&data))?.0)
        };
        match self.number {
            libc::SYS_mq_timedsend => Some((queue()?, Role::WaitsToSend(third))),
            libc::SYS_mq_timedreceive => Some((queue()?, Role::WaitsToReceive(Wanted::Any))),
            libc::SYS_futex => {
                const FUTEX_CMD_MASK: u64 = 0x7f;
                let command = (second & FUTEX_CMD_MASK) as i32;
                let waits = matches!(command, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET);
                let mut semaphores = holds.mapped.iter().filter(|(.., kind)| *kind == Kind::Psem);
                let (_, file, _) = semaphores.find(|(range, ..)| range.contains(&first))?;
                waits.then_some((*file, Role::WaitsForIncrease))
            }
            _ => None,
        }
    }
}

/// The operations that a thread sleeps on, read from its memory: those that only add never sleep.
fn operations(directory: &str, address: u64, count: u64) -> Vec<Operation> {
    /// The size of `struct sembuf`: number, operation and flags, two bytes each.
    const SIZE: usize = 6;
    // SEMOPM is 500.
    let mut bytes = vec![0; count.min(500) as usize * SIZE];
    let memory = File::open(format!("{directory}/mem"));
    if memory.and_then(|memory| memory.read_exact_at(&mut bytes, address)).is_err() {
        return Vec::new();
    }
    let operations = bytes.chunks_exact(SIZE).map(|bytes| Operation {
        semaphore: u16::from_ne_bytes([bytes[0], bytes[1]]),
        change: i16::from_ne_bytes([bytes[2], bytes[3]]),
    });
    operations.filter(|operation| operation.change <= 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAPS: &str = "\
55d0c0a00000-55d0c0a21000 r--p 00000000 fe:00 131 /usr/bin/perl
7f0000000000-7f0000001000 rw-s 00000000 00:01 32768                      /SYSV0000beef (deleted)
7f0000002000-7f0000003000 rw-s 00000000 00:11 5                          /SYSV00000000 (deleted)
7f0000004000-7f0000005000 rw-s 00000000 fe:00 77                         /SYSV0000cafe
7f0000006000-7f0000007000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
";

    #[test]
    fn a_segment_is_told_from_a_file_of_its_name_by_the_device() {
        let ids = |devices: &[(u32, u32)]| attached(MAPS.as_bytes(), devices).collect::<Vec<_>>();
        assert_eq!(ids(&[(0, 1)]), [32768]);
        assert_eq!(ids(&[(0, 1), (0, 0x11)]), [32768, 5], "huge pages, too");
        assert_eq!(ids(&[]), Vec::<i32>::new());
    }

    #[test]
    fn calls_that_sleep_on_an_object() {
        let of = |call: i64, arguments: &str| {
            let text = format!("{call} {arguments} 0x7ffd 0x7f00\n");
            SystemCall::parse(text.as_bytes()).and_then(|call| call.waits_on("/nowhere"))
        };
        let receive = |wanted| Some((Kind::Msg, 5, Role::WaitsToReceive(wanted)));
        assert_eq!(of(libc::SYS_msgrcv, "0x5 0x7f 0x64 0x7 0x0 0x0"), receive(Wanted::Type(7)));
        assert_eq!(of(libc::SYS_msgrcv, "0x5 0x7f 0x64 0x0 0x0 0x0"), receive(Wanted::Any));
        assert_eq!(
            of(libc::SYS_msgrcv, "0x5 0x7f 0x64 0xfffffffffffffff9 0x0 0x0"),
            receive(Wanted::UpTo(7))
        );
        assert_eq!(
            of(libc::SYS_msgrcv, "0x5 0x7f 0x64 0x7 0x2000 0x0"),
            receive(Wanted::Except(7))
        );
        assert_eq!(
            of(libc::SYS_msgsnd, "0x8000 0x7f 0x64 0x0 0x0 0x0"),
            Some((Kind::Msg, 32768, Role::WaitsToSend(0x64)))
        );
        assert_eq!(of(libc::SYS_read, "0x5 0x7f 0x64 0x7 0x0 0x0"), None);
        assert!(SystemCall::parse(b"running\n").is_none());
        assert!(SystemCall::parse(b"-1 0x7ffd 0x7f00\n").is_none());
    }

    #[test]
    fn a_mapped_file_is_told_by_device_and_inode() {
        let mut look = Look::default();
        let file = FileIdentity { device: libc::makedev(0xfe, 0), inode: 77 };
        look.files.insert(file, Kind::Pshm);
        let range = 0x7f0000004000..0x7f0000005000;
        assert_eq!(mapped(MAPS.as_bytes(), &look), [(range, file, Kind::Pshm)]);
        assert_eq!(mapped(MAPS.as_bytes(), &Look::default()), []);
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, text in "[0-9a-fx: /SYV-]{0,100}") {
            for bytes in [&bytes, text.as_bytes()] {
                let _ = attached(bytes, &[(0, 1)]).count();
                let _ = mapped(bytes, &Look::default());
                let _ = SystemCall::parse(bytes).and_then(|call| call.waits_on(""));
            }
        }
    }
}
