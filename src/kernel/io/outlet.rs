//! How much a file accepts without waiting: `pipe(7)`, "Pipe capacity".
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::poll;
use crate::kernel::process;

/// An output file, to estimate how much it accepts without waiting.
#[derive(Debug)]
pub struct Outlet {
    kind: Kind,
    /// For a pipe, the sizes of the writes since it was last empty, the latest at the end.
    written: VecDeque<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It needs no reader: a file, or `/dev/null`.
    Store,
    /// It holds a limited number of bytes until they are read.
    Pipe,
    /// A terminal or socket, whose room is unknown.
    Other,
}

impl Outlet {
    /// Determines the kind of this file.
    pub fn of(file: &File) -> Outlet {
        Outlet { kind: kind(file), written: VecDeque::with_capacity(REMEMBERED) }
    }

    /// How many bytes a write certainly accepts without waiting, as long as no other process writes; 0
    /// if that is unknown.
    pub fn room(&mut self, file: &File) -> usize {
        match self.kind {
            Kind::Store => usize::MAX,
            Kind::Pipe => self.room_in_pipe(file),
            Kind::Other => 0,
        }
    }

    /// Records a write of this many bytes.
    pub fn wrote(&mut self, bytes: usize) {
        if self.kind == Kind::Pipe && bytes > 0 {
            if self.written.len() == REMEMBERED {
                self.written.pop_front();
            }
            self.written.push_back(bytes);
        }
    }

    /// The room in a pipe. A pipe consists of pages, and each write may start a new one, so its free
    /// bytes are known only if it is empty or contains only recorded writes. Otherwise, if it is
    /// writable, it has a free page and accepts `PIPE_BUF` bytes.
    fn room_in_pipe(&mut self, file: &File) -> usize {
        let mut held: libc::c_int = 0;
        // SAFETY: the pointer is to a number, which the call fills; the others take plain numbers.
        let (asked, size) = unsafe {
            let asked = libc::ioctl(file.as_raw_fd(), libc::FIONREAD, &raw mut held);
            (asked, libc::fcntl(file.as_raw_fd(), libc::F_GETPIPE_SZ))
        };
        let observed = |number: libc::c_int| usize::try_from(number).unwrap_or(0);
        let (size, page) = (observed(size), process::page_size() as usize);
        let is_writable = || poll::is_writable(file);
        if asked != 0 {
            return 0;
        }
        if held == 0 {
            self.written.clear();
        }
        match self.pages(observed(held), page) {
            Some(pages) if pages * page < size => size - pages * page,
            _ if is_writable() => libc::PIPE_BUF,
            _ => 0,
        }
    }

    /// The maximum number of pages that the last `held` written bytes occupy, if they are recorded.
    fn pages(&self, held: usize, page: usize) -> Option<usize> {
        let (mut left, mut pages) = (held, 0);
        for &bytes in self.written.iter().rev() {
            if left == 0 {
                break;
            }
            // The oldest write may have been read up to the middle of a page.
            pages += if left < bytes { left / page + 2 } else { bytes.div_ceil(page) };
            left = left.saturating_sub(bytes);
        }
        (left == 0).then_some(pages)
    }
}

/// How many writes to record: a usual pipe has as many pages.
const REMEMBERED: usize = 16;

fn kind(file: &File) -> Kind {
    /// The major device number of `/dev/null` and similar files, `null(4)`.
    const MEMORY: u32 = 1;
    let Ok(data) = file.metadata() else { return Kind::Other };
    let kind = data.file_type();
    let is_memory = kind.is_char_device() && libc::major(data.rdev()) == MEMORY;
    match () {
        () if kind.is_file() || kind.is_block_device() || is_memory => Kind::Store,
        () if kind.is_fifo() => Kind::Pipe,
        () => Kind::Other,
    }
}

/// Removes the last `bytes` bytes from a regular file again, unless something was written after them.
pub fn cut_back(mut file: &File, bytes: u64) {
    let mut cut = || {
        let data = file.metadata().ok().filter(|data| data.is_file() && bytes > 0)?;
        let end = file.stream_position().ok().filter(|&end| end == data.len())?;
        let start = end.checked_sub(bytes)?;
        file.set_len(start).ok()?;
        file.seek(SeekFrom::Start(start)).ok()
    };
    // If this fails, the bytes stay.
    let _ = cut();
}

/// Whether this is a regular file, and the next byte that is written goes behind its last one: then what is skipped
/// is zeros.
pub fn is_at_end(mut file: &File) -> std::io::Result<bool> {
    let flags = OFlag::from_bits_truncate(fcntl(file, FcntlArg::F_GETFL)?);
    let data = file.metadata()?;
    let is_plain = data.is_file() && !flags.contains(OFlag::O_APPEND);
    Ok(is_plain && file.stream_position()? >= data.len())
}

/// The maximum size of a file that this process writes, in bytes, `RLIMIT_FSIZE`.
pub fn file_limit() -> u64 {
    let limits = process::rlimit(nix::sys::resource::Resource::RLIMIT_FSIZE);
    limits.and_then(|[soft, _]| soft).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;

    /// A non-blocking pipe and its outlet.
    fn pipe() -> (File, File, Outlet) {
        let (reader, writer) = std::io::pipe().unwrap();
        let writer = File::from(OwnedFd::from(writer));
        // SAFETY: takes plain numbers.
        unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        let outlet = Outlet::of(&writer);
        (File::from(OwnedFd::from(reader)), writer, outlet)
    }

    #[test]
    fn a_pipe_takes_what_it_is_said_to_take() {
        // Some writes leave half a page empty, others do not; read in odd sizes.
        for (piece, step) in
            [(2049, 100), (4096, 5000), (1, 1), (10_000, 7_777), (65_536, 1), (3, 4)]
        {
            let (mut reader, mut writer, mut outlet) = pipe();
            for round in 0..200 {
                let room = outlet.room(&writer);
                let bytes = room.min(if round % 3 == 0 { room } else { piece });
                assert_eq!(writer.write(&vec![0; bytes]).unwrap_or(0), bytes, "{piece}, {step}");
                outlet.wrote(bytes);
                if round % 2 == 0 {
                    let _ = reader.read(&mut vec![0; step]).unwrap();
                }
            }
        }
    }

    #[test]
    fn what_others_have_written_is_not_known() {
        let (_reader, mut writer, mut outlet) = pipe();
        assert_eq!(outlet.room(&writer), 65_536);
        // Half of its bytes are free, but no page is.
        while writer.write(&[0; 2049]).is_ok() {}
        assert_eq!(outlet.room(&writer), 0);
        assert_eq!(Outlet::of(&File::open("/dev/null").unwrap()).room(&writer), usize::MAX);
    }
}
