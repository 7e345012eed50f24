//! The mappings of a process, `/proc/PID/maps` in `proc_pid_maps(5)`.

mod query;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use crate::ipc::Key;
use crate::kernel::sysv::shm::Device;

/// A mapping of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping<'a> {
    /// Its addresses.
    pub(crate) range: Range<u64>,
    /// The device of the file.
    pub(crate) device: u64,
    /// Its inode.
    pub(crate) inode: u64,
    /// Its path as the kernel knows it.
    pub(crate) name: &'a [u8],
}

impl Mapping<'_> {
    /// The path of the link to the file, which takes privileges, below the directory of the process.
    pub(crate) fn link(&self, directory: &str) -> String {
        format!("{directory}/map_files/{:x}-{:x}", self.range.start, self.range.end)
    }
}

/// Which mappings are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those of all files.
    Files,
    /// Those of files that are shared, `MAP_SHARED` in `mmap(2)`, as those of segments are.
    SharedFiles,
}

/// Reads the mappings of one process after the other.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    /// Whether the kernel cannot be asked.
    needs_text: bool,
    buffer: Vec<u8>,
}

impl Maps {
    /// Passes each mapping of the process with this directory in `/proc` to `visit`, some perhaps twice.
    pub(crate) fn each(
        &mut self,
        directory: &str,
        which: Which,
        visit: &mut dyn FnMut(Mapping<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut maps = File::open(format!("{directory}/maps"))?;
        if !self.needs_text {
            self.buffer.resize(query::NAME, 0);
            self.needs_text = !query::each(&maps, which, &mut self.buffer, visit)?;
        }
        if self.needs_text {
            self.buffer.clear();
            maps.read_to_end(&mut self.buffer)?;
            mappings(&self.buffer, which).try_for_each(visit)?;
        }
        Ok(())
    }
}

/// The mappings in the text of `/proc/PID/maps`.
pub(crate) fn mappings(maps: &[u8], which: Which) -> impl Iterator<Item = Mapping<'_>> {
    maps.split(|&byte| byte == b'\n').filter_map(move |line| {
        // Most mappings are of programs and libraries. Names are kept as bytes, because one that is not
        // UTF-8 may be an object.
        let (words, name) = line.split_at(line.iter().position(|&byte| byte == b'/')?);
        let mut words = std::str::from_utf8(words).ok()?.split_ascii_whitespace();
        let (range, mode) = (words.next()?, words.next()?);
        if which == Which::SharedFiles && !mode.ends_with('s') {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        let (major, minor) = words.nth(1)?.split_once(':')?;
        let number = |text| u32::from_str_radix(text, 16).ok();
        Some(Mapping {
            range: address(start)?..address(end)?,
            device: libc::makedev(number(major)?, number(minor)?),
            inode: words.next()?.parse().ok()?,
            name,
        })
    })
}

/// A segment attached by a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Its id.
    pub(crate) id: i32,
    /// The key with which it was created, which the file keeps in its name.
    pub(crate) key: Key,
    /// The size of its huge pages, if it has any.
    pub(crate) huge_page: Option<u64>,
}

impl Attached {
    /// The segment of a mapping: the mapped file is named `/SYSV…` and is on one of the kernel's file systems for
    /// segments; its inode is the id. The name alone proves nothing, because any file can have it.
    pub(crate) fn of(mapping: &Mapping<'_>, devices: &[Device]) -> Option<Attached> {
        let device = devices.iter().find(|device| device.number == mapping.device)?;
        let digits = mapping.name.strip_prefix(b"/SYSV")?.get(..8);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let key = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Some(Attached {
            id: mapping.inode.try_into().ok()?,
            key: key.map_or(Key::PRIVATE, |key| Key(key as i32)),
            huge_page: device.huge_page,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    const MAPS: &str = "\
55d0c0a00000-55d0c0a21000 r--p 00000000 fe:00 131 /usr/bin/perl
7f0000000000-7f0000001000 rw-s 00000000 00:01 32768                      /SYSVffffbeef (deleted)
7f0000002000-7f0000003000 rw-s 00000000 00:11 5                          /SYSV00000000 (deleted)
7f0000004000-7f0000005000 rw-s 00000000 fe:00 77                         /SYSV0000cafe
7f0000006000-7f0000007000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
";

    fn device(number: u64, huge_page: Option<u64>) -> Device {
        Device { number, huge_page }
    }

    #[test]
    fn a_segment_is_told_from_a_file_of_its_name_by_the_device() {
        let small = device(libc::makedev(0, 1), None);
        let huge = device(libc::makedev(0, 0x11), Some(2 << 20));
        let first = Attached { id: 32768, key: Key(-0x4111), huge_page: None };
        let second = Attached { id: 5, key: Key::PRIVATE, huge_page: Some(2 << 20) };
        let found = |devices: &[Device]| {
            let all = mappings(MAPS.as_bytes(), Which::SharedFiles);
            all.filter_map(|mapping| Attached::of(&mapping, devices)).collect::<Vec<_>>()
        };
        assert_eq!(found(&[small]), [first]);
        assert_eq!(found(&[small, huge]), [first, second]);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn files_are_told_by_device_and_inode() {
        let all = |which| mappings(MAPS.as_bytes(), which).map(|one| one.inode).collect::<Vec<_>>();
        assert_eq!(all(Which::Files), [131, 32768, 5, 77]);
        assert_eq!(all(Which::SharedFiles), [32768, 5, 77]);
        let last = mappings(MAPS.as_bytes(), Which::Files).last().unwrap();
        assert_eq!(last.device, libc::makedev(0xfe, 0));
        assert_eq!(last.link("/proc/7"), "/proc/7/map_files/7f0000004000-7f0000005000");
    }

    #[test]
    fn the_kernel_and_its_text_agree() {
        let piped = || Stdio::piped();
        let mut cat = Command::new("cat").stdin(piped()).stdout(piped()).spawn().unwrap();
        // When it has answered, it maps nothing more.
        cat.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        cat.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        for which in [Which::Files, Which::SharedFiles] {
            let [asked, read] = [false, true].map(|needs_text| {
                let mut found = Vec::new();
                let mut maps = Maps { needs_text, ..Maps::default() };
                maps.each(&format!("/proc/{}", cat.id()), which, &mut |mapping| {
                    let Mapping { range, device, inode, name } = mapping;
                    found.push((range, device, inode, name.to_vec()));
                    Ok(())
                })
                .unwrap();
                found
            });
            assert_eq!(asked, read, "{which:?}");
            assert!(which == Which::SharedFiles || read.iter().any(|one| one.3.ends_with(b"/cat")));
        }
        drop(cat.stdin.take());
        cat.wait().unwrap();
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, text in "[0-9a-fx: /SYV-]{0,100}") {
            for bytes in [&bytes, text.as_bytes()] {
                let devices = [device(libc::makedev(0, 1), None)];
                let all = mappings(bytes, Which::Files);
                let _ = all.filter_map(|mapping| Attached::of(&mapping, &devices)).count();
            }
        }
    }
}
