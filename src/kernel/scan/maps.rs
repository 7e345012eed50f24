//! What a process has in its memory, `/proc/PID/maps` in `proc_pid_maps(5)`.

use std::ops::Range;

use super::Look;
use crate::ipc::Kind;
use crate::ipc::posix::FileIdentity;

/// The ids of the segments in the text of `/proc/PID/maps`: the mapped file is called `/SYSV…` and
/// lies on the kernel's own file system for segments, its inode is the id. A name alone proves
/// nothing: anybody can give it to a file.
pub(crate) fn attached<'a>(
    maps: &'a [u8],
    devices: &'a [(u32, u32)],
) -> impl Iterator<Item = i32> + 'a {
    let may_have_some = maps.windows(6).any(|window| window == b" /SYSV");
    let lines = if may_have_some { maps } else { b"" };
    lines.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.split_ascii_whitespace().skip(3);
        let (major, minor) = words.next()?.split_once(':')?;
        let device = (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
        let inode = words.next()?;
        let is_segment = devices.contains(&device) && words.next()?.starts_with("/SYSV");
        is_segment.then(|| inode.parse().ok())?
    })
}

/// The POSIX objects in the text of `/proc/PID/maps`, and where they lie.
pub(crate) fn mapped(maps: &[u8], look: &Look) -> Vec<(Range<u64>, FileIdentity, Kind)> {
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
        let ids = |devices: &[(u32, u32)]| attached(MAPS.as_bytes(), devices).collect::<Vec<_>>();
        assert_eq!(ids(&[(0, 1)]), [32768]);
        assert_eq!(ids(&[(0, 1), (0, 0x11)]), [32768, 5], "huge pages, too");
        assert_eq!(ids(&[]), Vec::<i32>::new());
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
                let _ = attached(bytes, &[(0, 1)]).count();
                let _ = mapped(bytes, &Look::default());
            }
        }
    }
}
