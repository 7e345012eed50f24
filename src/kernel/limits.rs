//! The limits of IPC, `/proc/sys/kernel` and `/proc/sys/fs/mqueue`: `proc_sys_kernel(5)`,
//! `mq_overview(7)`, `getrlimit(2)`.

use std::fs::{self, File};
use std::io::{self, Read};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// A limit, by its name in `msgget(2)`, `shmget(2)`, `semget(2)`, `mq_overview(7)`, `getrlimit(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "names of the field, each told in `about`")]
pub enum Limit {
    Msgmni,
    Msgmax,
    Msgmnb,
    Shmmni,
    Shmmax,
    Shmall,
    Shmmin,
    ShmRmidForced,
    Semmni,
    Semmns,
    Semmsl,
    Semopm,
    Semvmx,
    MqueueQueuesMax,
    MqueueMsgMax,
    MqueueMsgsizeMax,
    MqueueMsgDefault,
    MqueueMsgsizeDefault,
    RlimitMsgqueue,
    RlimitMsgqueueHard,
    RlimitNofile,
}

/// Where the value of a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file under `/proc/sys`, by the name of its sysctl, and the place of the number in it.
    Sysctl(&'static str, usize),
    /// The kernel knows no other.
    Constant(u64),
    /// `getrlimit(2)`, the soft limit.
    Soft(Resource),
    /// `getrlimit(2)`, the hard limit.
    Hard(Resource),
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things, or pages.
    Count,
    /// Bytes.
    Bytes,
    /// 0 or 1.
    Switch,
}

impl Limit {
    /// All of them, as they are listed.
    pub const ALL: [Limit; 21] = {
        use Limit::*;
        [
            Msgmni,
            Msgmax,
            Msgmnb,
            Shmmni,
            Shmmax,
            Shmall,
            Shmmin,
            ShmRmidForced,
            Semmni,
            Semmns,
            Semmsl,
            Semopm,
            Semvmx,
            MqueueQueuesMax,
            MqueueMsgMax,
            MqueueMsgsizeMax,
            MqueueMsgDefault,
            MqueueMsgsizeDefault,
            RlimitMsgqueue,
            RlimitMsgqueueHard,
            RlimitNofile,
        ]
    };

    /// The name, the source, the unit, and what it is.
    fn about(self) -> (&'static str, Source, Unit, &'static str) {
        use Source::{Constant, Hard, Soft, Sysctl};
        use Unit::{Bytes, Count, Switch};
        let bytes = Resource::RLIMIT_MSGQUEUE;
        match self {
            Limit::Msgmni => ("msgmni", Sysctl("kernel.msgmni", 0), Count, "message queues"),
            Limit::Msgmax => ("msgmax", Sysctl("kernel.msgmax", 0), Bytes, "bytes in one message"),
            Limit::Msgmnb => {
                ("msgmnb", Sysctl("kernel.msgmnb", 0), Bytes, "max_bytes of a new queue")
            }
            Limit::Shmmni => ("shmmni", Sysctl("kernel.shmmni", 0), Count, "segments"),
            Limit::Shmmax => ("shmmax", Sysctl("kernel.shmmax", 0), Bytes, "bytes in one segment"),
            Limit::Shmall => ("shmall", Sysctl("kernel.shmall", 0), Count, "pages in all segments"),
            Limit::Shmmin => ("shmmin", Constant(1), Bytes, "bytes at least in a segment"),
            Limit::ShmRmidForced => (
                "shm_rmid_forced",
                Sysctl("kernel.shm_rmid_forced", 0),
                Switch,
                "1: segments go with the last process",
            ),
            Limit::Semmni => ("semmni", Sysctl("kernel.sem", 3), Count, "semaphore sets"),
            Limit::Semmns => ("semmns", Sysctl("kernel.sem", 1), Count, "semaphores in all sets"),
            Limit::Semmsl => ("semmsl", Sysctl("kernel.sem", 0), Count, "semaphores in one set"),
            Limit::Semopm => ("semopm", Sysctl("kernel.sem", 2), Count, "operations in one semop"),
            Limit::Semvmx => ("semvmx", Constant(32_767), Count, "value of a semaphore"),
            Limit::MqueueQueuesMax => {
                ("fs.mqueue.queues_max", Sysctl("fs.mqueue.queues_max", 0), Count, "POSIX queues")
            }
            Limit::MqueueMsgMax => (
                "fs.mqueue.msg_max",
                Sysctl("fs.mqueue.msg_max", 0),
                Count,
                "messages in one POSIX queue",
            ),
            Limit::MqueueMsgsizeMax => (
                "fs.mqueue.msgsize_max",
                Sysctl("fs.mqueue.msgsize_max", 0),
                Bytes,
                "bytes in one message of a POSIX queue",
            ),
            Limit::MqueueMsgDefault => (
                "fs.mqueue.msg_default",
                Sysctl("fs.mqueue.msg_default", 0),
                Count,
                "messages in a POSIX queue that names no number",
            ),
            Limit::MqueueMsgsizeDefault => (
                "fs.mqueue.msgsize_default",
                Sysctl("fs.mqueue.msgsize_default", 0),
                Bytes,
                "message size of a POSIX queue that names none",
            ),
            Limit::RlimitMsgqueue => {
                ("RLIMIT_MSGQUEUE", Soft(bytes), Bytes, "bytes charged to a user for POSIX queues")
            }
            Limit::RlimitMsgqueueHard => {
                ("RLIMIT_MSGQUEUE_HARD", Hard(bytes), Bytes, "how far that can be raised")
            }
            Limit::RlimitNofile => {
                ("RLIMIT_NOFILE", Soft(Resource::RLIMIT_NOFILE), Count, "descriptors of a process")
            }
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.about().0
    }

    /// Where its value is.
    pub fn source(self) -> Source {
        self.about().1
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        self.about().2
    }

    /// Whether it is one of each user, and not of the whole IPC namespace.
    pub fn is_of_user(self) -> bool {
        matches!(self, Limit::RlimitMsgqueue | Limit::RlimitMsgqueueHard)
    }

    /// What it limits, in words.
    pub fn help(self) -> &'static str {
        self.about().3
    }

    /// The values that it takes; nothing where it cannot be set.
    pub fn range(self) -> Option<std::ops::RangeInclusive<u64>> {
        let Source::Sysctl(..) = self.source() else { return None };
        let int = i32::MAX as u64;
        Some(match self {
            Limit::Msgmni | Limit::Shmmni | Limit::Semmni => 0..=1 << slot_bits(),
            Limit::Shmmax | Limit::Shmall => 0..=libc::c_ulong::MAX,
            Limit::ShmRmidForced => 0..=1,
            // mq_overview(7): HARD_MSGMAX and HARD_MSGSIZEMAX.
            Limit::MqueueMsgMax | Limit::MqueueMsgDefault => 1..=65_536,
            Limit::MqueueMsgsizeMax | Limit::MqueueMsgsizeDefault => 128..=16_777_216,
            _ => 0..=int,
        })
    }

    /// The limit of this name, with or without the prefix of its sysctl.
    pub fn find(name: &str) -> Option<Limit> {
        let short = |limit: &Limit| limit.name().rsplit('.').next().unwrap_or_default();
        Limit::ALL.into_iter().find(|limit| {
            let full = match limit.source() {
                Source::Sysctl(sysctl, _) => sysctl,
                _ => limit.name(),
            };
            name == limit.name() || name == short(limit) || (name == full && name != "kernel.sem")
        })
    }

    /// Its value now; nothing where there is no limit, or the kernel does not tell.
    pub fn value(self) -> Option<u64> {
        match self.source() {
            Source::Constant(value) => Some(value),
            Source::Soft(resource) => Some(getrlimit(resource).ok()?.0),
            Source::Hard(resource) => Some(getrlimit(resource).ok()?.1),
            Source::Sysctl(name, place) => {
                let text = read(name).ok()?;
                text.split_ascii_whitespace().nth(place)?.parse().ok()
            }
        }
        .filter(|&value| {
            !matches!(self.source(), Source::Soft(_) | Source::Hard(_)) || value != RLIM_INFINITY
        })
    }

    /// The whole text of its sysctl with this value in the place of its own: the three other
    /// numbers of `kernel.sem` stay. Nothing where it is no sysctl.
    pub fn sysctl_with(self, value: u64) -> Option<io::Result<(&'static str, String)>> {
        let Source::Sysctl(name, place) = self.source() else { return None };
        Some(read(name).map(|text| {
            let mut numbers: Vec<String> =
                text.split_ascii_whitespace().map(str::to_owned).collect();
            if let Some(number) = numbers.get_mut(place) {
                *number = value.to_string();
            }
            (name, numbers.join(" "))
        }))
    }
}

/// How many bytes a process may lock in memory, `RLIMIT_MEMLOCK`; nothing for no limit.
pub fn locked_bytes() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_MEMLOCK).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

/// How many bits of an id are its slot, `ipcmni_extend` in the kernel's parameters.
pub fn slot_bits() -> u32 {
    let options = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    match options.split_ascii_whitespace().any(|option| option == "ipcmni_extend") {
        true => 24,
        false => 15,
    }
}

/// Writes the text of a sysctl. `EACCES` or `EPERM` without privilege over the namespace.
pub fn write(name: &str, text: &str) -> io::Result<()> {
    fs::write(path(name), text)
}

/// Whether this process may write a sysctl. Where `/proc/sys` is read-only it may not.
pub fn is_writable(name: &str) -> bool {
    let flags = nix::fcntl::AtFlags::AT_EACCESS;
    let (path, mode) = (path(name), nix::unistd::AccessFlags::W_OK);
    nix::unistd::faccessat(nix::fcntl::AT_FDCWD, path.as_str(), mode, flags).is_ok()
}

/// Reads the text of a sysctl: at one go, for one of several numbers has no second part.
pub fn read(name: &str) -> io::Result<String> {
    let mut buffer = [0; 512];
    let count = File::open(path(name))?.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

/// The names and texts of all sysctls that are limits of an IPC namespace, as far as there are.
pub fn texts() -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> = Vec::new();
    for limit in Limit::ALL {
        if let Source::Sysctl(name, _) = limit.source()
            && texts.iter().all(|(other, _)| *other != name)
            && let Ok(text) = read(name)
        {
            texts.push((name, text));
        }
    }
    texts
}

fn path(sysctl: &str) -> String {
    format!("/proc/sys/{}", sysctl.replace('.', "/"))
}
