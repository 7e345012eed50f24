//! An open POSIX semaphore: `sem_post(3)`, `sem_wait(3)`.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::ptr::{self, NonNull};
use std::time::Instant;

use nix::errno::Errno;

use super::dev_shm::{self, DevShm};
use super::file;
use crate::ipc::posix::{FileIdentity, SemaphoreState};
use crate::ipc::{Kind, Mode, Name};
use crate::kernel::call::{Call, CallError, CallName, call};
use crate::kernel::signals::wait::{self, Waited};

/// A semaphore that can be posted and waited for.
#[derive(Debug)]
pub struct Open {
    semaphore: NonNull<libc::sem_t>,
    is_mapped_here: bool,
    path: PathBuf,
    identity: Option<FileIdentity>,
}

/// Why a semaphore cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// A call failed.
    Call(CallError),
    /// The file holds no semaphore of the C library of this program: that of another one, of programs of another
    /// word size, or anything else.
    Foreign,
}

impl From<CallError> for OpenError {
    fn from(error: CallError) -> OpenError {
        OpenError::Call(error)
    }
}

impl DevShm {
    /// Opens a semaphore to operate on it, by `sem_open(3)` where that can reach it.
    pub fn open_semaphore(&self, name: &Name) -> Result<Open, OpenError> {
        let (directory, file_name) = (self.directory(), dev_shm::file_name(Kind::Psem, name));
        let data = directory.find(&file_name)?;
        // The C library would use any file, and a shorter one would end this process.
        let content = dev_shm::content(&data, || directory.open(&file_name, libc::O_RDONLY));
        // Without read permission, sem_open says so.
        if content.is_some_and(|content| !SemaphoreState::is_native(&content)) || data.len() > 64 {
            return Err(OpenError::Foreign);
        }
        let semaphore = match self.is_own() {
            true => dev_shm::sem_open(name, 0, Mode::from_bits(0), 0)?,
            false => map(&self.open_to_change(&file_name)?)?,
        };
        Ok(Open {
            semaphore,
            is_mapped_here: !self.is_own(),
            path: directory.path(&file_name),
            identity: Some(file::identity(&data)),
        })
    }

    fn open_to_change(&self, file_name: &OsStr) -> Result<File, CallError> {
        let flags = libc::O_RDWR | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        let opened = file::open(&self.directory().path(file_name), flags, Mode::from_bits(0));
        opened.map_err(|error| error.named(CallName::SemOpen))
    }
}

/// Maps a semaphore in the `/dev/shm` of another process, which `sem_open(3)` cannot reach, as it does.
fn map(file: &File) -> Result<NonNull<libc::sem_t>, CallError> {
    let (size, access) = (size_of::<libc::sem_t>(), libc::PROT_READ | libc::PROT_WRITE);
    // SAFETY: asks for new memory at any address.
    let mapped =
        unsafe { libc::mmap(ptr::null_mut(), size, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    match NonNull::new(mapped).filter(|_| mapped != libc::MAP_FAILED) {
        Some(semaphore) => Ok(semaphore.cast()),
        None => Err(CallError { name: CallName::Mmap, errno: Errno::last() }),
    }
}

impl Open {
    /// Adds one to its value, and wakes a process that waits. `EOVERFLOW` if it is 2,147,483,647, the most.
    pub fn post(&self) -> Result<(), CallError> {
        let semaphore = self.semaphore.as_ptr();
        // SAFETY: it is open as long as this value.
        call(unsafe { libc::sem_post(semaphore) }, || Call::SemPost { address: semaphore.addr() })?;
        Ok(())
    }

    /// Takes one from its value; `EAGAIN` if it is 0.
    pub fn try_wait(&self) -> Result<(), CallError> {
        let semaphore = self.semaphore.as_ptr();
        // SAFETY: it is open as long as this value.
        call(unsafe { libc::sem_trywait(semaphore) }, || Call::SemTrywait {
            address: semaphore.addr(),
        })?;
        Ok(())
    }

    /// Waits until its value is above 0, and takes one. `EIDRM` if its name is removed meanwhile.
    pub fn wait(&self, deadline: Option<Instant>) -> Waited<()> {
        wait::persist_by_wall_clock(deadline, |until| {
            let semaphore = self.semaphore.as_ptr();
            // SAFETY: it is open as long as this value; the call only reads the time.
            let taken = unsafe { libc::sem_timedwait(semaphore, &until) };
            let address = semaphore.addr();
            let taken =
                call(taken, || Call::SemTimedwait { address, deadline: Some(until).into() });
            taken.map(drop).map_err(|error| match error.errno {
                Errno::ETIMEDOUT if self.is_removed() => CallError { errno: Errno::EIDRM, ..error },
                _ => error,
            })
        })
    }

    /// Its value at this moment.
    pub fn value(&self) -> u32 {
        let mut value = 0;
        // SAFETY: it is open as long as this value; the call fills the number, and cannot fail.
        unsafe { libc::sem_getvalue(self.semaphore.as_ptr(), &mut value) };
        value.try_into().unwrap_or(0)
    }

    /// Whether its name was removed, or belongs to another one by now.
    fn is_removed(&self) -> bool {
        let now = std::fs::symlink_metadata(&self.path).ok().map(|data| file::identity(&data));
        now != self.identity
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let semaphore = self.semaphore.as_ptr();
        // SAFETY: it was opened or mapped in this way, and nothing uses it any more.
        unsafe {
            match self.is_mapped_here {
                true => libc::munmap(semaphore.cast(), size_of::<libc::sem_t>()),
                false => libc::sem_close(semaphore),
            }
        };
    }
}
