//! An error and the state around it, told to a person: what happened, and the hint that helps.

mod creation;
mod missing;
mod notice;

use std::fmt;

pub use notice::Notice;

use crate::ipc::object::{sequence, slot};
use crate::ipc::{Caller, Key, Kind, Object, Reference, Target, count};
use crate::kernel::accounts::{group, user};
use crate::kernel::interrupt::Stopped;
use crate::kernel::object::{MOUNT_HINT, ReadError, snapshot};
use crate::kernel::process;
use crate::kernel::sysctl::{Limit, slot_bits};
use crate::kernel::{CallError, Errno};

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
    /// One line, without the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verb)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        write!(f, ": {}", self.what)
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
        (Errno::ENOENT, Target::Name(name)) => Some(missing::hint(kind, name)),
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
