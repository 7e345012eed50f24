//! Structures of `msgctl(2)`, `shmctl(2)` and `semctl(2)` that libc does not define for every C
//! library. The fields have their C names.
#![allow(unsafe_code)]
#![allow(missing_docs, reason = "the man pages document the fields")]

use std::ffi::{c_int, c_ulong};

#[cfg(not(target_env = "musl"))]
pub use libc::semid_ds as SemidDs;

/// The kernel's `struct semid_ds` on 64-bit machines, which libc does not define for musl.
#[cfg(all(target_env = "musl", target_pointer_width = "64"))]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SemidDs {
    pub sem_perm: libc::ipc_perm,
    pub sem_otime: std::ffi::c_long,
    #[cfg(target_arch = "x86_64")]
    pub unused1: c_ulong,
    pub sem_ctime: std::ffi::c_long,
    #[cfg(target_arch = "x86_64")]
    pub unused2: c_ulong,
    pub sem_nsems: c_ulong,
    pub unused3: c_ulong,
    pub unused4: c_ulong,
}

/// The key of an object. It is the first field, whose name differs between C libraries.
pub(in crate::kernel) fn key(permissions: &libc::ipc_perm) -> libc::key_t {
    let first: *const libc::key_t = std::ptr::from_ref(permissions).cast();
    // SAFETY: the pointer is to the first field, which is a key_t.
    unsafe { first.read() }
}

/// `struct msginfo`. `MSG_INFO` uses some fields for other values than their names suggest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MsgInfo {
    pub msgpool: c_int,
    pub msgmap: c_int,
    pub msgmax: c_int,
    pub msgmnb: c_int,
    pub msgmni: c_int,
    pub msgssz: c_int,
    pub msgtql: c_int,
    pub msgseg: u16,
}

/// `struct shminfo`, in the kernel's size.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ShmLimits {
    pub shmmax: c_ulong,
    pub shmmin: c_ulong,
    pub shmmni: c_ulong,
    pub shmseg: c_ulong,
    pub shmall: c_ulong,
    pub unused: [c_ulong; 4],
}

/// `struct shm_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ShmInfo {
    pub used_ids: c_int,
    pub shm_tot: c_ulong,
    pub shm_rss: c_ulong,
    pub shm_swp: c_ulong,
    pub swap_attempts: c_ulong,
    pub swap_successes: c_ulong,
}

/// `struct seminfo`. `SEM_INFO` uses some fields for other values than their names suggest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SemInfo {
    pub semmap: c_int,
    pub semmni: c_int,
    pub semmns: c_int,
    pub semmnu: c_int,
    pub semmsl: c_int,
    pub semopm: c_int,
    pub semume: c_int,
    pub semusz: c_int,
    pub semvmx: c_int,
    pub semaem: c_int,
}
