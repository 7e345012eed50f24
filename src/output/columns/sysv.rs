//! Columns of a single kind of System V object.

use std::borrow::Cow;

use super::ObjectColumn;
use crate::ipc::{Object, Observed, Queue, Segment, SemaphoreSet, count};
use crate::kernel::limits::Limit;
use crate::output::page::{OnPage, share_of};
use crate::output::style::human_size;
use crate::output::{Shape, Value};

/// The page shows the recorded processes in the table of processes.
const PROCESSES: &str = OnPage::<Observed>::PROCESSES;

pub(super) static QUEUE: &[ObjectColumn] = &[
    ObjectColumn::number("messages", 8, "messages on the queue", |observed| {
        queue(observed, |queue| Value::Count(queue.messages))
    }),
    ObjectColumn::number("bytes", 9, "bytes on the queue", |observed| {
        queue(observed, |queue| Value::Bytes(queue.bytes))
    })
    .alarmed(|observed| observed.object.is_full())
    .shown_by(|observed, _, page| {
        if let Object::Queue(queue) = &observed.object {
            page.line("bytes", share_of(queue.bytes, queue.max_bytes, "(max_bytes)"));
        }
    }),
    ObjectColumn::number("max_bytes", 9, "maximum number of bytes (msg_qbytes)", |observed| {
        queue(observed, |queue| Value::bytes(queue.max_bytes))
    })
    .ranked(7)
    .shown_with("bytes"),
    ObjectColumn::number(
        "fill",
        5,
        "how full it is; the percentage in plain text and machine formats",
        |observed| {
            queue(observed, |queue| {
                queue.fill().map_or(Value::Missing, |(used, limit)| {
                    // The kernel compares the number of messages with max_bytes, too.
                    Value::Fill { used, limit, is_bytes: used == queue.bytes }
                })
            })
        },
    )
    .shaped(Shape::Decimal)
    .alarmed(|observed| observed.object.is_full())
    .shown_with("bytes"),
    ObjectColumn::time("last_send", 10, "when a message was last sent", |observed| {
        queue(observed, |queue| Value::time(queue.last_send))
    }),
    ObjectColumn::time("last_recv", 10, "when a message was last received", |observed| {
        queue(observed, |queue| Value::time(queue.last_recv))
    }),
    ObjectColumn::number("last_send_pid", 13, "process that last sent", |observed| {
        queue(observed, |queue| Value::pid(queue.last_send_pid))
    })
    .ranked(1)
    .shown_with(PROCESSES),
    ObjectColumn::number("last_recv_pid", 13, "process that last received", |observed| {
        queue(observed, |queue| Value::pid(queue.last_recv_pid))
    })
    .ranked(1)
    .shown_with(PROCESSES),
];

pub(super) static SEGMENT: &[ObjectColumn] = &[
    ObjectColumn::number("size", 12, "size in bytes", |observed| {
        segment(observed, |segment| Value::Bytes(segment.size))
    })
    .shown_by(|observed, around, page| {
        let Object::Segment(segment) = &observed.object else { return };
        let size = share_of(segment.size, (around.limit)(Limit::Shmmax), "(shmmax)");
        page.line("size", format_args!("{}: {size}", human_size(segment.size)));
        if let (Some(rss), Some(swap)) = (segment.rss, segment.swap) {
            page.line("in memory", format_args!("{rss} bytes, and {swap} swapped out"));
        }
        if let Some(huge_page) = segment.huge_page {
            page.line("pages", format_args!("huge, {} each", human_size(huge_page)));
        }
    }),
    ObjectColumn::number("attached", 8, "current number of attaches", |observed| {
        segment(observed, |segment| Value::Count(segment.attached))
    })
    .ranked(2)
    .shown_by(|observed, _, page| {
        if let Object::Segment(segment) = &observed.object {
            page.line("attached", count(segment.attached, "time"));
        }
    }),
    ObjectColumn::text(
        "status",
        8,
        "dest (marked for destruction), locked, hugetlb (shown while attached)",
        |observed| {
            segment(observed, |segment| {
                Value::List(segment.status_names().map(Cow::Borrowed).collect())
            })
        },
    )
    .shaped(Shape::Words)
    .ranked(1)
    .alarmed(|observed| observed.object.is_marked())
    .shown_by(|observed, _, page| {
        let Object::Segment(segment) = &observed.object else { return };
        let status: Vec<_> = segment.status_names().collect();
        if !status.is_empty() {
            page.line("status", status.join(", "));
        }
        if segment.status.is_marked() {
            page.line("", "already removed: destroyed when the last process detaches it");
        }
    }),
    ObjectColumn::number("rss", 12, "bytes of it in memory", |observed| {
        segment(observed, |segment| Value::bytes(segment.rss))
    })
    .ranked(7)
    .shown_with("size"),
    ObjectColumn::number("swap", 12, "bytes of it swapped out", |observed| {
        segment(observed, |segment| Value::bytes(segment.swap))
    })
    .ranked(7)
    .shown_with("size"),
    ObjectColumn::number("creator_pid", 11, "process that created it", |observed| {
        segment(observed, |segment| Value::pid(segment.creator_pid))
    })
    .ranked(1)
    .shown_with(PROCESSES),
    ObjectColumn::number("last_pid", 10, "process that last attached or detached it", |observed| {
        segment(observed, |segment| Value::pid(segment.last_pid))
    })
    .ranked(1)
    .shown_with(PROCESSES),
    ObjectColumn::time("last_attach", 11, "when it was last attached", |observed| {
        segment(observed, |segment| Value::time(segment.last_attach))
    }),
    ObjectColumn::time("last_detach", 11, "when it was last detached", |observed| {
        segment(observed, |segment| Value::time(segment.last_detach))
    }),
];

/// The column of a segment that needs an inspection of all processes.
pub(super) static SEGMENT_ON_REQUEST: &[ObjectColumn] = &[ObjectColumn::text(
    "former_key",
    10,
    "key that it had until it was marked for destruction; needs an inspection of all processes",
    |observed| observed.former_key().map_or(Value::Missing, Value::Key),
)
.shaped(Shape::Key)
.shown_with("key")];

pub(super) static SEMAPHORE_SET: &[ObjectColumn] = &[
    ObjectColumn::number("nsems", 6, "semaphores in the set", |observed| {
        set(observed, |set| Value::Count(set.nsems))
    })
    .shown_by(|observed, around, page| {
        if let Object::SemaphoreSet(set) = &observed.object {
            let limit = (around.limit)(Limit::Semmsl);
            page.line("semaphores", share_of(set.nsems, limit, "(semmsl)"));
        }
    }),
    ObjectColumn::time("last_op", 10, "when an operation last succeeded on it", |observed| {
        set(observed, |set| Value::time(set.last_op))
    }),
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
