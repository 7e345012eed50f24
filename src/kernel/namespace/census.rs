//! Which IPC namespaces the processes of the machine live in.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Instant;

use super::{Handle, Identity};

/// The IPC namespaces of processes, as far as they can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// How many namespaces other than the own one have processes.
    pub others: usize,
    /// How many processes were looked at.
    pub seen: usize,
    /// Whether these are all; otherwise the caller may not inspect some, or there was no time for them.
    pub is_whole: bool,
}

impl Census {
    /// Looks at processes until all are seen, or until the deadline. A namespace without processes is not
    /// seen.
    pub fn take(own: &Handle, deadline: Instant) -> io::Result<Census> {
        let own = own.identity()?;
        let mut census = Census { others: 0, seen: 0, is_whole: true };
        let mut others: HashSet<Identity> = HashSet::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            if Instant::now() > deadline {
                census.is_whole = false;
                break;
            }
            match Identity::of(pid) {
                Ok(identity) => {
                    census.seen += 1;
                    if identity != own {
                        others.insert(identity);
                    }
                }
                // It has ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => census.is_whole = false,
            }
        }
        census.others = others.len();
        Ok(census)
    }
}
