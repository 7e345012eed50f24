//! The system calls that are traced, by their numbers on this kind of machine.

use libc::c_long;

use crate::kernel::call::CallName;
use crate::kernel::call::CallName::*;

/// The number of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub u64);

/// How the kernel calls programs of this kind, `AUDIT_ARCH_…` in `seccomp(2)`.
pub(super) const ARCHITECTURE: u32 = {
    const IS_64_BIT: u32 = 0x8000_0000;
    const IS_LITTLE_ENDIAN: u32 = 0x4000_0000;
    let machine = if cfg!(target_arch = "x86_64") {
        62
    } else if cfg!(target_arch = "aarch64") {
        183
    } else if cfg!(target_arch = "riscv64") {
        243
    } else {
        // None that is traced.
        0
    };
    machine | IS_64_BIT | IS_LITTLE_ENDIAN
};

/// Whether calls are decoded on this kind of machine.
pub(super) const IS_SUPPORTED: bool =
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"));

/// A system call to stop at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traced {
    pub number: u32,
    /// The position of an argument and what its low 32 bits must be.
    pub only_if: Option<(usize, u32)>,
}

/// A system call with the names under which it is shown.
type Entry = (c_long, Option<(usize, u32)>, &'static [CallName]);

/// The calls to stop at if these names are shown.
pub(super) fn traced(shown: &[CallName]) -> Vec<Traced> {
    let entries = COMMON.iter().chain(OWN);
    let wanted = entries.filter(|(_, _, names)| names.iter().any(|name| shown.contains(name)));
    wanted.map(|&(number, only_if, _)| Traced { number: number as u32, only_if }).collect()
}

/// The last argument of a `stat` that follows links, as that of `ftok(3)`.
const FOLLOWS: u32 = 0;

/// Machines of other kinds have no table.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
const COMMON: &[Entry] = &[];

/// The calls of all these machines.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
const COMMON: &[Entry] = &[
    (libc::SYS_msgget, None, &[Msgget]),
    (libc::SYS_msgsnd, None, &[Msgsnd]),
    (libc::SYS_msgrcv, None, &[Msgrcv]),
    (libc::SYS_msgctl, None, &[Msgctl]),
    (libc::SYS_shmget, None, &[Shmget]),
    (libc::SYS_shmat, None, &[Shmat]),
    (libc::SYS_shmdt, None, &[Shmdt]),
    (libc::SYS_shmctl, None, &[Shmctl]),
    (libc::SYS_semget, None, &[Semget]),
    (libc::SYS_semop, None, &[Semop]),
    (libc::SYS_semtimedop, None, &[Semtimedop]),
    (libc::SYS_semctl, None, &[Semctl]),
    (libc::SYS_mq_open, None, &[MqOpen]),
    (libc::SYS_mq_unlink, None, &[MqUnlink]),
    (libc::SYS_mq_timedsend, None, &[MqTimedsend]),
    (libc::SYS_mq_timedreceive, None, &[MqTimedreceive]),
    (libc::SYS_mq_notify, None, &[MqNotify]),
    (libc::SYS_mq_getsetattr, None, &[MqGetsetattr]),
    (libc::SYS_openat, None, &[Openat, ShmOpen, SemOpen]),
    (libc::SYS_unlinkat, None, &[Unlinkat, ShmUnlink, SemUnlink]),
    (libc::SYS_linkat, None, &[SemOpen]),
    (libc::SYS_truncate, None, &[Truncate]),
    (libc::SYS_ftruncate, None, &[Ftruncate]),
    (libc::SYS_newfstatat, Some((3, FOLLOWS)), &[Stat]),
    (libc::SYS_statx, Some((2, FOLLOWS)), &[Stat]),
];

/// The calls that newer machines do not have.
#[cfg(target_arch = "x86_64")]
const OWN: &[Entry] = &[
    (libc::SYS_open, None, &[Open, ShmOpen, SemOpen]),
    (libc::SYS_creat, None, &[Open]),
    (libc::SYS_unlink, None, &[Unlink, ShmUnlink, SemUnlink]),
    (libc::SYS_link, None, &[SemOpen]),
    (libc::SYS_stat, None, &[Stat]),
];

#[cfg(not(target_arch = "x86_64"))]
const OWN: &[Entry] = &[];
