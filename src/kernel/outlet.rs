//! How much a file takes without waiting: `pipe(7)`, "Pipe capacity".

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::descriptor;

/// Where output goes, by what is known of its patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// Nobody has to read it: a file, or `/dev/null`.
    Store,
    /// A pipe, which holds so much until somebody reads it.
    Pipe,
    /// A terminal, a socket: how much it takes is not known.
    Other,
}

impl Outlet {
    /// What this file is.
    pub fn of(file: &File) -> Outlet {
        /// `/dev/null` and its like, `null(4)`.
        const MEMORY: u32 = 1;
        let Ok(data) = file.metadata() else { return Outlet::Other };
        let kind = data.file_type();
        let is_memory = kind.is_char_device() && libc::major(data.rdev()) == MEMORY;
        match () {
            () if kind.is_file() || kind.is_block_device() || is_memory => Outlet::Store,
            () if kind.is_fifo() => Outlet::Pipe,
            () => Outlet::Other,
        }
    }

    /// So many bytes are certainly taken at once, as long as nobody else writes; 0 where that is not
    /// known.
    pub fn room(self, file: &File) -> usize {
        match self {
            Outlet::Store => usize::MAX,
            Outlet::Pipe => room_in_pipe(file),
            Outlet::Other => 0,
        }
    }
}

/// A pipe holds pages rather than bytes, and each piece that is written may begin a new one. So its
/// free bytes are certain only where it is empty. Else it has a free page if it says that it can be
/// written, and a page holds at least `PIPE_BUF` bytes.
fn room_in_pipe(file: &File) -> usize {
    let mut held: libc::c_int = 0;
    // SAFETY: the pointer is to a number, which the call fills.
    let asked = unsafe { libc::ioctl(file.as_raw_fd(), libc::FIONREAD, &raw mut held) };
    if asked == 0 && held == 0 {
        // SAFETY: takes plain numbers.
        let size = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETPIPE_SZ) };
        return size.try_into().unwrap_or(0);
    }
    if descriptor::is_writable(file) { libc::PIPE_BUF } else { 0 }
}

/// No file may become larger than this by the hands of this process, `RLIMIT_FSIZE`.
pub fn file_limit() -> u64 {
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_FSIZE);
    limit.map_or(u64::MAX, |(soft, _)| soft)
}
