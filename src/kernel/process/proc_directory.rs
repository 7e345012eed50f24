//! The directory of a process in `/proc`, opened once for several looks into it: each path from the root takes
//! the kernel a search for the process. `proc_pid_ns(5)`, `proc_pid_fd(5)`.

use std::ffi::{CStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::dir::Dir;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::sys::stat::Mode;

/// An open directory of a process.
#[derive(Debug)]
pub(in crate::kernel) struct ProcDirectory(OwnedFd);

impl ProcDirectory {
    /// Opens it. `ENOENT` if there is no such process.
    pub(in crate::kernel) fn open(pid: i32) -> io::Result<ProcDirectory> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(ProcDirectory(open(format!("/proc/{pid}").as_str(), flags, Mode::empty())?))
    }

    /// The number of one of its namespaces, such as `ns/ipc`; `None` if the link has another form.
    pub(in crate::kernel) fn namespace(&self, link: &CStr) -> io::Result<Option<u64>> {
        let target = readlinkat(&self.0, link)?;
        let number = target.to_str().and_then(|text| text.split_once(":["));
        Ok(number.and_then(|(_, number)| number.strip_suffix(']')?.parse().ok()))
    }

    /// Passes each of its descriptors to `visit`, with the text of the link.
    pub(in crate::kernel) fn each_descriptor(
        &self,
        mut visit: impl FnMut(i32, &Path),
    ) -> io::Result<()> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut directory = Dir::from_fd(openat(&self.0, "fd", flags, Mode::empty())?)?;
        let numbers: Vec<i32> = directory
            .iter()
            .filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok())
            .collect();
        for number in numbers {
            // It may be closed by now.
            let target: nix::Result<OsString> = readlinkat(&directory, number.to_string().as_str());
            if let Ok(target) = target {
                visit(number, Path::new(&target));
            }
        }
        Ok(())
    }
}
