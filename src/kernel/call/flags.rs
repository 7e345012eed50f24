//! Flags and commands by their names in the C headers, in the order in which `strace(1)` prints them.

use std::fmt;

use libc::c_int;

/// Names of bits. A name that includes the bits of others comes before them.
type Table = &'static [(c_int, &'static str)];

/// `msgget(2)` and `semget(2)`.
const GET: Table = &[
    (libc::IPC_CREAT, "IPC_CREAT"),
    (libc::IPC_EXCL, "IPC_EXCL"),
    (libc::IPC_NOWAIT, "IPC_NOWAIT"),
];

/// `shmget(2)`.
const SHMGET: Table = &[
    (libc::IPC_CREAT, "IPC_CREAT"),
    (libc::IPC_EXCL, "IPC_EXCL"),
    (libc::SHM_HUGETLB, "SHM_HUGETLB"),
    (libc::SHM_NORESERVE, "SHM_NORESERVE"),
];

/// `msgop(2)`.
const MESSAGE: Table = &[
    (libc::MSG_NOERROR, "MSG_NOERROR"),
    (libc::MSG_EXCEPT, "MSG_EXCEPT"),
    (libc::MSG_COPY, "MSG_COPY"),
    (libc::IPC_NOWAIT, "IPC_NOWAIT"),
];

/// `shmop(2)`.
const SHMAT: Table = &[
    (libc::SHM_RDONLY, "SHM_RDONLY"),
    (libc::SHM_RND, "SHM_RND"),
    (libc::SHM_REMAP, "SHM_REMAP"),
    (libc::SHM_EXEC, "SHM_EXEC"),
];

/// `semop(2)`.
const SEMOP: Table = &[(libc::SEM_UNDO, "SEM_UNDO"), (libc::IPC_NOWAIT, "IPC_NOWAIT")];

/// `open(2)`, next to the access mode.
const OPEN: Table = &[
    (libc::O_CREAT, "O_CREAT"),
    (libc::O_EXCL, "O_EXCL"),
    (libc::O_NOCTTY, "O_NOCTTY"),
    (libc::O_TRUNC, "O_TRUNC"),
    (libc::O_APPEND, "O_APPEND"),
    (libc::O_NONBLOCK, "O_NONBLOCK"),
    (libc::O_SYNC, "O_SYNC"),
    (libc::O_DSYNC, "O_DSYNC"),
    (libc::O_DIRECT, "O_DIRECT"),
    // 0 on machines where every open allows large files.
    (libc::O_LARGEFILE, "O_LARGEFILE"),
    (libc::O_NOFOLLOW, "O_NOFOLLOW"),
    (libc::O_NOATIME, "O_NOATIME"),
    (libc::O_CLOEXEC, "O_CLOEXEC"),
    (libc::O_PATH, "O_PATH"),
    (libc::O_TMPFILE, "O_TMPFILE"),
    (libc::O_DIRECTORY, "O_DIRECTORY"),
];

/// Flags of calls that take a directory and a path.
const AT: Table =
    &[(libc::AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"), (libc::AT_EMPTY_PATH, "AT_EMPTY_PATH")];

/// `unlinkat(2)`, which has its own flag.
const UNLINKAT: Table = &[(libc::AT_REMOVEDIR, "AT_REMOVEDIR")];

/// `struct mq_attr`.
const MQ_ATTR: Table = &[(libc::O_NONBLOCK, "O_NONBLOCK")];

/// The position of the page size, as a base-2 logarithm, in the flags of `shmget(2)`.
const HUGE_SHIFT: c_int = 26;
const HUGE_MASK: c_int = 0x3f << HUGE_SHIFT;

/// The flags of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flags {
    /// `msgget(2)` and `semget(2)`: `IPC_CREAT|0600`.
    Get(c_int),
    /// `shmget(2)`.
    Shmget(c_int),
    /// `msgop(2)`: `MSG_EXCEPT|IPC_NOWAIT`.
    Message(c_int),
    /// `shmat(2)`: `SHM_RDONLY`.
    Shmat(c_int),
    /// `semop(2)`: `SEM_UNDO|IPC_NOWAIT`.
    Semop(c_int),
    /// `open(2)`: `O_RDWR|O_CREAT|O_EXCL`.
    Open(c_int),
    /// `sem_open(3)`, which takes no access mode.
    SemOpen(c_int),
    /// `fchownat(2)`.
    At(c_int),
    /// `unlinkat(2)`.
    Unlinkat(c_int),
    /// `mq_getattr(3)`.
    MqAttr(c_int),
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = List { f, separator: "" };
        match *self {
            Flags::Get(flags) => {
                list.named(flags & !0o777, GET)?;
                list.push(Octal((flags & 0o777) as u32))
            }
            Flags::Shmget(flags) => {
                list.named(flags & !0o777 & !HUGE_MASK, SHMGET)?;
                match flags & HUGE_MASK {
                    0 => {}
                    huge => {
                        list.push(format_args!("{}<<SHM_HUGE_SHIFT", huge as u32 >> HUGE_SHIFT))?
                    }
                }
                list.push(Octal((flags & 0o777) as u32))
            }
            Flags::Open(flags) => {
                list.push(match flags & libc::O_ACCMODE {
                    libc::O_RDONLY => "O_RDONLY",
                    libc::O_WRONLY => "O_WRONLY",
                    libc::O_RDWR => "O_RDWR",
                    _ => "O_ACCMODE",
                })?;
                list.named(flags & !libc::O_ACCMODE, OPEN)
            }
            Flags::SemOpen(flags) => list.named_or_zero(flags, OPEN, "O_???"),
            Flags::Message(flags) => list.named_or_zero(flags, MESSAGE, "MSG_???"),
            Flags::Shmat(flags) => list.named_or_zero(flags, SHMAT, "SHM_???"),
            Flags::Semop(flags) => list.named_or_zero(flags, SEMOP, "SEM_???"),
            Flags::At(flags) => list.named_or_zero(flags, AT, "AT_???"),
            Flags::Unlinkat(flags) => list.named_or_zero(flags, UNLINKAT, "AT_???"),
            Flags::MqAttr(flags) => list.named_or_zero(flags, MQ_ATTR, "O_???"),
        }
    }
}

/// Words joined by bars.
struct List<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    separator: &'static str,
}

impl List<'_, '_> {
    fn push(&mut self, word: impl fmt::Display) -> fmt::Result {
        write!(self.f, "{}{word}", self.separator)?;
        self.separator = "|";
        Ok(())
    }

    /// Bits without a name are printed as one number at the end.
    fn named(&mut self, flags: c_int, table: Table) -> fmt::Result {
        let mut rest = flags;
        for &(bits, name) in table {
            if bits != 0 && rest & bits == bits {
                rest &= !bits;
                self.push(name)?;
            }
        }
        if rest == 0 { Ok(()) } else { self.push(format_args!("{rest:#x}")) }
    }

    /// Prints flags that are a whole argument. `unknown` is the comment after flags without any name.
    fn named_or_zero(&mut self, flags: c_int, table: Table, unknown: &str) -> fmt::Result {
        match flags {
            0 => self.push(0),
            _ if table.iter().all(|(bits, _)| flags & bits != *bits) => {
                self.push(format_args!("{flags:#x} /* {unknown} */"))
            }
            _ => self.named(flags, table),
        }
    }
}

/// A mode in octal: `0600`, and `000` for 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Octal(pub u32);

impl fmt::Display for Octal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..0o100 => write!(f, "{:03o}", self.0),
            mode => write!(f, "0{mode:o}"),
        }
    }
}

/// A command of `msgctl(2)`, `shmctl(2)` or `semctl(2)`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Msgctl(c_int),
    Shmctl(c_int),
    Semctl(c_int),
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (command, own, unknown): (_, Table, _) = match *self {
            Command::Msgctl(command) => {
                (command, &[(11, "MSG_STAT"), (12, "MSG_INFO"), (13, "MSG_STAT_ANY")], "MSG_???")
            }
            Command::Shmctl(command) => (
                command,
                &[
                    (11, "SHM_LOCK"),
                    (12, "SHM_UNLOCK"),
                    (13, "SHM_STAT"),
                    (14, "SHM_INFO"),
                    (15, "SHM_STAT_ANY"),
                ],
                "SHM_???",
            ),
            Command::Semctl(command) => (
                command,
                &[
                    (11, "GETPID"),
                    (12, "GETVAL"),
                    (13, "GETALL"),
                    (14, "GETNCNT"),
                    (15, "GETZCNT"),
                    (16, "SETVAL"),
                    (17, "SETALL"),
                    (18, "SEM_STAT"),
                    (19, "SEM_INFO"),
                    (20, "SEM_STAT_ANY"),
                ],
                "SEM_???",
            ),
        };
        let common: Table = &[(0, "IPC_RMID"), (1, "IPC_SET"), (2, "IPC_STAT"), (3, "IPC_INFO")];
        match common.iter().chain(own).find(|(number, _)| *number == command) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{command:#x} /* {unknown} */"),
        }
    }
}
