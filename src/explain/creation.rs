//! Why an object could not be made: the limit that was reached, the size that is not possible, the one
//! that is there already.

use super::{Failure, Reason};
use crate::ipc::posix::reserved_bytes;
use crate::ipc::usage::charged;
use crate::ipc::{Key, Kind, Object, Reference, Target, Usage};
use crate::kernel::object::snapshot;
use crate::kernel::pmsg::Shape;
use crate::kernel::sysctl::Limit;
use crate::kernel::{CallError, Errno, dev_shm, process};

impl Failure {
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
    let mut hint = "a queue is charged for its capacity, whatever lies on it, 'ulimit -q' shows how many bytes a user may have".to_owned();
    hint += match charged {
        Some(_) => ", and 'ipctool list pmsg -o ref,owner,reserved_bytes' for what",
        None => "",
    };
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
