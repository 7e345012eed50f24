//! The memory of a traced process: `process_vm_readv(2)`.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;

use nix::errno::Errno;

/// The memory of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory(pub i32);

/// Types of which any bytes are a valid value.
///
/// # Safety
/// All bytes must be a valid value, without padding that matters.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: they consist of integers.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for libc::mq_attr {}
// SAFETY: as above.
unsafe impl Plain for libc::timespec {}
// SAFETY: as above.
unsafe impl Plain for libc::sembuf {}
// SAFETY: as above.
unsafe impl Plain for libc::msqid_ds {}
// SAFETY: as above.
unsafe impl Plain for libc::shmid_ds {}
// SAFETY: as above.
unsafe impl Plain for crate::kernel::call::SemidDs {}
// SAFETY: as above.
unsafe impl Plain for crate::kernel::call::MsgInfo {}
// SAFETY: as above.
unsafe impl Plain for crate::kernel::call::SemInfo {}
// SAFETY: as above.
unsafe impl Plain for crate::kernel::call::ShmInfo {}
// SAFETY: as above.
unsafe impl Plain for crate::kernel::call::ShmLimits {}
// SAFETY: as above.
unsafe impl Plain for [u64; 2] {}

impl Memory {
    /// Reads up to `size` bytes at an address, and appends them to `into`: fewer if the memory ends before. `EFAULT` if
    /// there is none, or none that the process itself might read.
    pub fn append(self, address: u64, size: usize, into: &mut Vec<u8>) -> io::Result<()> {
        into.reserve(size);
        let start = into.len();
        let room = into.spare_capacity_mut();
        let read = self.read_into(address, &mut room[..size])?;
        // SAFETY: the call filled this many bytes behind the ones that were there.
        unsafe { into.set_len(start + read) };
        Ok(())
    }

    fn read_into(self, address: u64, room: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        let local = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        let remote = libc::iovec {
            iov_base: std::ptr::without_provenance_mut(address as usize),
            iov_len: room.len(),
        };
        // SAFETY: the call fills at most the memory of `local`; the other address is one of the other process.
        let read = unsafe { libc::process_vm_readv(self.0, &local, 1, &remote, 1, 0) };
        usize::try_from(read).map_err(|_| io::Error::last_os_error())
    }

    /// The value at an address; `None` if not all of it can be read.
    pub fn read<T: Plain>(self, address: u64) -> Option<T> {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the slice is over the bytes of the value, which may be uninitialized.
        let room =
            unsafe { std::slice::from_raw_parts_mut(value.as_mut_ptr().cast(), size_of::<T>()) };
        let read = self.read_into(address, room).ok()?;
        // SAFETY: all of its bytes were filled, and any are valid.
        (read == size_of::<T>()).then(|| unsafe { value.assume_init() })
    }

    /// Writes two numbers to an address. `EFAULT` if they do not fit there.
    pub fn write(self, address: u64, numbers: &[u64; 2]) -> Result<(), Errno> {
        let local = libc::iovec {
            iov_base: (&raw const *numbers).cast_mut().cast(),
            iov_len: size_of_val(numbers),
        };
        let remote = libc::iovec {
            iov_base: std::ptr::without_provenance_mut(address as usize),
            iov_len: size_of_val(numbers),
        };
        // SAFETY: the call reads the numbers; the other address is one of the other process.
        let written = unsafe { libc::process_vm_writev(self.0, &local, 1, &remote, 1, 0) };
        match usize::try_from(written) {
            Ok(written) if written == size_of_val(numbers) => Ok(()),
            Ok(_) => Err(Errno::EFAULT),
            Err(_) => Err(Errno::last()),
        }
    }

    /// The values from an address on, as many as can be read.
    pub fn append_values<T: Plain>(self, address: u64, number: usize, into: &mut Vec<T>) {
        into.reserve(number);
        let start = into.len();
        let room = into.spare_capacity_mut();
        // SAFETY: the slice is over the bytes of these values, which may be uninitialized.
        let room = unsafe {
            std::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), number * size_of::<T>())
        };
        let read = self.read_into(address, room).unwrap_or(0) / size_of::<T>();
        // SAFETY: this many were filled, and any bytes are valid.
        unsafe { into.set_len(start + read) };
    }

    /// Appends the text at an address to `into`, up to the NUL behind it or `most` bytes. Whether it can be read up to
    /// there.
    pub fn append_text(self, address: u64, most: usize, into: &mut Vec<u8>) -> bool {
        /// No page of any machine is smaller, and nothing behind the end of one may be readable.
        const PAGE: u64 = 4096;
        let start = into.len();
        let mut address = address;
        while into.len() - start < most {
            let to_page_end = (PAGE - address % PAGE) as usize;
            let chunk = to_page_end.min(256).min(most - (into.len() - start));
            let from = into.len();
            if self.append(address, chunk, into).is_err() {
                return false;
            }
            if let Some(end) = memchr::memchr(0, &into[from..]) {
                into.truncate(from + end);
                return true;
            }
            let read = into.len() - from;
            if read == 0 {
                return false;
            }
            address += read as u64;
        }
        true
    }
}
