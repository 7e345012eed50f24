//! A record of all descendants of this process, `perf_event_open(2)`: a software event that counts
//! nothing and reports forks, execs and exits. It needs no privilege if
//! `/proc/sys/kernel/perf_event_paranoid` is 2 or less.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ipc::Foreign;
use crate::kernel::process::page_size;

/// Pages of records per processor, a power of two.
const PAGES: usize = 8;

/// An event in the life of a descendant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened, in nanoseconds since the Epoch.
    pub time: u64,
    /// The pid of the process.
    pub pid: i32,
    /// What happened.
    pub what: What,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The process with this pid created it.
    Forked(i32),
    /// It got another thread.
    Threaded,
    /// It runs another program, with this short name.
    Executed(Foreign),
    /// One of its threads ended; with the last one, the process ended.
    Exited,
    /// Records were lost because the buffer was full.
    Lost,
}

/// The records, in one ring buffer per processor.
#[derive(Debug)]
pub struct Trace {
    rings: Vec<Ring>,
    /// Events read too early, kept for the next call.
    early: Vec<Event>,
}

impl Trace {
    /// Records all children that this thread creates from now on, and their descendants.
    pub fn open() -> io::Result<Trace> {
        let processors = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_CONF)?;
        let mut rings = Vec::new();
        for processor in 0..processors.unwrap_or(1) as i32 {
            match Ring::open(processor) {
                Ok(ring) => rings.push(ring),
                // The processor is offline.
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {}
                Err(error) => return Err(error),
            }
        }
        match rings.is_empty() {
            true => Err(io::ErrorKind::NotFound.into()),
            false => Ok(Trace { rings, early: Vec::new() }),
        }
    }

    /// The events since the last call in the order of time, and the time up to which they are complete.
    ///
    /// The rings are read one by one. An event after the read of the first ring is kept for the next
    /// call: its cause may be in a ring that was read before the cause happened.
    pub fn take(&mut self) -> (Vec<Event>, u64) {
        let end = now();
        let mut events = std::mem::take(&mut self.early);
        for ring in &mut self.rings {
            if ring.drain(&mut events) == Drained::Full {
                events.push(Event { time: end, pid: 0, what: What::Lost });
            }
        }
        events.sort_by(|a, b| (a.time, &a.what).cmp(&(b.time, &b.what)));
        // A time far in the future comes from before the clock was set back.
        let is_early = |event: &mut Event| event.time > end && event.time - end < 1_000_000_000;
        self.early = events.extract_if(.., is_early).collect();
        (events, end)
    }

    /// Whether events are kept for the next [`Trace::take`].
    pub fn has_more(&self) -> bool {
        !self.early.is_empty()
    }

    /// Descriptors that become readable when something happens.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.rings.iter().map(|ring| ring.descriptor.as_fd())
    }
}

/// The current time in nanoseconds since the Epoch, by the clock of the records.
pub(in crate::kernel) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as u64)
}

/// The first fields of `struct perf_event_attr`, in the size of its version 5.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clock: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    rest: u32,
}

/// Whether a ring was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drained {
    /// It had room.
    Whole,
    /// It may have dropped records. The kernel reports that only with the next record.
    Full,
}

/// The records of one processor: a control page, followed by a ring buffer.
#[derive(Debug)]
struct Ring {
    descriptor: OwnedFd,
    memory: NonNull<u8>,
    page: usize,
}

impl Ring {
    fn open(processor: i32) -> io::Result<Ring> {
        const SOFTWARE: u32 = 1;
        const DUMMY: u64 = 9;
        const SAMPLE_TIME: u64 = 1 << 2;
        const FLAG_CLOEXEC: libc::c_ulong = 1 << 3;
        // inherit, exclude_kernel, exclude_hv, comm, task, watermark, sample_id_all, comm_exec,
        // use_clockid
        let flags = [1, 5, 6, 9, 13, 14, 18, 24, 25].iter().fold(0, |flags, bit| flags | 1 << bit);
        let attributes = Attributes {
            kind: SOFTWARE,
            size: size_of::<Attributes>() as u32,
            config: DUMMY,
            sample_type: SAMPLE_TIME,
            flags,
            // Every record wakes the reader.
            wakeup: 1,
            // The same clock as that of the kernel's objects.
            clock: libc::CLOCK_REALTIME,
            ..Attributes::default()
        };
        // SAFETY: the pointer is to attributes of the size that they state; the call returns a new
        // descriptor.
        let descriptor = unsafe {
            libc::syscall(libc::SYS_perf_event_open, &attributes, 0, processor, -1, FLAG_CLOEXEC)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, so nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor as i32) };
        let page = page_size() as usize;
        // SAFETY: asks for new memory at any address.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                page * (1 + PAGES),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                descriptor.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Ring { descriptor, memory, page })
    }

    /// A position in the control page: `data_head` or `data_tail` of `struct perf_event_mmap_page`.
    fn position(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the offset is in the first page, which is mapped as long as `self` lives, and is
        // aligned. The kernel, too, accesses the value as a whole.
        unsafe { AtomicU64::from_ptr(self.memory.add(offset).as_ptr().cast()) }
    }

    fn drain(&mut self, events: &mut Vec<Event>) -> Drained {
        /// Larger than any record.
        const RECORD: u64 = 128;

        let (head, tail) = (self.position(1024), self.position(1032));
        let end = head.load(Ordering::Acquire);
        let mut start = tail.load(Ordering::Relaxed);
        let room = (self.page * PAGES) as u64 - (end - start);
        while start < end {
            let header = self.copy(start, 8);
            let size = u16::from_ne_bytes([header[6], header[7]]);
            // The kernel writes no shorter record.
            if size < 8 || u64::from(size) > end - start {
                break;
            }
            events.extend(parse(&self.copy(start, size.into())));
            start += u64::from(size);
        }
        tail.store(end, Ordering::Release);
        if room < RECORD { Drained::Full } else { Drained::Whole }
    }

    /// Copies bytes of the ring, which may wrap around its end.
    fn copy(&self, start: u64, length: usize) -> Vec<u8> {
        let size = self.page * PAGES;
        let byte = |offset: usize| {
            let place = (start as usize).wrapping_add(offset) % size;
            // SAFETY: the place is in the ring, after the control page, all of it mapped; the kernel
            // does not write between tail and head.
            unsafe { self.memory.add(self.page + place).read_volatile() }
        };
        (0..length).map(byte).collect()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what was mapped, and nothing points into it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.page * (1 + PAGES)) };
    }
}

/// Parses one record. The time is at its end.
pub(crate) fn parse(record: &[u8]) -> Option<Event> {
    let word =
        |offset: usize| Some(i32::from_ne_bytes(record.get(offset..offset + 4)?.try_into().ok()?));
    let kind = u32::from_ne_bytes(record.get(..4)?.try_into().ok()?);
    let flags = u16::from_ne_bytes(record.get(4..6)?.try_into().ok()?);
    let end = record.len().checked_sub(8)?;
    let time = u64::from_ne_bytes(record.get(end..)?.try_into().ok()?);
    const LOST: u32 = 2;
    const COMM: u32 = 3;
    const EXIT: u32 = 4;
    const FORK: u32 = 7;
    const COMM_EXEC: u16 = 1 << 13;
    let pid = word(8)?;
    let what = match kind {
        LOST => return Some(Event { time, pid: 0, what: What::Lost }),
        // A new thread has the pid of its creator.
        FORK if word(12)? == pid => What::Threaded,
        FORK => What::Forked(word(12)?),
        COMM if flags & COMM_EXEC != 0 => {
            let name = record.get(16..end)?.split(|&byte| byte == 0).next()?;
            What::Executed(Foreign::command(name, true))
        }
        EXIT => What::Exited,
        _ => return None,
    };
    Some(Event { time, pid, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(kind: u32, flags: u16, words: &[u32], text: &[u8], time: u64) -> Vec<u8> {
        let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        body.extend_from_slice(text);
        body.extend_from_slice(&time.to_ne_bytes());
        let size = (8 + body.len()) as u16;
        [&kind.to_ne_bytes()[..], &flags.to_ne_bytes(), &size.to_ne_bytes(), &body].concat()
    }

    #[test]
    fn processes_and_not_threads() {
        let fork =
            |pid, parent, tid| parse(&record(7, 0, &[pid, parent, tid, parent, 0, 0], b"", 9));
        assert_eq!(fork(7, 5, 7), Some(Event { time: 9, pid: 7, what: What::Forked(5) }));
        assert_eq!(fork(5, 5, 7), Some(Event { time: 9, pid: 5, what: What::Threaded }));
        let exit = record(4, 0, &[7, 5, 7, 5, 0, 0], b"", 10);
        assert_eq!(parse(&exit), Some(Event { time: 10, pid: 7, what: What::Exited }));
    }

    #[test]
    fn a_new_program_and_not_a_new_name() {
        let named = |flags| parse(&record(3, flags, &[7, 7], b"make\0\0\0\0", 11));
        let what = What::Executed(Foreign::command("make", true));
        assert_eq!(named(1 << 13), Some(Event { time: 11, pid: 7, what }));
        assert_eq!(named(0), None);
    }

    proptest! {
        #[test]
        fn no_record_panics(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
