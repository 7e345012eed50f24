//! The mappings of a process, `/proc/PID/maps` in `proc_pid_maps(5)`.

use std::ops::Range;

use super::scope::ScanScope;
use crate::ipc::posix::FileIdentity;
use crate::ipc::{Key, Kind};
use crate::kernel::sysv::shm::Device;

/// A file mapped by a process, a line of `/proc/PID/maps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Mapping<'a> {
    /// Its address range, as `/proc/PID/map_files` names it.
    pub(in crate::kernel) range: &'a str,
    /// Its device.
    pub(in crate::kernel) device: u64,
    /// Its inode.
    pub(in crate::kernel) inode: u64,
    /// Its path as the kernel knows it.
    pub(in crate::kernel) name: &'a [u8],
}

/// The files in the text of `/proc/PID/maps`.
pub(in crate::kernel) fn mappings(maps: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    maps.split(|&byte| byte == b'\n').filter_map(|line| {
        // Most mappings are programs and libraries. Names are kept as bytes, because one that is not
        // UTF-8 may be an object.
        let (words, name) = line.split_at(line.iter().position(|&byte| byte == b'/')?);
        let mut words = std::str::from_utf8(words).ok()?.split_ascii_whitespace();
        let range = words.next()?;
        let (major, minor) = words.nth(2)?.split_once(':')?;
        let number = |text| u32::from_str_radix(text, 16).ok();
        let device = libc::makedev(number(major)?, number(minor)?);
        Some(Mapping { range, device, inode: words.next()?.parse().ok()?, name })
    })
}

/// A segment attached by a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attached<'a> {
    /// Its id.
    pub(crate) id: i32,
    /// Its address range, as `/proc/PID/map_files` names it.
    pub(crate) range: &'a str,
    /// The key with which it was created, which the file keeps in its name.
    pub(crate) key: Key,
    /// The size of its huge pages, if it has any.
    pub(crate) huge_page: Option<u64>,
}

/// The segments in the text of `/proc/PID/maps`: the mapped file is named `/SYSV…` and is on one of the
/// kernel's file systems for segments; its inode is the id. The name alone proves nothing, because any
/// file can have it.
pub(crate) fn attached<'a>(
    maps: &'a [u8],
    devices: &[Device],
) -> impl Iterator<Item = Attached<'a>> {
    let may_have_some = maps.windows(6).any(|window| window == b" /SYSV");
    mappings(if may_have_some { maps } else { b"" }).filter_map(|mapping| {
        let device = devices.iter().find(|device| device.number == mapping.device)?;
        let digits = mapping.name.strip_prefix(b"/SYSV")?.get(..8);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let key = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Some(Attached {
            id: mapping.inode.try_into().ok()?,
            range: mapping.range,
            key: key.map_or(Key::PRIVATE, |key| Key(key as i32)),
            huge_page: device.huge_page,
        })
    })
}

/// The POSIX objects in the text of `/proc/PID/maps`, with their addresses.
pub(crate) fn mapped(maps: &[u8], scope: &ScanScope) -> Vec<(Range<u64>, FileIdentity, Kind)> {
    let object = |mapping: Mapping<'_>| {
        let Mapping { device, inode, .. } = mapping;
        let (file, kind) = scope.wanted(FileIdentity { device, inode })?;
        let (start, end) = mapping.range.split_once('-')?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        Some((address(start)?..address(end)?, file, kind))
    };
    mappings(maps).filter_map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAPS: &str = "\
55d0c0a00000-55d0c0a21000 r--p 00000000 fe:00 131 /usr/bin/perl
7f0000000000-7f0000001000 rw-s 00000000 00:01 32768                      /SYSVffffbeef (deleted)
7f0000002000-7f0000003000 rw-s 00000000 00:11 5                          /SYSV00000000 (deleted)
7f0000004000-7f0000005000 rw-s 00000000 fe:00 77                         /SYSV0000cafe
7f0000006000-7f0000007000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
";

    #[test]
    fn a_segment_is_told_from_a_file_of_its_name_by_the_device() {
        let small = Device { number: libc::makedev(0, 1), huge_page: None };
        let huge = Device { number: libc::makedev(0, 0x11), huge_page: Some(2 << 20) };
        let first = Attached {
            id: 32768,
            range: "7f0000000000-7f0000001000",
            key: Key(-0x4111),
            huge_page: None,
        };
        let second = Attached {
            id: 5,
            range: "7f0000002000-7f0000003000",
            key: Key::PRIVATE,
            huge_page: Some(2 << 20),
        };
        let found = |devices: &[Device]| attached(MAPS.as_bytes(), devices).collect::<Vec<_>>();
        assert_eq!(found(&[small]), [first]);
        assert_eq!(found(&[small, huge]), [first, second]);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn a_mapped_file_is_told_by_device_and_inode() {
        let file = FileIdentity { device: libc::makedev(0xfe, 0), inode: 77 };
        let scope = ScanScope::of_file(file, Kind::Pshm);
        let range = 0x7f0000004000..0x7f0000005000;
        assert_eq!(mapped(MAPS.as_bytes(), &scope), [(range, file, Kind::Pshm)]);
        assert_eq!(mapped(MAPS.as_bytes(), &ScanScope::default()), []);
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, text in "[0-9a-fx: /SYV-]{0,100}") {
            for bytes in [&bytes, text.as_bytes()] {
                let _ = attached(bytes, &[Device { number: libc::makedev(0, 1), huge_page: None }]).count();
                let _ = mapped(bytes, &ScanScope::default());
            }
        }
    }
}
