//! The content of shared memory of either kind.
//!
//! Other processes write to it, and may shrink a POSIX object while this one uses it. So nothing here reads or writes
//! the memory itself: system calls do, which fail (`EFAULT`) where an access would end this process (SIGBUS).
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::ptr::{self, NonNull};

use nix::errno::Errno;
use nix::unistd::Whence;

use super::call::{CallError, CallName};
use super::io::interruptible::Interruptible;
use super::namespace::Namespace;
use super::posix::dev_shm;
use super::posix::file;
use super::process::page_size;
use super::sysv::shm::attached::{self, Attached};
use crate::ipc::{Kind, Mode, Name, Object, Reference, Target};

/// What is to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Read it and write to it: what is mapped for writing can be read.
    Write,
}

impl Access {
    /// The permission that it needs, as bits of a mode.
    pub fn bits(self) -> u32 {
        match self {
            Access::Read => 4,
            Access::Write => 6,
        }
    }
}

/// Shared memory that this process has attached or mapped, until this value goes.
#[derive(Debug)]
pub struct SharedMemory(Memory);

#[derive(Debug)]
enum Memory {
    SystemV { attached: Attached, reference: Reference },
    Posix { file: File, mapping: Mapping },
}

/// A mapped file, `mmap(2)`.
#[derive(Debug)]
struct Mapping {
    /// Dangling if there is no byte.
    start: NonNull<u8>,
    size: usize,
}

impl SharedMemory {
    /// Attaches or maps the object that a reference names.
    pub fn open(
        namespace: &Namespace,
        memory: &Reference,
        access: Access,
    ) -> Result<SharedMemory, CallError> {
        Ok(SharedMemory(match &memory.target {
            Target::Name(name) => Memory::open_posix(namespace, name, access)?,
            Target::Id(_) | Target::Key(_) => {
                let id = namespace.id(memory)?;
                Memory::SystemV {
                    attached: attached::attach(id, access == Access::Read)?,
                    reference: Reference::id(Kind::Shm, id),
                }
            }
        }))
    }

    /// Its size in bytes, when it was opened.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Memory::SystemV { attached, .. } => attached.size,
            Memory::Posix { mapping, .. } => mapping.size as u64,
        }
    }

    /// Its size now, which is another one if a POSIX object was truncated or extended meanwhile.
    pub fn size_now(&self) -> u64 {
        match &self.0 {
            Memory::SystemV { attached, .. } => attached.size,
            Memory::Posix { file, .. } => file.metadata().map_or(0, |data| data.len()),
        }
    }

    /// Where it is in the memory of this process.
    pub fn address(&self) -> usize {
        self.start().addr().get()
    }

    fn start(&self) -> NonNull<u8> {
        match &self.0 {
            Memory::SystemV { attached, .. } => attached.start,
            Memory::Posix { mapping, .. } => mapping.start,
        }
    }

    /// The first part of this range that may hold anything; `None` if nobody ever wrote there, so that it is all
    /// zeros. To read such a hole by itself would fill it with pages.
    pub fn next_data(&self, namespace: &Namespace, range: Range<u64>) -> Option<Range<u64>> {
        match &self.0 {
            Memory::Posix { file, .. } => {
                let seek = |from: u64, whence| {
                    nix::unistd::lseek(file, from as libc::off_t, whence).map(|place| place as u64)
                };
                match seek(range.start, Whence::SeekData) {
                    Ok(start) if start >= range.end => None,
                    Ok(start) => {
                        let end = seek(start, Whence::SeekHole).unwrap_or(range.end);
                        Some(start..end.clamp(start, range.end))
                    }
                    // No data up to its end.
                    Err(Errno::ENXIO) if self.size_now() >= range.end => None,
                    // Reading tells.
                    Err(_) => Some(range),
                }
            }
            Memory::SystemV { attached, reference } => {
                attached.next_data(namespace, reference, range)
            }
        }
    }

    /// Writes bytes from this place on; returns how many. 0 if it was truncated there meanwhile. `buffer` is room to
    /// work in, of any content.
    pub fn copy_to(
        &self,
        range: Range<u64>,
        out: &mut Interruptible,
        buffer: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let length = (range.end - range.start).min(AT_ONCE as u64) as usize;
        match &self.0 {
            Memory::Posix { file, .. } => {
                // The processor copies whole pages twice as fast.
                let page = page_size() as usize;
                buffer.resize(AT_ONCE + page, 0);
                let start = buffer.as_ptr().align_offset(page).min(page);
                let bytes = &mut buffer[start..start + length];
                let read = file.read_at(bytes, range.start)?;
                out.write_all(&bytes[..read])?;
                Ok(read)
            }
            Memory::SystemV { attached, .. } => {
                let from = attached.start.as_ptr().wrapping_add(range.start as usize);
                // One call in place of a fault for each page. Linux 5.14; without it, the pages come one by one.
                let page = from.wrapping_sub(range.start as usize % page_size() as usize);
                let pages = length + (from.addr() - page.addr());
                // SAFETY: asks for the pages of this range, which is attached; nothing is read or changed.
                unsafe { libc::madvise(page.cast(), pages, libc::MADV_POPULATE_READ) };
                out.write_by(|file| {
                    // SAFETY: the kernel reads the bytes, and fails if there is no memory there.
                    let written = unsafe { libc::write(file.as_raw_fd(), from.cast(), length) };
                    usize::try_from(written).map_err(|_| io::Error::last_os_error())
                })
            }
        }
    }

    /// Reads bytes at this place into a buffer; returns how many. 0 if it was truncated there meanwhile.
    pub fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        match &self.0 {
            Memory::Posix { file, .. } => file.read_at(buffer, place),
            Memory::SystemV { attached, .. } => {
                let own = File::open("/proc/self/mem")?;
                own.read_at(buffer, attached.start.addr().get() as u64 + place)
            }
        }
    }

    /// Writes all of these bytes at this place. `EIO` or `ENOSPC` if there is no memory for them.
    pub fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        match &self.0 {
            Memory::Posix { file, .. } => file.write_all_at(bytes, place),
            Memory::SystemV { attached, .. } => {
                let own = OpenOptions::new().write(true).open("/proc/self/mem")?;
                own.write_all_at(bytes, attached.start.addr().get() as u64 + place)
            }
        }
    }

    /// Reads bytes of a file into it, at this place; returns how many, 0 at the end of the file. `EFAULT` if it was
    /// truncated there meanwhile, or there is no memory for it.
    pub fn copy_from(&self, range: Range<u64>, input: &mut Interruptible) -> io::Result<usize> {
        let length = (range.end - range.start).min(AT_ONCE as u64) as usize;
        let to = self.start().as_ptr().wrapping_add(range.start as usize);
        input.read_by(|file| {
            // SAFETY: the range is within the memory, which only other processes use in other ways; the kernel writes
            // the bytes, and fails if there is no memory there.
            let read = unsafe { libc::read(file.as_raw_fd(), to.cast(), length) };
            usize::try_from(read).map_err(|_| io::Error::last_os_error())
        })
    }
}

/// How many bytes are copied at once: what stays in the cache of a processor between two calls.
const AT_ONCE: usize = 128 << 10;

impl Memory {
    fn open_posix(namespace: &Namespace, name: &Name, access: Access) -> Result<Memory, CallError> {
        // Any other type of file is no object, and opening it might wait.
        let found = namespace.read(&Reference::name(Kind::Pshm, name.clone()))?;
        debug_assert!(matches!(found, Object::PosixMemory(_)));
        let mode = if access == Access::Read { libc::O_RDONLY } else { libc::O_RDWR };
        let flags = mode | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let path = namespace.shm().path().join(dev_shm::file_name(Kind::Pshm, name));
        let file = file::open(&path, flags, Mode::from_bits(0))
            .map_err(|error| CallError { name: CallName::ShmOpen, ..error })?;
        let size = file.metadata().map_or(0, |data| data.len());
        let size = usize::try_from(size)
            .map_err(|_| CallError { name: CallName::Mmap, errno: Errno::ENOMEM })?;
        let mapping = Mapping::of(&file, size, access)?;
        Ok(Memory::Posix { file, mapping })
    }
}

impl Mapping {
    fn of(file: &File, size: usize, access: Access) -> Result<Mapping, CallError> {
        if size == 0 {
            return Ok(Mapping { start: NonNull::dangling(), size });
        }
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
        };
        // SAFETY: asks for new memory at any address.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), size, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        match NonNull::new(start).filter(|_| start != libc::MAP_FAILED) {
            Some(start) => Ok(Mapping { start: start.cast(), size }),
            None => Err(CallError { name: CallName::Mmap, errno: Errno::last() }),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.size > 0 {
            // SAFETY: unmaps exactly what was mapped, and nothing uses it any more.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
        }
    }
}

impl Attached {
    /// The first part of this range with pages that exist, as `mincore(2)` shows them to the creator and to those who
    /// may write.
    fn next_data(
        &self,
        namespace: &Namespace,
        reference: &Reference,
        range: Range<u64>,
    ) -> Option<Range<u64>> {
        let page = page_size();
        let mut place = range.start - range.start % page;
        while place < range.end {
            let end = (place + page * PAGES).min(range.end.next_multiple_of(page));
            let pages = match self.resident(place, end) {
                // A page that is swapped out is no hole, and mincore does not tell them apart. So none is, and none
                // has come back between the two looks.
                Some(first) if !first.iter().all(|is_there| *is_there) => {
                    match (is_swapped(namespace, reference), self.resident(place, end)) {
                        (false, Some(then)) => {
                            first.iter().zip(&then).map(|(first, then)| *first || *then).collect()
                        }
                        _ => vec![true; first.len()],
                    }
                }
                Some(first) => first,
                None => return Some(range),
            };
            let place_of = |number: usize| place + number as u64 * page;
            if let Some(first) = pages.iter().position(|is_there| *is_there) {
                let length = pages[first..].iter().position(|is_there| !is_there);
                let last = length.map_or(end, |length| place_of(first + length));
                return Some(place_of(first).max(range.start)..last.min(range.end));
            }
            place = end;
        }
        None
    }

    /// Which of these pages are in memory; `None` if that cannot be told.
    fn resident(&self, start: u64, end: u64) -> Option<Vec<bool>> {
        let length = (end.min(self.size.next_multiple_of(page_size())) - start) as usize;
        let mut pages = vec![0u8; length.div_ceil(page_size() as usize)];
        let start = self.start.as_ptr().wrapping_add(start as usize);
        // SAFETY: the call looks at the pages, and fills a byte for each.
        let seen = unsafe { libc::mincore(start.cast(), length, pages.as_mut_ptr().cast()) };
        (seen == 0).then(|| pages.iter().map(|page| page & 1 != 0).collect())
    }
}

/// How many pages are looked at once.
const PAGES: u64 = 1 << 14;

/// Whether a part of a segment may be swapped out.
fn is_swapped(namespace: &Namespace, segment: &Reference) -> bool {
    match namespace.status(segment) {
        Ok(Object::Segment(segment)) => segment.swap != Some(0),
        _ => true,
    }
}
