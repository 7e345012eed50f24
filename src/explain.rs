//! An error and the state around it, told to a person: what happened, and the hint that helps.

use std::fmt;

use crate::ipc::object::{reserved_bytes, sequence, slot};
use crate::ipc::usage::charged;
use crate::ipc::{Caller, Key, Kind, Object, Reference, Target, Usage, count};
use crate::kernel::accounts::{group, user};
use crate::kernel::interrupt::Stopped;
use crate::kernel::object::{MOUNT_HINT, ReadError, snapshot};
use crate::kernel::pmsg::Shape;
use crate::kernel::process;
use crate::kernel::sysctl::{Limit, slot_bits};
use crate::kernel::{CallError, Errno, dev_shm};

/// A verb that could not be carried out on one object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// The verb.
    pub verb: &'static str,
    /// What it was to be done to: a reference, or a word such as the name of an option.
    pub subject: String,
    /// What happened, with the name of the errno.
    pub what: String,
    /// Why, where the kernel's state tells, or what to do.
    pub hint: Option<String>,
    /// What sort of failure it is.
    pub reason: Reason,
}

/// The sorts of failure that scripts tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An operation failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// No such object, or no message.
    NothingThere,
    /// It would block, or the timeout passed.
    WouldBlock,
    /// Not permitted.
    NotPermitted,
    /// A signal came.
    Signal(i32),
}

impl fmt::Display for Failure {
    /// One line, and a second one for the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verb)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        write!(f, ": {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Failure {
    /// A failure without a hint.
    pub fn new(
        verb: &'static str,
        subject: impl fmt::Display,
        what: impl fmt::Display,
        reason: Reason,
    ) -> Failure {
        let (subject, what) = (subject.to_string(), what.to_string());
        Failure { verb, subject, what, hint: None, reason }
    }

    /// A command line that is wrong in a way that only the verb knows.
    pub fn usage(verb: &'static str, what: impl fmt::Display) -> Failure {
        Failure::new(verb, "", what, Reason::Usage)
    }

    /// The same with a hint.
    pub fn with_hint(mut self, hint: impl fmt::Display) -> Failure {
        self.hint = Some(hint.to_string());
        self
    }

    /// A system call that failed on an existing object, or on one that should exist.
    pub fn of_call(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
        let moves_messages = matches!(error.name, "msgsnd" | "msgrcv");
        if error.errno == Errno::EINVAL && moves_messages && is_there(reference) {
            let most = Limit::Msgmax.value().unwrap_or_default();
            let what = format!("the message is over msgmax, {most} bytes (EINVAL)");
            return Failure::new(verb, reference, what, Reason::Failed)
                .with_hint("msgmax was lowered since: 'ipctool limits' shows it");
        }
        let (what, reason) = describe(reference, error);
        let what = format!("{what} ({:?})", error.errno);
        let hint = hint(reference, error);
        Failure { hint, ..Failure::new(verb, reference, what, reason) }
    }

    /// A wait that ended without what it waited for.
    pub fn of_wait(verb: &'static str, reference: &Reference, stopped: Stopped) -> Failure {
        match stopped {
            Stopped::Failed(error) => Failure::of_call(verb, reference, error),
            Stopped::TimedOut => {
                let failure = Failure::new(verb, reference, "timed out", Reason::WouldBlock);
                Failure { hint: content(reference), ..failure }
            }
            Stopped::Signal(signal) => {
                Failure::new(verb, reference, "interrupted by a signal", Reason::Signal(signal))
            }
        }
    }

    /// `create` on this kind and key, perhaps none, that failed.
    pub fn of_creation(
        verb: &'static str,
        kind: Kind,
        key: Key,
        asked: u64,
        error: CallError,
    ) -> Failure {
        let reference = Reference { kind, target: Target::Key(key) };
        let subject = match key {
            Key::PRIVATE => kind.to_string(),
            _ => reference.to_string(),
        };
        let mut failure = Failure::of_call(verb, &reference, error);
        if error.errno == Errno::ENOSPC {
            failure.hint = snapshot([kind]).ok().and_then(|all| space_hint(kind, asked, &all));
        }
        if error.errno == Errno::EINVAL {
            failure.what = "this size is not possible (EINVAL)".to_owned();
            failure.hint = size_hint(kind, key, asked);
            failure.reason = Reason::Failed;
        }
        Failure { subject, ..failure }
    }

    /// `create` on this POSIX object that failed. A queue may have been asked for in a shape.
    pub fn of_named_creation(
        verb: &'static str,
        reference: &Reference,
        asked: Option<Shape>,
        error: CallError,
    ) -> Failure {
        let failure = Failure::of_call(verb, reference, error);
        let is_queue = reference.kind == Kind::Pmsg;
        let is_something_else = !is_queue && dev_shm::is_something_else(reference);
        let (what, hint) = match error.errno {
            _ if is_something_else => ("what has this name is no regular file".to_owned(), None),
            Errno::ENOENT if !is_queue => (
                "there is no /dev/shm".to_owned(),
                Some(
                    "as root: mkdir -p /dev/shm && mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
                        .to_owned(),
                ),
            ),
            Errno::EMFILE if is_queue => out_of_bytes_or_descriptors(asked),
            Errno::EINVAL | Errno::EOVERFLOW if is_queue => {
                ("this shape is not possible".to_owned(), shape_hint())
            }
            Errno::ENOSPC if is_queue => (
                failure.what.replace(" (ENOSPC)", ""),
                Limit::MqueueQueuesMax.value().map(|most| {
                    format!("this IPC namespace has room for {most} queues (fs.mqueue.queues_max)")
                }),
            ),
            Errno::EINVAL => (
                "one with this name exists, and is smaller".to_owned(),
                Some(format!("'ipctool stat {reference}' shows it; ftruncate(2) makes it larger")),
            ),
            Errno::EACCES if failure.hint.is_none() => (
                failure.what.replace(" (EACCES)", ""),
                Some("the directory of these objects does not let you make one".to_owned()),
            ),
            _ => return failure,
        };
        let reason = match failure.reason {
            Reason::NothingThere => Reason::Failed,
            reason => reason,
        };
        Failure { what: format!("{what} ({:?})", error.errno), hint, reason, ..failure }
    }
}

/// What happened, and what sort of failure it is.
fn describe(reference: &Reference, error: CallError) -> (String, Reason) {
    let noun = reference.kind.noun();
    let waits = matches!(error.name, "msgsnd" | "msgrcv" | "mq_timedsend" | "mq_timedreceive");
    let is_posix = reference.kind.is_posix();
    match error.errno {
        Errno::ENOENT if is_posix => (format!("no such {noun}"), Reason::NothingThere),
        Errno::EAGAIN if error.name == "mq_timedreceive" => {
            ("no message".to_owned(), Reason::NothingThere)
        }
        _ if is_refused_to_others(error) => {
            ("only its owner or a privileged process may do this".to_owned(), Reason::NotPermitted)
        }
        Errno::EEXIST if is_posix => (format!("a {noun} with this name exists"), Reason::Failed),
        Errno::EINVAL => (format!("no such {noun}"), Reason::NothingThere),
        Errno::EIDRM if waits => {
            (format!("the {noun} was removed while this waited"), Reason::NothingThere)
        }
        Errno::EIDRM => (format!("the {noun} was removed"), Reason::NothingThere),
        Errno::ENOENT => (format!("no {noun} has this key"), Reason::NothingThere),
        Errno::ENOMSG => ("no message".to_owned(), Reason::NothingThere),
        Errno::EAGAIN => (format!("the {noun} is full"), Reason::WouldBlock),
        Errno::EACCES => ("no permission".to_owned(), Reason::NotPermitted),
        Errno::EPERM => (
            "only its owner, its creator or a privileged process may do this".to_owned(),
            Reason::NotPermitted,
        ),
        Errno::EEXIST => (format!("a {noun} with this key exists"), Reason::Failed),
        Errno::ENOSPC => (format!("no room for another {noun}"), Reason::Failed),
        Errno::ENOMEM => ("the kernel has no memory for it".to_owned(), Reason::Failed),
        errno => (format!("{} failed: {}", error.name, errno.desc()), Reason::Failed),
    }
}

/// Whether a file operation was refused because the file is another's: its directory is sticky, and
/// the C library gives that another name.
fn is_refused_to_others(error: CallError) -> bool {
    let unlinks = matches!(error.name, "mq_unlink" | "shm_unlink" | "sem_unlink");
    let changes = matches!(error.name, "chmod" | "fchownat");
    (unlinks && error.errno == Errno::EACCES)
        || ((unlinks || changes) && error.errno == Errno::EPERM)
}

/// What the state of the system adds to an error.
fn hint(reference: &Reference, error: CallError) -> Option<String> {
    let kind = reference.kind;
    match (error.errno, &reference.target) {
        (Errno::EINVAL, Target::Id(id)) => id_hint(kind, *id, &snapshot([kind]).ok()?, slot_bits()),
        (Errno::ENOENT, Target::Key(key)) => Some(key_hint(kind, *key)),
        (Errno::ENOENT, Target::Name(_)) => Some(format!(
            "'ipctool list {kind}' shows what is there, 'ipctool create {kind} --name' makes one"
        )),
        (Errno::EACCES | Errno::EPERM, _) => {
            let objects = match snapshot([kind]) {
                // What its owner may do all the same takes its file.
                Err(ReadError::Queues(_)) => {
                    return Some(format!("its mode and owner cannot be seen here; {MOUNT_HINT}"));
                }
                objects => objects.ok()?,
            };
            let object = objects.iter().find(|object| object.is_named(&reference.target))?;
            let capability = match (kind.is_posix(), is_refused_to_others(error)) {
                (true, _) if error.name == "fchownat" => "CAP_CHOWN",
                (true, true) => "CAP_FOWNER",
                (true, false) => "CAP_DAC_OVERRIDE",
                (false, _) if error.errno == Errno::EPERM => "CAP_SYS_ADMIN",
                (false, _) => "CAP_IPC_OWNER",
            };
            Some(access_hint(object, &process::caller(kind), capability))
        }
        (Errno::EEXIST, Target::Name(_)) => Some("without --exclusive it is opened".to_owned()),
        (Errno::EEXIST, _) => {
            let object = find(reference)?;
            Some(format!("it is {}; without --exclusive it is opened", object.reference()))
        }
        (Errno::EIDRM, _) => Some(
            match kind.is_posix() {
                true => "somebody removed its name: whoever opens that now gets another queue",
                false => {
                    "somebody removed it (IPC_RMID), and whoever waits on it then gets this error"
                }
            }
            .to_owned(),
        ),
        (Errno::EAGAIN | Errno::ENOMSG, _) => content(reference),
        (Errno::ENOSYS, _) => Some(
            "this kernel was built without CONFIG_CHECKPOINT_RESTORE, which MSG_COPY needs"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Whether the caller is the owner, the creator or privileged.
fn may_control(reference: &Reference) -> bool {
    let caller = process::caller(reference.kind);
    find(reference).is_some_and(|object| object.permissions().access(&caller).control)
}

fn is_there(reference: &Reference) -> bool {
    find(reference).is_some()
}

/// The object that a reference means, whatever its mode.
fn find(reference: &Reference) -> Option<Object> {
    let objects = snapshot([reference.kind]).ok()?;
    objects.into_iter().find(|object| object.is_named(&reference.target))
}

/// Why an id names nothing: an id is `sequence × 32768 + slot`, and a slot that is used again gets
/// a higher sequence.
fn id_hint(kind: Kind, id: i32, objects: &[Object], slot_bits: u32) -> Option<String> {
    let slot = |id| slot(id, slot_bits);
    let sequence = |id| sequence(id, slot_bits);
    let noun = kind.noun();
    let mut named = objects.iter().filter(|object| object.permissions().key != Key::PRIVATE);
    if let Some(keyed) = named.find(|object| object.permissions().key == Key(id)) {
        let (key, object) = (Key(id), keyed.reference());
        return Some(format!("{id} is no id but the key of {object}: write {kind}:{key}"));
    }
    let in_slot = |object: &&Object| object.id().map(slot) == Some(slot(id));
    let Some((present, holder)) =
        objects.iter().find(in_slot).and_then(|object| Some((object, object.id()?)))
    else {
        return Some(match objects {
            [] => format!("there is no {noun} at all in this IPC namespace"),
            _ => format!("it was removed, or never was: 'ipctool list {kind}' shows what is there"),
        });
    };
    let (now, asked) = (present.reference(), Reference::id(kind, id));
    if sequence(holder) > sequence(id) {
        Some(format!("{asked} was removed: its slot {} now holds a newer one, {now}", slot(id)))
    } else if sequence(holder) < sequence(id) {
        Some(format!("{asked} never was: its slot {} still holds an older one, {now}", slot(id)))
    } else {
        // It came into being after the call.
        None
    }
}

fn key_hint(kind: Kind, key: Key) -> String {
    match key {
        Key::FTOK_FAILED => {
            "0xffffffff is what ftok returns when its path is missing: check the path".to_owned()
        }
        _ => format!(
            "nobody has made it in this IPC namespace: 'ipctool list {kind}' shows what is there, 'ipctool create {kind} --key {key}' makes it"
        ),
    }
}

/// Who may, who asks, and what would let him.
fn access_hint(object: &Object, caller: &Caller, capability: &str) -> String {
    let permissions = object.permissions();
    format!(
        "{} has mode {} ({}), owner {}:{}{}; you are {} (uid {}) without {capability}",
        object.reference(),
        permissions.mode,
        permissions.mode.symbolic(),
        user(permissions.uid),
        group(permissions.gid),
        match object.kind().is_posix() {
            true => String::new(),
            false => format!(", creator {}", user(permissions.cuid)),
        },
        user(caller.uid),
        caller.uid,
    )
}

/// `IPC_SET` for owner and mode that failed.
pub fn change_failed(verb: &'static str, reference: &Reference, error: CallError) -> Failure {
    let failure = Failure::of_call(verb, reference, error);
    // The kernel does not know the new owner.
    if error.errno == Errno::EINVAL && is_there(reference) {
        let what = "this user or group is not mapped in your user namespace (EINVAL)".to_owned();
        return Failure { what, hint: None, reason: Reason::Failed, ..failure };
    }
    failure
}

/// `IPC_SET` for the size of a queue that failed.
pub fn queue_bytes_failed(
    verb: &'static str,
    reference: &Reference,
    bytes: u64,
    error: CallError,
) -> Failure {
    let failure = Failure::of_call(verb, reference, error);
    let most = Limit::Msgmnb.value().unwrap_or(u64::MAX);
    match error.errno {
        Errno::EPERM if bytes > most && may_control(reference) => {
            let what = format!("{bytes} bytes are over msgmnb, {most} bytes (EPERM)");
            Failure { what, ..failure }.with_hint(format!(
                "more than msgmnb takes CAP_SYS_RESOURCE; or a higher msgmnb, as root: ipctool limits --set msgmnb={bytes}"
            ))
        }
        _ => failure,
    }
}

/// What lies on a queue: why there is no room, or that all there is is of another type.
fn content(reference: &Reference) -> Option<String> {
    let mut object = find(reference)?;
    crate::kernel::object::complete(&mut object);
    match object {
        Object::Queue(queue) if queue.max_bytes.is_some_and(|most| queue.messages >= most) => {
            Some(format!(
                "it holds {}, and as many messages at most as bytes (max_bytes)",
                count(queue.messages, "message"),
            ))
        }
        Object::Queue(queue) if queue.messages > 0 => {
            let most = queue.max_bytes.map(|most| format!(" of {most}")).unwrap_or_default();
            Some(format!(
                "it holds {}, {}{most} bytes: 'ipctool recv {} --peek --all --json' shows them",
                count(queue.messages, "message"),
                queue.bytes,
                Reference::id(Kind::Msg, queue.id),
            ))
        }
        Object::PosixQueue(queue) if queue.messages > Some(0) => Some(format!(
            "it holds {} of {} (mq_maxmsg), which was set when it was made",
            count(queue.messages?, "message"),
            queue.max_messages?,
        )),
        _ => None,
    }
}

/// What `EMFILE` of `mq_open(3)` means: it says two things with one word.
fn out_of_bytes_or_descriptors(asked: Option<Shape>) -> (String, Option<String>) {
    if std::fs::File::open("/").is_err() {
        let most = Limit::RlimitNofile.value().unwrap_or(0);
        let what = format!("out of descriptors: all {most} of {most} (RLIMIT_NOFILE) are open");
        return (what, Some("'ulimit -n' shows and sets how many a process may have".to_owned()));
    }
    let shape = asked.or_else(|| {
        let max_messages = Limit::MqueueMsgDefault.value()?;
        Some(Shape { max_messages, message_size: Limit::MqueueMsgsizeDefault.value()? })
    });
    let needed = shape.map_or(0, |shape| reserved_bytes(shape.max_messages, shape.message_size));
    let most = Limit::RlimitMsgqueue.value().unwrap_or(u64::MAX);
    let uid = process::uid();
    let charged = snapshot([Kind::Pmsg])
        .ok()
        .and_then(|queues| charged(&queues).get(&uid).copied().unwrap_or(Some(0)));
    let what = match charged {
        Some(charged) => format!(
            "out of bytes for POSIX queues: it takes {needed}, and {charged} of {most} (RLIMIT_MSGQUEUE) are taken"
        ),
        None => format!(
            "out of bytes for POSIX queues: it takes {needed}, and too many of {most} (RLIMIT_MSGQUEUE) are taken by queues that cannot be listed here"
        ),
    };
    let mut hint =
        "a queue is charged for its capacity, whatever lies on it: 'ipctool list pmsg -o ref,owner,reserved_bytes' shows for what, 'ulimit -q' how many a user may have".to_owned();
    if charged.is_some_and(|charged| charged.saturating_add(needed) <= most) {
        hint += "; queues of yours in other IPC namespaces count, too";
    }
    (what, Some(hint))
}

/// The shapes that a queue may have.
fn shape_hint() -> Option<String> {
    Some(format!(
        "a queue holds 1 to {} messages (fs.mqueue.msg_max) of 1 to {} bytes (fs.mqueue.msgsize_max)",
        Limit::MqueueMsgMax.value()?,
        Limit::MqueueMsgsizeMax.value()?,
    ))
}

/// Which limit an `ENOSPC` means.
fn space_hint(kind: Kind, asked: u64, objects: &[Object]) -> Option<String> {
    let page_size = process::page_size();
    let usage = Usage::of(objects, page_size);
    let (number, things) = match kind {
        Kind::Msg => (Limit::Msgmni, usage.queues),
        Kind::Shm => (Limit::Shmmni, usage.segments),
        Kind::Sem => (Limit::Semmni, usage.sets),
        Kind::Pmsg | Kind::Pshm | Kind::Psem => return None,
    };
    let (limit, used, asked, noun) = match kind {
        _ if number.value().is_some_and(|limit| things >= limit) => {
            (number, things, 1, format!("{}s", kind.noun()))
        }
        Kind::Shm => {
            let asked = asked.div_ceil(page_size);
            (Limit::Shmall, usage.pages, asked, "pages of shared memory".to_owned())
        }
        Kind::Sem => (Limit::Semmns, usage.semaphores, asked, "semaphores".to_owned()),
        _ => return None,
    };
    Some(format!(
        "{used} of {} {noun} are in use ({}), and {asked} more asked for: see 'ipctool list {kind} -t' and 'ipctool limits'",
        limit.value()?,
        limit.name(),
    ))
}

/// Why `shmget` or `semget` refuses a size.
fn size_hint(kind: Kind, key: Key, asked: u64) -> Option<String> {
    let objects = snapshot([kind]).ok()?;
    let named = |object: &&Object| key != Key::PRIVATE && object.permissions().key == key;
    match (kind, objects.iter().find(named)) {
        (Kind::Shm, Some(Object::Segment(segment))) => Some(format!(
            "shm:{} has this key and {} bytes, fewer than {asked}",
            segment.id, segment.size
        )),
        (Kind::Sem, Some(Object::SemaphoreSet(set))) => Some(format!(
            "sem:{} has this key and {} semaphores, fewer than {asked}",
            set.id, set.nsems
        )),
        (Kind::Shm, _) => {
            Some(format!("a segment has 1 to {} bytes (kernel.shmmax)", Limit::Shmmax.value()?))
        }
        (Kind::Sem, _) => Some(format!(
            "a set has 1 to {} semaphores (the first number of kernel.sem)",
            Limit::Semmsl.value()?
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{Mode, Permissions, SemaphoreSet};

    fn set(id: i32) -> Object {
        let permissions = Permissions {
            key: Key::PRIVATE,
            uid: 0,
            gid: 0,
            cuid: 0,
            cgid: 0,
            mode: Mode::from_bits(0o600),
        };
        Object::SemaphoreSet(SemaphoreSet {
            id,
            permissions,
            changed: None,
            nsems: 1,
            last_op: None,
        })
    }

    #[test]
    fn an_id_that_names_nothing_says_why() {
        let hint = |id, present: &[i32]| {
            let objects: Vec<_> = present.iter().map(|&id| set(id)).collect();
            id_hint(Kind::Sem, id, &objects, 15).unwrap_or_default()
        };
        assert!(hint(5, &[]).contains("no semaphore set at all"));
        assert!(hint(5, &[6]).contains("was removed, or never was"));
        assert!(
            hint(5, &[6, 32773])
                .contains("was removed: its slot 5 now holds a newer one, sem:32773")
        );
        assert!(hint(65541, &[32773]).contains("never was: its slot 5 still holds an older one"));
    }
}
