//! The memory of the machine, and how much of it is committed: `proc_meminfo(5)`, `proc_sys_vm(5)`.

use std::{fs, io};

use super::limits;

/// The state of the memory. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// `MemTotal`: usable memory.
    pub total: u64,
    /// `MemAvailable`: memory available without swapping.
    pub available: u64,
    /// `SwapTotal`.
    pub swap: u64,
    /// `CommitLimit`: how much may be committed with [`Overcommit::Never`].
    pub commit_limit: u64,
    /// `Committed_AS`: how much is committed.
    pub committed: u64,
    /// `HugePages_Total`: how many huge pages of the default size are reserved.
    pub huge_pages: u64,
    /// `HugePages_Free`: how many of these are free; some may be committed.
    pub free_huge_pages: u64,
    /// `Hugepagesize`: the default size; 0 if there are no huge pages.
    pub huge_page_size: u64,
    /// How freely memory is committed.
    pub overcommit: Overcommit,
}

/// `vm.overcommit_memory`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overcommit {
    /// 0: a single request may not exceed memory and swap together.
    #[default]
    Guess,
    /// 1: every request is granted.
    Always,
    /// 2: all requests together may not exceed `CommitLimit`.
    Never,
}

impl Memory {
    /// Reads the current state.
    pub fn read() -> io::Result<Memory> {
        let overcommit = limits::read("vm.overcommit_memory").unwrap_or_default();
        Ok(parse(&fs::read_to_string("/proc/meminfo")?, &overcommit))
    }
}

fn parse(meminfo: &str, overcommit: &str) -> Memory {
    let number = |label: &str| -> u64 {
        let field = meminfo.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(':'));
        let word = field.and_then(|field| field.split_ascii_whitespace().next());
        word.and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    let bytes = |label| number(label).saturating_mul(1024);
    Memory {
        total: bytes("MemTotal"),
        available: bytes("MemAvailable"),
        swap: bytes("SwapTotal"),
        commit_limit: bytes("CommitLimit"),
        committed: bytes("Committed_AS"),
        huge_pages: number("HugePages_Total"),
        free_huge_pages: number("HugePages_Free"),
        huge_page_size: bytes("Hugepagesize"),
        overcommit: match overcommit.trim() {
            "1" => Overcommit::Always,
            "2" => Overcommit::Never,
            _ => Overcommit::Guess,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_files_of_proc_say() {
        let meminfo = "MemTotal:       24684092 kB\nSwapTotal:             0 kB\nCommitLimit:    12342044 kB\n\
                       Committed_AS:     158828 kB\nHugePages_Total:       4\nHugePages_Free:        3\n\
                       Hugepagesize:       2048 kB\n";
        let memory = parse(meminfo, "2\n");
        assert_eq!(memory.total, 24_684_092 << 10);
        assert_eq!((memory.commit_limit, memory.committed), (12_342_044 << 10, 158_828 << 10));
        assert_eq!((memory.huge_pages, memory.free_huge_pages), (4, 3));
        assert_eq!(memory.huge_page_size, 2 << 20);
        assert_eq!(memory.overcommit, Overcommit::Never);
        assert_eq!(parse("", ""), Memory::default());
    }
}
