//! The one registry of columns of IPC objects.

mod rows;

pub use rows::{FINDING, LEAK, LIMIT, SELECTED, SEMAPHORE, USER};

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::{Column, Value};
use crate::ipc::posix::{MemoryStatus, NamedFile, SemaphoreState};
use crate::ipc::{Foreign, Kind, Object, Observed, PosixQueue, Queue, Segment, SemaphoreSet, Use};

type ObjectColumn = Column<Observed>;

/// What every object is.
static EVERY: [ObjectColumn; 2] = [
    Column::text("ref", 16, "reference, as every command takes it", |observed| {
        match memory_status(observed) {
            // Its name may be that of another one by now.
            Some(MemoryStatus::Deleted) => Value::Missing,
            Some(MemoryStatus::Named | MemoryStatus::Subdirectory) | None => {
                Value::Reference(observed.reference())
            }
        }
    }),
    Column::text("kind", 4, "kind of object", |observed| {
        Value::Text(Cow::Borrowed(observed.kind().name()))
    }),
];

/// What names a System V object.
static SYSTEM_V_NAMES: [ObjectColumn; 2] = [
    Column::number("id", 10, "identifier", |observed| {
        observed.object.id().map_or(Value::Missing, |id| Value::Count(id.unsigned_abs().into()))
    }),
    Column::text("key", 10, "key; none for a private object", |observed| {
        Value::key(observed.permissions().key)
    }),
];

/// What names a POSIX object.
static POSIX_NAMES: [ObjectColumn; 1] =
    [Column::text("name", 16, "name, as programs open it", |observed| {
        file(observed, |file| Value::Text(Cow::Owned(file.name.to_text())))
    })];

/// Who owns any object.
static OWNERSHIP: [ObjectColumn; 5] = [
    Column::text("owner", 10, "user name of the owner", |observed| {
        Value::User(observed.permissions().uid)
    }),
    Column::text("group", 10, "group name of the owner", |observed| {
        Value::Group(observed.permissions().gid)
    }),
    Column::number("uid", 6, "user id of the owner", |observed| {
        Value::Count(observed.permissions().uid.into())
    }),
    Column::number("gid", 6, "group id of the owner", |observed| {
        Value::Count(observed.permissions().gid.into())
    }),
    Column::text("mode", 9, "permission bits", |observed| Value::Mode(observed.permissions().mode)),
];

/// Where a System V object comes from.
static SYSTEM_V_ORIGIN: [ObjectColumn; 5] = [
    Column::text("creator", 10, "user name of the creator", |observed| {
        Value::User(observed.permissions().cuid)
    }),
    Column::text("cgroup", 10, "group name of the creator", |observed| {
        Value::Group(observed.permissions().cgid)
    }),
    Column::number("cuid", 6, "user id of the creator", |observed| {
        Value::Count(observed.permissions().cuid.into())
    }),
    Column::number("cgid", 6, "group id of the creator", |observed| {
        Value::Count(observed.permissions().cgid.into())
    }),
    Column::text("changed", 10, "when it was made, or its owner or mode changed", |observed| {
        Value::time(observed.object.changed())
    }),
];

/// When a POSIX object changed.
static POSIX_CHANGE: [ObjectColumn; 1] =
    [Column::text("modified", 10, "when its content last changed by a system call", |observed| {
        file(observed, |file| Value::time(file.modified))
    })];

/// What a queue of either family tells.
const MESSAGES: ObjectColumn = Column::number("messages", 8, "messages on the queue", |observed| {
    Value::count(observed.object.messages())
});

static QUEUE: [ObjectColumn; 7] = [
    MESSAGES,
    Column::number("bytes", 9, "bytes on the queue", |observed| {
        queue(observed, |queue| Value::Bytes(queue.bytes))
    })
    .alarmed(|observed| observed.object.is_full()),
    Column::number("max_bytes", 9, "most bytes it may hold (msg_qbytes)", |observed| {
        queue(observed, |queue| Value::bytes(queue.max_bytes))
    }),
    Column::text("last_send", 10, "when a message was last sent", |observed| {
        queue(observed, |queue| Value::time(queue.last_send))
    }),
    Column::text("last_recv", 10, "when a message was last received", |observed| {
        queue(observed, |queue| Value::time(queue.last_recv))
    }),
    Column::number("last_send_pid", 13, "process that last sent", |observed| {
        queue(observed, |queue| Value::pid(queue.last_send_pid))
    }),
    Column::number("last_recv_pid", 13, "process that last received", |observed| {
        queue(observed, |queue| Value::pid(queue.last_recv_pid))
    }),
];

static SEGMENT: [ObjectColumn; 9] = [
    Column::number("size", 12, "size in bytes", |observed| {
        segment(observed, |segment| Value::Bytes(segment.size))
    }),
    Column::number("attached", 8, "how often it is attached now", |observed| {
        segment(observed, |segment| Value::Count(segment.attached))
    }),
    Column::text(
        "status",
        8,
        "dest (marked for destruction), locked, hugetlb (where it is attached)",
        |observed| {
            segment(observed, |segment| {
                Value::List(segment.status_names().map(Cow::Borrowed).collect())
            })
        },
    )
    .alarmed(|observed| observed.object.is_marked()),
    Column::number("rss", 12, "bytes of it in memory", |observed| {
        segment(observed, |segment| Value::bytes(segment.rss))
    }),
    Column::number("swap", 12, "bytes of it swapped out", |observed| {
        segment(observed, |segment| Value::bytes(segment.swap))
    }),
    Column::number("creator_pid", 11, "process that made it", |observed| {
        segment(observed, |segment| Value::pid(segment.creator_pid))
    }),
    Column::number("last_pid", 10, "process that last attached or detached it", |observed| {
        segment(observed, |segment| Value::pid(segment.last_pid))
    }),
    Column::text("last_attach", 11, "when it was last attached", |observed| {
        segment(observed, |segment| Value::time(segment.last_attach))
    }),
    Column::text("last_detach", 11, "when it was last detached", |observed| {
        segment(observed, |segment| Value::time(segment.last_detach))
    }),
];

static SEMAPHORE_SET: [ObjectColumn; 2] = [
    Column::number("nsems", 6, "semaphores in the set", |observed| {
        set(observed, |set| Value::Count(set.nsems))
    }),
    Column::text("last_op", 10, "when an operation last succeeded on it", |observed| {
        set(observed, |set| Value::time(set.last_op))
    }),
];

static POSIX_QUEUE: [ObjectColumn; 6] = [
    MESSAGES.alarmed(|observed| observed.object.is_full()),
    Column::number("bytes", 9, "bytes on the queue", |observed| {
        posix_queue(observed, |queue| Value::bytes(queue.bytes))
    }),
    Column::number("max_messages", 12, "most messages it may hold (mq_maxmsg)", |observed| {
        posix_queue(observed, |queue| Value::count(queue.max_messages))
    }),
    Column::number("message_size", 12, "most bytes in one message (mq_msgsize)", |observed| {
        posix_queue(observed, |queue| Value::bytes(queue.message_size))
    }),
    Column::number(
        "reserved_bytes",
        14,
        "what it takes of RLIMIT_MSGQUEUE, full or empty",
        |observed| posix_queue(observed, |queue| Value::bytes(queue.reserved_bytes())),
    ),
    Column::number(
        "notified_pid",
        12,
        "process that is told of the next message (mq_notify)",
        |observed| posix_queue(observed, |queue| Value::pid(queue.notified_pid)),
    ),
];

static POSIX_MEMORY: [ObjectColumn; 3] = [
    Column::number("size", 12, "size in bytes", |observed| {
        observed.object.memory().map_or(Value::Missing, |memory| Value::Bytes(memory.size))
    }),
    Column::number("rss", 12, "bytes of it that take memory", |observed| {
        observed.object.memory().map_or(Value::Missing, |memory| Value::Bytes(memory.rss))
    }),
    Column::text(
        "status",
        12,
        "subdirectory, or deleted and still held: no object, and no command takes it",
        |observed| match memory_status(observed) {
            Some(status) => Value::List(status.name().map(Cow::Borrowed).into_iter().collect()),
            None => Value::Missing,
        },
    ),
];

fn memory_status(observed: &Observed) -> Option<MemoryStatus> {
    observed.object.memory().map(|memory| memory.status)
}

static POSIX_SEMAPHORE: [ObjectColumn; 2] = [
    Column::number("value", 6, "its value; none where it cannot be read", |observed| {
        semaphore(observed, |state| Value::Count(state.value.into()))
    }),
    Column::number(
        "waiters",
        7,
        "the C library's count of waiting threads, in which a killed one stays; see 'waiting'",
        |observed| semaphore(observed, |state| Value::Count(state.waiters.into())),
    ),
];

fn queue<'a>(observed: &'a Observed, value: fn(&'a Queue) -> Value<'a>) -> Value<'a> {
    match &observed.object {
        Object::Queue(queue) => value(queue),
        Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => Value::Missing,
    }
}

fn segment<'a>(observed: &'a Observed, value: fn(&'a Segment) -> Value<'a>) -> Value<'a> {
    match &observed.object {
        Object::Segment(segment) => value(segment),
        Object::Queue(_)
        | Object::SemaphoreSet(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => Value::Missing,
    }
}

fn set<'a>(observed: &'a Observed, value: fn(&'a SemaphoreSet) -> Value<'a>) -> Value<'a> {
    match &observed.object {
        Object::SemaphoreSet(set) => value(set),
        Object::Queue(_)
        | Object::Segment(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => Value::Missing,
    }
}

fn posix_queue<'a>(observed: &'a Observed, value: fn(&'a PosixQueue) -> Value<'a>) -> Value<'a> {
    match &observed.object {
        Object::PosixQueue(queue) => value(queue),
        Object::Queue(_)
        | Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixMemory(_)
        | Object::PosixSemaphore(_) => Value::Missing,
    }
}

fn semaphore(observed: &Observed, value: fn(SemaphoreState) -> Value<'static>) -> Value<'_> {
    match &observed.object {
        Object::PosixSemaphore(semaphore) => semaphore.state.map_or(Value::Missing, value),
        Object::Queue(_)
        | Object::Segment(_)
        | Object::SemaphoreSet(_)
        | Object::PosixQueue(_)
        | Object::PosixMemory(_) => Value::Missing,
    }
}

fn file<'a>(observed: &'a Observed, value: fn(&'a NamedFile) -> Value<'a>) -> Value<'a> {
    observed.object.file().map_or(Value::Missing, value)
}

/// Which columns `list` shows a person who named none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// What most people look for.
    #[default]
    Usual,
    /// `-t`: times.
    Times,
    /// `-p`: process ids.
    Pids,
    /// `-c`: creator and owner.
    Creators,
}

/// All columns of a kind that need nothing but the object.
pub fn of_kind(kind: Kind) -> impl Iterator<Item = &'static ObjectColumn> {
    let (names, times): (&[ObjectColumn], &[ObjectColumn]) = match kind.is_posix() {
        true => (&POSIX_NAMES, &POSIX_CHANGE),
        false => (&SYSTEM_V_NAMES, &SYSTEM_V_ORIGIN),
    };
    EVERY.iter().chain(names).chain(&OWNERSHIP).chain(times).chain(own(kind))
}

/// All columns of a kind.
pub fn with_requests(kind: Kind) -> impl Iterator<Item = &'static ObjectColumn> {
    of_kind(kind).chain(&ON_REQUEST)
}

/// Columns that need a look at all processes: shown only to those who ask for them.
pub static ON_REQUEST: [ObjectColumn; 2] = [
    Column::number("waiting", 7, "how many threads wait on it", |observed| {
        observed.users.as_ref().map_or(Value::Missing, |_| Value::Count(observed.waiting()))
    }),
    Column::prose(
        "users",
        20,
        "processes that have it attached, mapped or open, or wait",
        |observed| {
            let mut seen = HashSet::new();
            let present = observed.users().iter().filter(|user| user.role.is_present());
            let present = present.filter(|user| seen.insert(user.pid));
            let name = |user: &Use| {
                let program = user.command.as_ref().map(Foreign::program);
                let program = program.as_ref().map_or("?".into(), Foreign::as_raw);
                Cow::Owned(format!("{}({program})", user.pid))
            };
            Value::List(present.map(name).collect())
        },
    ),
];

fn own(kind: Kind) -> &'static [ObjectColumn] {
    match kind {
        Kind::Msg => &QUEUE,
        Kind::Shm => &SEGMENT,
        Kind::Sem => &SEMAPHORE_SET,
        Kind::Pmsg => &POSIX_QUEUE,
        Kind::Pshm => &POSIX_MEMORY,
        Kind::Psem => &POSIX_SEMAPHORE,
    }
}

/// The names of the columns that a preset shows of a kind.
pub fn preset(preset: Preset, kind: Kind) -> &'static [&'static str] {
    match (preset, kind) {
        (Preset::Usual, Kind::Msg) => &["ref", "key", "owner", "mode", "messages", "bytes"],
        (Preset::Usual, Kind::Shm) => {
            &["ref", "key", "owner", "mode", "size", "attached", "status"]
        }
        (Preset::Usual, Kind::Sem) => &["ref", "key", "owner", "mode", "nsems"],
        (Preset::Usual, Kind::Pmsg) => {
            &["ref", "owner", "mode", "messages", "bytes", "max_messages", "message_size"]
        }
        (Preset::Usual, Kind::Pshm) => &["ref", "owner", "mode", "size", "rss"],
        (Preset::Usual, Kind::Psem) => &["ref", "owner", "mode", "value", "waiters"],
        (Preset::Times, Kind::Pmsg | Kind::Pshm | Kind::Psem) => &["ref", "owner", "modified"],
        (Preset::Times, Kind::Msg) => &["ref", "owner", "last_send", "last_recv", "changed"],
        (Preset::Times, Kind::Shm) => &["ref", "owner", "last_attach", "last_detach", "changed"],
        (Preset::Times, Kind::Sem) => &["ref", "owner", "last_op", "changed"],
        (Preset::Pids, Kind::Msg) => &["ref", "owner", "last_send_pid", "last_recv_pid"],
        (Preset::Pids, Kind::Shm) => &["ref", "owner", "creator_pid", "last_pid"],
        (Preset::Pids, Kind::Pmsg) => &["ref", "owner", "notified_pid"],
        (Preset::Pids, Kind::Sem | Kind::Pshm | Kind::Psem) => &["ref", "owner"],
        (Preset::Creators, Kind::Pmsg | Kind::Pshm | Kind::Psem) => {
            &["ref", "mode", "owner", "group"]
        }
        (Preset::Creators, Kind::Msg | Kind::Shm | Kind::Sem) => {
            &["ref", "mode", "creator", "cgroup", "owner", "group"]
        }
    }
}

/// The registry as a page of the help.
pub fn help() -> String {
    let mut page = String::new();
    let mut block = |title: &str, columns: &[&[ObjectColumn]]| {
        let _ = writeln!(page, "{title}:");
        for column in columns.iter().copied().flatten() {
            let _ = writeln!(page, "  {:<14} {}", column.name, column.help);
        }
        page.push('\n');
    };
    block("Columns of every object", &[&EVERY, &OWNERSHIP]);
    block("Columns of every object that take a look at all processes", &[&ON_REQUEST]);
    block("Columns of every System V object", &[&SYSTEM_V_NAMES, &SYSTEM_V_ORIGIN]);
    block("Columns of every POSIX object", &[&POSIX_NAMES, &POSIX_CHANGE]);
    for kind in Kind::ALL {
        block(&format!("Columns of a {}", kind.noun()), &[own(kind)]);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_a_preset_exists() {
        for kind in Kind::ALL {
            for shown in [Preset::Usual, Preset::Times, Preset::Pids, Preset::Creators] {
                for name in preset(shown, kind) {
                    assert!(of_kind(kind).any(|column| column.name == *name), "{kind} {name}");
                }
            }
        }
    }
}
