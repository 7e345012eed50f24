//! Asks the kernel for one mapped file after the other, `PROCMAP_QUERY` in Linux 6.11: a text of all mappings
//! takes it ten times as long, and another time to read.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::{Mapping, Which};

/// `struct procmap_query` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct Query {
    size: u64,
    query_flags: u64,
    query_addr: u64,
    vma_start: u64,
    vma_end: u64,
    vma_flags: u64,
    vma_page_size: u64,
    vma_offset: u64,
    inode: u64,
    dev_major: u32,
    dev_minor: u32,
    vma_name_size: u32,
    build_id_size: u32,
    vma_name_addr: u64,
    build_id_addr: u64,
}

/// `_IOWR('f', 17, struct procmap_query)`.
const PROCMAP_QUERY: libc::Ioctl =
    0xc000_6611_u32 as libc::Ioctl | (size_of::<Query>() as libc::Ioctl) << 16;

/// `PROCMAP_QUERY_VMA_SHARED`, `PROCMAP_QUERY_COVERING_OR_NEXT_VMA`, `PROCMAP_QUERY_FILE_BACKED_VMA`.
const SHARED: u64 = 0x08;
const COVERING_OR_NEXT: u64 = 0x10;
const FILE_BACKED: u64 = 0x20;

/// The room for the name of a file, which the kernel does not cut: `PATH_MAX`.
pub(super) const NAME: usize = libc::PATH_MAX as usize;

/// Passes each of these mappings to `visit`. Returns false if the kernel cannot be asked; then some may have been
/// passed already. `maps` is an open `/proc/PID/maps`, and `name` has room for [`NAME`] bytes.
pub(super) fn each(
    maps: &File,
    which: Which,
    name: &mut [u8],
    visit: &mut dyn FnMut(Mapping<'_>) -> io::Result<()>,
) -> io::Result<bool> {
    let query_flags = match which {
        Which::Files => COVERING_OR_NEXT | FILE_BACKED,
        Which::SharedFiles => COVERING_OR_NEXT | FILE_BACKED | SHARED,
    };
    let mut query_addr = 0;
    loop {
        let mut query = Query {
            size: size_of::<Query>() as u64,
            query_flags,
            query_addr,
            vma_name_size: name.len().try_into().unwrap_or(u32::MAX),
            vma_name_addr: name.as_mut_ptr() as u64,
            ..Query::default()
        };
        // SAFETY: the kernel fills the structure, whose size it is told, and at most as many bytes of `name` as
        // there are; it keeps no pointer.
        if unsafe { libc::ioctl(maps.as_raw_fd(), PROCMAP_QUERY, &mut query) } != 0 {
            return Ok(match io::Error::last_os_error().raw_os_error() {
                // No further one, or no memory any more: the process is about to end.
                Some(libc::ENOENT | libc::ESRCH) => true,
                _ => false,
            });
        }
        let length = query.vma_name_size as usize;
        visit(Mapping {
            range: query.vma_start..query.vma_end,
            device: libc::makedev(query.dev_major, query.dev_minor),
            inode: query.inode,
            // It ends with a NUL.
            name: name.get(..length.saturating_sub(1)).unwrap_or_default(),
        })?;
        query_addr = query.vma_end;
    }
}
