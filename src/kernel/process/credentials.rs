//! The credentials of this process and what they permit: `credentials(7)`, `capabilities(7)`,
//! `user_namespaces(7)`.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use nix::unistd;
use rustix::thread::{
    self, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
};

use super::proc_file;
use super::status::{field, uids_in};
use crate::ipc::{Caller, Kind};
use crate::kernel::namespace::identity::Handle;
use crate::kernel::namespace::ids;

/// The effective user id of this process.
pub fn uid() -> u32 {
    ids::own_user(unistd::geteuid().as_raw())
}

/// The credentials of this process for objects of this kind in this namespace.
pub fn caller(namespace: &Handle, kind: Kind) -> Caller {
    if kind.is_posix() {
        return caller_of_files();
    }
    // In another user namespace, the capabilities of this process have no effect.
    let capabilities = match owns(namespace) {
        // Calls are made where this process has all of them.
        _ if ids::is_elsewhere() => u64::MAX,
        true => effective_capabilities(),
        false => 0,
    };
    own_caller().with(capabilities, kind)
}

/// The credentials of this process for POSIX objects, which are files.
pub(in crate::kernel) fn caller_of_files() -> Caller {
    own_caller().with(effective_capabilities(), Kind::Pshm)
}

const CAP_IPC_OWNER: u32 = 15;
const CAP_DAC_OVERRIDE: u32 = 1;
const CAP_FOWNER: u32 = 3;

impl Caller {
    /// The same with these capabilities (a bit each), as far as they matter to objects of this kind.
    pub(super) fn with(self, capabilities: u64, kind: Kind) -> Caller {
        let (of_modes, of_ownership) = match kind.is_posix() {
            true => (CAP_DAC_OVERRIDE, CAP_FOWNER),
            false => (CAP_IPC_OWNER, CAP_SYS_ADMIN),
        };
        let has = |capability: u32| capabilities & (1 << capability) != 0;
        Caller { overrides_mode: has(of_modes), overrides_ownership: has(of_ownership), ..self }
    }
}

/// The credentials of this process, without its capabilities.
fn own_caller() -> Caller {
    let mut groups = vec![unistd::getegid().as_raw()];
    if let Ok(supplementary) = unistd::getgroups() {
        groups.extend(supplementary.iter().map(|gid| gid.as_raw()));
    }
    let groups = groups.into_iter().map(ids::own_group).collect();
    Caller { uid: uid(), groups, overrides_mode: false, overrides_ownership: false }
}

/// The credentials of another process as far as the mode of an object matters: its effective user and
/// its groups, from `/proc/PID/status`, which all users may read. Capabilities are left out.
pub fn caller_of(pid: i32) -> Option<Caller> {
    let status = proc_file::read_to_string(&format!("/proc/{pid}/status")).ok()?;
    let numbers = |label: &str| -> Option<Vec<u32>> {
        field(&status, label)?.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
    };
    let mut groups = numbers("Groups:")?;
    groups.push(*numbers("Gid:")?.get(1)?);
    let uid = uids_in(&status)?[1];
    Some(Caller { uid, groups, overrides_mode: false, overrides_ownership: false })
}

/// The capability for everything without a capability of its own, `capabilities(7)`.
pub(in crate::kernel) const CAP_SYS_ADMIN: u32 = 21;

/// Whether this process may give a queue more bytes than `kernel.msgmnb`. That takes `CAP_SYS_RESOURCE`
/// in the initial user namespace of the machine, `msgctl(2)`.
pub fn may_exceed_msgmnb() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    effective_capabilities() & (1 << CAP_SYS_RESOURCE) != 0 && is_of_machine()
}

/// Whether this process may change how file systems of the machine are mounted. That takes
/// `CAP_SYS_ADMIN` in the initial user namespace of the machine, `mount(2)`.
pub fn may_mount() -> bool {
    effective_capabilities() & (1 << CAP_SYS_ADMIN) != 0 && is_of_machine()
}

/// Whether root may change these mounts here. In many containers root may not.
pub fn root_may_mount() -> bool {
    capabilities("CapBnd:") & (1 << CAP_SYS_ADMIN) != 0 && is_of_machine()
}

/// Whether this process is in the initial user namespace of the machine.
fn is_of_machine() -> bool {
    const INITIAL_USER: &str = "user:[4026531837]";
    fs::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() == INITIAL_USER)
}

/// Whether this process may set the next pid, `kernel.ns_last_pid`. Success of opening the file does
/// not prove that writing is permitted, so the capabilities count as well.
pub(in crate::kernel) fn may_set_next_pid() -> bool {
    const CAP_CHECKPOINT_RESTORE: u32 = 40;
    let is_writable =
        fs::OpenOptions::new().write(true).open("/proc/sys/kernel/ns_last_pid").is_ok();
    is_writable
        && effective_capabilities() & (1 << CAP_SYS_ADMIN | 1 << CAP_CHECKPOINT_RESTORE) != 0
}

fn effective_capabilities() -> u64 {
    capabilities("CapEff:")
}

/// A capability set of this process, by its label in `/proc/self/status`; empty if that cannot be read.
pub(in crate::kernel) fn capabilities(label: &str) -> u64 {
    capabilities_in(&proc_file::read_to_string("/proc/self/status").unwrap_or_default(), label)
}

/// A capability set in the text of such a file.
pub(super) fn capabilities_in(status: &str, label: &str) -> u64 {
    let mask = field(status, label).and_then(|mask| u64::from_str_radix(mask, 16).ok());
    mask.unwrap_or(0)
}

/// Whether this process is root with the rights to act for other users, in namespaces of its own.
pub fn may_act_for_others() -> bool {
    const CAP_SETGID: u32 = 6;
    const CAP_SETUID: u32 = 7;
    let needed = 1 << CAP_SETGID | 1 << CAP_SETUID | 1 << CAP_SYS_ADMIN;
    unistd::geteuid().is_root() && effective_capabilities() & needed == needed
}

/// Gives up all capabilities, also those that a program could gain: from here on this process and its children have
/// the rights of an ordinary user, whatever their uid. With `observes` they keep `CAP_SYS_PTRACE`, which Yama asks for
/// where one process looks at another. Async-signal-safe. `capabilities(7)`.
pub(in crate::kernel) fn give_up_capabilities(observes: bool) -> nix::Result<()> {
    let errno = |error: rustix::io::Errno| Errno::from_raw(error.raw_os_error());
    let kept = match observes {
        true => thread::capabilities(None).map_err(errno)?.permitted & CapabilitySet::SYS_PTRACE,
        false => CapabilitySet::empty(),
    };
    bar_capabilities(!kept.bits());
    // Linux before 4.3 has no such set.
    let _ = clear_ambient_capability_set();
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: kept };
    set_capabilities(None, sets).map_err(errno)?;
    if !kept.is_empty() {
        let _ = configure_capability_in_ambient_set(kept, true);
    }
    Ok(())
}

/// Takes capabilities (a bit each) out of the bounding set: no program can gain them any more by this process. That needs
/// `CAP_SETPCAP`, and fails for capabilities that the kernel does not have. Async-signal-safe.
pub(in crate::kernel) fn bar_capabilities(barred: u64) {
    for bit in (0..u64::BITS).map(|number| 1 << number).filter(|bit| barred & bit != 0) {
        let _ = remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(bit));
    }
}

/// Whether this user and this group are mapped in the user namespace of this process. Otherwise no
/// capability of this process applies to their files, `user_namespaces(7)`.
pub fn are_mapped(uid: u32, gid: u32) -> bool {
    mapped_ids("/proc/self/uid_map").any(|ids| ids.contains(&uid.into()))
        && mapped_ids("/proc/self/gid_map").any(|ids| ids.contains(&gid.into()))
}

/// Whether all users are mapped in the user namespace of this process, as in the initial one.
pub fn has_every_id() -> bool {
    mapped_ids("/proc/self/uid_map").any(|ids| ids.start == 0 && ids.end >= u32::MAX.into())
}

/// The mapped ids, as numbers inside the namespace; all ids if the kernel has no user namespaces.
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

/// Whether the capabilities of this process apply to an IPC namespace: the user namespace that owns it
/// is this process's own or a descendant of it, `user_namespaces(7)`.
pub fn owns(namespace: &Handle) -> bool {
    owns_in("/proc/self", namespace)
}

/// The same of the process with this directory in `/proc`.
pub(super) fn owns_in(directory: &str, namespace: &Handle) -> bool {
    const NS_GET_PARENT: libc::Ioctl = 0xb702;
    let identity = |file: &File| file.metadata().map(|data| (data.dev(), data.ino()));
    let search = || -> io::Result<bool> {
        let own = identity(&File::open(format!("{directory}/ns/user"))?)?;
        let mut owner = owner_of(&File::open(namespace.path())?)?;
        while identity(&owner)? != own {
            // EPERM beyond the last ancestor that this process may see.
            owner = related(&owner, NS_GET_PARENT)?;
        }
        Ok(true)
    };
    search().unwrap_or(false)
}

/// The user who made the user namespace of a process, `ioctl_ns(2)`; `None` if that may not be seen.
pub(in crate::kernel) fn user_namespace_owner(pid: i32) -> Option<u32> {
    const NS_GET_OWNER_UID: libc::Ioctl = 0xb704;
    let namespace = File::open(format!("/proc/{pid}/ns/user")).ok()?;
    let mut uid: libc::uid_t = 0;
    // SAFETY: this request writes one uid to the place that it is given.
    let result = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) };
    (result == 0).then_some(uid)
}

/// The user namespace that owns a namespace, `NS_GET_USERNS` in `ioctl_ns(2)`. `EPERM` if it is none of
/// that of this process and its descendants.
pub(in crate::kernel) fn owner_of(namespace: &File) -> io::Result<File> {
    related(namespace, NS_GET_USERNS)
}

const NS_GET_USERNS: libc::Ioctl = 0xb701;

/// Opens a namespace related to this one, `ioctl_ns(2)`.
fn related(namespace: &File, request: libc::Ioctl) -> io::Result<File> {
    // SAFETY: these requests take no argument and return a new descriptor.
    let descriptor = unsafe { libc::ioctl(namespace.as_raw_fd(), request) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
}
