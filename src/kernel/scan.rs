//! Who holds a segment or sleeps on a queue or set right now: one pass over `/proc`, `proc(5)`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::thread;

use super::{process, shm};
use crate::ipc::message::Wanted;
use crate::ipc::user::{Operation, Role};
use crate::ipc::{Caller, Kind, Object};

/// What to look for: reading costs time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Who has segments attached: reads the maps of every process.
    pub attachments: bool,
    /// Who waits on queues and sets: reads the system call of every thread.
    pub waiters: bool,
}

impl Look {
    /// What tells of these objects: a segment that the kernel counts as unattached needs no look.
    pub fn around(objects: &[Object]) -> Look {
        Look {
            attachments: objects
                .iter()
                .any(|object| matches!(object, Object::Segment(segment) if segment.attached > 0)),
            waiters: objects.iter().any(|object| object.kind() != Kind::Shm),
        }
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

/// What was seen of the processes in the IPC namespace of this one.
#[derive(Debug, Default)]
pub struct Scan {
    /// For each object the processes that have to do with it; one entry for each thread that waits.
    present: HashMap<(Kind, i32), Vec<(i32, Role)>>,
    /// The processes that could not be inspected, as far as it is known who they are.
    pub uninspected: Vec<Option<Caller>>,
}

impl Scan {
    /// Looks at every process, on all processors. One that vanishes meanwhile is no error.
    pub fn new(look: Look) -> io::Result<Scan> {
        if !look.attachments && !look.waiters {
            return Ok(Scan::default());
        }
        if !process::is_own_proc() {
            return Err(io::Error::other(
                "/proc belongs to another process namespace: mount one for this namespace first",
            ));
        }
        let own = fs::read_link("/proc/self/ns/ipc")?.into_os_string();
        let is_init_elsewhere =
            own != *INITIAL_IPC && fs::read_link("/proc/self/ns/pid")?.as_os_str() == INITIAL_PID;
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc")? {
            // Not even every root may look at the first one.
            pids.extend(number(&entry?.file_name()).filter(|&pid| pid != 1 || !is_init_elsewhere));
        }
        let devices = if look.attachments { shm::devices() } else { Vec::new() };
        let part = |pids: &[i32]| {
            let mut scan = Scan::default();
            let mut buffer = Vec::new();
            for &pid in pids {
                let seen = scan.inspect(pid, look, &own, &devices, &mut buffer);
                let is_hidden =
                    seen.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
                // Threads of the kernel have nothing to do with IPC, and nobody may look.
                if is_hidden && !process::is_kernel_thread(pid) {
                    scan.uninspected.push(process::identity(pid));
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
                whole.uninspected.push(None);
            }
            for part in parts.into_iter().filter_map(|part| part.join().ok()) {
                whole.uninspected.extend(part.uninspected);
                for (object, users) in part.present {
                    whole.present.entry(object).or_default().extend(users);
                }
            }
            whole
        }))
    }

    /// The processes that have to do with an object now.
    pub fn present(&self, kind: Kind, id: i32) -> &[(i32, Role)] {
        self.present.get(&(kind, id)).map_or(&[], Vec::as_slice)
    }

    fn inspect(
        &mut self,
        pid: i32,
        look: Look,
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
        if namespace?.as_os_str() != own {
            return Ok(());
        }
        if look.attachments {
            read(&format!("{directory}/maps"), buffer)?;
            for id in attached(buffer, devices) {
                let users = self.present.entry((Kind::Shm, id)).or_default();
                if users.last().is_none_or(|(last, _)| *last != pid) {
                    users.push((pid, Role::Attached));
                }
            }
        }
        if look.waiters {
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
                if let Some((kind, id, role)) = waiter(buffer, &directory) {
                    self.present.entry((kind, id)).or_default().push((pid, role));
                }
            }
            if let Some(error) = denied.filter(|_| !has_read) {
                return Err(error);
            }
        }
        Ok(())
    }
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

/// On what the thread sleeps whose `/proc/PID/task/TID/syscall` this is, if on an object: the
/// number of the system call and its arguments tell.
fn waiter(syscall: &[u8], directory: &str) -> Option<(Kind, i32, Role)> {
    let mut words = std::str::from_utf8(syscall).ok()?.split_ascii_whitespace();
    // "running" is none.
    let call: i64 = words.next()?.parse().ok()?;
    let (kind, is_send) = match call {
        libc::SYS_msgsnd => (Kind::Msg, true),
        libc::SYS_msgrcv => (Kind::Msg, false),
        libc::SYS_semop | libc::SYS_semtimedop => (Kind::Sem, false),
        _ => return None,
    };
    let mut arguments = [0u64; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    let id = arguments[0] as i32;
    let role = match kind {
        Kind::Sem => Role::WaitsOnSemaphores(operations(directory, arguments[1], arguments[2])),
        _ if is_send => Role::WaitsToSend(arguments[2]),
        _ => {
            let except = arguments[4] as i32 & libc::MSG_EXCEPT != 0;
            Role::WaitsToReceive(Wanted::from_number(arguments[3] as i64, except))
        }
    };
    Some((kind, id, role))
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
            waiter(format!("{call} {arguments} 0x7ffd 0x7f00\n").as_bytes(), "/nowhere")
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
        assert_eq!(waiter(b"running\n", ""), None);
        assert_eq!(waiter(b"-1 0x7ffd 0x7f00\n", ""), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, text in "[0-9a-fx: /SYV-]{0,100}") {
            for bytes in [&bytes, text.as_bytes()] {
                let _ = attached(bytes, &[(0, 1)]).count();
                let _ = waiter(bytes, "");
            }
        }
    }
}
