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
    SystemV {
        attached: Attached,
        reference: Reference,
    },
    /// Reading needs no mapping.
    Posix {
        file: File,
        size: u64,
        mapping: Option<Mapping>,
    },
}

/// A mapped file, `mmap(2)`.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    size: usize,
}

impl SharedMemory {
    /// Opens the object that a reference names: attaches a segment, maps a POSIX object if it is to be written.
    pub fn open(
        namespace: &Namespace,
        memory: &Reference,
        access: Access,
    ) -> Result<SharedMemory, CallError> {
        SharedMemory::open_or_map(namespace, memory, access, access == Access::Write)
    }

    /// Attaches or maps the object that a reference names.
    pub fn attach(
        namespace: &Namespace,
        memory: &Reference,
        access: Access,
    ) -> Result<SharedMemory, CallError> {
        SharedMemory::open_or_map(namespace, memory, access, true)
    }

    fn open_or_map(
        namespace: &Namespace,
        memory: &Reference,
        access: Access,
        maps: bool,
    ) -> Result<SharedMemory, CallError> {
        Ok(SharedMemory(match &memory.target {
            Target::Name(name) => Memory::open_posix(namespace, name, access, maps)?,
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
            Memory::Posix { size, .. } => *size,
        }
    }

    /// Its size now, which is another one if a POSIX object was truncated or extended meanwhile.
    pub fn size_now(&self) -> u64 {
        match &self.0 {
            Memory::SystemV { attached, .. } => attached.size,
            Memory::Posix { file, .. } => file.metadata().map_or(0, |data| data.len()),
        }
    }

    /// Where it is in the memory of this process, if it is.
    pub fn address(&self) -> Option<usize> {
        self.start().map(|start| start.addr().get())
    }

    fn start(&self) -> Option<NonNull<u8>> {
        match &self.0 {
            Memory::SystemV { attached, .. } => Some(attached.start),
            Memory::Posix { mapping, .. } => mapping.as_ref().map(|mapping| mapping.start),
        }
    }

    /// The first part of this range, which is not empty, and whether it may hold anything. If not, nobody ever wrote
    /// there, so that it is all zeros; to read such a hole would fill it with pages.
    pub fn first_part(&self, namespace: &Namespace, range: Range<u64>) -> (Range<u64>, bool) {
        let Range { start, end } = range;
        match &self.0 {
            Memory::Posix { file, .. } => {
                let seek = |from: u64, whence| {
                    nix::unistd::lseek(file, from as libc::off_t, whence).map(|place| place as u64)
                };
                match seek(start, Whence::SeekData) {
                    Ok(data) if data > start => (start..data.min(end), false),
                    Ok(_) => match seek(start, Whence::SeekHole) {
                        Ok(hole) if hole > start => (start..hole.min(end), true),
                        _ => (start..end, true),
                    },
                    // No data up to its end.
                    Err(Errno::ENXIO) if self.size_now() >= end => (start..end, false),
                    // Reading tells.
                    Err(_) => (start..end, true),
                }
            }
            Memory::SystemV { attached, reference } => {
                attached.first_part(namespace, reference, range)
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
                let written = out.write_by(|file| {
                    // SAFETY: the kernel reads the bytes, and fails if there is no memory there.
                    let written = unsafe { libc::write(file.as_raw_fd(), from.cast(), length) };
                    usize::try_from(written).map_err(|_| io::Error::last_os_error())
                })?;
                attached.let_go(range.start, written);
                Ok(written)
            }
        }
    }

    /// Reads bytes at this place into a buffer; returns how many. 0 if it was truncated there meanwhile.
    pub fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        match &self.0 {
            Memory::Posix { file, .. } => file.read_at(buffer, place),
            Memory::SystemV { attached, .. } => {
                let own = File::open("/proc/self/mem")?;
                let read = own.read_at(buffer, attached.start.addr().get() as u64 + place)?;
                attached.let_go(place, read);
                Ok(read)
            }
        }
    }

    /// Writes all of these bytes at this place. `EIO` or `ENOSPC` if there is no memory for them.
    pub fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        match &self.0 {
            Memory::Posix { file, .. } => file.write_all_at(bytes, place),
            Memory::SystemV { attached, .. } => {
                let own = OpenOptions::new().write(true).open("/proc/self/mem")?;
                own.write_all_at(bytes, attached.start.addr().get() as u64 + place)?;
                attached.let_go(place, bytes.len());
                Ok(())
            }
        }
    }

    /// Reads bytes of a file into it, at this place; returns how many, 0 at the end of the file. `EFAULT` if it was
    /// truncated there meanwhile, or there is no memory for it.
    pub fn copy_from(&self, range: Range<u64>, input: &mut Interruptible) -> io::Result<usize> {
        let length = (range.end - range.start).min(AT_ONCE as u64) as usize;
        // Without a mapping there is not a byte of room.
        let start = self.start().map_or(std::ptr::null_mut(), NonNull::as_ptr);
        let to = start.wrapping_add(range.start as usize);
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
    fn open_posix(
        namespace: &Namespace,
        name: &Name,
        access: Access,
        maps: bool,
    ) -> Result<Memory, CallError> {
        // Any other type of file is no object, and opening it might wait.
        let found = namespace.read(&Reference::name(Kind::Pshm, name.clone()))?;
        debug_assert!(matches!(found, Object::PosixMemory(_)));
        let mode = if access == Access::Read { libc::O_RDONLY } else { libc::O_RDWR };
        let flags = mode | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let path = namespace.shm().path().join(dev_shm::file_name(Kind::Pshm, name));
        let file = file::open(&path, flags, Mode::from_bits(0))
            .map_err(|error| CallError { name: CallName::ShmOpen, ..error })?;
        let size = file.metadata().map_or(0, |data| data.len());
        let mapping = match maps {
            true => Mapping::of(&file, size, access)?,
            false => None,
        };
        Ok(Memory::Posix { file, size, mapping })
    }
}

impl Mapping {
    /// `None` if there is not a byte.
    fn of(file: &File, size: u64, access: Access) -> Result<Option<Mapping>, CallError> {
        if size == 0 {
            return Ok(None);
        }
        let too_large = |_| CallError { name: CallName::Mmap, errno: Errno::ENOMEM };
        let size = usize::try_from(size).map_err(too_large)?;
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
        };
        // SAFETY: asks for new memory at any address.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), size, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        match NonNull::new(start).filter(|_| start != libc::MAP_FAILED) {
            Some(start) => Ok(Some(Mapping { start: start.cast(), size })),
            None => Err(CallError { name: CallName::Mmap, errno: Errno::last() }),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what was mapped, and nothing uses it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
    }
}

impl Attached {
    /// The pages of these bytes do not count as this process's any more, or a large segment would. They stay in the
    /// segment.
    fn let_go(&self, place: u64, length: usize) {
        let page = page_size();
        let (start, end) = (place / page * page, (place + length as u64) / page * page);
        if start < end {
            let from = self.start.as_ptr().wrapping_add(start as usize);
            // SAFETY: the range is attached and shared, so nothing in it changes.
            unsafe { libc::madvise(from.cast(), (end - start) as usize, libc::MADV_DONTNEED) };
        }
    }

    /// The first pages of this range that all exist or all do not, as `mincore(2)` shows them to the creator and to
    /// those who may write.
    fn first_part(
        &self,
        namespace: &Namespace,
        reference: &Reference,
        range: Range<u64>,
    ) -> (Range<u64>, bool) {
        let page = page_size();
        let start = range.start - range.start % page;
        let end = (start + page * PAGES).min(range.end.next_multiple_of(page));
        let Some(mut pages) = self.resident(start, end) else { return (range, true) };
        if pages.iter().any(|is_there| !is_there) {
            // A page that is swapped out is no hole, and mincore does not tell them apart. So none is, and none has
            // come back between the two looks.
            let is_swapped = is_swapped(namespace, reference);
            match self.resident(start, end).filter(|_| !is_swapped) {
                Some(then) => pages.iter_mut().zip(then).for_each(|(first, then)| *first |= then),
                None => pages.fill(true),
            }
        }
        let is_there = pages.first().copied().unwrap_or(true);
        let length = pages.iter().take_while(|other| **other == is_there).count() as u64;
        (range.start..(start + length * page).min(range.end), is_there)
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
