//! Why a call of another program failed, or waits: what the call itself shows, and what was seen of the program before.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use libc::timespec;

use super::creation::Wish;
use super::{Failure, Operated};
use crate::ipc::message::{TYPE_SIZE, Wanted, type_of};
use crate::ipc::process::role::{Role, State};
use crate::ipc::sysv::Operation;
use crate::ipc::{
    Foreign, Key, Kind, Mode, Name, Object, ProcessName, Reference, Target, Use, count,
};
use crate::kernel::call::{Argument, Call, Outcome, Pointed, Structure};
use crate::kernel::posix::mq_calls::Shape;
use crate::kernel::ptrace::Descriptor;
use crate::kernel::signals::wait::Stopped;
use crate::kernel::{CallError, Errno};

/// A call, and what is known besides. What is not known is empty.
#[derive(Debug)]
pub struct Traced<'a> {
    /// The call.
    pub call: Call<'a>,
    /// How it ended. [`Outcome::Unfinished`] if it waits.
    pub outcome: Outcome,
    /// The process that makes it.
    pub pid: i32,
    /// When it began, in seconds since the Epoch.
    pub began: i64,
    /// The object that it is about.
    pub reference: Option<Reference>,
    /// The path of which the `stat` right before the call failed, and the error.
    pub missing_path: Option<(&'a [u8], Errno)>,
    /// Who removed the object, and how long ago.
    pub removed: Option<(ProcessName, Duration)>,
    /// An older segment with the same key that is marked for destruction.
    pub twin: Option<Reference>,
    /// The messages on the queue: their types and sizes, in their order.
    pub messages: Option<Vec<(i64, usize)>>,
    /// The processes that use the object.
    pub users: Vec<Use>,
    /// What semaphores it operates on.
    pub operated: Operated,
    /// On what the process waits that operated last on a semaphore.
    pub chain: Option<String>,
    /// The `mq_msgsize` of the queue, in bytes.
    pub message_size: Option<u64>,
    /// `kernel.msgmax`, in bytes.
    pub msgmax: Option<u64>,
    /// What a descriptor is that should be a queue.
    pub descriptor: Option<Descriptor>,
    /// Where the process has segments attached.
    pub attached: Vec<usize>,
    /// What keeps the name or key: for `EEXIST`.
    pub existing: Option<Reference>,
    /// The object that it is about, if it is there and can be read.
    pub object: Option<Object>,
    /// How long it took, or has taken so far.
    pub duration: Duration,
}

const VERB: &str = "trace";

impl<'a> Traced<'a> {
    /// A call of which nothing else is known.
    pub fn new(call: Call<'a>, outcome: Outcome) -> Traced<'a> {
        Traced {
            call,
            outcome,
            pid: 0,
            began: 0,
            reference: None,
            missing_path: None,
            removed: None,
            twin: None,
            messages: None,
            users: Vec::new(),
            operated: Operated::default(),
            chain: None,
            message_size: None,
            msgmax: None,
            descriptor: None,
            attached: Vec::new(),
            existing: None,
            object: None,
            duration: Duration::ZERO,
        }
    }

    /// What the call and the program show; `None` if only the state of the objects explains it, or nothing is wrong.
    pub fn hint(&self) -> Option<String> {
        self.of_failed_ftok().or_else(|| self.of_time()).or_else(|| self.of_removal()).or_else(
            || match self.outcome {
                Outcome::Failed(errno) => self.of_failure(errno),
                Outcome::Unfinished => self.of_wait(),
                Outcome::Returned(_) => self.of_success(),
                Outcome::Interrupted(_) => None,
            },
        )
    }

    /// `ftok(3)` returned -1, which became a key.
    fn of_failed_ftok(&self) -> Option<String> {
        let (Call::Msgget { key, .. } | Call::Shmget { key, .. } | Call::Semget { key, .. }) =
            self.call
        else {
            return None;
        };
        if Key(key) != Key::FTOK_FAILED {
            return None;
        }
        let (what, advice) = (
            "0xffffffff is what ftok returns for a path that is not there",
            "every program with this mistake gets the same key, so check the result of ftok",
        );
        Some(match self.missing_path {
            Some((path, errno)) => {
                format!("{what}: {} failed right before ({errno:?}); {advice}", stat(path))
            }
            None => format!("{what}; {advice}"),
        })
    }

    /// A time that cannot be, or is of the wrong kind.
    fn of_time(&self) -> Option<String> {
        const YEAR: i64 = 31_556_952;
        let (time, is_absolute) = match self.call {
            Call::MqTimedsend { deadline, .. } | Call::MqTimedreceive { deadline, .. } => {
                (deadline.content?, true)
            }
            Call::Semtimedop { timeout, .. } => (timeout.content?, false),
            _ => return None,
        };
        let timespec { tv_sec, tv_nsec, .. } = time;
        #[allow(clippy::useless_conversion, reason = "it has 32 bits on some machines")]
        let tv_sec: i64 = tv_sec.into();
        let age = self.began - tv_sec;
        match self.outcome {
            Outcome::Failed(Errno::EINVAL) if !(0..1_000_000_000).contains(&tv_nsec) => {
                Some(format!(
                    "tv_nsec is {tv_nsec}, but must be from 0 to 999999999: carry a second over to tv_sec, also when the sum is exactly 1000000000"
                ))
            }
            Outcome::Failed(Errno::EINVAL) if tv_sec < 0 => {
                Some(format!("tv_sec is {tv_sec}, but must not be negative"))
            }
            Outcome::Failed(Errno::ETIMEDOUT) if is_absolute && age > YEAR => Some(format!(
                "the timeout is a point in time (CLOCK_REALTIME), and tv_sec={tv_sec} was {} years ago: add the length of the wait to what clock_gettime returns",
                age / YEAR
            )),
            Outcome::Failed(Errno::ETIMEDOUT) if is_absolute && age > 0 => Some(format!(
                "the timeout is a point in time (CLOCK_REALTIME), which had passed {} before the call",
                count(age as u64, "second")
            )),
            Outcome::Unfinished if !is_absolute && tv_sec > YEAR => Some(format!(
                "the timeout of semtimedop is the length of the wait, and tv_sec={tv_sec} is {} years: subtract the present time, if it is a point in time",
                tv_sec / YEAR
            )),
            _ => None,
        }
    }

    /// Somebody whose call was seen removed the object.
    fn of_removal(&self) -> Option<String> {
        let (Outcome::Failed(Errno::EINVAL | Errno::EIDRM), Some((who, ago))) =
            (self.outcome, &self.removed)
        else {
            return None;
        };
        let what = self.reference.as_ref().map_or("it".to_owned(), Reference::to_string);
        let ago = ago.as_secs_f64();
        let mut hint = format!("{what} was removed {ago:.3} s ago by {who} (IPC_RMID)");
        if self.removes() {
            hint += "; the first removal is all that is needed, so leave it to one process";
        }
        Some(hint)
    }

    fn removes(&self) -> bool {
        matches!(
            self.call,
            Call::Msgctl { command: libc::IPC_RMID, .. }
                | Call::Shmctl { command: libc::IPC_RMID, .. }
                | Call::Semctl { command: libc::IPC_RMID, .. }
        )
    }

    fn of_failure(&self, errno: Errno) -> Option<String> {
        match (self.call, errno) {
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
                self.of_types(wanted(message_type, flags))
            }
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
                "to lock memory takes CAP_IPC_LOCK, or enough of RLIMIT_MEMLOCK".to_owned(),
            ),
            (Call::MqOpen { name, .. } | Call::MqUnlink { name }, Errno::EACCES | Errno::ENOENT)
                if let Some(name) = name.content
                    && (name.is_empty() || name.contains(&b'/')) =>
            {
                Some("the name of a queue is a slash and at least one character, without a further slash".to_owned())
            }
            (
                Call::MqOpen { .. }
                | Call::MqUnlink { .. }
                | Call::ShmOpen { .. }
                | Call::ShmUnlink { .. }
                | Call::SemOpen { .. },
                Errno::ENAMETOOLONG,
            ) => Some("a name has at most 255 bytes (NAME_MAX)".to_owned()),
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
    fn of_full_queue(&self, size: usize) -> String {
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

    /// There is no message of the wanted type, though there are others.
    fn of_types(&self, wanted: Wanted) -> Option<String> {
        let messages = self.messages.as_ref()?;
        let mut types: Vec<i64> = messages.iter().map(|(message_type, _)| *message_type).collect();
        types.sort_unstable();
        types.dedup();
        if types.is_empty() || types.iter().any(|one| wanted.matches(*one)) {
            return None;
        }
        let number = count(messages.len() as u64, "message");
        const MOST: usize = 5;
        let mut list = String::new();
        for (place, one) in types.iter().take(MOST).enumerate() {
            let separator = match place {
                0 => "",
                _ if place + 1 == types.len() => " and ",
                _ => ", ",
            };
            // Writing to a string cannot fail.
            let _ = write!(list, "{separator}{one}");
        }
        if types.len() > MOST {
            list += ", …";
        }
        let plural = if types.len() == 1 { "type" } else { "types" };
        let asked = match wanted {
            Wanted::Any => "any type".to_owned(),
            Wanted::Type(one) => format!("type {one}"),
            Wanted::UpTo(most) => format!("a type up to {most}"),
            Wanted::Except(one) => format!("a type other than {one}"),
        };
        Some(format!("it wants {asked}, and the queue holds {number} of {plural} {list}"))
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

    /// What a call waits for.
    fn of_wait(&self) -> Option<String> {
        match self.call {
            Call::Msgrcv { message_type, flags, .. } => {
                let what = self.of_types(wanted(message_type, flags));
                let what = what.unwrap_or_else(|| match self.messages.as_deref() {
                    Some([]) => "the queue is empty".to_owned(),
                    _ => "it waits for a message".to_owned(),
                });
                Some(format!("{what}; {}", self.of_senders()))
            }
            Call::Msgsnd { size, .. } => {
                Some(format!("{}; {}", self.of_full_queue(size), self.of_receivers()))
            }
            Call::MqTimedreceive { .. } => {
                Some(format!("the queue is empty; {}", self.of_openers("open for sending")))
            }
            Call::MqTimedsend { .. } => {
                Some(format!("the queue is full; {}", self.of_openers("open")))
            }
            Call::Semop { .. } | Call::Semtimedop { .. } => {
                let blocked = self.operated.blocked()?;
                Some(match &self.chain {
                    Some(chain) => format!("{blocked}; {chain}"),
                    None => blocked,
                })
            }
            _ => None,
        }
    }

    fn of_senders(&self) -> String {
        let waits = |one: &&Use| one.pid != self.pid && matches!(one.role, Role::WaitsToSend(_));
        if let Some(one) = self.users.iter().find(waits) {
            return format!("{} waits to send", one.name());
        }
        self.of_last(&Role::LastSender, "sent the last message", "nobody has sent to it yet")
    }

    fn of_receivers(&self) -> String {
        let waiting: Vec<_> = self
            .users
            .iter()
            .filter_map(|one| match &one.role {
                Role::WaitsToReceive(wanted) => Some((one, *wanted)),
                _ => None,
            })
            .collect();
        if let Some((one, _)) = waiting.first() {
            return format!("{} is {}, of which there is none", one.name(), one.role);
        }
        self.of_last(
            &Role::LastReceiver,
            "received the last message",
            "nobody waits to receive, and nobody has received from it yet",
        )
    }

    fn of_last(&self, role: &Role, did: &str, nobody: &str) -> String {
        match self.users.iter().find(|one| one.role == *role) {
            None => nobody.to_owned(),
            Some(one) if one.pid == self.pid => format!("the process itself {did}"),
            Some(one) if one.state == State::Alive => format!("{} {did}", one.name()),
            Some(one) => format!("process {}, which {did}, is gone", one.pid),
        }
    }

    fn of_openers(&self, how: &str) -> String {
        let is_other = |one: &&Use| one.role == Role::Open && one.pid != self.pid;
        let mut others: Vec<_> = self.users.iter().filter(is_other).map(Use::name).collect();
        others.dedup();
        match others.as_slice() {
            [] => format!("no other process has it {how}"),
            [one] => format!("{one} has it open"),
            [first, more @ ..] => {
                format!("{first} and {} have it open", count(more.len() as u64, "other process"))
            }
        }
    }

    /// What is odd about a call that succeeded.
    fn of_success(&self) -> Option<String> {
        match self.call {
            Call::Shmget { .. } => {
                let twin = self.twin.as_ref()?;
                Some(format!(
                    "this is a new segment: {twin}, which had this key, is marked for destruction and still attached, so there are two"
                ))
            }
            Call::Msgsnd { message, size, .. } => {
                let payload = message.content?.get(TYPE_SIZE..)?;
                let text = counts_type(payload, size)?;
                Some(format!(
                    "if {size} is the size of the whole structure, it counts mtype, too: the text has {text} bytes, and {TYPE_SIZE} stray ones behind it are sent"
                ))
            }
            _ => None,
        }
    }

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

/// `mq_send(3)`.
const MQ_PRIO_MAX: u32 = 32_768;

/// `shmctl(2)`.
const SHM_LOCK: i32 = 11;

// semctl(2).
const GETPID: i32 = 11;
const GETVAL: i32 = 12;
const GETNCNT: i32 = 14;
const GETZCNT: i32 = 15;
const SETVAL: i32 = 16;
const SETALL: i32 = 17;

/// `stat("PATH")`, as the line of the call would have it.
fn stat(path: &[u8]) -> String {
    format!("stat(\"{}\")", Foreign::from(path))
}

/// A time as a length.
fn length(time: timespec) -> Option<Duration> {
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

fn wanted(message_type: i64, flags: i32) -> Wanted {
    Wanted::from_number(message_type, flags & libc::MSG_EXCEPT != 0)
}

/// The operations of a call as the explanations have them.
pub fn operations(buffers: &[libc::sembuf]) -> Vec<Operation> {
    let operation = |one: &libc::sembuf| Operation { semaphore: one.sem_num, change: one.sem_op };
    buffers.iter().map(operation).collect()
}

/// The size of a text that is probably sent with the size of the whole structure, `long` and text. The payload begins
/// with a C string that ends long before the size, and the size is what a compiler makes of a `long` and a text with a
/// round size.
fn counts_type(payload: &[u8], size: usize) -> Option<usize> {
    const ROUND: [usize; 8] = [10, 20, 40, 50, 80, 150, 250, 255];
    let end = memchr::memchr(0, payload).filter(|end| *end > 0)?;
    let is_text = payload[..end]
        .iter()
        .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\t'));
    if !is_text
        || !size.is_multiple_of(TYPE_SIZE)
        || size < 2 * TYPE_SIZE
        || end + TYPE_SIZE >= size
    {
        return None;
    }
    // Up to seven bytes fill the structure up.
    let largest = size - TYPE_SIZE;
    let is_round = |one: &usize| {
        one.is_power_of_two() && *one >= 16 || one.is_multiple_of(100) || ROUND.contains(one)
    };
    (largest - (TYPE_SIZE - 1)..=largest).rev().find(is_round)
}

/// The object that a call names by its id, or by the name of a file.
pub fn reference(call: &Call<'_>) -> Option<Reference> {
    let of_name = |kind, name: Pointed<&[u8]>| {
        let name = name.content?;
        // The kernel gets the name of a queue without its slash.
        let name = name.strip_prefix(b"/").unwrap_or(name);
        Some(Reference::name(kind, Name::of_file(OsStr::from_bytes(name))))
    };
    let of_path = |path: Pointed<&[u8]>| {
        let name = path.content?.strip_prefix(b"/dev/shm")?;
        of_name(Kind::Pshm, Pointed { address: path.address, content: Some(name) })
    };
    match *call {
        Call::Msgget { key, .. } if key != 0 => {
            Some(Reference { kind: Kind::Msg, target: Target::Key(Key(key)) })
        }
        Call::Shmget { key, .. } if key != 0 => {
            Some(Reference { kind: Kind::Shm, target: Target::Key(Key(key)) })
        }
        Call::Semget { key, .. } if key != 0 => {
            Some(Reference { kind: Kind::Sem, target: Target::Key(Key(key)) })
        }
        Call::Msgsnd { id, .. } | Call::Msgrcv { id, .. } | Call::Msgctl { id, .. } => {
            Some(Reference::id(Kind::Msg, id))
        }
        Call::Shmat { id, .. } | Call::Shmctl { id, .. } => Some(Reference::id(Kind::Shm, id)),
        Call::Semop { id, .. } | Call::Semtimedop { id, .. } | Call::Semctl { id, .. } => {
            Some(Reference::id(Kind::Sem, id))
        }
        Call::MqOpen { name, .. } | Call::MqUnlink { name } => of_name(Kind::Pmsg, name),
        Call::ShmOpen { name, .. } | Call::ShmUnlink { name } => of_name(Kind::Pshm, name),
        Call::SemOpen { name, .. } | Call::SemUnlink { name } => of_name(Kind::Psem, name),
        Call::Open { path, .. }
        | Call::Openat { path, .. }
        | Call::Unlink { path }
        | Call::Unlinkat { path, .. } => of_path(path),
        _ => None,
    }
}
