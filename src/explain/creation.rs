//! Why an object could not be made: the limit that was reached, the size that is not possible, the one
//! that is there already.

use super::refused::{self, Needs};
use super::{Failure, Reason, space};
use crate::ipc::posix::reserved_bytes;
use crate::ipc::usage::charged;
use crate::ipc::{CommandLine, Key, Kind, Mode, Object, Reference, Target, Usage};
use crate::kernel::limits::{self, Limit};
use crate::kernel::memory::Memory;
use crate::kernel::object::snapshot;
use crate::kernel::posix::dev_shm;
use crate::kernel::posix::mq::Shape;
use crate::kernel::{CallError, Errno, process};

/// What a System V object was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What it is.
    pub kind: Kind,
    /// Its key, perhaps none.
    pub key: Key,
    /// How large: a segment in bytes, a set in semaphores.
    pub size: u64,
    /// Its mode, which is asked for where there is one already.
    pub mode: Mode,
    /// Whether of huge pages, `SHM_HUGETLB`.
    pub is_huge: bool,
}

impl Failure {
    /// An object that could not be made or opened.
    pub fn of_creation(verb: &'static str, wish: &Wish, error: CallError) -> Failure {
        let Wish { kind, key, size, mode, is_huge } = *wish;
        let reference = Reference { kind, target: Target::Key(key) };
        let subject = match key {
            Key::PRIVATE => kind.to_string(),
            _ => reference.to_string(),
        };
        // The kernel compares the bits for all three classes with those of the caller's alone.
        let asked = mode.bits() >> 6 | mode.bits() >> 3 | mode.bits();
        let needs = match error.errno {
            Errno::EACCES if key != Key::PRIVATE => Needs::Bits(asked & 7),
            _ => Needs::Nothing,
        };
        let failure = Failure::of_call_that_needs(needs, verb, &reference, error);
        let memory = || Memory::read().ok();
        let (what, hint, reason) = match error.errno {
            Errno::ENOSPC => (failure.what, space_hint(kind, size), failure.reason),
            Errno::EINVAL => {
                let what = "this size is not possible (EINVAL)".to_owned();
                (what, size_hint(kind, key, size), Reason::Failed)
            }
            Errno::ENOMEM if is_huge => {
                let hint = memory().map(|memory| space::huge_pages(size, &memory));
                (failure.what, hint, failure.reason)
            }
            Errno::ENOMEM if kind == Kind::Shm => {
                let hint = memory().map(|memory| space::memory(size, &memory));
                (failure.what, hint, failure.reason)
            }
            Errno::EPERM if is_huge => {
                let group = limits::read("vm.hugetlb_shm_group").unwrap_or_default();
                let group = group.trim().parse().unwrap_or(0);
                let hint = refused::huge_pages(group, size, limits::locked_bytes());
                (failure.what, Some(hint), failure.reason)
            }
            _ => (failure.what, failure.hint, failure.reason),
        };
        Failure { verb, subject, what, hint, reason, errno: Some(error.errno) }
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
            Errno::ENOSPC if is_queue => (failure.what.replace(" (ENOSPC)", ""), queues_hint()),
            Errno::ENOSPC => (
                failure.what.replace(" (ENOSPC)", ""),
                dev_shm::Space::read().ok().map(|full| space::dev_shm(&full)),
            ),
            Errno::EINVAL => (
                "one with this name exists, and is smaller".to_owned(),
                Some(format!(
                    "ftruncate(2) makes it larger; to see it: {}",
                    CommandLine::new("ipctool stat").word(reference)
                )),
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
    let limit = |limit: Limit| limit.value().unwrap_or(u64::MAX);
    let uid = process::uid();
    let bytes = space::QueueBytes {
        needed: shape.map_or(0, |shape| reserved_bytes(shape.max_messages, shape.message_size)),
        charged: snapshot([Kind::Pmsg])
            .ok()
            .and_then(|queues| charged(&queues).get(&uid).copied().unwrap_or(Some(0))),
        soft: limit(Limit::RlimitMsgqueue),
        hard: limit(Limit::RlimitMsgqueueHard),
    };
    (bytes.what(), Some(bytes.hint()))
}

/// The shapes that a queue may have.
fn shape_hint() -> Option<String> {
    Some(format!(
        "a queue holds 1 to {} messages (fs.mqueue.msg_max) of 1 to {} bytes (fs.mqueue.msgsize_max)",
        Limit::MqueueMsgMax.value()?,
        Limit::MqueueMsgsizeMax.value()?,
    ))
}

/// How many queues there may be.
fn queues_hint() -> Option<String> {
    let most = Limit::MqueueQueuesMax.value()?;
    let used = snapshot([Kind::Pmsg]).map(|queues| format!("{} of ", queues.len()));
    Some(format!(
        "{}{most} POSIX queues are in use in this IPC namespace (fs.mqueue.queues_max)",
        used.unwrap_or_default()
    ))
}

/// Which limit an `ENOSPC` means.
fn space_hint(kind: Kind, asked: u64) -> Option<String> {
    let page_size = process::page_size();
    let usage = Usage::of(&snapshot([kind]).ok()?, page_size);
    space::objects(kind, asked, &usage, page_size, Limit::value)
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
