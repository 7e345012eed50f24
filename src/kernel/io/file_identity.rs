//! The identity of the file at a path, `statx(2)`.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::ipc::posix::FileIdentity;

/// The identity of the file at this path. It does not ask a remote file system, which may hang.
pub(in crate::kernel) fn identity_at(path: &Path) -> io::Result<FileIdentity> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut data = MaybeUninit::<libc::statx>::zeroed();
    let (flags, wanted) = (libc::AT_STATX_DONT_SYNC, libc::STATX_INO);
    // SAFETY: the path is a C string, and the pointer is to a statx, which the call fills.
    let data = unsafe {
        if libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, wanted, data.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        data.assume_init()
    };
    let device = libc::makedev(data.stx_dev_major, data.stx_dev_minor);
    Ok(FileIdentity { device, inode: data.stx_ino })
}
