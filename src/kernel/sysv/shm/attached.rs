//! A segment in the memory of this process: `shmop(2)`.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use crate::kernel::call::{Call, CallError, CallName, Returned, call};
use crate::kernel::namespace::inside;

/// An attached segment. It is detached when this value goes.
#[derive(Debug)]
pub struct Attached {
    /// Where its memory begins.
    pub(in crate::kernel) start: NonNull<u8>,
    /// Its size in bytes.
    pub size: u64,
}

impl Returned for *mut c_void {
    fn is_error(self) -> bool {
        self.addr() == usize::MAX
    }

    fn number(self) -> i64 {
        self.addr() as i64
    }
}

/// Attaches a segment. `EACCES` without read permission, and without write permission unless `read_only`; `EINVAL`
/// or `EIDRM` if there is none; `ENOMEM` without that much room in the address space.
pub fn attach(id: i32, read_only: bool) -> Result<Attached, CallError> {
    let flags = if read_only { libc::SHM_RDONLY } else { 0 };
    // SAFETY: the kernel chooses a free address.
    let start = inside(|| unsafe { libc::shmat(id, ptr::null(), flags) });
    let start = call(start, || Call::Shmat { id, address: 0, flags })?;
    let invalid = CallError { name: CallName::Shmat, errno: Errno::EINVAL };
    let mut attached = Attached { start: NonNull::new(start).ok_or(invalid)?.cast(), size: 0 };
    // As long as it is attached, the id belongs to it.
    attached.size = super::read(id)?.size;
    Ok(attached)
}

impl Drop for Attached {
    fn drop(&mut self) {
        let start = self.start.as_ptr();
        // SAFETY: it was attached there, and nothing uses it any more.
        let detached = unsafe { libc::shmdt(start.cast()) };
        // It cannot fail.
        let _ = call(detached, || Call::Shmdt { address: start.addr() });
    }
}
