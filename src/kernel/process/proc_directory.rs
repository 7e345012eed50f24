//! The directory of a process in `/proc`, opened once for several looks into it: each path from the root takes
//! the kernel a search for the process. `proc_pid_ns(5)`, `proc_pid_fd(5)`.

use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};
use rustix::io::Errno;

/// The open directory of the descriptors of a process, from which the others can be reached.
#[derive(Debug)]
pub(in crate::kernel) struct ProcDirectory(OwnedFd);

impl ProcDirectory {
    /// Opens it. `ENOENT` if there is no such process, `EACCES` if the caller may not inspect it.
    pub(in crate::kernel) fn open(pid: i32) -> io::Result<ProcDirectory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(ProcDirectory(openat(CWD, format!("/proc/{pid}/fd"), flags, Mode::empty())?))
    }

    /// The number of its IPC namespace; `None` if the link has another form.
    pub(in crate::kernel) fn ipc_namespace(&self) -> io::Result<Option<u64>> {
        self.namespace(c"../ns/ipc")
    }

    /// The number of its mount namespace; `None` if the link has another form.
    pub(in crate::kernel) fn mount_namespace(&self) -> io::Result<Option<u64>> {
        self.namespace(c"../ns/mnt")
    }

    fn namespace(&self, link: &CStr) -> io::Result<Option<u64>> {
        // A name and a number, proc_pid_ns(5).
        let mut room = [MaybeUninit::uninit(); 64];
        let (target, _) = readlinkat_raw(&self.0, link, &mut room)?;
        let number = std::str::from_utf8(target).ok().and_then(|text| text.split_once(":["));
        Ok(number.and_then(|(_, number)| number.strip_suffix(']')?.parse().ok()))
    }

    /// Passes each of its descriptors to `visit`, with the text of the link, which is cut after 255 bytes.
    pub(in crate::kernel) fn each_descriptor(
        &self,
        mut visit: impl FnMut(i32, &Path),
    ) -> io::Result<()> {
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(&self.0, &mut room);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            let Some(number) = name.to_str().ok().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let mut target = [MaybeUninit::uninit(); 255];
            match readlinkat_raw(&self.0, name, &mut target) {
                Ok((target, _)) => visit(number, Path::new(OsStr::from_bytes(target))),
                // It is closed by now, or a file at the end of a path that is too long to be told.
                Err(Errno::NOENT | Errno::NAMETOOLONG) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
