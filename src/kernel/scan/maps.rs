//! What a process has in its memory, `/proc/PID/maps` in `proc_pid_maps(5)`.

use std::ops::Range;

use super::Look;
use crate::ipc::Kind;
use crate::ipc::posix::FileIdentity;
use crate::kernel::shm::Device;

/// A segment in the memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attached<'a> {
    /// Its id.
    pub(super) id: i32,
    /// Where it lies, as `/proc/PID/map_files` names it.
    pub(super) range: &'a str,
    /// The size of its huge pages, if it has such.
    pub(super) huge_page: Option<u64>,
}

/// The segments in the text of `/proc/PID/maps`: the mapped file is called `/SYSV…` and lies on one of
/// the kernel's own file systems for segments, its inode is the id. A name alone proves nothing: anybody
/// can give it to a file.
pub(super) fn attached<'a>(
    maps: &'a [u8],
    devices: &[Device],
) -> impl Iterator<Item = Attached<'a>> {
    let may_have_some = maps.windows(6).any(|window| window == b" /SYSV");
    let lines = if may_have_some { maps } else { b"" };
    lines.split(|&byte| byte == b'\n').filter_map(move |line| {
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.split_ascii_whitespace();
        let range = words.next()?;
        let (major, minor) = words.nth(2)?.split_once(':')?;
        let number = (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
        let id = words.next()?.parse().ok()?;
        let device = devices.iter().find(|device| device.number == number)?;
        let is_segment = words.next()?.starts_with("/SYSV");
        is_segment.then_some(Attached { id, range, huge_page: device.huge_page })
    })
}

/// The POSIX objects in the text of `/proc/PID/maps`, and where they lie.
pub(super) fn mapped(maps: &[u8], look: &Look) -> Vec<(Range<u64>, FileIdentity, Kind)> {
    let line = |line: &[u8]| {
        let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let (major, minor) = words.nth(2)?.split_once(':')?;
        let number = |text| u32::from_str_radix(text, 16).ok();
        let device = libc::makedev(number(major)?, number(minor)?);
        let inode = words.next()?.parse().ok()?;
        let (file, kind) = look.wanted(FileIdentity { device, inode })?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        Some((address(start)?..address(end)?, file, kind))
    };
    // Most are of programs and libraries: a name that is no text is seldom, and may be ours.
    maps.split(|&byte| byte == b'\n').filter_map(|text| line(up_to_name(text))).collect()
}

/// A line of `/proc/PID/maps` without the name at its end.
fn up_to_name(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|&byte| byte == b'/').unwrap_or(line.len());
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAPS: &str = "\
55d0c0a00000-55d0c0a21000 r--p 00000000 fe:00 131 /usr/bin/perl
7f0000000000-7f0000001000 rw-s 00000000 00:01 32768                      /SYSV0000beef (deleted)
7f0000002000-7f0000003000 rw-s 00000000 00:11 5                          /SYSV00000000 (deleted)
7f0000004000-7f0000005000 rw-s 00000000 fe:00 77                         /SYSV0000cafe
7f0000006000-7f0000007000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
";

    #[test]
    fn a_segment_is_told_from_a_file_of_its_name_by_the_device() {
        let small = Device { number: (0, 1), huge_page: None };
        let huge = Device { number: (0, 0x11), huge_page: Some(2 << 20) };
        let first = Attached { id: 32768, range: "7f0000000000-7f0000001000", huge_page: None };
        let second =
            Attached { id: 5, range: "7f0000002000-7f0000003000", huge_page: Some(2 << 20) };
        let found = |devices: &[Device]| attached(MAPS.as_bytes(), devices).collect::<Vec<_>>();
        assert_eq!(found(&[small]), [first]);
        assert_eq!(found(&[small, huge]), [first, second]);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn a_mapped_file_is_told_by_device_and_inode() {
        let mut look = Look::default();
        let file = FileIdentity { device: libc::makedev(0xfe, 0), inode: 77 };
        look.files.insert(file, Kind::Pshm);
        let range = 0x7f0000004000..0x7f0000005000;
        assert_eq!(mapped(MAPS.as_bytes(), &look), [(range, file, Kind::Pshm)]);
        assert_eq!(mapped(MAPS.as_bytes(), &Look::default()), []);
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, text in "[0-9a-fx: /SYV-]{0,100}") {
            for bytes in [&bytes, text.as_bytes()] {
                let _ = attached(bytes, &[Device { number: (0, 1), huge_page: None }]).count();
                let _ = mapped(bytes, &Look::default());
            }
        }
    }
}
