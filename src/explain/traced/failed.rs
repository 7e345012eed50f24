//! Calls that failed because of what they were given.

use libc::timespec;
use std::time::Duration;

use super::{Traced, wanted};
use crate::ipc::message::{TYPE_SIZE, Wanted, type_of};
use crate::ipc::process::role::Role;
use crate::ipc::{Object, ProcessName, Use, count};
use crate::kernel::Errno;
use crate::kernel::call::{Call, Pointed};
use crate::kernel::ptrace::Descriptor;

/// `mq_send(3)`.
pub(super) const MQ_PRIO_MAX: u32 = 32_768;

/// `shmctl(2)`.
pub(super) const SHM_LOCK: i32 = 11;

// semctl(2).
pub(super) const GETPID: i32 = 11;
pub(super) const GETVAL: i32 = 12;
pub(super) const GETNCNT: i32 = 14;
pub(super) const GETZCNT: i32 = 15;
pub(super) const SETVAL: i32 = 16;
pub(super) const SETALL: i32 = 17;

impl Traced<'_> {
    pub(super) fn of_failure(&self, errno: Errno) -> Option<String> {
        match (self.call, errno) {
            _ if self.is_of_failed_get(errno) => Some(
                "-1 is no id, but what the call returns that fails to get one: check its result"
                    .to_owned(),
            ),
            (_, Errno::EFAULT) => Some(
                "an address points to memory that the process does not have, or may not write"
                    .to_owned(),
            ),
            (
                Call::Msgsnd { .. }
                | Call::Msgrcv { .. }
                | Call::Semop { .. }
                | Call::Semtimedop { .. },
                Errno::EINTR,
            ) => Some(
                "a signal came; this call is not repeated, not even with SA_RESTART, so call it again"
                    .to_owned(),
            ),
            (Call::Msgsnd { message, size, .. }, Errno::EINVAL) => self.of_bad_message(message, size),
            (Call::Msgrcv { message_type, flags, size, .. }, Errno::E2BIG) => {
                self.of_long_message(wanted(message_type, flags), size)
            }
            (Call::Msgrcv { message_type, flags, .. }, Errno::ENOMSG) => {
                let is_empty = self.messages.as_ref().is_some_and(Vec::is_empty);
                match is_empty {
                    true => Some("the queue is empty".to_owned()),
                    false => self.of_types(wanted(message_type, flags)),
                }
            }
            (Call::MqTimedreceive { .. }, Errno::EAGAIN) => Some("the queue is empty".to_owned()),
            (Call::Msgrcv { size, flags, .. }, Errno::EINVAL) => match flags & libc::MSG_COPY {
                _ if isize::try_from(size).is_err() => {
                    Some(format!("the size is negative, {}", size as isize))
                }
                0 => None,
                _ if flags & libc::MSG_EXCEPT != 0 => {
                    Some("MSG_COPY and MSG_EXCEPT exclude each other".to_owned())
                }
                _ if flags & libc::IPC_NOWAIT == 0 => {
                    Some("MSG_COPY takes IPC_NOWAIT as well".to_owned())
                }
                _ => None,
            },
            (Call::Msgsnd { size, .. }, Errno::EAGAIN) => Some(self.of_full_queue(size)),
            (Call::MqTimedsend { priority, .. }, Errno::EINVAL) if priority >= MQ_PRIO_MAX => {
                Some(format!("the priority is {priority}, but must be below {MQ_PRIO_MAX}"))
            }
            (
                Call::Semop { number, .. } | Call::Semtimedop { number, .. },
                Errno::EINVAL,
            ) if number == 0 => Some("the call has no operations".to_owned()),
            (Call::Semtimedop { timeout, .. }, Errno::EAGAIN) => {
                let limit = timeout.content.and_then(length)?;
                let blocked = self.operated.blocked();
                (self.duration >= limit).then(|| match blocked {
                    Some(blocked) => format!("the time is over; {blocked}"),
                    None => "the time is over".to_owned(),
                })
            }
            (Call::Semctl { number, command, .. }, Errno::EINVAL) => {
                self.of_no_semaphore(number, command)
            }
            (Call::Shmget { .. }, Errno::ENOENT) => {
                let twin = self.twin.as_ref()?;
                Some(format!(
                    "{twin} had this key until it was marked for destruction (IPC_RMID); it is still attached, but has no key any more"
                ))
            }
            (Call::Shmat { .. }, Errno::ENOMEM) => Some(
                "there is no room for it in the address space of the process; RLIMIT_AS limits that"
                    .to_owned(),
            ),
            (Call::Shmctl { command: SHM_LOCK, .. }, Errno::EPERM | Errno::ENOMEM) => Some(
                "to lock memory takes CAP_IPC_LOCK, or to own the segment and have enough of RLIMIT_MEMLOCK".to_owned(),
            ),
            (Call::MqOpen { name, .. } | Call::MqUnlink { name }, Errno::EACCES | Errno::ENOENT)
                if let Some(name) = name.content
                    && (matches!(name, b"" | b"." | b"..") || name.contains(&b'/')) =>
            {
                Some("the name of a queue is a slash and at least one character, without a further slash, and not '/.' or '/..'".to_owned())
            }
            (
                Call::MqOpen { .. }
                | Call::MqUnlink { .. }
                | Call::ShmOpen { .. }
                | Call::ShmUnlink { .. },
                Errno::ENAMETOOLONG,
            ) => Some("a name has at most 255 bytes behind its slash (NAME_MAX)".to_owned()),
            (Call::SemOpen { .. } | Call::SemUnlink { .. }, Errno::ENAMETOOLONG) => Some(
                "the name of a semaphore has at most 251 bytes behind its slash (NAME_MAX less 4)"
                    .to_owned(),
            ),
            (Call::Ftruncate { length, .. }, Errno::EINVAL) => Some(match length as i64 {
                ..0 => "the length is negative".to_owned(),
                _ => "the descriptor is not open for writing".to_owned(),
            }),
            (Call::MqTimedsend { size, .. }, Errno::EMSGSIZE) => {
                let most = self.message_size?;
                Some(format!("the message has {size} bytes, over mq_msgsize of the queue, {most}"))
            }
            (Call::MqTimedreceive { size, .. }, Errno::EMSGSIZE) => {
                let most = self.message_size?;
                Some(format!(
                    "the buffer has {size} bytes, but must have room for mq_msgsize of the queue, {most}, whatever the size of the message"
                ))
            }
            (
                Call::MqTimedsend { .. }
                | Call::MqTimedreceive { .. }
                | Call::MqNotify { .. }
                | Call::MqGetsetattr { .. },
                Errno::EBADF,
            ) => self.of_descriptor(),
            (Call::MqNotify { .. }, Errno::EBUSY) => Some(match self.registered() {
                Some(who) => {
                    format!("only one process can be registered with a queue, and {who} is")
                }
                None => "only one process can be registered with a queue, and one is".to_owned(),
            }),
            (Call::Shmat { address, flags, .. }, Errno::EINVAL) => {
                self.object.as_ref()?;
                Some(match address {
                    0 if flags & libc::SHM_REMAP != 0 => "SHM_REMAP takes an address".to_owned(),
                    0 => return None,
                    _ if address % 4096 != 0 && flags & libc::SHM_RND == 0 => {
                        "the address is not that of a page: NULL lets the kernel choose one, SHM_RND rounds it down".to_owned()
                    }
                    _ => "something else is at this address, or too near to it: NULL lets the kernel choose one".to_owned(),
                })
            }
            (Call::Shmdt { .. }, Errno::EINVAL) => Some(self.of_no_segment()),
            (Call::Semctl { command, .. }, Errno::ERANGE) if command == SETVAL || command == SETALL => {
                Some("the value of a semaphore is from 0 to 32767 (SEMVMX)".to_owned())
            }
            (Call::Msgget { .. } | Call::Shmget { .. } | Call::Semget { .. }, Errno::EEXIST) => {
                let existing = self.existing.as_ref()?;
                Some(format!("{existing} has this key already, which IPC_EXCL forbids"))
            }
            (
                Call::MqOpen { .. }
                | Call::ShmOpen { .. }
                | Call::SemOpen { .. }
                | Call::Open { .. }
                | Call::Openat { .. },
                Errno::EEXIST,
            ) => Some("the name exists already, which O_EXCL forbids".to_owned()),
            _ => None,
        }
    }

    /// Whether the id or descriptor is that of an object that the program failed to get before.
    fn is_of_failed_get(&self, errno: Errno) -> bool {
        match self.call {
            Call::Msgsnd { id, .. }
            | Call::Msgrcv { id, .. }
            | Call::Msgctl { id, .. }
            | Call::Shmat { id, .. }
            | Call::Shmctl { id, .. }
            | Call::Semop { id, .. }
            | Call::Semtimedop { id, .. }
            | Call::Semctl { id, .. } => id == -1 && errno == Errno::EINVAL,
            Call::MqTimedsend { descriptor, .. }
            | Call::MqTimedreceive { descriptor, .. }
            | Call::MqNotify { descriptor, .. }
            | Call::MqGetsetattr { descriptor, .. }
            | Call::Ftruncate { descriptor, .. } => descriptor == -1 && errno == Errno::EBADF,
            _ => false,
        }
    }

    /// A semaphore of which the number is wrong.
    fn of_no_semaphore(&self, number: i32, command: i32) -> Option<String> {
        const OF_ONE: [i32; 5] = [GETPID, GETVAL, GETNCNT, GETZCNT, SETVAL];
        let Some(Object::SemaphoreSet(set)) = &self.object else { return None };
        let is_there = u64::try_from(number).is_ok_and(|number| number < set.nsems);
        (OF_ONE.contains(&command) && !is_there).then(|| {
            format!(
                "the set has no semaphore {number}: it has {}, numbered from 0",
                count(set.nsems, "semaphore")
            )
        })
    }

    /// The queue has no room for a message of this size.
    pub(super) fn of_full_queue(&self, size: usize) -> String {
        let Some(Object::Queue(queue)) = &self.object else {
            return "the queue is full".to_owned();
        };
        let Some(most) = queue.max_bytes else { return "the queue is full".to_owned() };
        if size as u64 > most {
            return format!(
                "the message has {}, and max_bytes of the queue (msg_qbytes) is {most}, so it can never be sent",
                count(size as u64, "byte")
            );
        }
        format!(
            "the queue is full: it holds {}, {} of {most} bytes, and this one has {size}",
            count(queue.messages, "message"),
            queue.bytes
        )
    }

    fn of_bad_message(&self, message: Pointed<&[u8]>, size: usize) -> Option<String> {
        let bytes = message.content.filter(|bytes| bytes.len() >= TYPE_SIZE);
        if isize::try_from(size).is_err() {
            return Some(format!("the size is negative, {}", size as isize));
        }
        if let Some(most) = self.msgmax
            && size as u64 > most
        {
            return Some(format!("the message has {size} bytes, over kernel.msgmax, {most}"));
        }
        let message_type = type_of(bytes?);
        (message_type <= 0).then(|| {
            format!("mtype is {message_type}, but must be above 0; it is the long that the message begins with")
        })
    }

    /// The buffer is too small for the message that would come.
    fn of_long_message(&self, wanted: Wanted, asked: usize) -> Option<String> {
        let messages = self.messages.as_ref()?;
        let first = match wanted {
            Wanted::UpTo(most) => messages
                .iter()
                .filter(|(message_type, _)| *message_type <= most)
                .min_by_key(|(message_type, _)| *message_type)?,
            _ => messages.iter().find(|(message_type, _)| wanted.matches(*message_type))?,
        };
        let size = first.1;
        let more = size.checked_sub(asked).filter(|more| *more > 0)?;
        let mut hint = format!(
            "the message has {size} bytes, {more} more than the {asked} asked for; it stays on the queue"
        );
        if more == TYPE_SIZE {
            hint += &format!(
                "; {more} is the size of mtype, so perhaps the sender passed the size of the whole structure"
            );
        }
        Some(hint + " (MSG_NOERROR would cut it)")
    }

    fn of_descriptor(&self) -> Option<String> {
        Some(match self.descriptor.as_ref()? {
            Descriptor::Closed => "the descriptor is not open".to_owned(),
            Descriptor::Other(what) => {
                format!("the descriptor is no message queue: it is {what}")
            }
            Descriptor::Queue(libc::O_RDONLY) => {
                "the queue was opened for receiving only (O_RDONLY)".to_owned()
            }
            Descriptor::Queue(libc::O_WRONLY) => {
                "the queue was opened for sending only (O_WRONLY)".to_owned()
            }
            Descriptor::Queue(_) => return None,
        })
    }

    fn registered(&self) -> Option<ProcessName> {
        self.users.iter().find(|one| one.role == Role::Notified).map(Use::name)
    }

    fn of_no_segment(&self) -> String {
        let places: Vec<_> = self.attached.iter().map(|place| format!("{place:#x}")).collect();
        match places.is_empty() {
            true => "no segment is attached at this address".to_owned(),
            false => format!(
                "no segment is attached at this address; the process has some at {}",
                places.join(", ")
            ),
        }
    }
}

/// A time as a length.
fn length(time: timespec) -> Option<Duration> {
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}
