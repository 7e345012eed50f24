//! Which IPC namespaces the processes of the machine live in.

use std::collections::HashSet;
use std::fs;
use std::io;

use super::{Handle, Identity};

/// The IPC namespaces of processes, as far as they can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// How many namespaces other than the own one have processes.
    pub others: usize,
    /// How many processes were looked at.
    pub seen: usize,
    /// How many were not: the caller may not inspect them, or there are too many.
    pub unseen: usize,
}

impl Census {
    /// Looks at the `most` newest processes, which are those with the highest numbers unless the numbers
    /// have started again. A namespace without processes is not seen.
    pub fn take(own: &Handle, most: usize) -> io::Result<Census> {
        let own = own.identity()?;
        let mut pids: Vec<i32> = fs::read_dir("/proc")?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        pids.sort_unstable();
        let mut census = Census { others: 0, seen: 0, unseen: pids.len().saturating_sub(most) };
        let mut others: HashSet<Identity> = HashSet::new();
        for pid in pids.into_iter().rev().take(most) {
            match Identity::of(pid) {
                Ok(identity) => {
                    census.seen += 1;
                    if identity != own {
                        others.insert(identity);
                    }
                }
                // It has ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => census.unseen += 1,
            }
        }
        census.others = others.len();
        Ok(census)
    }
}
