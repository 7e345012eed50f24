//! What a traced process has at the moment: its descriptors, and files as it sees them. `proc_pid_fd(5)`,
//! `proc_pid_fdinfo(5)`.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::num::NonZero;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use rustix::fs::statfs;

use crate::ipc::{Foreign, Key, Kind, Name, Project, Reference};
use crate::kernel::call::Outcome;
use crate::kernel::process::caller_of;
use crate::kernel::process::status::field;

/// A descriptor of another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// It is not open.
    Closed,
    /// It is a queue, opened with this access mode: `O_RDONLY`, `O_WRONLY` or `O_RDWR`.
    Queue(i32),
    /// It is something else.
    Other(Foreign),
}

/// Why a program is not traced as one would expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is one for another kind of machine, as a 32-bit one, whose calls are not decoded.
    OtherMachine,
    /// It would get the rights of its owner, but no traced program gains rights.
    Unprivileged,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Notice::OtherMachine => {
                "a program for another kind of machine, as a 32-bit one: its calls are not shown"
            }
            Notice::Unprivileged => {
                "a set-user-ID program: it runs without the rights of its owner, because a traced program gains none; root can trace it with them"
            }
        })
    }
}

impl Notice {
    /// What is to be said about the program that a process has just begun to execute.
    pub(super) fn of_program(pid: i32) -> Option<Notice> {
        const EI_CLASS: usize = 4;
        const OWN_CLASS: u8 = if cfg!(target_pointer_width = "64") { 2 } else { 1 };
        let path = format!("/proc/{pid}/exe");
        let mut start = [0; EI_CLASS + 1];
        let read = File::open(&path).and_then(|mut file| file.read_exact(&mut start));
        if read.is_ok() && start.starts_with(b"\x7fELF") && start[EI_CLASS] != OWN_CLASS {
            return Some(Notice::OtherMachine);
        }
        let data = fs::metadata(&path).ok()?;
        let uid = caller_of(pid)?.uid;
        let gains = data.mode() & libc::S_ISUID != 0 && data.uid() != uid;
        gains.then_some(Notice::Unprivileged)
    }
}

/// Whether a thread has a handler for a signal: `SigCgt` in `proc_pid_status(5)`.
pub(super) fn is_caught(thread: i32, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let mask = field(&status, "SigCgt:").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 != 0)
}

/// What a descriptor is that should be a message queue, and its name.
pub fn descriptor(thread: i32, number: i32) -> (Descriptor, Option<Reference>) {
    /// The kind of file system of message queues.
    const MQUEUE_MAGIC: i64 = 0x1980_0202;
    let path = format!("/proc/{thread}/fd/{number}");
    let Ok(target) = fs::read_link(&path) else { return (Descriptor::Closed, None) };
    #[allow(clippy::unnecessary_cast, reason = "it has 32 bits on some machines")]
    let is_queue = statfs(&path).is_ok_and(|data| data.f_type as i64 == MQUEUE_MAGIC);
    if !is_queue {
        return (Descriptor::Other(target.as_path().into()), None);
    }
    let info = fs::read_to_string(format!("/proc/{thread}/fdinfo/{number}")).unwrap_or_default();
    let flags = field(&info, "flags:").and_then(|flags| i32::from_str_radix(flags, 8).ok());
    let access = flags.map_or(libc::O_RDWR, |flags| flags & libc::O_ACCMODE);
    let name = target.into_os_string().into_vec();
    let name = name.strip_prefix(b"/").filter(|name| !name.ends_with(b" (deleted)"));
    let name = name.map(|name| Name::of_file(OsStr::from_bytes(name)));
    (Descriptor::Queue(access), name.map(|name| Reference::name(Kind::Pmsg, name)))
}

/// Where a path of a process leads, as this process sees it.
pub fn path_of(pid: i32, path: &[u8]) -> PathBuf {
    let path = Path::new(OsStr::from_bytes(path));
    match path.strip_prefix("/") {
        Ok(inside) => Path::new(&format!("/proc/{pid}/root")).join(inside),
        Err(_) => Path::new(&format!("/proc/{pid}/cwd")).join(path),
    }
}

/// What `stat(2)` says about a path of a process.
pub fn look_up(pid: i32, path: &[u8]) -> Outcome {
    match fs::metadata(path_of(pid, path)) {
        Ok(_) => Outcome::Returned(0),
        Err(error) => {
            Outcome::Failed(Errno::from_raw(error.raw_os_error().unwrap_or(libc::ENOENT)))
        }
    }
}

/// The project with which `ftok(3)` makes this key of a path of a process, if any does.
pub fn project_of(pid: i32, path: &[u8], key: Key) -> Option<Project> {
    let data = fs::metadata(path_of(pid, path)).ok()?;
    let project = NonZero::new(key.parts().project)?.into();
    (Key::from_file(data.dev(), data.ino(), project) == key).then_some(project)
}

/// The process that traces a thread, `TracerPid` in `proc_pid_status(5)`; `None` if none does.
pub fn tracer_of(thread: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    field(&status, "TracerPid:")?.parse().ok().filter(|&pid| pid != 0)
}
