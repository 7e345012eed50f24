//! Restrictions on this process beyond permissions: seccomp filters and security modules.
//! `proc_pid_status(5)`, `proc_pid_attr(5)`, `seccomp(2)`.

use std::fs;

use super::proc_file;
use super::status::field;

/// The visible restrictions on this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// How many seccomp filters check each system call; 0 for none.
    pub filters: u32,
    /// The label that a security module gave the process: a context of SELinux, a profile of AppArmor,
    /// a label of Smack. `None` without such a module, and for `unconfined`.
    pub label: Option<String>,
}

impl Confinement {
    /// Reads the current restrictions on this process.
    pub fn read() -> Confinement {
        Confinement::of("/proc/self")
    }

    /// Those on the process with this directory in `/proc`.
    pub(super) fn of(directory: &str) -> Confinement {
        let status = proc_file::read_to_string(&format!("{directory}/status")).unwrap_or_default();
        Confinement {
            filters: filters(&status),
            // EINVAL without a security module.
            label: fs::read(format!("{directory}/attr/current"))
                .ok()
                .and_then(|label| clean(&label)),
        }
    }
}

/// The number of filters in the text of `/proc/PID/status`. Before Linux 5.9 it shows only whether
/// there are any, which counts as one.
fn filters(status: &str) -> u32 {
    let number = |label: &str| -> Option<u32> { field(status, label)?.parse().ok() };
    number("Seccomp_filters:").unwrap_or(match number("Seccomp:") {
        Some(1 | 2) => 1,
        _ => 0,
    })
}

/// A label as text. SELinux ends it with NUL, AppArmor with a newline.
fn clean(label: &[u8]) -> Option<String> {
    let label = String::from_utf8_lossy(label);
    let label = label.trim_matches(|end: char| end == '\0' || end.is_whitespace());
    (!label.is_empty() && label != "unconfined").then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_files_of_proc_say() {
        for (status, expected) in [
            ("NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n", 3),
            ("Seccomp:\t2\n", 1),
            ("Seccomp:\t0\nSeccomp_filters:\t0\n", 0),
            ("", 0),
        ] {
            assert_eq!(filters(status), expected, "{status:?}");
        }
        let label = |text: &[u8]| clean(text);
        assert_eq!(label(b"docker-default (enforce)\n").unwrap(), "docker-default (enforce)");
        let context = "system_u:system_r:container_t:s0:c1,c2";
        assert_eq!(label(format!("{context}\0").as_bytes()).unwrap(), context);
        assert_eq!(label(b"unconfined\n"), None);
        assert_eq!(label(b""), None);
    }
}
