//! The file systems that a process sees, `/proc/PID/mountinfo` in `proc_pid_mountinfo(5)`, which all
//! users may read.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::ipc::text::unescape;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Its device, as `stat(2)` reports it for files on it.
    pub(crate) device: u64,
    /// Where it is mounted.
    pub(crate) point: PathBuf,
    /// Its type, such as `mqueue`.
    pub(crate) kind: String,
}

impl Mount {
    /// Parses a line of mountinfo.
    pub(crate) fn parse(line: &[u8]) -> Option<Mount> {
        let mut words = line.split(|&byte| byte == b' ');
        let (major, minor) = std::str::from_utf8(words.nth(2)?).ok()?.split_once(':')?;
        let device = libc::makedev(major.parse().ok()?, minor.parse().ok()?);
        let point = words.nth(1)?;
        // Optional fields end with a dash, followed by the type.
        words.find(|word| word == b"-")?;
        let kind = String::from_utf8_lossy(words.next()?).into_owned();
        Some(Mount { device, point: OsString::from_vec(unescape(point, escaped)).into(), kind })
    }
}

/// The byte that the escape sequence at the start of this text stands for. Blanks and the like are
/// written in octal, as `\040`.
fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    let digits = std::str::from_utf8(text.strip_prefix(b"\\")?.get(..3)?).ok()?;
    Some((u8::from_str_radix(digits, 8).ok()?, 4))
}

/// The file systems that this process sees.
pub(in crate::kernel) fn own() -> io::Result<Vec<Mount>> {
    Ok(parse_all(&fs::read("/proc/self/mountinfo")?))
}

/// The devices of the file systems that a process sees; `None` if they cannot be read.
pub(in crate::kernel) fn devices_of(pid: i32) -> Option<HashSet<u64>> {
    let text = fs::read(format!("/proc/{pid}/mountinfo")).ok()?;
    Some(parse_all(&text).into_iter().map(|mount| mount.device).collect())
}

/// The IPC namespaces that are mounted somewhere, by their numbers, in the text of mountinfo.
pub(in crate::kernel) fn ipc_namespaces(text: &[u8]) -> Vec<(u64, PathBuf)> {
    let lines = text.split(|&byte| byte == b'\n');
    let mounted = |line: &[u8]| {
        let mut words = line.split(|&byte| byte == b' ').skip(3);
        let root = std::str::from_utf8(words.next()?).ok()?;
        let number = root.strip_prefix("ipc:[")?.strip_suffix(']')?.parse().ok()?;
        Some((number, OsString::from_vec(unescape(words.next()?, escaped)).into()))
    };
    lines.filter_map(mounted).collect()
}

fn parse_all(text: &[u8]) -> Vec<Mount> {
    text.split(|&byte| byte == b'\n').filter_map(Mount::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        let parse = |line: &str| Mount::parse(line.as_bytes());
        let mount = |minor, point: &str, kind: &str| {
            let device = libc::makedev(0, minor);
            Some(Mount { device, point: point.into(), kind: kind.to_owned() })
        };
        let line = "36 24 0:19 / /dev/mqueue rw,nosuid shared:14 - mqueue mqueue rw";
        assert_eq!(parse(line), mount(19, "/dev/mqueue", "mqueue"));
        let line = "36 24 0:19 / /mnt/two\\040words rw - mqueue none rw";
        assert_eq!(parse(line), mount(19, "/mnt/two words", "mqueue"));
        let line = "23 27 0:22 / /sys rw,relatime - sysfs sysfs rw";
        assert_eq!(parse(line), mount(22, "/sys", "sysfs"));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn mounted_namespaces() {
        let text = b"36 24 0:4 ipc:[4026532201] /run/my\\040ipc rw - nsfs nsfs rw\n\
                     37 24 0:4 net:[4026531992] /run/netns/a rw - nsfs nsfs rw\n";
        assert_eq!(ipc_namespaces(text), [(4_026_532_201, "/run/my ipc".into())]);
    }

    proptest! {
        #[test]
        fn no_line_panics(line: Vec<u8>, text in "[ \\\\0-9a-z:/-]{0,80}") {
            let _ = (Mount::parse(&line), Mount::parse(text.as_bytes()));
        }
    }
}
