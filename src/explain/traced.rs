//! Why a call of another program failed, or waits: what the call itself shows, and what was seen of the program before.

mod cause;
mod failed;
mod waits;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use libc::timespec;

use super::Operated;
use crate::ipc::message::{TYPE_SIZE, Wanted};
use crate::ipc::sysv::Operation;
use crate::ipc::{Foreign, Key, Kind, Name, Object, ProcessName, Reference, Target, Use, count};
use crate::kernel::Errno;
use crate::kernel::call::{Call, Outcome, Pointed};
use crate::kernel::ptrace::Descriptor;

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
}

/// `stat("PATH")`, as the line of the call would have it.
fn stat(path: &[u8]) -> String {
    format!("stat(\"{}\")", Foreign::from(path))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_may_count_the_type() {
        let text = b"hello\0rest of the memory";
        for (size, expected) in [
            (72, Some(64)),
            // The compiler fills the structure up.
            (112, Some(100)),
            (264, Some(256)),
            // No round size is near.
            (128, None),
            // As long as the text.
            (8, None),
            // No structure has this size.
            (70, None),
        ] {
            assert_eq!(counts_type(text, size), expected, "{size}");
        }
        assert_eq!(counts_type(b"\x01\x02\0\0", 72), None);
        assert_eq!(counts_type(b"no end in sight", 72), None);
        assert_eq!(counts_type(b"", 0), None);
    }

    #[test]
    fn times_are_explained_by_their_kind() {
        let hint = |outcome, time: timespec| {
            let call = Call::MqTimedreceive {
                descriptor: 3,
                message: Pointed::NULL,
                size: 9,
                priority: Pointed::NULL,
                deadline: Some(time).into(),
            };
            let began = 1_795_000_000;
            Traced { began, ..Traced::new(call, outcome) }.hint().unwrap_or_default()
        };
        let time = |tv_sec, tv_nsec| timespec { tv_sec, tv_nsec };
        let failed = |errno| Outcome::Failed(errno);
        assert!(
            hint(failed(Errno::EINVAL), time(5, 1_000_000_000))
                .starts_with("tv_nsec is 1000000000")
        );
        assert!(hint(failed(Errno::EINVAL), time(-1, 0)).starts_with("tv_sec is -1"));
        assert!(hint(failed(Errno::ETIMEDOUT), time(5, 0)).contains("tv_sec=5 was 56 years ago"));
        assert!(
            hint(failed(Errno::ETIMEDOUT), time(1_794_999_997, 0)).contains("had passed 3 seconds")
        );
        assert_eq!(hint(failed(Errno::ETIMEDOUT), time(1_795_000_001, 0)), "");
    }
}
