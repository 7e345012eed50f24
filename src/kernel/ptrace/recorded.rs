//! A call of another program: what it was given, read when it began, and what it filled, read when it ended.

mod value;

use std::time::Duration;

use libc::{IPC_CREAT, c_int};

use super::files::{self, Shown};
use super::memory::Memory;
use super::numbers::Number;
use crate::ipc::message::TYPE_SIZE;
use crate::kernel::call::{
    Call, MsgInfo, Notification, Outcome, SemInfo, SemidDs, ShmInfo, ShmLimits,
};

/// A call, with copies of the memory to which its arguments point. It is used again for the next call of the thread,
/// because its memory is.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    form: Form,
    number: Option<Number>,
    arguments: [u64; 6],
    /// A message, name or path that the call was given, or a message that it filled; `None` in its place if it
    /// cannot be read.
    bytes: Option<Vec<u8>>,
    operations: Option<Vec<libc::sembuf>>,
    /// A structure that the call was given, and one that it filled.
    given: Option<Held>,
    filled: Option<Held>,
    /// Memory for the next message.
    spare: Vec<u8>,
}

/// Which call it is, and so what its arguments mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    None,
    Msgget,
    Msgsnd,
    Msgrcv,
    Msgctl,
    Shmget,
    Shmat,
    Shmdt,
    Shmctl,
    Semget,
    Semop,
    Semtimedop,
    Semctl,
    MqOpen,
    MqUnlink,
    MqTimedsend,
    MqTimedreceive,
    MqNotify,
    MqGetsetattr,
    /// A file, as these words show it.
    File(Shown),
    Ftruncate,
    Stat,
}

/// A structure of the program.
#[derive(Clone, Copy, Debug)]
enum Held {
    Msqid(libc::msqid_ds),
    Shmid(libc::shmid_ds),
    Semid(SemidDs),
    Msginfo(MsgInfo),
    Shminfo(ShmLimits),
    ShmUsage(ShmInfo),
    Seminfo(SemInfo),
    Attributes(libc::mq_attr),
    Time(libc::timespec),
    Priority(u32),
    Event(Notification),
}

/// The commands of `msgctl(2)` and the like that are not the same for all three.
mod command {
    use super::c_int;

    pub const IPC_SET: c_int = 1;
    pub const IPC_STAT: c_int = 2;
    pub const IPC_INFO: c_int = 3;
    pub const MSG_STAT: c_int = 11;
    pub const MSG_INFO: c_int = 12;
    pub const MSG_STAT_ANY: c_int = 13;
    pub const SHM_STAT: c_int = 13;
    pub const SHM_INFO: c_int = 14;
    pub const SHM_STAT_ANY: c_int = 15;
    pub const SEM_STAT: c_int = 18;
    pub const SEM_INFO: c_int = 19;
    pub const SEM_STAT_ANY: c_int = 20;
}

/// Programs that were built long ago say with this bit that they use the structures of today.
const IPC_64: c_int = 0x100;

/// The most operations of one call that are read; the kernel's default of SEMOPM is 500.
const MOST_OPERATIONS: u64 = 1000;

impl Recorded {
    /// Reads what a call is given, before it begins. `shown` is how many bytes of a message to read. Whether the call
    /// is one that is shown: a file is only under `/dev/shm`.
    pub fn begin(
        &mut self,
        thread: i32,
        number: Number,
        arguments: [u64; 6],
        shown: usize,
    ) -> bool {
        let memory = Memory(thread);
        (self.number, self.arguments) = (Some(number), arguments);
        (self.given, self.filled, self.operations) = (None, None, None);
        if let Some(mut bytes) = self.bytes.take() {
            bytes.clear();
            self.spare = bytes;
        }
        self.form = self.form_of(thread, number, memory);
        let size = (arguments[2] as usize).min(shown);
        match self.form {
            Form::None => return false,
            Form::Msgsnd => self.read_message(memory, arguments[1], size + TYPE_SIZE),
            Form::MqTimedsend => {
                self.read_message(memory, arguments[1], size);
                self.given = memory.read(arguments[4]).map(Held::Time);
            }
            Form::MqTimedreceive => self.given = memory.read(arguments[4]).map(Held::Time),
            Form::MqOpen => {
                self.read_text(memory, arguments[0]);
                if arguments[1] as c_int & libc::O_CREAT != 0 {
                    self.given = memory.read(arguments[3]).map(Held::Attributes);
                }
            }
            Form::MqUnlink => self.read_text(memory, arguments[0]),
            Form::MqGetsetattr => self.given = memory.read(arguments[1]).map(Held::Attributes),
            Form::MqNotify => self.given = event(memory, arguments[1]).map(Held::Event),
            Form::Semop | Form::Semtimedop => {
                let number = arguments[2].min(MOST_OPERATIONS) as usize;
                let mut operations = Vec::new();
                memory.append_values(arguments[1], number, &mut operations);
                self.operations = (operations.len() == number).then_some(operations);
                if self.form == Form::Semtimedop {
                    self.given = memory.read(arguments[3]).map(Held::Time);
                }
            }
            Form::Msgctl if self.command(1) == command::IPC_SET => {
                self.given = memory.read(arguments[2]).map(Held::Msqid);
            }
            Form::Shmctl if self.command(1) == command::IPC_SET => {
                self.given = memory.read(arguments[2]).map(Held::Shmid);
            }
            Form::Semctl if self.command(2) == command::IPC_SET => {
                self.given = memory.read(arguments[3]).map(Held::Semid);
            }
            Form::Msgget
            | Form::Msgrcv
            | Form::Msgctl
            | Form::Shmget
            | Form::Shmat
            | Form::Shmdt
            | Form::Shmctl
            | Form::Semget
            | Form::Semctl
            | Form::File(_)
            | Form::Ftruncate
            | Form::Stat => {}
        }
        true
    }

    /// Whether this is the same call, which the kernel repeats after a signal.
    pub fn is_repeated_by(&self, number: Number, arguments: [u64; 6]) -> bool {
        (self.number, self.arguments) == (Some(number), arguments)
    }

    /// Whether it may be the first half of `ftok(3)`.
    pub fn is_stat(&self) -> bool {
        self.form == Form::Stat
    }

    /// How long it waits at most, if it has such a limit: `semtimedop(2)`.
    pub fn timeout(&self) -> Option<Duration> {
        match (self.form, self.given) {
            (Form::Semtimedop, Some(Held::Time(time))) => {
                Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
            }
            _ => None,
        }
    }

    /// Whether it fails with `EINTR` after each signal, and never is repeated by itself: `semop(2)`, `signal(7)`.
    pub fn is_never_repeated(&self) -> bool {
        matches!(self.form, Form::Semop | Form::Semtimedop)
    }

    /// Calls of other kinds of machines are not decoded.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
    fn form_of(&mut self, _: i32, _: Number, _: Memory) -> Form {
        Form::None
    }

    /// Which call it is. Reads the path of a file, because that decides it.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
    fn form_of(&mut self, thread: i32, number: Number, memory: Memory) -> Form {
        let path = |recorded: &mut Recorded, address: u64| {
            recorded.read_text(memory, address);
            recorded.bytes.as_deref().is_some_and(files::is_of_dev_shm)
        };
        let arguments = self.arguments;
        match number.0 as libc::c_long {
            libc::SYS_msgget => Form::Msgget,
            libc::SYS_msgsnd => Form::Msgsnd,
            libc::SYS_msgrcv => Form::Msgrcv,
            libc::SYS_msgctl => Form::Msgctl,
            libc::SYS_shmget => Form::Shmget,
            libc::SYS_shmat => Form::Shmat,
            libc::SYS_shmdt => Form::Shmdt,
            libc::SYS_shmctl => Form::Shmctl,
            libc::SYS_semget => Form::Semget,
            libc::SYS_semop => Form::Semop,
            libc::SYS_semtimedop => Form::Semtimedop,
            libc::SYS_semctl => Form::Semctl,
            libc::SYS_mq_open => Form::MqOpen,
            libc::SYS_mq_unlink => Form::MqUnlink,
            libc::SYS_mq_timedsend => Form::MqTimedsend,
            libc::SYS_mq_timedreceive => Form::MqTimedreceive,
            libc::SYS_mq_notify => Form::MqNotify,
            libc::SYS_mq_getsetattr => Form::MqGetsetattr,
            libc::SYS_openat if path(self, arguments[1]) => {
                let [directory, _, flags, mode, ..] = arguments;
                Form::File(Shown::opened_at(directory as c_int, flags as c_int, mode as u32))
            }
            libc::SYS_unlinkat if path(self, arguments[1]) => {
                Form::File(Shown::UnlinkedAt(arguments[0] as c_int, arguments[2] as c_int))
            }
            libc::SYS_linkat if path(self, arguments[3]) => Form::File(Shown::Linked),
            libc::SYS_truncate if path(self, arguments[0]) => {
                Form::File(Shown::Truncated(arguments[1]))
            }
            libc::SYS_ftruncate if files::is_open_in_dev_shm(thread, arguments[0] as c_int) => {
                Form::Ftruncate
            }
            libc::SYS_newfstatat | libc::SYS_statx => {
                // An empty path is a descriptor.
                self.read_text(memory, arguments[1]);
                Form::Stat
            }
            _ => self.form_of_old(number, path),
        }
    }

    /// The same for calls that only older kinds of machines have.
    #[cfg(target_arch = "x86_64")]
    fn form_of_old(&mut self, number: Number, path: impl Fn(&mut Recorded, u64) -> bool) -> Form {
        let [first, second, third, ..] = self.arguments;
        match number.0 as libc::c_long {
            libc::SYS_open if path(self, first) => {
                Form::File(Shown::opened(second as c_int, third as u32))
            }
            libc::SYS_creat if path(self, first) => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                Form::File(Shown::opened(flags, second as u32))
            }
            libc::SYS_unlink if path(self, first) => Form::File(Shown::Unlinked),
            libc::SYS_link if path(self, second) => Form::File(Shown::Linked),
            libc::SYS_stat => {
                path(self, first);
                Form::Stat
            }
            _ => Form::None,
        }
    }

    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
    fn form_of_old(&mut self, _: Number, _: impl Fn(&mut Recorded, u64) -> bool) -> Form {
        Form::None
    }

    /// Reads what the call filled, after it ended.
    pub fn end(&mut self, thread: i32, outcome: Outcome, shown: usize) {
        let Some(value) = outcome.value() else { return };
        let memory = Memory(thread);
        let arguments = self.arguments;
        let size = usize::try_from(value).unwrap_or(0).min(shown);
        match self.form {
            Form::Msgrcv => self.read_message(memory, arguments[1], size + TYPE_SIZE),
            Form::MqTimedreceive => {
                self.read_message(memory, arguments[1], size);
                self.filled = memory.read(arguments[3]).map(Held::Priority);
            }
            Form::MqGetsetattr => self.filled = memory.read(arguments[2]).map(Held::Attributes),
            Form::Msgctl => self.filled = self.filled_by_msgctl(memory),
            Form::Shmctl => self.filled = self.filled_by_shmctl(memory),
            Form::Semctl => self.filled = self.filled_by_semctl(memory),
            _ => {}
        }
    }

    fn filled_by_msgctl(&self, memory: Memory) -> Option<Held> {
        let address = self.arguments[2];
        match self.command(1) {
            command::IPC_STAT | command::MSG_STAT | command::MSG_STAT_ANY => {
                memory.read(address).map(Held::Msqid)
            }
            command::IPC_INFO | command::MSG_INFO => memory.read(address).map(Held::Msginfo),
            _ => None,
        }
    }

    fn filled_by_shmctl(&self, memory: Memory) -> Option<Held> {
        let address = self.arguments[2];
        match self.command(1) {
            command::IPC_STAT | command::SHM_STAT | command::SHM_STAT_ANY => {
                memory.read(address).map(Held::Shmid)
            }
            command::IPC_INFO => memory.read(address).map(Held::Shminfo),
            command::SHM_INFO => memory.read(address).map(Held::ShmUsage),
            _ => None,
        }
    }

    fn filled_by_semctl(&self, memory: Memory) -> Option<Held> {
        let address = self.arguments[3];
        match self.command(2) {
            command::IPC_STAT | command::SEM_STAT | command::SEM_STAT_ANY => {
                memory.read(address).map(Held::Semid)
            }
            command::IPC_INFO | command::SEM_INFO => memory.read(address).map(Held::Seminfo),
            _ => None,
        }
    }

    fn read_message(&mut self, memory: Memory, address: u64, size: usize) {
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.clear();
        let read = memory.append(address, size, &mut bytes);
        // Without its type a message is none.
        let is_whole = read.is_ok() && bytes.len() == size;
        match is_whole {
            true => self.bytes = Some(bytes),
            false => self.spare = bytes,
        }
    }

    fn read_text(&mut self, memory: Memory, address: u64) {
        const PATH_MAX: usize = 4096;
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.clear();
        match memory.append_text(address, PATH_MAX, &mut bytes) {
            true => self.bytes = Some(bytes),
            false => self.spare = bytes,
        }
    }

    fn command(&self, place: usize) -> c_int {
        self.arguments[place] as c_int & !IPC_64
    }

    /// The name of a file, if it is about one.
    pub fn shown(&self) -> Option<(Shown, &[u8])> {
        match (self.form, &self.bytes) {
            (Form::File(shown), Some(path)) => Some((shown, path)),
            _ => None,
        }
    }

    /// Shows the call as this one on the same file.
    pub fn show_as(&mut self, shown: Shown, path: &[u8]) {
        self.form = Form::File(shown);
        let bytes = self.bytes.get_or_insert_default();
        bytes.clear();
        bytes.extend_from_slice(path);
    }

    /// The path of the existing file of a `link(2)`.
    pub fn linked_from(&self, thread: i32) -> Vec<u8> {
        let mut path = Vec::new();
        // linkat(2) has the directory before it.
        let is_at = self.arguments[0] as c_int == libc::AT_FDCWD;
        Memory(thread).append_text(self.arguments[usize::from(is_at)], 256, &mut path);
        path
    }

    /// Whether it may remove an object by its id.
    pub fn may_remove(&self) -> bool {
        match self.form {
            Form::Msgctl | Form::Shmctl => self.command(1) == libc::IPC_RMID,
            Form::Semctl => self.command(2) == libc::IPC_RMID,
            _ => false,
        }
    }

    /// Whether it may create an object that is not there yet.
    pub fn may_create(&self) -> bool {
        match self.call() {
            Some(
                Call::Msgget { key, flags }
                | Call::Shmget { key, flags, .. }
                | Call::Semget { key, flags, .. },
            ) => key == libc::IPC_PRIVATE || flags & IPC_CREAT != 0,
            Some(
                Call::MqOpen { flags, .. }
                | Call::ShmOpen { flags, .. }
                | Call::Open { flags, .. }
                | Call::Openat { flags, .. },
            ) => flags & libc::O_CREAT != 0,
            _ => false,
        }
    }
}

/// The start of a `struct sigevent`, `sigevent(3type)`.
fn event(memory: Memory, address: u64) -> Option<Notification> {
    let [value, numbers]: [u64; 2] = memory.read(address)?;
    let [signal, method] = halves(numbers);
    Some(Notification { value: value as usize, signal, method })
}

/// The two numbers in eight bytes, in their order in memory.
fn halves(bytes: u64) -> [c_int; 2] {
    let bytes = bytes.to_ne_bytes();
    let (numbers, _) = bytes.as_chunks::<4>();
    [0, 1].map(|place| numbers.get(place).map_or(0, |one| c_int::from_ne_bytes(*one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_in_the_order_of_memory() {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&10i32.to_ne_bytes());
        bytes[4..].copy_from_slice(&1i32.to_ne_bytes());
        assert_eq!(halves(u64::from_ne_bytes(bytes)), [10, 1]);
    }
}
