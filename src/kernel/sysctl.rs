//! The limits of System V IPC, `/proc/sys/kernel`, `proc_sys_kernel(5)`.

use std::fs;

/// A limit of the IPC namespace, by its name in `msgget(2)`, `shmget(2)` and `semget(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Most queues.
    Msgmni,
    /// Most bytes in one message.
    Msgmax,
    /// The `msg_qbytes` of a new queue.
    Msgmnb,
    /// Most segments.
    Shmmni,
    /// Most bytes in one segment.
    Shmmax,
    /// Most pages in all segments.
    Shmall,
    /// Most sets.
    Semmni,
    /// Most semaphores in all sets.
    Semmns,
    /// Most semaphores in one set.
    Semmsl,
}

impl Limit {
    /// Its value now; nothing where the kernel does not tell.
    pub fn value(self) -> Option<u64> {
        // The four numbers of kernel.sem are SEMMSL, SEMMNS, SEMOPM, SEMMNI.
        let (file, place) = match self {
            Limit::Msgmni => ("msgmni", 0),
            Limit::Msgmax => ("msgmax", 0),
            Limit::Msgmnb => ("msgmnb", 0),
            Limit::Shmmni => ("shmmni", 0),
            Limit::Shmmax => ("shmmax", 0),
            Limit::Shmall => ("shmall", 0),
            Limit::Semmsl => ("sem", 0),
            Limit::Semmns => ("sem", 1),
            Limit::Semmni => ("sem", 3),
        };
        let text = fs::read_to_string(format!("/proc/sys/kernel/{file}")).ok()?;
        text.split_ascii_whitespace().nth(place)?.parse().ok()
    }
}
