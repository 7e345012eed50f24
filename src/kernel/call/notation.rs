//! Formats calls as `strace(1)` does, so that knowledge of one helps with the other. Two C library
//! functions are shown although they are not system calls: `ftok` and `sem_open`.

use std::fmt;

use libc::{AT_FDCWD, c_int, timespec};
use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::flags::{Command, Flags, Octal};
use super::name::CallName;
use super::quoted::Quoted;
use super::structures::{Attributes, Id, Settable, Whole};
use super::value::{Argument, Call, Event, Notification, Outcome, Pointed};
use crate::ipc::message::{TYPE_SIZE, type_of};
use crate::kernel::io::os_error;

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.call.name())?;
        let mut separator = "";
        self.each_argument(&mut |argument| {
            f.write_str(separator)?;
            separator = ", ";
            f.write_fmt(argument)
        })?;
        write!(f, ") = {}", self.result())
    }
}

impl Event<'_> {
    /// What it returned: a number or an address, and the error if it failed.
    pub fn result(&self) -> impl fmt::Display {
        Returned(self.call.name(), self.outcome)
    }

    /// Passes each argument as text to a function.
    pub fn each_argument(
        &self,
        each: &mut dyn FnMut(fmt::Arguments<'_>) -> fmt::Result,
    ) -> fmt::Result {
        self.list(&mut List(each))
    }

    fn list(&self, list: &mut List<'_>) -> fmt::Result {
        match self.call {
            Call::Msgget { key, flags } => list.all([&Key(key), &Flags::Get(flags)]),
            Call::Msgsnd { id, message, size, flags } => {
                let message = given(message, |bytes| Message(bytes, size, self.shown));
                list.all([&id, &message, &size, &Flags::Message(flags)])
            }
            Call::Msgrcv { id, message, size, message_type, flags } => {
                let message = self.filled(message, |bytes| Message(bytes, self.size(), self.shown));
                list.all([&id, &message, &size, &message_type, &Flags::Message(flags)])
            }
            Call::Msgctl { id, command, argument } => {
                list.all([&id, &Command::Msgctl(command), &self.last(argument)])
            }
            Call::Shmget { key, size, flags } => {
                list.all([&Key(key), &size, &Flags::Shmget(flags)])
            }
            Call::Shmctl { id, command, argument } => {
                list.all([&id, &Command::Shmctl(command), &self.last(argument)])
            }
            Call::Shmat { id, address, flags } => {
                list.all([&id, &Address(address), &Flags::Shmat(flags)])
            }
            Call::Shmdt { address } => list.all([&Address(address)]),
            Call::Semget { key, nsems, flags } => list.all([&Key(key), &nsems, &Flags::Get(flags)]),
            Call::Semctl { id, number, command, argument } => {
                list.all([&id, &number, &Command::Semctl(command), &self.last(argument)])
            }
            Call::Semop { id, operations, number } => {
                list.all([&id, &given(operations, Operations), &number])
            }
            Call::Semtimedop { id, operations, number, timeout } => {
                list.all([&id, &given(operations, Operations), &number, &given(timeout, Time)])
            }
            Call::Ftok { path, project } => {
                list.all([&given(path, Quoted::Path), &format_args!("{project:#x}")])
            }
            Call::MqOpen { name, flags, mode, attributes } => {
                list.all([&given(name, Quoted::Path), &Flags::Open(flags)])?;
                if flags & libc::O_CREAT == 0 {
                    return Ok(());
                }
                // Without names for the flags, because a new queue has none.
                let shown = |attributes: &libc::mq_attr| Shape(*attributes);
                list.all([&Octal(mode), &given(attributes, shown)])
            }
            Call::MqUnlink { name } | Call::SemUnlink { name } | Call::ShmUnlink { name } => {
                list.all([&given(name, Quoted::Path)])
            }
            Call::MqTimedsend { descriptor, message, size, priority, deadline } => {
                let message = given(message, |bytes| Quoted::Message(bytes, size, self.shown));
                list.all([&descriptor, &message, &size, &priority, &given(deadline, Time)])
            }
            Call::MqTimedreceive { descriptor, message, size, priority, deadline } => {
                let shown = |bytes| Quoted::Message(bytes, self.size(), self.shown);
                let (message, priority) =
                    (self.filled(message, shown), self.filled(priority, Single));
                list.all([&descriptor, &message, &size, &priority, &given(deadline, Time)])
            }
            Call::MqNotify { descriptor, event } => list.all([&descriptor, &given(event, Asked)]),
            Call::MqGetsetattr { descriptor, new, old } => {
                let shown = |attributes: &libc::mq_attr| State(*attributes);
                list.all([&descriptor, &given(new, shown), &self.filled(old, shown)])
            }
            Call::SemOpen { name, flags, mode, value } => {
                list.all([&given(name, Quoted::Path)])?;
                match flags {
                    None => list.all([&"..."]),
                    Some(flags) if flags & libc::O_CREAT == 0 => list.all([&Flags::SemOpen(flags)]),
                    Some(flags) => list.all([&Flags::SemOpen(flags), &Octal(mode), &value]),
                }
            }
            Call::SemPost { address } | Call::SemTrywait { address } => {
                list.all([&Address(address)])
            }
            Call::SemTimedwait { address, deadline } => {
                list.all([&Address(address), &given(deadline, Time)])
            }
            Call::ShmOpen { name: path, flags, mode } => {
                list.all([&given(path, Quoted::Path), &Flags::Open(flags), &Octal(mode)])
            }
            Call::Open { path, flags, mode } => {
                list.all([&given(path, Quoted::Path), &Flags::Open(flags)])?;
                list.mode(flags, mode)
            }
            Call::Openat { directory, path, flags, mode } => {
                let path = given(path, Quoted::Path);
                list.all([&Place(directory), &path, &Flags::Open(flags)])?;
                list.mode(flags, mode)
            }
            Call::Unlink { path } | Call::Stat { path } => list.all([&given(path, Quoted::Path)]),
            Call::Unlinkat { directory, path, flags } => {
                let path = given(path, Quoted::Path);
                list.all([&Place(directory), &path, &Flags::Unlinkat(flags)])
            }
            Call::Truncate { path, length } => list.all([&given(path, Quoted::Path), &length]),
            Call::Ftruncate { descriptor, length } => list.all([&descriptor, &length]),
            Call::Fchmodat { directory, path, mode } => {
                list.all([&Place(directory), &given(path, Quoted::Path), &Octal(mode)])
            }
            Call::Fchownat { directory, path, uid, gid, flags } => {
                let path = given(path, Quoted::Path);
                list.all([&Place(directory), &path, &Id(uid), &Id(gid), &Flags::At(flags)])
            }
        }
    }

    /// How many bytes a call received.
    fn size(&self) -> usize {
        self.outcome.value().map_or(0, |size| size.try_into().unwrap_or(0))
    }

    /// What the call filled, or the address if it failed.
    fn filled<T, D>(&self, pointed: Pointed<T>, shown: impl FnOnce(T) -> D) -> Pointer<D> {
        match self.outcome {
            Outcome::Returned(_) => given(pointed, shown),
            Outcome::Failed(_) | Outcome::Interrupted(_) | Outcome::Unfinished => {
                Pointer { address: pointed.address, content: None }
            }
        }
    }

    /// The last argument of `msgctl(2)` and similar calls.
    fn last<'a>(&self, argument: Argument<'a>) -> Last<'a> {
        match argument {
            Argument::Plain(number) => Last::Plain(Address(number)),
            Argument::Read(structure) => Last::Read(given(structure, Settable)),
            Argument::Filled(structure) => Last::Filled(self.filled(structure, Whole)),
        }
    }
}

/// The arguments of a call, passed on one after the other.
struct List<'l>(&'l mut dyn FnMut(fmt::Arguments<'_>) -> fmt::Result);

impl List<'_> {
    fn all<const N: usize>(&mut self, arguments: [&dyn fmt::Display; N]) -> fmt::Result {
        arguments.into_iter().try_for_each(|argument| (self.0)(format_args!("{argument}")))
    }

    /// The mode of a file, if the flags create one.
    fn mode(&mut self, flags: c_int, mode: u32) -> fmt::Result {
        match flags & libc::O_CREAT {
            0 => Ok(()),
            _ => self.all([&Octal(mode)]),
        }
    }
}

/// What an argument points to, or the address if that is not known.
struct Pointer<D> {
    address: usize,
    content: Option<D>,
}

impl<D: fmt::Display> fmt::Display for Pointer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Some(content) => content.fmt(f),
            None => Address(self.address).fmt(f),
        }
    }
}

/// What the call read.
fn given<T, D>(pointed: Pointed<T>, shown: impl FnOnce(T) -> D) -> Pointer<D> {
    Pointer { address: pointed.address, content: pointed.content.map(shown) }
}

/// The last argument of `msgctl(2)` and similar calls.
enum Last<'a> {
    Plain(Address),
    Read(Pointer<Settable<'a>>),
    Filled(Pointer<Whole<'a>>),
}

impl fmt::Display for Last<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Last::Plain(number) => number.fmt(f),
            Last::Read(structure) => structure.fmt(f),
            Last::Filled(structure) => structure.fmt(f),
        }
    }
}

/// How a call ended.
struct Returned(CallName, Outcome);

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Returned(name, outcome) = *self;
        match (outcome, name) {
            (Outcome::Failed(errno), CallName::SemOpen) => {
                write!(f, "SEM_FAILED {}", Reason(errno))
            }
            (Outcome::Failed(errno), _) => write!(f, "-1 {}", Reason(errno)),
            // The address of the semaphore. Of another process only the descriptor of the file is known.
            (Outcome::Returned(number), CallName::SemOpen) if number < 4096 => {
                write!(f, "{number}")
            }
            (Outcome::Returned(number), CallName::Ftok | CallName::SemOpen | CallName::Shmat) => {
                write!(f, "{number:#x}")
            }
            (Outcome::Returned(number), _) => write!(f, "{number}"),
            (Outcome::Interrupted(number), _) => f.write_str(match number {
                512 => "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
                513 => "? ERESTARTNOINTR (To be restarted)",
                514 => "? ERESTARTNOHAND (To be restarted if no handler)",
                516 => "? ERESTART_RESTARTBLOCK (Interrupted by signal)",
                _ => "?",
            }),
            (Outcome::Unfinished, _) => f.write_str("?"),
        }
    }
}

/// The attributes that a new POSIX queue gets.
struct Shape(libc::mq_attr);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Attributes(self.0.mq_flags, &self.0).fmt(f)
    }
}

/// The attributes of an open POSIX queue.
struct State(libc::mq_attr);

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Attributes(Flags::MqAttr(self.0.mq_flags as c_int), &self.0).fmt(f)
    }
}

/// What `mq_notify(3)` asks for.
struct Asked(Notification);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notification { value, signal, method } = self.0;
        let (low, pointer) = (value as i32, Address(value));
        f.write_str("{")?;
        if value != 0 {
            write!(f, "sigev_value={{sival_int={low}, sival_ptr={pointer}}}, ")?;
        }
        f.write_str("sigev_signo=")?;
        match Signal::try_from(signal) {
            Ok(signal) if method == libc::SIGEV_SIGNAL => f.write_str(signal.as_str())?,
            // The kernel's first real-time signal.
            Err(_) if method == libc::SIGEV_SIGNAL && (32..=64).contains(&signal) => {
                write!(f, "SIGRT_{}", signal - 32)?;
            }
            _ => write!(f, "{signal}")?,
        }
        f.write_str(match method {
            libc::SIGEV_SIGNAL => ", sigev_notify=SIGEV_SIGNAL}",
            libc::SIGEV_NONE => ", sigev_notify=SIGEV_NONE}",
            libc::SIGEV_THREAD => ", sigev_notify=SIGEV_THREAD}",
            _ => return write!(f, ", sigev_notify={method:#x} /* SIGEV_??? */}}"),
        })
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

/// A deadline or a timeout.
struct Time(timespec);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timespec { tv_sec, tv_nsec, .. } = self.0;
        write!(f, "{{tv_sec={tv_sec}, tv_nsec={}}}", tv_nsec as libc::c_ulong)
    }
}

/// Operations of `semop(2)`.
struct Operations<'a>(&'a [libc::sembuf]);

impl fmt::Display for Operations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// As many as strace shows.
        const MOST: usize = 32;
        f.write_str("[")?;
        for (place, operation) in self.0.iter().take(MOST).enumerate() {
            let libc::sembuf { sem_num, sem_op, sem_flg } = *operation;
            let comma = if place == 0 { "" } else { ", " };
            let flags = Flags::Semop(sem_flg.into());
            write!(f, "{comma}{{sem_num={sem_num}, sem_op={sem_op}, sem_flg={flags}}}")?;
        }
        f.write_str(if self.0.len() > MOST { ", ...]" } else { "]" })
    }
}

/// The start of a System V message: with its type, the number of bytes after that, and how many of them to show.
struct Message<'a>(&'a [u8], usize, usize);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Message(bytes, size, shown) = *self;
        let text = Quoted::Message(&bytes[TYPE_SIZE..], size, shown);
        write!(f, "{{mtype={}, mtext={text}}}", type_of(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::call::{MsgInfo, SemInfo, ShmInfo, ShmLimits, Structure};
    use proptest::prelude::*;

    fn shown(call: Call<'_>, result: Result<i64, Errno>) -> String {
        Event { call, outcome: result.into(), shown: Event::SHOWN }.to_string()
    }

    /// `strace(1)` printed these lines for a program that made the calls.
    #[test]
    fn what_strace_writes_of_calls_that_no_verb_makes() {
        let argument =
            |structure| Argument::Filled(Pointed { address: 0x7ffc, content: Some(structure) });
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
            let message = Pointed { address: 0x7ffc, content: Some(message.as_slice()) };
            let call = Call::Msgrcv { id: 0, message, size: 9, message_type: -3, flags };
            let line = format!("msgrcv(0, {{mtype=7, mtext=\"ab\"}}, 9, -3, {words}) = 2");
            assert_eq!(shown(call, Ok(2)), line);
        }
        let path = b"/dev/shm/zz".as_slice().into();
        let flags = libc::O_CREAT | libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_PATH;
        let call = Call::Openat { directory: libc::AT_FDCWD, path, flags, mode: 0o600 };
        assert_eq!(
            shown(call, Ok(3)),
            "openat(AT_FDCWD, \"/dev/shm/zz\", O_RDONLY|O_CREAT|O_NOFOLLOW|O_CLOEXEC|O_PATH, 0600) = 3"
        );
        let (flags, uid, gid) = (libc::AT_EMPTY_PATH, 0, u32::MAX);
        let call = Call::Fchownat { directory: -1, path: b"".as_slice().into(), uid, gid, flags };
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
            let received = Pointed { address: 1, content: Some(message.as_slice()) };
            for call in [
                Call::Msgsnd { id: flags, message: message.as_slice().into(), size, flags },
                Call::Msgrcv { id: flags, message: received, size, message_type: number, flags },
                Call::MqOpen { name: payload.as_slice().into(), flags, mode: 0, attributes: Pointed::NULL },
                Call::Shmget { key: flags, size, flags },
                Call::Openat { directory: flags, path: payload.as_slice().into(), flags, mode: 0 },
            ] {
                for result in [Ok(number), Err(Errno::from_raw(flags))] {
                    let line = shown(call, result);
                    prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
                }
            }
        }
    }
}
