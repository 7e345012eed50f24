//! POSIX message queues: `mq_open(3)`, `mq_send(3)`, `mq_receive(3)`, `mq_getattr(3)`.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::ptr;
use std::time::Instant;

use nix::errno::Errno;

use super::file::{self, Outcome};
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Mode, Name};
use crate::kernel::call::{Call, CallError, CallName, Pointed, call};
use crate::kernel::namespace::inside;
use crate::kernel::process;
use crate::kernel::signals::wait::{self, Waited};

/// The shape of a queue, `struct mq_attr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `mq_maxmsg`: the maximum number of messages.
    pub max_messages: u64,
    /// `mq_msgsize`: the maximum size of a message in bytes.
    pub message_size: u64,
}

/// An open queue, closed on drop.
#[derive(Debug)]
pub struct Open(File);

/// Opens a queue with `O_RDONLY`, `O_WRONLY` or `O_RDWR`.
pub fn open(name: &Name, access: i32) -> Result<Open, CallError> {
    let c_name = file::c_name(name)?;
    let flags = access | libc::O_CLOEXEC;
    // SAFETY: the name is a C string, which the call only reads.
    let descriptor = call(inside(|| unsafe { libc::mq_open(c_name.as_ptr(), flags) }), || {
        Call::MqOpen { name: bytes_of(name).into(), flags, mode: 0, attributes: Pointed::NULL }
    })?;
    Ok(Open::new(descriptor))
}

/// Opens a queue for reading if that is permitted, otherwise for writing.
pub(in crate::kernel) fn open_somehow(name: &Name) -> Result<Open, CallError> {
    open(name, libc::O_RDONLY).or_else(|error| match error.errno {
        Errno::EACCES => open(name, libc::O_WRONLY),
        _ => Err(error),
    })
}

/// Creates a queue or, unless `exclusive`, opens the existing one. Without a shape it gets
/// `fs.mqueue.msg_default` and `fs.mqueue.msgsize_default`. The umask does not apply.
pub fn create(
    name: &Name,
    shape: Option<Shape>,
    mode: Mode,
    exclusive: bool,
) -> Result<(Open, Outcome), CallError> {
    let c_name = file::c_name(name)?;
    let attributes = shape.map(|shape| {
        let long = |number: u64| number.try_into().unwrap_or(libc::c_long::MAX);
        // SAFETY: zero is a valid value of every field.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        attributes.mq_maxmsg = long(shape.max_messages);
        attributes.mq_msgsize = long(shape.message_size);
        attributes
    });
    let make = || {
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
        let (mode, attributes) = (mode.bits(), attributes.as_ref());
        let pointer = attributes.map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the name is a C string, and the last pointer is null or to an mq_attr; the call
        // only reads them.
        let descriptor = inside(|| unsafe { libc::mq_open(c_name.as_ptr(), flags, mode, pointer) });
        let descriptor = call(descriptor, || Call::MqOpen {
            name: bytes_of(name).into(),
            flags,
            mode,
            attributes: attributes.into(),
        })?;
        Ok(Open::new(descriptor))
    };
    file::make_or_open(exclusive, make, || open(name, libc::O_WRONLY))
}

/// Removes a name. The queue is destroyed when the last process closes it. Returns `EACCES` instead of
/// the kernel's `EPERM`, like the C library.
pub fn unlink(name: &Name) -> Result<(), CallError> {
    let c_name = file::c_name(name)?;
    let behind_slash = &c_name.as_c_str()[1..];
    // SAFETY: the name is a C string, which the call only reads.
    let unlink = || unsafe { libc::syscall(libc::SYS_mq_unlink, behind_slash.as_ptr()) };
    let unlinked = inside(unlink);
    let unlinked = call(unlinked as i32, || Call::MqUnlink { name: bytes_of(name).into() });
    unlinked.map(drop).map_err(|error| match error.errno {
        Errno::EPERM => CallError { errno: Errno::EACCES, ..error },
        _ => error,
    })
}

/// The name as the C library passes it to the kernel: without its slash.
fn bytes_of(name: &Name) -> &[u8] {
    name.behind_slash().as_bytes()
}

impl Open {
    fn new(descriptor: libc::mqd_t) -> Open {
        // SAFETY: the descriptor is new, so nothing else owns it; on Linux it is a file descriptor.
        Open(unsafe { File::from_raw_fd(descriptor) })
    }

    /// The queue behind this open file.
    pub(super) fn of_file(file: File) -> Open {
        Open(file)
    }

    /// The descriptor as a file, which it is on Linux.
    pub(in crate::kernel) fn into_file(self) -> File {
        self.0
    }

    /// The descriptor as a file, still open.
    pub(in crate::kernel) fn file(&self) -> &File {
        &self.0
    }

    /// How many messages it holds.
    pub fn messages(&self) -> Result<u64, CallError> {
        Ok(self.attributes()?.mq_curmsgs.try_into().unwrap_or(0))
    }

    /// Whether the caller may remove it: `EACCES` for a queue of another user without `CAP_FOWNER`.
    pub(in crate::kernel) fn check_removable(&self) -> Result<(), CallError> {
        let data = self.0.metadata();
        let data =
            data.map_err(|error| CallError { name: CallName::Fstat, errno: file::errno(&error) })?;
        let access = file::permissions_of(&data).access(&process::caller_of_files());
        access
            .control
            .then_some(())
            .ok_or(CallError { name: CallName::MqUnlink, errno: Errno::EACCES })
    }

    /// Its identity as a file.
    pub fn identity(&self) -> std::io::Result<FileIdentity> {
        Ok(file::identity(&self.0.metadata()?))
    }

    /// Its shape.
    pub fn shape(&self) -> Result<Shape, CallError> {
        let attributes = self.attributes()?;
        Ok(Shape {
            max_messages: attributes.mq_maxmsg.try_into().unwrap_or(0),
            message_size: attributes.mq_msgsize.try_into().unwrap_or(0),
        })
    }

    pub(super) fn attributes(&self) -> Result<libc::mq_attr, CallError> {
        // SAFETY: zero is a valid value of every field.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        let descriptor = self.0.as_raw_fd();
        // SAFETY: the pointer is to an mq_attr, which the call fills.
        call(unsafe { libc::mq_getattr(descriptor, &mut attributes) }, || Call::MqGetsetattr {
            descriptor,
            new: Pointed::NULL,
            old: (&attributes).into(),
        })?;
        Ok(attributes)
    }

    /// Sends a message if there is room for it now; otherwise `EAGAIN`.
    #[inline]
    pub fn send(&self, priority: u32, payload: &[u8]) -> Result<(), CallError> {
        would_block(self.send_until(priority, payload, PAST))
    }

    /// Sends a message; waits for room until the deadline, or without limit if there is none.
    pub fn send_waiting(
        &self,
        priority: u32,
        payload: &[u8],
        deadline: Option<Instant>,
    ) -> Waited<()> {
        self.persist(deadline, |until| self.send_until(priority, payload, until))
    }

    fn send_until(
        &self,
        priority: u32,
        payload: &[u8],
        until: libc::timespec,
    ) -> Result<(), CallError> {
        let (descriptor, size) = (self.0.as_raw_fd(), payload.len());
        // SAFETY: the buffer holds `size` bytes; the call only reads it and the time.
        let sent = unsafe {
            libc::mq_timedsend(descriptor, payload.as_ptr().cast(), size, priority, &until)
        };
        let (message, deadline) = (payload.into(), Some(until).into());
        call(sent, || Call::MqTimedsend { descriptor, message, size, priority, deadline })?;
        Ok(())
    }

    /// Receives the oldest message with the highest priority into `buffer`, which must have room for
    /// the largest message of the queue (`EMSGSIZE`); returns its priority and length. `EAGAIN` if
    /// there is none.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) -> Result<(u32, usize), CallError> {
        would_block(self.receive_until(buffer, PAST))
    }

    /// [`Open::receive`] that waits for a message until the deadline, or without limit if there is
    /// none.
    pub fn receive_waiting(
        &self,
        buffer: &mut [u8],
        deadline: Option<Instant>,
    ) -> Waited<(u32, usize)> {
        self.persist(deadline, |until| self.receive_until(buffer, until))
    }

    /// Whether its name was removed, so that no other process can open it any more. The kernel does not
    /// notify processes that wait on it.
    pub fn is_removed(&self) -> bool {
        self.0.metadata().is_ok_and(|data| data.nlink() == 0)
    }

    /// Repeats a call with a timeout until it succeeds or fails for another reason. Between attempts it
    /// checks whether the queue still exists; `EIDRM` if not, as for System V queues.
    fn persist<T>(
        &self,
        deadline: Option<Instant>,
        mut attempt: impl FnMut(libc::timespec) -> Result<T, CallError>,
    ) -> Waited<T> {
        wait::persist_by_wall_clock(deadline, |until| {
            attempt(until).map_err(|error| match error.errno {
                Errno::ETIMEDOUT if self.is_removed() => CallError { errno: Errno::EIDRM, ..error },
                _ => error,
            })
        })
    }

    fn receive_until(
        &self,
        buffer: &mut [u8],
        until: libc::timespec,
    ) -> Result<(u32, usize), CallError> {
        let (descriptor, size) = (self.0.as_raw_fd(), buffer.len());
        let mut priority = 0;
        // SAFETY: the buffer has room for `size` bytes; the call only reads the time.
        let taken = unsafe {
            let buffer = buffer.as_mut_ptr().cast();
            libc::mq_timedreceive(descriptor, buffer, size, &mut priority, &until)
        };
        let taken = call(taken, || Call::MqTimedreceive {
            descriptor,
            message: (&*buffer).into(),
            size,
            priority: (&priority).into(),
            deadline: Some(until).into(),
        })?;
        Ok((priority, taken as usize))
    }
}

/// A timeout in the past: the calls take an absolute time and do not wait if it has passed.
const PAST: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

/// Converts the errors of a call that does not wait: `ETIMEDOUT` if there was nothing to do, and
/// `EINTR` if a signal arrived at that moment, become `EAGAIN`.
fn would_block<T>(result: Result<T, CallError>) -> Result<T, CallError> {
    result.map_err(|error| match error.errno {
        Errno::ETIMEDOUT | Errno::EINTR => CallError { errno: Errno::EAGAIN, ..error },
        _ => error,
    })
}
