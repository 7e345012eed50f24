//! Formats calls as `strace(1)` does, so that knowledge of one helps with the other. Two C library
//! functions are shown although they are not system calls: `ftok` and `sem_open`.

use std::fmt;

use libc::{AT_FDCWD, c_int, timespec};
use nix::errno::Errno;

use super::flags::{Command, Flags, Octal};
use super::quoted::Quoted;
use super::structures::{Attributes, Id, Settable, Whole};
use super::value::{Argument, Call, Event, Filled};
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::kernel::io::os_error;

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.call.name())?;
        self.write_arguments(f)?;
        f.write_str(") = ")?;
        match (self.result, &self.call) {
            (Err(errno), Call::SemOpen { .. }) => write!(f, "SEM_FAILED {}", Reason(errno)),
            (Err(errno), _) => write!(f, "-1 {}", Reason(errno)),
            (Ok(number), Call::Ftok { .. } | Call::SemOpen { .. } | Call::Shmat { .. }) => {
                write!(f, "{number:#x}")
            }
            (Ok(number), _) => write!(f, "{number}"),
        }
    }
}

impl Event<'_> {
    fn write_arguments(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call {
            Call::Msgget { key, flags } => write!(f, "{}, {}", Key(key), Flags::Get(flags)),
            Call::Msgsnd { id, message, size, flags } => {
                write!(f, "{id}, {}, {size}, {}", Message(message, size), Flags::Message(flags))
            }
            Call::Msgrcv { id, message, size, message_type, flags } => {
                write!(f, "{id}, ")?;
                self.write_filled(f, message, |bytes| Message(bytes, self.size()))?;
                write!(f, ", {size}, {message_type}, {}", Flags::Message(flags))
            }
            Call::Msgctl { id, command, argument } => {
                write!(f, "{id}, {}, ", Command::Msgctl(command))?;
                self.write_last(f, argument)
            }
            Call::Shmget { key, size, flags } => {
                write!(f, "{}, {size}, {}", Key(key), Flags::Shmget(flags))
            }
            Call::Shmctl { id, command, argument } => {
                write!(f, "{id}, {}, ", Command::Shmctl(command))?;
                self.write_last(f, argument)
            }
            Call::Shmat { id, flags } => write!(f, "{id}, NULL, {}", Flags::Shmat(flags)),
            Call::Shmdt { address } => write!(f, "{}", Address(address)),
            Call::Semget { key, nsems, flags } => {
                write!(f, "{}, {nsems}, {}", Key(key), Flags::Get(flags))
            }
            Call::Semctl { id, number, command, argument } => {
                write!(f, "{id}, {number}, {}, ", Command::Semctl(command))?;
                self.write_last(f, argument)
            }
            Call::Semtimedop { id, operations, timeout } => {
                let number = operations.len();
                write!(f, "{id}, {}, {number}, {}", Operations(operations), Time(timeout))
            }
            Call::Ftok { path, project } => write!(f, "{}, {project:#x}", Quoted::Path(path)),
            Call::MqOpen { name, flags, mode, attributes } => {
                write!(f, "{}, {}", Quoted::Path(name), Flags::Open(flags))?;
                match (flags & libc::O_CREAT, attributes) {
                    (0, _) => Ok(()),
                    (_, None) => write!(f, ", {}, NULL", Octal(mode)),
                    (_, Some(attributes)) => {
                        // Without names for the flags, because a new queue has none.
                        let flags = attributes.mq_flags;
                        write!(f, ", {}, {}", Octal(mode), Attributes(flags, attributes))
                    }
                }
            }
            Call::MqUnlink { name } => write!(f, "{}", Quoted::Path(name)),
            Call::MqTimedsend { descriptor, message, size, priority, deadline } => {
                let message = Quoted::Message(message, size);
                write!(f, "{descriptor}, {message}, {size}, {priority}, {}", Time(deadline))
            }
            Call::MqTimedreceive { descriptor, message, size, priority, deadline } => {
                write!(f, "{descriptor}, ")?;
                self.write_filled(f, message, |bytes| Quoted::Message(bytes, self.size()))?;
                write!(f, ", {size}, ")?;
                self.write_filled(f, priority, Single)?;
                write!(f, ", {}", Time(deadline))
            }
            Call::MqGetsetattr { descriptor, new, old } => {
                let flags =
                    |attributes: &libc::mq_attr| Flags::MqAttr(attributes.mq_flags as c_int);
                write!(f, "{descriptor}, ")?;
                match new {
                    None => f.write_str("NULL, ")?,
                    Some(new) => write!(f, "{}, ", Attributes(flags(new), new))?,
                }
                self.write_filled(f, old, |old| Attributes(flags(old), old))
            }
            Call::SemOpen { name, flags, mode, value } => {
                write!(f, "{}, {}", Quoted::Path(name), Flags::SemOpen(flags))?;
                match flags & libc::O_CREAT {
                    0 => Ok(()),
                    _ => write!(f, ", {}, {value}", Octal(mode)),
                }
            }
            Call::SemPost { address } | Call::SemTrywait { address } => {
                write!(f, "{}", Address(address))
            }
            Call::SemTimedwait { address, deadline } => {
                write!(f, "{}, {}", Address(address), Time(deadline))
            }
            Call::Openat { directory, path, flags, mode } => {
                write!(f, "{}, {}, {}", Place(directory), Quoted::Path(path), Flags::Open(flags))?;
                match flags & libc::O_CREAT {
                    0 => Ok(()),
                    _ => write!(f, ", {}", Octal(mode)),
                }
            }
            Call::Unlinkat { directory, path, flags } => {
                write!(
                    f,
                    "{}, {}, {}",
                    Place(directory),
                    Quoted::Path(path),
                    Flags::Unlinkat(flags)
                )
            }
            Call::Ftruncate { descriptor, length } => write!(f, "{descriptor}, {length}"),
            Call::Fchmodat { directory, path, mode } => {
                write!(f, "{}, {}, {}", Place(directory), Quoted::Path(path), Octal(mode))
            }
            Call::Fchownat { directory, path, uid, gid, flags } => {
                write!(f, "{}, {}, ", Place(directory), Quoted::Path(path))?;
                write!(f, "{}, {}, {}", Id(uid), Id(gid), Flags::At(flags))
            }
        }
    }

    /// How many bytes a call received.
    fn size(&self) -> usize {
        self.result.map_or(0, |size| size.try_into().unwrap_or(0))
    }

    /// What the call filled, or the address if it failed.
    fn write_filled<T, D: fmt::Display>(
        &self,
        f: &mut fmt::Formatter<'_>,
        filled: Filled<T>,
        shown: impl FnOnce(T) -> D,
    ) -> fmt::Result {
        match self.result {
            Ok(_) => write!(f, "{}", shown(filled.content)),
            Err(_) => write!(f, "{}", Address(filled.address)),
        }
    }

    /// The last argument of `msgctl(2)` and similar calls.
    fn write_last(&self, f: &mut fmt::Formatter<'_>, argument: Argument<'_>) -> fmt::Result {
        match argument {
            Argument::Plain(number) => write!(f, "{}", Address(number)),
            Argument::Read(structure) => write!(f, "{}", Settable(structure)),
            Argument::Filled(filled) => self.write_filled(f, filled, Whole),
        }
    }
}

/// The error of a call: `EINVAL (Invalid argument)`.
struct Reason(Errno);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.0, os_error::words(self.0 as c_int))
    }
}

/// A System V key.
struct Key(i32);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            libc::IPC_PRIVATE => f.write_str("IPC_PRIVATE"),
            key => write!(f, "{key:#x}"),
        }
    }
}

/// An address, or a number in its place.
struct Address(usize);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("NULL"),
            address => write!(f, "{address:#x}"),
        }
    }
}

/// The directory to which a path is relative.
struct Place(c_int);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            AT_FDCWD => f.write_str("AT_FDCWD"),
            descriptor => write!(f, "{descriptor}"),
        }
    }
}

/// A single number that the call filled.
struct Single<'a>(&'a u32);

impl fmt::Display for Single<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

/// A deadline.
struct Time(Option<timespec>);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("NULL"),
            Some(timespec { tv_sec, tv_nsec, .. }) => {
                write!(f, "{{tv_sec={tv_sec}, tv_nsec={tv_nsec}}}")
            }
        }
    }
}

/// Operations of `semop(2)`.
struct Operations<'a>(&'a [libc::sembuf]);

impl fmt::Display for Operations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, operation) in self.0.iter().enumerate() {
            let libc::sembuf { sem_num, sem_op, sem_flg } = *operation;
            let comma = if place == 0 { "" } else { ", " };
            let flags = Flags::Semop(sem_flg.into());
            write!(f, "{comma}{{sem_num={sem_num}, sem_op={sem_op}, sem_flg={flags}}}")?;
        }
        f.write_str("]")
    }
}

/// A System V message with this many bytes after its type.
struct Message<'a>(&'a [u8], usize);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Quoted::Message(&self.0[TYPE_SIZE..], self.1);
        write!(f, "{{mtype={}, mtext={text}}}", type_of(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::call::{MsgInfo, SemInfo, ShmInfo, ShmLimits, Structure};
    use proptest::prelude::*;

    fn shown(call: Call<'_>, result: Result<i64, Errno>) -> String {
        Event { call, result }.to_string()
    }

    /// `strace(1)` printed these lines for a program that made the calls.
    #[test]
    fn what_strace_writes_of_calls_that_no_verb_makes() {
        let argument = |structure| Argument::Filled(Filled { address: 0x7ffc, content: structure });
        let info = MsgInfo {
            msgpool: 3,
            msgmap: 6,
            msgmax: 8192,
            msgmnb: 16384,
            msgmni: 32000,
            msgssz: 16,
            msgtql: 92,
            msgseg: 65535,
        };
        let argument_of_info = argument(Structure::Msginfo(&info));
        let call = Call::Msgctl { id: 0, command: 12, argument: argument_of_info };
        assert_eq!(
            shown(call, Ok(2)),
            "msgctl(0, MSG_INFO, {msgpool=3, msgmap=6, msgmax=8192, msgmnb=16384, msgmni=32000, msgssz=16, msgtql=92, msgseg=65535}) = 2"
        );
        let call = Call::Msgctl { id: 0, command: 0x4d, argument: argument_of_info };
        assert_eq!(
            shown(call, Err(Errno::EINVAL)),
            "msgctl(0, 0x4d /* MSG_??? */, 0x7ffc) = -1 EINVAL (Invalid argument)"
        );
        let info = ShmInfo {
            used_ids: 1,
            shm_tot: 1,
            shm_rss: 0,
            shm_swp: 0,
            swap_attempts: 0,
            swap_successes: 0,
        };
        let argument_of_info = argument(Structure::ShmUsage(&info));
        assert_eq!(
            shown(Call::Shmctl { id: 0, command: 14, argument: argument_of_info }, Ok(0)),
            "shmctl(0, SHM_INFO, {used_ids=1, shm_tot=1, shm_rss=0, shm_swp=0, swap_attempts=0, swap_successes=0}) = 0"
        );
        let info = ShmLimits {
            shmmax: 16384,
            shmmin: 1,
            shmmni: 4096,
            shmseg: 4096,
            shmall: 4,
            unused: [0; 4],
        };
        let argument_of_info = argument(Structure::Shminfo(&info));
        assert_eq!(
            shown(Call::Shmctl { id: 0, command: 3, argument: argument_of_info }, Ok(0)),
            "shmctl(0, IPC_INFO, {shmmax=16384, shmmin=1, shmmni=4096, shmseg=4096, shmall=4}) = 0"
        );
        let info = SemInfo {
            semmap: 1024000000,
            semmni: 32000,
            semmns: 1024000000,
            semmnu: 1024000000,
            semmsl: 32000,
            semopm: 500,
            semume: 500,
            semusz: 1,
            semvmx: 32767,
            semaem: 3,
        };
        let argument_of_info = argument(Structure::Seminfo(&info));
        assert_eq!(
            shown(
                Call::Semctl { id: 0, number: 0, command: 19, argument: argument_of_info },
                Ok(0)
            ),
            "semctl(0, 0, SEM_INFO, {semmap=1024000000, semmni=32000, semmns=1024000000, semmnu=1024000000, semmsl=32000, semopm=500, semume=500, semusz=1, semvmx=32767, semaem=3}) = 0"
        );
        let call = Call::Semctl { id: 0, number: 1, command: 16, argument: Argument::Plain(5) };
        assert_eq!(shown(call, Ok(0)), "semctl(0, 1, SETVAL, 0x5) = 0");
        let call =
            Call::Semctl { id: 0, number: 0, command: 13, argument: Argument::Plain(0x7ffc) };
        assert_eq!(shown(call, Ok(0)), "semctl(0, 0, GETALL, 0x7ffc) = 0");

        let key = -1;
        for (flags, words) in [
            (0o600, "0600"),
            (0, "000"),
            (libc::IPC_CREAT, "IPC_CREAT|000"),
            (libc::IPC_CREAT | libc::IPC_NOWAIT | 0o6640, "IPC_CREAT|IPC_EXCL|IPC_NOWAIT|0640"),
        ] {
            let line = shown(Call::Msgget { key, flags }, Ok(2));
            assert_eq!(line, format!("msgget(0xffffffff, {words}) = 2"));
        }
        for (flags, words) in [
            (libc::IPC_CREAT | libc::SHM_NORESERVE | 0o600, "IPC_CREAT|SHM_NORESERVE|0600"),
            (21 << 26 | libc::SHM_HUGETLB | 0o644, "SHM_HUGETLB|21<<SHM_HUGE_SHIFT|0644"),
            (0, "000"),
        ] {
            let line = shown(Call::Shmget { key: 0, size: 4096, flags }, Err(Errno::ENOMEM));
            let why = "-1 ENOMEM (Cannot allocate memory)";
            assert_eq!(line, format!("shmget(IPC_PRIVATE, 4096, {words}) = {why}"));
        }
        for (flags, words) in [
            (libc::MSG_NOERROR | libc::IPC_NOWAIT | 0x10000, "MSG_NOERROR|IPC_NOWAIT|0x10000"),
            (0x10000, "0x10000 /* MSG_??? */"),
            (0, "0"),
        ] {
            let message = [libc::c_long::from(7).to_ne_bytes().as_slice(), b"abc"].concat();
            let message = Filled { address: 0x7ffc, content: message.as_slice() };
            let call = Call::Msgrcv { id: 0, message, size: 9, message_type: -3, flags };
            let line = format!("msgrcv(0, {{mtype=7, mtext=\"ab\"}}, 9, -3, {words}) = 2");
            assert_eq!(shown(call, Ok(2)), line);
        }
        let path = b"/dev/shm/zz";
        let flags = libc::O_CREAT | libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_PATH;
        let call = Call::Openat { directory: libc::AT_FDCWD, path, flags, mode: 0o600 };
        assert_eq!(
            shown(call, Ok(3)),
            "openat(AT_FDCWD, \"/dev/shm/zz\", O_RDONLY|O_CREAT|O_NOFOLLOW|O_CLOEXEC|O_PATH, 0600) = 3"
        );
        let (flags, uid, gid) = (libc::AT_EMPTY_PATH, 0, u32::MAX);
        let call = Call::Fchownat { directory: -1, path: b"", uid, gid, flags };
        assert_eq!(
            shown(call, Err(Errno::EBADF)),
            "fchownat(-1, \"\", 0, -1, AT_EMPTY_PATH) = -1 EBADF (Bad file descriptor)"
        );
    }

    proptest! {
        #[test]
        fn a_call_is_one_printable_line(payload: Vec<u8>, flags: i32, number: i64) {
            let message = [(number as libc::c_long).to_ne_bytes().as_slice(), &payload].concat();
            let size = payload.len();
            let received = Filled { address: 1, content: message.as_slice() };
            for call in [
                Call::Msgsnd { id: flags, message: &message, size, flags },
                Call::Msgrcv { id: flags, message: received, size, message_type: number, flags },
                Call::MqOpen { name: &payload, flags, mode: 0, attributes: None },
                Call::Shmget { key: flags, size, flags },
                Call::Openat { directory: flags, path: &payload, flags, mode: 0 },
            ] {
                for result in [Ok(number), Err(Errno::from_raw(flags))] {
                    let line = shown(call, result);
                    prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
                }
            }
        }
    }
}
