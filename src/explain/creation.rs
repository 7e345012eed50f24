//! Why an object could not be created: a limit that was reached, a size out of range, an object that
//! exists already.

use super::call::{self, explain_with_needs};
use super::explanation::{Explanation, Reason};
use super::facts::{Facts, Wanted};
use super::refused::{self, Needs};
use super::space;
use crate::ipc::posix::reserved_bytes;
use crate::ipc::{CommandLine, Key, Kind, Mode, Object, Reference, Target};
use crate::kernel::limits::Limit;
use crate::kernel::posix::mq_calls::Shape;
use crate::kernel::{CallError, Errno};

/// The System V object that a command asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Its kind.
    pub kind: Kind,
    /// Its key; [`Key::PRIVATE`] for none.
    pub key: Key,
    /// Its size: bytes of a segment, semaphores of a set, 0 for a queue.
    pub size: u64,
    /// Its mode. If the object exists already, this is the access that is asked for.
    pub mode: Mode,
    /// Whether it was to use huge pages (`SHM_HUGETLB`).
    pub is_huge: bool,
}

impl Wish {
    /// What a message calls it: its key, or its kind if it has none.
    pub(super) fn subject(&self) -> String {
        match self.key {
            Key::PRIVATE => self.kind.to_string(),
            _ => self.reference().to_string(),
        }
    }

    fn reference(&self) -> Reference {
        Reference { kind: self.kind, target: Target::Key(self.key) }
    }
}

/// Asks for the facts that explain why a System V object could not be created or opened.
pub(super) fn want(wish: &Wish, error: CallError, wanted: &mut Wanted) {
    call::want(&wish.reference(), error, wanted);
    match error.errno {
        Errno::ENOSPC | Errno::EINVAL => {
            wanted.kinds.insert(wish.kind);
            wanted.limits = true;
        }
        Errno::ENOMEM | Errno::EPERM => wanted.memory = true,
        _ => {}
    }
}

pub(super) fn explain(verb: &str, wish: &Wish, error: CallError, facts: &Facts) -> Explanation {
    let Wish { kind, size, mode, is_huge, key } = *wish;
    let reference = wish.reference();
    // The kernel compares the requested bits of all three classes with those of the caller's class.
    let asked = mode.bits() >> 6 | mode.bits() >> 3 | mode.bits();
    let needs = match error.errno {
        Errno::EACCES if key != Key::PRIVATE => Needs::Bits(asked & 7),
        _ => Needs::Nothing,
    };
    let explained = match error.errno {
        Errno::EACCES | Errno::EPERM => explain_with_needs(needs, &reference, error, facts),
        _ => call::explain(verb, &reference, error, facts),
    };
    let memory = facts.memory.as_ref();
    match error.errno {
        Errno::ENOSPC => explained.with_hint(space_hint(kind, size, facts)),
        Errno::EINVAL => Explanation::new("invalid size (EINVAL)", Reason::Failed)
            .with_hint(size_hint(wish, facts)),
        Errno::ENOMEM if is_huge => {
            explained.with_hint(memory.map(|memory| space::huge_pages(size, memory)))
        }
        Errno::ENOMEM if kind == Kind::Shm => {
            explained.with_hint(memory.map(|memory| space::memory(size, memory)))
        }
        Errno::EPERM if is_huge => {
            let hint = refused::huge_pages(facts.huge_page_group, size, facts.locked_bytes);
            explained.with_hint(hint)
        }
        _ => explained,
    }
}

/// Asks for the facts that explain why a POSIX object could not be created or opened.
pub(super) fn want_named(reference: &Reference, error: CallError, wanted: &mut Wanted) {
    call::want(reference, error, wanted);
    if reference.kind == Kind::Pmsg {
        wanted.limits = true;
        wanted.kinds.insert(Kind::Pmsg);
        wanted.charged |= error.errno == Errno::EMFILE;
    } else {
        wanted.impostors.insert(reference.clone());
        wanted.space = true;
    }
}

pub(super) fn explain_named(
    verb: &str,
    reference: &Reference,
    asked: Option<Shape>,
    error: CallError,
    facts: &Facts,
) -> Explanation {
    let explained = call::explain(verb, reference, error, facts);
    let errno = error.errno;
    let is_queue = reference.kind == Kind::Pmsg;
    let full = || call::explain(verb, reference, error, facts).what.replace(" (ENOSPC)", "");
    let (what, hint) = match errno {
        _ if facts.taken.contains(reference) => {
            ("this name belongs to something that is not a regular file".to_owned(), None)
        }
        Errno::ENOENT if !is_queue => (
            "there is no /dev/shm".to_owned(),
            Some(
                "as root: mkdir -p /dev/shm && mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
                    .to_owned(),
            ),
        ),
        Errno::EMFILE if is_queue => out_of_bytes_or_descriptors(asked, facts),
        Errno::EINVAL | Errno::EOVERFLOW if is_queue => {
            ("invalid number or size of messages".to_owned(), shape_hint(facts))
        }
        Errno::ENOSPC if is_queue => (full(), queues_hint(facts)),
        Errno::ENOSPC => (full(), facts.space.as_ref().map(space::dev_shm)),
        Errno::EINVAL => (
            format!("a {} with this name exists, and is smaller", reference.kind.noun()),
            Some(format!(
                "ftruncate(2) can enlarge it; to see it: {}",
                CommandLine::new("ipctool stat").word(reference)
            )),
        ),
        _ => return explained,
    };
    let reason = match explained.reason {
        Reason::NothingThere => Reason::Failed,
        reason => reason,
    };
    Explanation { what: format!("{what} ({errno:?})"), hint, reason }
}

/// Which of its two meanings `EMFILE` of `mq_open(3)` has: no file descriptor is left, or the bytes for
/// queues are used up.
fn out_of_bytes_or_descriptors(asked: Option<Shape>, facts: &Facts) -> (String, Option<String>) {
    if facts.is_out_of_descriptors {
        let most = facts.limit(Limit::RlimitNofile).unwrap_or(0);
        let what = format!("out of file descriptors: all {most} (RLIMIT_NOFILE) are open");
        return (what, Some("'ulimit -n' shows and sets the limit of a process".to_owned()));
    }
    let shape = asked.or_else(|| {
        let max_messages = facts.limit(Limit::MqueueMsgDefault)?;
        Some(Shape { max_messages, message_size: facts.limit(Limit::MqueueMsgsizeDefault)? })
    });
    let limit = |limit: Limit| facts.limit(limit).unwrap_or(u64::MAX);
    let bytes = space::QueueBytes {
        needed: shape.map_or(0, |shape| reserved_bytes(shape.max_messages, shape.message_size)),
        charged: Limit::RlimitMsgqueue.used(&facts.snapshot, facts.privileges.uid),
        soft: limit(Limit::RlimitMsgqueue),
        hard: limit(Limit::RlimitMsgqueueHard),
        elsewhere: &facts.charged,
    };
    (bytes.what(), Some(bytes.hint()))
}

/// How many messages of which size a queue may hold.
fn shape_hint(facts: &Facts) -> Option<String> {
    Some(format!(
        "a queue holds 1 to {} messages (fs.mqueue.msg_max) of 1 to {} bytes (fs.mqueue.msgsize_max)",
        facts.limit(Limit::MqueueMsgMax)?,
        facts.limit(Limit::MqueueMsgsizeMax)?,
    ))
}

/// How many queues may exist.
fn queues_hint(facts: &Facts) -> Option<String> {
    let most = facts.limit(Limit::MqueueQueuesMax)?;
    let used = match facts.snapshot.unlisted.contains(&Kind::Pmsg) {
        true => String::new(),
        false => format!("{} of ", facts.snapshot.of_kind(Kind::Pmsg).count()),
    };
    Some(format!(
        "{used}{most} POSIX queues are in use in this IPC namespace (fs.mqueue.queues_max)"
    ))
}

/// Which limit an `ENOSPC` means.
fn space_hint(kind: Kind, asked: u64, facts: &Facts) -> Option<String> {
    let used = |limit: Limit| limit.used(&facts.snapshot, facts.privileges.uid);
    space::objects(kind, asked, facts.page_size, used, |limit| facts.limit(limit))
}

/// Why `shmget` or `semget` refuses a size.
fn size_hint(wish: &Wish, facts: &Facts) -> Option<String> {
    let Wish { kind, key, size: asked, .. } = *wish;
    if facts.snapshot.unlisted.contains(&kind) {
        return None;
    }
    match (kind, facts.index.with_key(&facts.snapshot, kind, key)) {
        (Kind::Shm, Some(Object::Segment(segment))) => Some(format!(
            "shm:{} with this key has only {} bytes, fewer than {asked}",
            segment.id, segment.size
        )),
        (Kind::Sem, Some(Object::SemaphoreSet(set))) => Some(format!(
            "sem:{} with this key has only {} semaphores, fewer than {asked}",
            set.id, set.nsems
        )),
        (Kind::Shm, _) => Some(format!(
            "a segment has 1 to {} bytes (kernel.shmmax)",
            facts.limit(Limit::Shmmax)?
        )),
        (Kind::Sem, _) => Some(format!(
            "a set has 1 to {} semaphores (the first number of kernel.sem)",
            facts.limit(Limit::Semmsl)?
        )),
        (Kind::Msg | Kind::Pmsg | Kind::Pshm | Kind::Psem, _) => None,
    }
}
