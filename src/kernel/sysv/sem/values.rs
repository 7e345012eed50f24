//! The values of all semaphores of a set at one moment: `GETALL` and `SETALL` of `semctl(2)`.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};

use nix::errno::Errno;

use crate::kernel::call::{Argument, Call, CallError, CallName, call};
use crate::kernel::namespace::inside;
use crate::kernel::process::page_size;

/// The value of each of the `nsems` semaphores of a set, all at one moment. Needs read permission.
/// `EIDRM` if a larger set has replaced it under the same id.
pub(super) fn read(id: i32, nsems: usize) -> Result<Vec<u16>, CallError> {
    let room = Room::of(nsems).map_err(|errno| CallError { name: CallName::Mmap, errno })?;
    let numbers = room.numbers();
    // SAFETY: the fourth argument is the `array` of union semun. The call writes as many numbers as the
    // set has; if there is not enough room, it fails at the closed page.
    let read =
        call(inside(|| unsafe { libc::semctl(id, 0, libc::GETALL, numbers) }), || Call::Semctl {
            id,
            number: 0,
            command: libc::GETALL,
            argument: Argument::Plain(numbers.addr()),
        });
    match read {
        Ok(_) => Ok(room.to_vec()),
        Err(error) if error.errno == Errno::EFAULT => {
            Err(CallError { errno: Errno::EIDRM, ..error })
        }
        Err(error) => Err(error),
    }
}

/// Sets the values of a set of just as many semaphores, all at one moment. Needs write permission. `EIDRM` if a
/// larger set has replaced it under the same id.
pub(super) fn write(id: i32, values: &[u16]) -> Result<(), CallError> {
    let room = Room::of(values.len()).map_err(|errno| CallError { name: CallName::Mmap, errno })?;
    let numbers = room.numbers();
    // SAFETY: there is room for this many numbers, and nothing else points to it.
    unsafe { ptr::copy_nonoverlapping(values.as_ptr(), numbers, values.len()) };
    // SAFETY: the fourth argument is the `array` of union semun. The call reads as many numbers as the set has; if
    // there are fewer, it fails at the closed page.
    let written =
        call(inside(|| unsafe { libc::semctl(id, 0, libc::SETALL, numbers) }), || Call::Semctl {
            id,
            number: 0,
            command: libc::SETALL,
            argument: Argument::Plain(numbers.addr()),
        });
    match written {
        Err(error) if error.errno == Errno::EFAULT => {
            Err(CallError { errno: Errno::EIDRM, ..error })
        }
        written => written.map(drop),
    }
}

/// Memory for this many numbers, directly before a page that cannot be written. The call does not get
/// the size of the buffer, and the id may belong to a larger set by now.
struct Room {
    start: NonNull<libc::c_void>,
    /// How many bytes are writable: whole pages.
    open: usize,
    /// How many bytes after them are not: one page.
    closed: usize,
    count: usize,
}

impl Room {
    fn of(count: usize) -> Result<Room, Errno> {
        let closed = page_size() as usize;
        let open = count.checked_mul(size_of::<u16>()).and_then(|bytes| {
            let open = bytes.checked_next_multiple_of(closed)?;
            open.checked_add(closed).map(|_| open)
        });
        let open = open.ok_or(Errno::ENOMEM)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: asks for new memory at any address.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), open + closed, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let start = NonNull::new(start).ok_or(Errno::ENOMEM)?;
        let room = Room { start, open, closed, count };
        // SAFETY: these pages are newly mapped, and nothing points into them.
        let opened =
            unsafe { libc::mprotect(start.as_ptr(), open, libc::PROT_READ | libc::PROT_WRITE) };
        if opened == 0 { Ok(room) } else { Err(Errno::last()) }
    }

    /// The address of the first number.
    fn numbers(&self) -> *mut u16 {
        let bytes = self.count * size_of::<u16>();
        // SAFETY: this many bytes are mapped before the closed page.
        unsafe { self.start.byte_add(self.open - bytes) }.cast().as_ptr()
    }

    fn to_vec(&self) -> Vec<u16> {
        // SAFETY: the memory was mapped as zeros and has room for this many numbers.
        unsafe { std::slice::from_raw_parts(self.numbers(), self.count) }.to_vec()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what was mapped, and nothing points into it any more.
        unsafe { libc::munmap(self.start.as_ptr(), self.open + self.closed) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn the_kernel_writes_no_more_than_there_is_room_for() {
        for count in [0, 1, 2047, 2048, 2049, 32_000] {
            let room = Room::of(count).unwrap();
            assert_eq!(room.to_vec(), vec![0; count]);
            let (reader, mut writer) = std::io::pipe().unwrap();
            let sent = vec![0xff; count.min(2048) * 2 + 4];
            writer.write_all(&sent).unwrap();
            // SAFETY: the call writes no more than there is room for, and then fails.
            let read = unsafe {
                let last = room.numbers().add(count - count.min(2048));
                libc::read(reader.as_raw_fd(), last.cast(), sent.len())
            };
            assert!(read <= sent.len() as isize - 4, "{count}: {read}");
            let (untouched, written) = (count - count.min(2048), count.min(2048));
            let expected = [vec![0; untouched], vec![u16::MAX; written]].concat();
            assert_eq!(room.to_vec(), expected, "{count}");
        }
        assert_eq!(Room::of(usize::MAX / 2).err(), Some(Errno::ENOMEM));
    }
}
