//! System V shared memory: `shmget(2)`, `shmctl(2)`.
#![allow(unsafe_code)]

pub(in crate::kernel) mod attached;

use std::fs::File;
use std::io;
use std::os::fd::FromRawFd;
use std::os::unix::fs::MetadataExt;

use libc::{IPC_CREAT, IPC_EXCL, IPC_RMID, IPC_SET, IPC_STAT};
use nix::errno::Errno;

use super::permissions::{self, Changed};
use crate::ipc::sysv::SegmentStatus;
use crate::ipc::{Change, Key, Mode, Segment, Time};
use crate::kernel::call::{Argument, Call, CallError, CallName, Structure, call};
use crate::kernel::namespace::inside;

/// `SHM_STAT_ANY`, Linux 4.17: like `SHM_STAT`, but needs no read permission.
const SHM_STAT_ANY: i32 = 15;

/// The segment with this key.
pub fn find(key: Key) -> Result<i32, CallError> {
    get(key, 0, 0)
}

/// Creates a segment of `size` bytes or, unless `exclusive`, opens the existing one with this key,
/// which must be at least as large.
pub fn create(key: Key, size: u64, mode: Mode, exclusive: bool) -> Result<i32, CallError> {
    create_with_flags(key, size, mode.bits() as i32, exclusive)
}

/// [`create`] with flags of `shmget(2)`: the mode in the low nine bits, `SHM_HUGETLB`, `SHM_NORESERVE`.
pub fn create_with_flags(
    key: Key,
    size: u64,
    flags: i32,
    exclusive: bool,
) -> Result<i32, CallError> {
    get(key, size, flags | IPC_CREAT | if exclusive { IPC_EXCL } else { 0 })
}

fn get(key: Key, size: u64, flags: i32) -> Result<i32, CallError> {
    // The error of the kernel for a size beyond its address space.
    let too_large = |_| CallError { name: CallName::Shmget, errno: Errno::EINVAL };
    let size = usize::try_from(size).map_err(too_large)?;
    // SAFETY: takes and returns plain numbers.
    let id = inside(|| unsafe { libc::shmget(key.0, size, flags) });
    call(id, || Call::Shmget { key: key.0, size, flags })
}

/// The flag of `shmget(2)` that reserves no memory.
pub const NORESERVE: i32 = libc::SHM_NORESERVE;

/// The flags of `shmget(2)` for huge pages of this size, 0 for the default; `None` if it is no power of two.
pub fn huge_flags(size: u64) -> Option<i32> {
    /// Where the base-2 logarithm of the size goes, `SHM_HUGE_SHIFT`.
    const SHIFT: u32 = 26;
    match size {
        0 => Some(libc::SHM_HUGETLB),
        size if size.is_power_of_two() => {
            Some(libc::SHM_HUGETLB | (size.trailing_zeros() << SHIFT) as i32)
        }
        _ => None,
    }
}

/// A file system that contains segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its device, as `stat(2)` reports it.
    pub number: u64,
    /// The size of its pages in bytes, if they are huge (`hugetlbfs`).
    pub huge_page: Option<u64>,
}

/// The file systems that contain segments: one per page size. They are found through files of
/// `memfd_create(2)`, which are on the same file systems. Fails with `EMFILE`, `ENFILE` or `ENOMEM` if
/// no such file can be created.
pub fn devices() -> io::Result<Vec<Device>> {
    let huge = libc::MFD_HUGETLB;
    let sizes = [0, huge, huge | libc::MFD_HUGE_2MB, huge | libc::MFD_HUGE_1GB];
    let mut devices: Vec<Device> = Vec::new();
    for flags in sizes {
        // SAFETY: the name is a C string; the call returns a new descriptor.
        let descriptor =
            unsafe { libc::memfd_create(c"ipctool".as_ptr(), flags | libc::MFD_CLOEXEC) };
        if descriptor < 0 {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM) => return Err(error),
                // A kernel without pages of this size has no such segments.
                _ => continue,
            }
        }
        // SAFETY: the descriptor is new, so nothing else owns it.
        let data = unsafe { File::from_raw_fd(descriptor) }.metadata()?;
        let number = data.dev();
        if devices.iter().all(|device| device.number != number) {
            let huge_page = (flags & huge != 0).then_some(data.blksize());
            devices.push(Device { number, huge_page });
        }
    }
    Ok(devices)
}

/// Removes a segment, or marks it for destruction if it is attached.
pub fn remove(id: i32) -> Result<(), CallError> {
    // SAFETY: IPC_RMID does not look at the pointer.
    call(inside(|| unsafe { libc::shmctl(id, IPC_RMID, std::ptr::null_mut()) }), || {
        Call::Shmctl { id, command: IPC_RMID, argument: Argument::NONE }
    })?;
    Ok(())
}

/// Changes owner and mode of a segment and nothing else.
pub fn change(id: i32, change: &Change) -> Result<Changed, CallError> {
    let mut status = status(id)?;
    let changed = permissions::apply(change, &mut status.shm_perm);
    // SAFETY: the pointer is to a shmid_ds, which the call only reads.
    call(inside(|| unsafe { libc::shmctl(id, IPC_SET, &mut status) }), || Call::Shmctl {
        id,
        command: IPC_SET,
        argument: Structure::Shmid(&status).read(),
    })?;
    Ok(changed)
}

/// The current state of a segment, except `rss` and `swap`, which only `/proc/sysvipc/shm` shows.
pub fn read(id: i32) -> Result<Segment, CallError> {
    Ok(of_status(id, &status(id)?))
}

/// The segment at this index of the kernel's array, as [`read`] gives it. `EINVAL` if there is none, and before
/// Linux 4.17.
pub fn at(index: i32) -> Result<Segment, CallError> {
    let (id, status) = stat(index, SHM_STAT_ANY)?;
    Ok(of_status(id, &status))
}

#[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
fn of_status(id: i32, status: &libc::shmid_ds) -> Segment {
    Segment {
        id,
        permissions: permissions::of(&status.shm_perm),
        changed: Time::from_kernel(status.shm_ctime.into()),
        size: status.shm_segsz as u64,
        attached: status.shm_nattch.into(),
        status: SegmentStatus::from_mode(status.shm_perm.mode.into()),
        huge_page: None,
        rss: None,
        swap: None,
        creator_pid: status.shm_cpid,
        last_pid: status.shm_lpid,
        last_attach: Time::from_kernel(status.shm_atime.into()),
        last_detach: Time::from_kernel(status.shm_dtime.into()),
    }
}

/// Whether the caller may read a segment, by `IPC_STAT`, which requires exactly that. `EACCES` if not.
pub fn check_readable(id: i32) -> Result<(), CallError> {
    stat(id, IPC_STAT).map(drop)
}

/// The state of a segment. Needs no permission since Linux 4.17, read permission before.
fn status(id: i32) -> Result<libc::shmid_ds, CallError> {
    // This command uses only the slot of the id, and returns the id that is in that slot.
    match stat(id, SHM_STAT_ANY) {
        Ok((found, status)) if found == id => Ok(status),
        // The slot has another object, or the kernel is older: IPC_STAT of this id gives the right
        // error.
        _ => Ok(stat(id, IPC_STAT)?.1),
    }
}

/// The return value and the state that a command fills.
fn stat(id: i32, command: i32) -> Result<(i32, libc::shmid_ds), CallError> {
    // SAFETY: zero is a valid value of every field.
    let mut status: libc::shmid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a shmid_ds, which the call fills; it keeps no pointer.
    let found = call(inside(|| unsafe { libc::shmctl(id, command, &mut status) }), || {
        Call::Shmctl { id, command, argument: Structure::Shmid(&status).filled() }
    })?;
    Ok((found, status))
}
