//! Which limit or memory is used up, and how much of it: `ENOSPC`, `ENOMEM` and `EMFILE`.

use crate::ipc::{CommandLine, Home, Kind};
use crate::kernel::limits::Limit;
use crate::kernel::memory::{Memory, Overcommit};
use crate::kernel::posix::dev_shm::Space;

/// Which limit of System V objects an `ENOSPC` means. `asked` is in bytes for a segment and in semaphores
/// for a set. `used` is how much of a limit is used, `value` the limit itself.
pub(super) fn objects(
    kind: Kind,
    asked: u64,
    page_size: u64,
    used: impl Fn(Limit) -> Option<u64>,
    value: impl Fn(Limit) -> Option<u64>,
) -> Option<String> {
    let number = match kind {
        Kind::Msg => Limit::Msgmni,
        Kind::Shm => Limit::Shmmni,
        Kind::Sem => Limit::Semmni,
        Kind::Pmsg | Kind::Pshm | Kind::Psem => return None,
    };
    let is_reached = value(number).is_some_and(|limit| used(number) >= Some(limit));
    let (limit, asked, noun) = match kind {
        _ if is_reached => (number, 1, format!("{}s", kind.noun())),
        Kind::Shm => {
            (Limit::Shmall, asked.div_ceil(page_size), "pages of shared memory".to_owned())
        }
        Kind::Sem => (Limit::Semmns, asked, "semaphores".to_owned()),
        Kind::Msg | Kind::Pmsg | Kind::Pshm | Kind::Psem => return None,
    };
    Some(format!(
        "{} of {} {noun} are in use ({}), and the request needs {asked} more; 'ipctool limits' shows the limits; to see what uses them: ipctool list {kind} -t",
        used(limit)?,
        value(limit)?,
        limit.name(),
    ))
}

/// How full `/dev/shm` is, and how to enlarge it.
pub(super) fn dev_shm(space: &Space) -> String {
    let used = |used: u64, all: Option<u64>, noun| Some(format!("{used} of {} {noun}", all?));
    let bytes = used(space.used_bytes, space.bytes, "bytes");
    let inodes = used(space.used_inodes, space.inodes, "inodes (files)");
    let used: Vec<_> = bytes.into_iter().chain(inodes).collect();
    // Double what is used up.
    let larger = match space.inodes {
        Some(all) if space.used_inodes >= all => {
            format!("remount,nr_inodes={}", all.saturating_mul(2))
        }
        _ => format!("remount,size={}", space.bytes.unwrap_or(0).saturating_mul(2)),
    };
    let remount = CommandLine::new("mount -o").word(larger).word("/dev/shm");
    format!(
        "{} of /dev/shm are used; 'ipctool list pshm psem' shows what uses them; in a container the size is set at its start (docker run --shm-size; in a pod, the sizeLimit of an emptyDir with medium Memory); elsewhere, as root: {remount}",
        used.join(" and ")
    )
}

/// `/dev/shm` is mounted read-only.
pub(super) fn dev_shm_is_read_only() -> String {
    let remount = CommandLine::new("mount -o remount,rw /dev/shm");
    format!("/dev/shm is mounted read-only here; if that is not on purpose, as root: {remount}")
}

/// Why there is no memory for a segment of `asked` bytes.
pub(super) fn memory(asked: u64, memory: &Memory) -> String {
    let Memory { total, swap, commit_limit, committed, .. } = *memory;
    let reserved = match memory.huge_pages {
        0 => String::new(),
        pages => format!(
            "; {} bytes are reserved as {pages} huge pages, {} of them free",
            pages.saturating_mul(memory.huge_page_size),
            memory.free_huge_pages
        ),
    };
    match memory.overcommit {
        Overcommit::Guess if asked > total.saturating_add(swap) => format!(
            "the segment needs {asked} bytes, and while vm.overcommit_memory is 0 no segment may be larger than memory and swap together, {total} and {swap} bytes"
        ),
        Overcommit::Never => format!(
            "the segment needs {asked} bytes, and {committed} of {commit_limit} are already committed (Committed_AS and CommitLimit in /proc/meminfo), a limit that applies while vm.overcommit_memory is 2{reserved}"
        ),
        Overcommit::Guess | Overcommit::Always => format!("{}{reserved}", kernel_memory(memory)),
    }
}

/// Why there is no memory for an object itself.
pub(super) fn kernel_memory(memory: &Memory) -> String {
    format!(
        "the kernel keeps the object in its own memory: {} of {} bytes are available (MemAvailable in /proc/meminfo), and the limit of a memory cgroup applies as well",
        memory.available, memory.total
    )
}

/// Why there are too few huge pages of the default size for a segment of `asked` bytes.
pub(super) fn huge_pages(asked: u64, memory: &Memory) -> String {
    let Memory { huge_pages: all, free_huge_pages: free, huge_page_size: size, .. } = *memory;
    let Some(needed) = (size > 0).then(|| asked.div_ceil(size)) else {
        return "this kernel has no huge pages".to_owned();
    };
    let more = CommandLine::new("sysctl -w")
        .setting("vm.nr_hugepages", all.saturating_add(needed.saturating_sub(free)));
    format!(
        "the segment needs {needed} huge pages of {size} bytes, and {free} of {all} are free (HugePages_Free and HugePages_Total in /proc/meminfo), fewer if some are reserved; as root: {more}"
    )
}

/// The bytes that POSIX queues may take (`RLIMIT_MSGQUEUE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueueBytes<'a> {
    /// What the new queue needs.
    pub needed: u64,
    /// What the queues of the user are charged for; `None` if they cannot be listed.
    pub charged: Option<u64>,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit, up to which the caller may raise the soft one.
    pub hard: u64,
    /// The same as `charged` in other IPC namespaces, as far as they can be seen.
    pub elsewhere: &'a [(Home, u64)],
}

impl QueueBytes<'_> {
    /// What happened.
    pub fn what(&self) -> String {
        let QueueBytes { needed, charged, soft, .. } = self;
        match charged {
            Some(charged) => format!(
                "RLIMIT_MSGQUEUE exceeded: the queue needs {needed} bytes; {charged} of {soft} are already charged"
            ),
            None => format!(
                "RLIMIT_MSGQUEUE exceeded: the queue needs {needed} bytes; too many of {soft} are already charged for queues that cannot be listed here"
            ),
        }
    }

    /// What the bytes are charged for, and how to raise the limit.
    pub fn hint(&self) -> String {
        let QueueBytes { needed, charged, soft, hard, elsewhere } = *self;
        let mut hint = "a queue is charged for its capacity, even while it is empty".to_owned();
        if charged.is_some() {
            hint += "; 'ipctool list pmsg -o ref,owner,reserved_bytes' shows it";
        }
        if charged.is_some_and(|charged| charged.saturating_add(needed) <= soft) {
            hint += "; your queues in other IPC namespaces are charged as well";
            let of_one = |(home, bytes): &(Home, u64)| format!("{bytes} bytes in {home}");
            let places: Vec<String> = elsewhere.iter().map(of_one).collect();
            if let [(first, _), ..] = elsewhere {
                let place = CommandLine::new("ipctool --in").word(first.name());
                hint += &format!(": {}; to see them: {place} list pmsg", places.join(", "));
            } else {
                hint += ", and so are removed ones that a process still has open";
            }
        }
        // What is charged elsewhere is unknown, but it is at most the present limit.
        let is_elsewhere = charged.is_none_or(|charged| charged.saturating_add(needed) <= soft);
        let enough = if is_elsewhere { soft } else { charged.unwrap_or(soft) };
        let enough = enough.saturating_add(needed);
        let raise = CommandLine::new("prlimit --pid $$");
        // Without a number after the colon, the hard limit stays.
        let raise = match enough <= hard {
            true => format!("in a shell: {}", raise.setting("--msgqueue", format!("{enough}:"))),
            false => format!("for a shell, as root: {}", raise.setting("--msgqueue", enough)),
        };
        format!(
            "{hint}; to raise the limit, set LimitMSGQUEUE={enough} in the unit of a service (systemd.exec(5)), or use limits.conf(5) or 'ulimit -q' for a login; {raise}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_is_reached_is_named() {
        let used = |limit| match limit {
            Limit::Msgmni => Some(2),
            Limit::Shmmni | Limit::Semmni => Some(1),
            Limit::Shmall => Some(6),
            Limit::Semmns => Some(4),
            _ => None,
        };
        let value = |limit| match limit {
            Limit::Msgmni => Some(2),
            Limit::Shmmni | Limit::Semmni => Some(9),
            Limit::Shmall => Some(7),
            Limit::Semmns => Some(5),
            _ => None,
        };
        for (kind, asked, expected) in [
            (
                Kind::Msg,
                0,
                "2 of 2 message queues are in use (msgmni), and the request needs 1 more",
            ),
            (
                Kind::Shm,
                8193,
                "6 of 7 pages of shared memory are in use (shmall), and the request needs 3 more",
            ),
            (Kind::Sem, 2, "4 of 5 semaphores are in use (semmns), and the request needs 2 more"),
        ] {
            let hint = objects(kind, asked, 4096, used, value).unwrap();
            assert!(hint.starts_with(expected), "{hint}");
        }
        assert_eq!(objects(Kind::Pshm, 1, 4096, used, value), None);
    }

    #[test]
    fn how_full_dev_shm_is() {
        let full = Space {
            bytes: Some(65_536),
            used_bytes: 65_536,
            inodes: Some(5),
            used_inodes: 3,
            is_tmpfs: true,
        };
        let hint = dev_shm(&full);
        assert!(
            hint.starts_with("65536 of 65536 bytes and 3 of 5 inodes (files) of /dev/shm"),
            "{hint}"
        );
        assert!(hint.ends_with("as root: mount -o remount,size=131072 /dev/shm"), "{hint}");
        let hint = dev_shm(&Space { used_bytes: 61_440, used_inodes: 5, ..full });
        assert!(hint.starts_with("61440 of 65536 bytes and 5 of 5 inodes"), "{hint}");
        assert!(hint.ends_with("as root: mount -o remount,nr_inodes=10 /dev/shm"), "{hint}");
        let hint = dev_shm(&Space { inodes: None, used_inodes: 0, ..full });
        assert!(hint.starts_with("65536 of 65536 bytes of /dev/shm are used"), "{hint}");
    }

    #[test]
    fn why_there_is_no_memory() {
        let machine = Memory {
            total: 1000,
            available: 600,
            swap: 200,
            commit_limit: 700,
            committed: 400,
            ..Memory::default()
        };
        let huge = Memory { huge_pages: 4, free_huge_pages: 1, huge_page_size: 50, ..machine };
        let with = |overcommit, memory: Memory| Memory { overcommit, ..memory };
        for (asked, state, expected) in [
            (
                1201,
                machine,
                "while vm.overcommit_memory is 0 no segment may be larger than memory and swap together, 1000 and 200 bytes",
            ),
            (1200, machine, "600 of 1000 bytes are available"),
            (
                301,
                with(Overcommit::Never, machine),
                "and 400 of 700 are already committed (Committed_AS and CommitLimit",
            ),
            (
                301,
                with(Overcommit::Never, huge),
                "; 200 bytes are reserved as 4 huge pages, 1 of them free",
            ),
            (9999, with(Overcommit::Always, huge), "available (MemAvailable"),
        ] {
            let hint = memory(asked, &state);
            assert!(hint.contains(expected), "{hint}");
        }
        assert_eq!(
            huge_pages(151, &huge),
            "the segment needs 4 huge pages of 50 bytes, and 1 of 4 are free (HugePages_Free and HugePages_Total in /proc/meminfo), fewer if some are reserved; as root: sysctl -w vm.nr_hugepages=7"
        );
        assert_eq!(huge_pages(1, &machine), "this kernel has no huge pages");
    }

    #[test]
    fn how_to_raise_the_bytes_for_queues() {
        let bytes =
            QueueBytes { needed: 300, charged: Some(800), soft: 1000, hard: 1000, elsewhere: &[] };
        for (bytes, expected) in [
            (bytes, "set LimitMSGQUEUE=1100 in the unit of a service"),
            (bytes, "for a shell, as root: prlimit --pid $$ --msgqueue=1100"),
            (QueueBytes { hard: 5000, ..bytes }, "in a shell: prlimit --pid $$ --msgqueue=1100:"),
            (
                QueueBytes { charged: Some(100), ..bytes },
                "; your queues in other IPC namespaces are charged as well, and so are removed ones",
            ),
            (QueueBytes { charged: Some(100), ..bytes }, "LimitMSGQUEUE=1300"),
            (QueueBytes { charged: None, ..bytes }, "even while it is empty; to raise"),
        ] {
            assert!(bytes.hint().contains(expected), "{}", bytes.hint());
        }
    }
}
