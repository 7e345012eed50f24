//! The failure of `ipctool` that is the same as that of the call of another program, and explained in the same way.

use super::Traced;
use super::failed::{SETALL, SETVAL};
use crate::explain::Failure;
use crate::explain::creation::Wish;
use crate::ipc::{Key, Kind, Mode, Object};
use crate::kernel::call::{Argument, Call, Structure};
use crate::kernel::posix::mq_calls::Shape;
use crate::kernel::signals::wait::Stopped;
use crate::kernel::{CallError, CallName, Errno};

const VERB: &str = "trace";

impl Traced<'_> {
    #[allow(clippy::useless_conversion, reason = "sizes have 32 bits on some machines")]
    /// The failure of the call, for what the state of the objects says about it.
    pub fn failure(&self) -> Option<Failure> {
        let error = CallError { name: self.call.name(), errno: self.outcome.errno()? };
        // It says that the object is not there.
        if error.errno == Errno::EINVAL && self.object.is_some() {
            return None;
        }
        let of_key = |kind, key, size, flags: i32| {
            let wish = Wish {
                kind,
                key: Key(key),
                size,
                mode: Mode::from_bits(flags as u32 & 0o777),
                is_huge: kind == Kind::Shm && flags & libc::SHM_HUGETLB != 0,
            };
            Some(Failure::of_creation(VERB, &wish, error))
        };
        let reference = self.reference.as_ref();
        let of_access = |bits| Some(Failure::of_access(VERB, reference?, bits, error));
        let of_call = || Some(Failure::of_call(VERB, reference?, error));
        let of_opening = |flags: i32, shape| match error.errno {
            Errno::EACCES if flags & libc::O_CREAT != 0 && error.name != CallName::MqOpen => {
                // Perhaps it is the directory that is closed.
                let error = CallError { name: CallName::ShmOpen, ..error };
                Some(Failure::of_named_creation(VERB, reference?, shape, error))
            }
            Errno::EACCES => of_access(match flags & libc::O_ACCMODE {
                libc::O_RDONLY => 4,
                libc::O_WRONLY => 2,
                _ => 6,
            }),
            Errno::ENOENT if flags & libc::O_CREAT == 0 => of_call(),
            _ => Some(Failure::of_named_creation(VERB, reference?, shape, error)),
        };
        match self.call {
            Call::Msgget { key, flags } => of_key(Kind::Msg, key, 0, flags),
            Call::Shmget { key, size, flags } => of_key(Kind::Shm, key, size as u64, flags),
            Call::Semget { key, nsems, flags } => {
                of_key(Kind::Sem, key, nsems.max(0) as u64, flags)
            }
            Call::Msgsnd { .. } => of_access(2),
            Call::Msgrcv { .. } => of_access(4),
            Call::Msgctl { command, .. } | Call::Shmctl { command, .. }
                if error.errno == Errno::EACCES && command != libc::IPC_SET =>
            {
                of_access(4)
            }
            Call::Semctl { command, .. } if error.errno == Errno::EACCES => {
                of_access(if command == SETVAL || command == SETALL { 2 } else { 4 })
            }
            Call::Msgctl { argument: Argument::Read(given), .. }
                if let Some(Structure::Msqid(given)) = given.content
                    && error.errno == Errno::EPERM
                    && let Some(Object::Queue(queue)) = &self.object
                    && queue.max_bytes.is_some_and(|most| u64::from(given.msg_qbytes) > most) =>
            {
                Some(Failure::of_queue_bytes(VERB, reference?, given.msg_qbytes.into(), error))
            }
            Call::Msgctl { .. } | Call::Shmctl { .. } | Call::Semctl { .. } => of_call(),
            Call::Shmat { flags, .. } => {
                of_access(if flags & libc::SHM_RDONLY == 0 { 6 } else { 4 })
            }
            Call::Semop { .. } | Call::Semtimedop { .. } => Some(Failure::of_operation(
                VERB,
                reference?,
                self.operated.clone(),
                Stopped::Failed(error),
            )),
            Call::MqOpen { flags, attributes, .. } => {
                let long = |number: libc::c_long| u64::try_from(number).unwrap_or(0);
                let shape = attributes.content.map(|attributes| Shape {
                    max_messages: long(attributes.mq_maxmsg),
                    message_size: long(attributes.mq_msgsize),
                });
                of_opening(flags, shape)
            }
            Call::ShmOpen { flags, .. } | Call::Open { flags, .. } | Call::Openat { flags, .. } => {
                of_opening(flags, None)
            }
            Call::SemOpen { flags, .. } => of_opening(flags.unwrap_or(0) | libc::O_RDWR, None),
            Call::MqUnlink { .. }
            | Call::ShmUnlink { .. }
            | Call::SemUnlink { .. }
            | Call::Unlink { .. }
            | Call::Unlinkat { .. }
            | Call::MqTimedsend { .. }
            | Call::MqTimedreceive { .. } => of_call(),
            Call::Shmdt { .. }
            | Call::MqNotify { .. }
            | Call::MqGetsetattr { .. }
            | Call::Ftok { .. }
            | Call::SemPost { .. }
            | Call::SemTrywait { .. }
            | Call::SemTimedwait { .. }
            | Call::Truncate { .. }
            | Call::Ftruncate { .. }
            | Call::Fchmodat { .. }
            | Call::Fchownat { .. }
            | Call::Stat { .. } => None,
        }
    }
}
