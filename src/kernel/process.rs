//! Processes: who calls, and who hides behind a recorded pid. `proc(5)`, `capabilities(7)`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use nix::unistd;

use crate::ipc::clock::{Clock, Witness};
use crate::ipc::user::Living;
use crate::ipc::{Caller, Foreign, Kind, foreign};

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
        let since_boot = since_boot(stat.started()?)?;
        let command = command(pid, length).unwrap_or_else(|| stat.bracketed_name());
        Some(Process { pid, uid: uids[1], command, living: Living { since_boot, uids } })
    }
}

/// The real, effective, saved and file system user id of a process, from `/proc/PID/status`.
fn uids(pid: i32) -> Option<[u32; 4]> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
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

    pub(crate) fn parse(text: Vec<u8>) -> Option<Stat> {
        let start = text.iter().position(|&byte| byte == b'(')? + 1;
        let end = text.iter().rposition(|&byte| byte == b')')?;
        (start <= end).then_some(Stat { text, name: start..end })
    }

    /// What stands in the place of a command line.
    fn bracketed_name(&self) -> Foreign {
        let name = &self.text[self.name.clone()];
        Foreign::command([b"[", name, b"]"].concat(), false)
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

    /// How many threads it has, a zombie among them.
    fn threads(&self) -> Option<u64> {
        self.field(20)?.parse().ok()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_left() && self.threads().is_none_or(|threads| threads <= 1)
    }

    /// Whether the thread that this tells of, the first one for a process, is a zombie.
    fn has_left(&self) -> bool {
        matches!(self.field(3), Some("Z" | "X"))
    }
}

/// Whether a process has certainly ended, or is about to.
pub fn has_left(pid: i32) -> bool {
    match fs::read(format!("/proc/{pid}/stat")) {
        Ok(text) => Stat::parse(text).is_some_and(|stat| {
            let is_ending = stat.flags().is_some_and(|flags| flags & PF_EXITING != 0);
            stat.has_ended() || (is_ending && stat.threads().is_some_and(|threads| threads <= 1))
        }),
        Err(error) => matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)),
    }
}

/// Whether a thread of a process has certainly ended, or waits to be noticed.
pub fn has_thread_ended(pid: i32, thread: i32) -> bool {
    match fs::read(format!("/proc/{pid}/task/{thread}/stat")) {
        Ok(text) => Stat::parse(text).is_some_and(|stat| stat.has_left()),
        Err(error) => matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)),
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
    let is_named =
        move |stat: Stat| &stat.text[stat.name.clone()] == name.as_bytes() && !stat.has_ended();
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
    let uid = *numbers("Uid:")?.get(1)?;
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

/// When the machine started, in nanoseconds since the Epoch by the clocks of now. Of two readings
/// around that of the other clock the mean counts, so that a pause in between moves it little.
pub(super) fn boot_moment() -> i64 {
    let before = nanoseconds(libc::CLOCK_REALTIME);
    let since_boot = nanoseconds(libc::CLOCK_BOOTTIME);
    let after = nanoseconds(libc::CLOCK_REALTIME);
    before + (after - before) / 2 - since_boot
}

/// A clock of `clock_gettime(2)`.
fn nanoseconds(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that outlives the call.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The wall clock, and what remembers how it was set when `/proc` was mounted: the root of that file
/// system has the time at which it was made, which was after the first process of its process
/// namespace.
pub fn clock() -> Clock {
    let root = fs::symlink_metadata("/proc").ok();
    let first = Stat::read(1).and_then(|stat| since_boot(stat.started()?)).unwrap_or(0);
    let witness = root.map(|root| Witness {
        made: root.mtime().saturating_mul(1_000_000_000).saturating_add(root.mtime_nsec()),
        uptime: first,
    });
    Clock { boot: boot_moment(), now: nanoseconds(libc::CLOCK_REALTIME), witness }
}

pub(super) fn ticks_per_second() -> Option<i64> {
    unistd::sysconf(unistd::SysconfVar::CLK_TCK).ok()?
}

/// The effective user id of this process.
pub fn uid() -> u32 {
    unistd::geteuid().as_raw()
}

/// The identity of this process, and what it may do with objects of this kind.
pub fn caller(kind: Kind) -> Caller {
    let mut groups = vec![unistd::getegid().as_raw()];
    if let Ok(supplementary) = unistd::getgroups() {
        groups.extend(supplementary.iter().map(|gid| gid.as_raw()));
    }
    // Of another user namespace, capabilities count for nothing.
    let capabilities = match kind.is_posix() || owns_ipc_namespace() {
        true => effective_capabilities(),
        false => 0,
    };
    let has = |capability: u32| capabilities & (1 << capability) != 0;
    const CAP_DAC_OVERRIDE: u32 = 1;
    const CAP_FOWNER: u32 = 3;
    const CAP_IPC_OWNER: u32 = 15;
    let posix = kind.is_posix();
    Caller {
        uid: unistd::geteuid().as_raw(),
        groups,
        overrides_mode: has(if posix { CAP_DAC_OVERRIDE } else { CAP_IPC_OWNER }),
        overrides_ownership: has(if posix { CAP_FOWNER } else { CAP_SYS_ADMIN }),
    }
}

/// The privilege over everything that has none of its own, `capabilities(7)`.
pub(super) const CAP_SYS_ADMIN: u32 = 21;

/// Whether this process may give a queue more bytes than `kernel.msgmnb`: that takes
/// `CAP_SYS_RESOURCE` in the first user namespace of the machine, `msgctl(2)`.
pub fn may_exceed_msgmnb() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    const INITIAL_USER: &str = "user:[4026531837]";
    effective_capabilities() & (1 << CAP_SYS_RESOURCE) != 0
        && fs::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() == INITIAL_USER)
}

fn effective_capabilities() -> u64 {
    capabilities("CapEff:")
}

/// A set of capabilities of this process, by its label in `/proc/self/status`; none where that
/// cannot be read.
pub(super) fn capabilities(label: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix(label));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Whether this process may give away its files: has `CAP_CHOWN`.
pub fn may_give_away() -> bool {
    const CAP_CHOWN: u32 = 0;
    effective_capabilities() & (1 << CAP_CHOWN) != 0
}

/// Whether this user and this group have a number of their own in the user namespace of this process:
/// over the files of those who have none, no capability of this process counts,
/// `user_namespaces(7)`.
pub fn are_mapped(uid: u32, gid: u32) -> bool {
    mapped_ids("/proc/self/uid_map").any(|ids| ids.contains(&uid.into()))
        && mapped_ids("/proc/self/gid_map").any(|ids| ids.contains(&gid.into()))
}

/// Whether every user has a number in the user namespace of this process, as in the machine's own.
pub fn has_every_id() -> bool {
    mapped_ids("/proc/self/uid_map").any(|ids| ids.start == 0 && ids.end >= u32::MAX.into())
}

/// The numbers that are mapped, as they are inside; all, where there are no such namespaces.
fn mapped_ids(map: &str) -> impl Iterator<Item = std::ops::Range<u64>> {
    let text = fs::read_to_string(map).unwrap_or_else(|_| format!("0 0 {}", u32::MAX));
    let ranges: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_ascii_whitespace().map_while(|word| word.parse().ok());
            let (first, count): (u64, u64) = (numbers.next()?, numbers.nth(1)?);
            Some(first..first.saturating_add(count))
        })
        .collect();
    ranges.into_iter()
}

/// Whether capabilities of this process count in its IPC namespace: whether the user namespace
/// that owns that one is this process's own or one below it, `user_namespaces(7)`.
pub fn owns_ipc_namespace() -> bool {
    const NS_GET_USERNS: libc::Ioctl = 0xb701;
    const NS_GET_PARENT: libc::Ioctl = 0xb702;
    let identity = |file: &File| file.metadata().map(|data| (data.dev(), data.ino()));
    let search = || -> io::Result<bool> {
        let own = identity(&File::open("/proc/self/ns/user")?)?;
        let mut owner = related(&File::open("/proc/self/ns/ipc")?, NS_GET_USERNS)?;
        while identity(&owner)? != own {
            // EPERM past the last one that this process may see.
            owner = related(&owner, NS_GET_PARENT)?;
        }
        Ok(true)
    };
    search().unwrap_or(false)
}

/// Opens a relative of a namespace, `ioctl_ns(2)`.
fn related(namespace: &File, request: libc::Ioctl) -> io::Result<File> {
    // SAFETY: these requests take no argument and return a new descriptor.
    let descriptor = unsafe { libc::ioctl(namespace.as_raw_fd(), request) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
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
    const PF_KTHREAD: u64 = 0x0020_0000;
    Stat::read(pid).and_then(|stat| stat.flags()).is_some_and(|flags| flags & PF_KTHREAD != 0)
}
