//! Columns of a single kind of POSIX object.

use std::borrow::Cow;

use super::ObjectColumn;
use super::object::memory_status;
use crate::ipc::posix::SemaphoreState;
use crate::ipc::{Object, Observed, PosixQueue};
use crate::kernel::limits::Limit;
use crate::output::page::{OnPage, share_of};
use crate::output::{Shape, Value};

pub(super) static QUEUE: &[ObjectColumn] = &[
    ObjectColumn::number("messages", 8, "messages on the queue", |observed| {
        posix_queue(observed, |queue| Value::count(queue.messages))
    })
    .alarmed(|observed| observed.object.is_full())
    .shown_by(|observed, _, page| {
        let Object::PosixQueue(queue) = &observed.object else { return };
        let messages = match queue.messages {
            Some(messages) => share_of(messages, queue.max_messages, "(mq_maxmsg)"),
            None => "unknown: it takes permission to open it".to_owned(),
        };
        page.line("messages", messages);
    }),
    ObjectColumn::number("bytes", 7, "bytes on the queue", |observed| {
        posix_queue(observed, |queue| Value::bytes(queue.bytes))
    })
    .ranked(6)
    .shown_by(|observed, _, page| {
        if let Object::PosixQueue(PosixQueue { bytes: Some(bytes), .. }) = &observed.object {
            page.line("bytes", bytes);
        }
    }),
    ObjectColumn::number(
        "fill",
        5,
        "messages and their maximum; the percentage in plain text and machine formats",
        |observed| {
            posix_queue(observed, |queue| {
                queue.fill().map_or(Value::Missing, |(used, limit)| Value::Fill {
                    used,
                    limit,
                    is_bytes: false,
                })
            })
        },
    )
    .shaped(Shape::Decimal)
    .alarmed(|observed| observed.object.is_full())
    .shown_with("messages"),
    ObjectColumn::number(
        "max_messages",
        12,
        "maximum number of messages (mq_maxmsg)",
        |observed| posix_queue(observed, |queue| Value::count(queue.max_messages)),
    )
    .ranked(8)
    .shown_with("messages"),
    ObjectColumn::number(
        "message_size",
        12,
        "maximum size of a message in bytes (mq_msgsize)",
        |observed| posix_queue(observed, |queue| Value::bytes(queue.message_size)),
    )
    .ranked(8)
    .shown_by(|observed, _, page| {
        if let Object::PosixQueue(PosixQueue { message_size: Some(size), .. }) = &observed.object {
            page.line("largest", format_args!("{size} bytes in one message (mq_msgsize)"));
        }
    }),
    ObjectColumn::number(
        "reserved_bytes",
        14,
        "bytes charged to RLIMIT_MSGQUEUE, full or empty",
        |observed| posix_queue(observed, |queue| Value::bytes(queue.reserved_bytes())),
    )
    .ranked(7)
    .shown_by(|observed, around, page| {
        let Object::PosixQueue(queue) = &observed.object else { return };
        let Some(reserved) = queue.reserved_bytes() else { return };
        // The limit of another user is not known here: it is that of their processes.
        let is_own = queue.file.permissions.uid == around.caller.uid;
        let limit = (around.limit)(Limit::RlimitMsgqueue).filter(|_| is_own);
        page.line("reserved", share_of(reserved, limit, "bytes (RLIMIT_MSGQUEUE)"));
    }),
    ObjectColumn::number(
        "notified_pid",
        12,
        "process notified of the next message (mq_notify)",
        |observed| posix_queue(observed, |queue| Value::pid(queue.notified_pid)),
    )
    .ranked(1)
    .shown_with(OnPage::<Observed>::PROCESSES),
];

pub(super) static MEMORY: &[ObjectColumn] = &[
    ObjectColumn::number("size", 12, "size in bytes", |observed| {
        observed.object.memory().map_or(Value::Missing, |memory| Value::Bytes(memory.size))
    }),
    ObjectColumn::number("rss", 12, "bytes of it that use memory", |observed| {
        observed.object.memory().map_or(Value::Missing, |memory| Value::Bytes(memory.rss))
    })
    .ranked(7)
    .shown_by(|observed, _, page| {
        if let Some(memory) = observed.object.memory() {
            page.line("in memory", format_args!("{} bytes, swapped out or not", memory.rss));
        }
    }),
    ObjectColumn::text(
        "status",
        12,
        "subdirectory, or deleted but still in use: no command accepts it",
        |observed| match memory_status(observed) {
            Some(status) => Value::List(status.name().map(Cow::Borrowed).into_iter().collect()),
            None => Value::Missing,
        },
    )
    .shaped(Shape::Words)
    .shown_by(|observed, around, page| {
        if let Some(status) = memory_status(observed).and_then(|status| status.name()) {
            page.line("status", status);
        }
        if let Some(SemaphoreState { value, waiters }) = around.musl_semaphore {
            page.line(
                "semaphore",
                format_args!(
                    "if a musl program created it as one: value {value}, waiters {waiters}"
                ),
            );
        }
    }),
];

pub(super) static SEMAPHORE: &[ObjectColumn] = &[
    ObjectColumn::number("value", 6, "its value; none if it cannot be read", |observed| {
        semaphore(observed, |state| Value::Count(state.value.into()))
    })
    .or("unknown: it cannot be read or has an unknown layout"),
    ObjectColumn::number(
        "waiters",
        7,
        "the C library's count of waiting threads, including killed ones; see 'waiting'",
        |observed| semaphore(observed, |state| Value::Count(state.waiters.into())),
    ).ranked(2)
    .shown_by(|observed, _, page| {
        let Object::PosixSemaphore(semaphore) = &observed.object else { return };
        let Some(SemaphoreState { waiters, .. }) = semaphore.state else { return };
        page.line(
            "waiters",
            format_args!(
                "{waiters} by the count of the C library, including killed threads; {} found waiting now",
                observed.waiting()
            ),
        );
    }),
];

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
