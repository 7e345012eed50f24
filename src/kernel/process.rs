//! Processes: who hides behind a recorded pid, and whether it lives. `proc(5)`.

pub mod accounts;
pub mod confinement;
pub mod scan;
pub mod uses;

mod activity;
mod clock;
mod credentials;
mod servers;

pub use activity::Activity;
pub(super) use clock::boot_moment;
pub use clock::clock;
use clock::nanoseconds;
pub use credentials::*;
pub use servers::servers;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use nix::unistd;

use crate::ipc::process::role::Living;
use crate::ipc::{Caller, Foreign, foreign};

/// A process that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its effective user id.
    pub uid: u32,
    /// Its command line, words separated by blanks; `[name]` for a kernel thread.
    pub command: Foreign,
    /// What tells it from others that have its id at another time.
    pub living: Living,
}

impl Process {
    /// The process with this id, if there is one that may be looked at. A zombie has ended, whoever
    /// has not yet noticed, unless it is the first thread of a process in which others live.
    pub fn find(pid: i32, length: Length) -> Option<Process> {
        let stat = Stat::read(pid)?;
        if stat.has_ended() {
            return None;
        }
        let uids = uids(pid)?;
        let started = since_boot(stat.started()?)?;
        let family_since_boot = servers::family_since_boot(&stat)?;
        let first_seen = nanoseconds(&fs::metadata(format!("/proc/{pid}")).ok()?);
        let living = Living { since_boot: started, family_since_boot, first_seen, uids };
        let command = command(pid, length).unwrap_or_else(|| stat.bracketed_name());
        Some(Process { pid, uid: uids[1], command, living })
    }
}

/// The real, effective, saved and file system user id of a process, from `/proc/PID/status`.
fn uids(pid: i32) -> Option<[u32; 4]> {
    uids_in(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The same from the text of that file.
fn uids_in(status: &str) -> Option<[u32; 4]> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let mut uids = [0; 4];
    let mut words = line.split_ascii_whitespace();
    for uid in &mut uids {
        *uid = words.next()?.parse().ok()?;
    }
    Some(uids)
}

/// Ticks of the kernel in nanoseconds.
fn since_boot(ticks: i64) -> Option<i64> {
    Some(ticks.saturating_mul(1_000_000_000 / ticks_per_second()?))
}

/// How much of a command line to read: it may have megabytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// As much as a person is shown.
    #[default]
    Shown,
    /// All of it, for a program.
    Whole,
}

/// The command line of a process, words separated by blanks, if it has one and may be looked at.
pub fn command(pid: i32, length: Length) -> Option<Foreign> {
    let most = match length {
        // One more tells that there is more, and the last is the NUL byte at the end.
        Length::Shown => foreign::SHOWN as u64 + 2,
        Length::Whole => u64::MAX,
    };
    let file = File::open(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = Vec::new();
    file.take(most).read_to_end(&mut words).ok()?;
    let is_full = words.len() as u64 == most;
    while words.last() == Some(&0) {
        words.pop();
    }
    words.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    // A process that shortens its own command line pads it with NUL bytes.
    let is_part = is_full && words.len() > foreign::SHOWN;
    (!words.is_empty()).then(|| Foreign::command(words, is_part))
}

/// What a process is to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinship {
    /// Its id.
    pub pid: i32,
    /// The process that made it, or that has adopted it since.
    pub parent: i32,
    /// When it started, in ticks since the machine did: with its id, this names it for ever.
    pub started: i64,
    /// Whether it has ended, and only waits to be noticed by its parent.
    pub has_ended: bool,
    /// Whether its first thread has ended, or is about to.
    pub is_ending: bool,
}

/// It is on its way out, `linux/sched.h`.
const PF_EXITING: u64 = 4;

/// What a process is to others, if it exists.
pub fn kinship(pid: i32) -> Option<Kinship> {
    let stat = Stat::read(pid)?;
    let parent = stat.field(4)?.parse().ok()?;
    let is_ending = stat.flags()? & PF_EXITING != 0;
    let (started, has_ended) = (stat.started()?, stat.has_ended());
    Some(Kinship { pid, parent, started, has_ended, is_ending })
}

/// The ids of all processes that may be seen, in no order.
pub fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The same. An error where not all may be seen, be it that `/proc` hides those of others.
fn all_visible() -> io::Result<Vec<i32>> {
    fs::metadata("/proc/1")?;
    listed()
}

/// The ids of all processes that `/proc` lists, or why not all can be told.
pub(super) fn listed() -> io::Result<Vec<i32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(pids)
}

/// What all processes are to each other. One that vanishes meanwhile is left out.
pub fn kin() -> Vec<Kinship> {
    all().filter_map(kinship).collect()
}

/// The text of `/proc/PID/stat`.
pub(crate) struct Stat {
    text: Vec<u8>,
    /// Where the name is, which may hold blanks and parentheses.
    name: std::ops::Range<usize>,
}

impl Stat {
    fn read(pid: i32) -> Option<Stat> {
        Stat::parse(fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The same of a process that may be gone: then there is none. Any other error leaves open what it is.
    fn find(pid: i32) -> io::Result<Option<Stat>> {
        match fs::read(format!("/proc/{pid}/stat")) {
            Ok(text) => Ok(Stat::parse(text)),
            // Where /proc hides others, they are there all the same.
            Err(error) if is_gone_error(&error) && is_gone(pid) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// That of the process that made it, or has adopted it since; none for the first process of its
    /// namespace.
    fn of_parent(&self) -> io::Result<Option<Stat>> {
        match self.field(4).and_then(|parent| parent.parse().ok()) {
            None | Some(0) => Ok(None),
            Some(parent) => Stat::find(parent),
        }
    }

    pub(crate) fn parse(text: Vec<u8>) -> Option<Stat> {
        let start = text.iter().position(|&byte| byte == b'(')? + 1;
        let end = text.iter().rposition(|&byte| byte == b')')?;
        (start <= end).then_some(Stat { text, name: start..end })
    }

    fn pid(&self) -> Option<i32> {
        let text = std::str::from_utf8(self.text.get(..self.name.start - 1)?).ok()?;
        text.trim().parse().ok()
    }

    fn name(&self) -> &[u8] {
        &self.text[self.name.clone()]
    }

    /// What stands in the place of a command line.
    fn bracketed_name(&self) -> Foreign {
        Foreign::command([b"[", self.name(), b"]"].concat(), false)
    }

    /// What stands behind the name.
    fn fields(&self) -> &str {
        std::str::from_utf8(&self.text[self.name.end + 1..]).unwrap_or_default()
    }

    /// A field by its number in `proc_pid_stat(5)`, from 3 on.
    fn field(&self, number: usize) -> Option<&str> {
        self.fields().split_ascii_whitespace().nth(number - 3)
    }

    fn started(&self) -> Option<i64> {
        self.field(22)?.parse().ok()
    }

    /// `PF_…` of `linux/sched.h`.
    fn flags(&self) -> Option<u64> {
        self.field(9)?.parse().ok()
    }

    fn is_kernel_thread(&self) -> bool {
        const PF_KTHREAD: u64 = 0x0020_0000;
        self.flags().is_some_and(|flags| flags & PF_KTHREAD != 0)
    }

    /// How many threads it has, a zombie among them.
    fn threads(&self) -> Option<u64> {
        self.field(20)?.parse().ok()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.is_zombie() && self.threads().is_none_or(|threads| threads <= 1)
    }

    /// Whether the thread that this is about, the first one for a process, is a zombie.
    fn is_zombie(&self) -> bool {
        matches!(self.field(3), Some("Z" | "X"))
    }

    /// Whether that thread is one, or on its way: it will never wait for anything again.
    fn is_leaving(&self) -> bool {
        self.is_zombie() || self.flags().is_some_and(|flags| flags & PF_EXITING != 0)
    }
}

/// Whether an error says that a process or thread, or a descriptor of its, is not there any more, or
/// that the kernel has no such file. Every other one leaves open what it does.
pub(super) fn is_gone_error(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// The threads of a process.
pub(super) fn threads(pid: i32) -> io::Result<Vec<i32>> {
    let mut threads = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        threads.extend(task?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(threads)
}

/// Whether a process has certainly ended, or is about to: each of its threads is.
pub fn has_left(pid: i32) -> bool {
    match threads(pid) {
        Ok(threads) => threads.into_iter().all(|thread| has_thread_left(pid, thread)),
        Err(error) => is_gone_error(&error),
    }
}

/// Whether a thread of a process has certainly ended, or is about to.
pub fn has_thread_left(pid: i32, thread: i32) -> bool {
    match fs::read(format!("/proc/{pid}/task/{thread}/stat")) {
        Ok(text) => Stat::parse(text).is_some_and(|stat| stat.is_leaving()),
        Err(error) => is_gone_error(&error),
    }
}

/// Whether there is certainly no process with this id: one that may not be looked at is there.
pub fn is_gone(pid: i32) -> bool {
    let exists = nix::sys::signal::kill(unistd::Pid::from_raw(pid), None);
    if exists == Err(nix::errno::Errno::ESRCH) {
        return true;
    }
    Stat::read(pid).is_some_and(|stat| stat.has_ended())
}

/// Whether a signal has stopped this process (SIGSTOP, or a debugger), `T` in `proc_pid_stat(5)`.
pub fn is_stopped(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| matches!(stat.field(3), Some("T" | "t")))
}

/// How often the thread with this directory of `/proc` has gone to sleep, and whether a signal has
/// stopped it: `voluntary_ctxt_switches` and `State` in `proc_pid_status(5)`.
pub(super) fn sleep(directory: &str) -> Option<(u64, bool)> {
    let status = fs::read_to_string(format!("{directory}/status")).ok()?;
    let value = |label: &str| status.lines().find_map(|line| line.strip_prefix(label));
    let switches = value("voluntary_ctxt_switches:")?.trim().parse().ok()?;
    Some((switches, value("State:")?.trim_start().starts_with(['T', 't'])))
}

/// The processes whose program has this name (the first 15 bytes, `comm` in `proc_pid_comm(5)`).
pub fn named(name: &str) -> impl Iterator<Item = i32> {
    let is_named = move |stat: Stat| stat.name() == name.as_bytes() && !stat.has_ended();
    all().filter(move |&pid| Stat::read(pid).is_some_and(is_named))
}

/// Why `/proc` tells nothing of the processes of this process's own namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProc {
    /// Nothing, or something else, is mounted there.
    #[error("there is no /proc here: as root, mount -t proc proc /proc")]
    Missing,
    /// It has the process ids of others.
    #[error(
        "/proc belongs to another process namespace: as root, mount -t proc proc /proc for this one"
    )]
    Foreign,
    /// It has nothing but processes, `subset=pid` in `proc(5)`.
    #[error("this /proc shows processes alone (mount option subset=pid)")]
    Partial,
}

/// Whether `/proc` tells of the process ids of this process's own namespace.
pub fn check_proc() -> Result<(), BadProc> {
    let own = std::process::id().to_string();
    match fs::read_link("/proc/self") {
        Ok(link) if link.as_os_str() == own.as_str() => Ok(()),
        Ok(_) => Err(BadProc::Foreign),
        // The link leads nowhere for a process that has no number there.
        Err(_) if fs::symlink_metadata("/proc/self").is_ok() => Err(BadProc::Foreign),
        Err(_) => Err(BadProc::Missing),
    }
}

/// The identity of another process as far as the mode of an object is concerned: its effective user
/// and its groups, from `/proc/PID/status`, which everybody may read. What it may override does not
/// count.
pub fn identity(pid: i32) -> Option<Caller> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = |label: &str| -> Option<Vec<u32>> {
        let line = status.lines().find_map(|line| line.strip_prefix(label))?;
        line.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
    };
    let mut groups = numbers("Groups:")?;
    groups.push(*numbers("Gid:")?.get(1)?);
    let uid = uids_in(&status)?[1];
    Some(Caller { uid, groups, overrides_mode: false, overrides_ownership: false })
}

/// The devices of the file systems that are mounted where a process lives, which everybody may know,
/// `proc_pid_mountinfo(5)`.
pub fn mounted_devices(pid: i32) -> Option<HashSet<u64>> {
    let mounts = fs::read(format!("/proc/{pid}/mountinfo")).ok()?;
    let device = |line: &[u8]| {
        let word = line.split(|&byte| byte == b' ').nth(2)?;
        let (major, minor) = std::str::from_utf8(word).ok()?.split_once(':')?;
        Some(libc::makedev(major.parse().ok()?, minor.parse().ok()?))
    };
    Some(mounts.split(|&byte| byte == b'\n').filter_map(device).collect())
}

/// The process of a user that may use the fewest bytes for POSIX message queues (`RLIMIT_MSGQUEUE`,
/// the soft limit), and how many; nothing for no limit. `proc_pid_limits(5)`
pub fn least_queue_bytes(uid: u32) -> Option<(i32, Option<u64>)> {
    let limit = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        if entry.metadata().ok()?.uid() != uid {
            return None;
        }
        let limits = fs::read_to_string(entry.path().join("limits")).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max msgqueue size"))?;
        // Anything but a number is "unlimited".
        Some((pid, line.split_ascii_whitespace().next()?.parse().ok()))
    };
    let all = fs::read_dir("/proc").ok()?.flatten().filter_map(limit);
    all.min_by_key(|&(pid, bytes)| (bytes.unwrap_or(u64::MAX), pid))
}

pub(super) fn ticks_per_second() -> Option<i64> {
    unistd::sysconf(unistd::SysconfVar::CLK_TCK).ok()?
}

/// Whether a process with this id exists.
pub fn exists(pid: i32) -> bool {
    !is_gone(pid)
}

/// The size of a page in bytes.
pub fn page_size() -> u64 {
    let size = unistd::sysconf(unistd::SysconfVar::PAGE_SIZE);
    size.ok().flatten().and_then(|size| size.try_into().ok()).unwrap_or(4096)
}

/// Whether this is a thread of the kernel, which has no memory of a user.
pub fn is_kernel_thread(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| stat.is_kernel_thread())
}
