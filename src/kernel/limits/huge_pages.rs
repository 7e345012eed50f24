//! The pool of huge pages: `proc_sys_vm(5)`, `hugetlbpage` in the documentation of the kernel.

use std::fs;

/// How many pages of the pool of the default size are in use or promised to mappings; `None` if that is
/// unknown.
pub(super) fn used() -> Option<u64> {
    used_of(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn used_of(meminfo: &str) -> Option<u64> {
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line?.trim().parse::<u64>().ok()
    };
    let free = field("HugePages_Free")?.saturating_sub(field("HugePages_Rsvd")?);
    Some(field("HugePages_Total")?.saturating_sub(free))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_used() {
        let text = "MemTotal: 5 kB\nHugePages_Total:      10\nHugePages_Free:        7\nHugePages_Rsvd:        2\n";
        assert_eq!(used_of(text), Some(5));
        assert_eq!(used_of("MemTotal: 5 kB\n"), None);
        assert_eq!(used_of(""), None);
    }
}
