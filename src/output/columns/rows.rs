//! Columns of everything else that is printed in rows.

use std::borrow::Cow;

use super::home;
use super::waits::waits;
use crate::ipc::attribution::leak::Leak;
use crate::ipc::count;
use crate::ipc::finding::Finding;
use crate::ipc::limit::{Allowance, Amount, Unit, is_at};
use crate::ipc::posix::FileKind;
use crate::ipc::process::observed::Selected;
use crate::ipc::process::role::State;
use crate::ipc::summary::{Fullest, Measure, Summary};
use crate::ipc::sysv::Semaphore;
use crate::ipc::{Object, Use};
use crate::output::style::human_size;
use crate::output::value::percent;
use crate::output::{Column, Shape, Value};

/// The processes that use an object or are recorded in it.
pub static USER: [Column<Use>; 7] = [
    Column::number("pid", 8, "process id", |user| Value::Pid(user.pid)),
    Column::text("user", 10, "its effective user", |user: &Use| {
        user.uid.map_or(Value::Missing, Value::User)
    })
    .ranked(2),
    Column::prose("role", 26, "how it uses the object", |user| {
        Value::Text(Cow::Owned(user.role.to_string()))
    }),
    Column::text("since", 10, "when it started, or last used the object", |user: &Use| {
        Value::time(user.since)
    })
    .shaped(Shape::Time)
    .ranked(3),
    Column::text(
        "state",
        6,
        "alive, gone, or reused: another process now has its pid",
        |user: &Use| Value::Text(Cow::Borrowed(user.state.name())),
    )
    .ranked(1)
    .alarmed(|user| user.state != State::Alive),
    Column::prose("command", 20, "command line", |user| {
        user.command.as_ref().map_or(Value::Missing, Value::Foreign)
    }),
    Column::text("waits", 20, "the call in which it waits, and for what", waits)
        .shaped(Shape::Wait)
        .for_programs(),
];

/// The objects that a filter selected.
pub static SELECTED: [Column<Selected>; 4] = [
    Column::text("ref", 16, "reference, which every command accepts", |selected| {
        Value::Reference(selected.observed.reference())
    }),
    Column::text("key", 10, "key; none for a private object", |selected: &Selected| {
        Value::key(selected.observed.permissions().key)
    })
    .shaped(Shape::Key)
    .ranked(1),
    Column::text("owner", 10, "user name of the owner", |selected: &Selected| {
        Value::User(selected.observed.permissions().uid)
    })
    .ranked(2),
    Column::prose("reason", 20, "why it was selected", |selected| {
        Value::Text(Cow::Borrowed(&selected.reason))
    }),
];

/// What an object contains, whatever its kind: `3 messages`, or a size.
pub fn holds(object: &Object) -> Value<'_> {
    match object {
        Object::Queue(queue) => Value::Text(Cow::Owned(count(queue.messages, "message"))),
        Object::Segment(segment) => Value::Bytes(segment.size),
        Object::SemaphoreSet(set) => Value::Text(Cow::Owned(count(set.nsems, "semaphore"))),
        Object::PosixQueue(queue) => queue
            .messages
            .map_or(Value::Missing, |messages| Value::Text(Cow::Owned(count(messages, "message")))),
        Object::PosixMemory(memory) if memory.file_kind != FileKind::Regular => {
            Value::Text(Cow::Borrowed(memory.file_kind.name()))
        }
        Object::PosixMemory(memory) => Value::Bytes(memory.size),
        Object::PosixSemaphore(semaphore) => semaphore.state.map_or(Value::Missing, |state| {
            Value::Text(Cow::Owned(format!("value {}", state.value)))
        }),
    }
}

/// The objects that a command left behind.
pub static LEAK: [Column<Leak>; 7] = [
    Column::text("kind", 4, "kind of object", |leak: &Leak| {
        Value::Text(Cow::Borrowed(leak.observed.kind().name()))
    })
    .ranked(5),
    Column::text("ref", 12, "reference, which every command accepts", |leak| {
        Value::Reference(leak.observed.reference())
    }),
    Column::text("key", 10, "key; none for a private object", |leak: &Leak| {
        Value::key(leak.observed.permissions().key)
    })
    .shaped(Shape::Key)
    .ranked(4),
    Column::text("owner", 8, "user name of the owner", |leak: &Leak| {
        Value::User(leak.observed.permissions().uid)
    })
    .ranked(3),
    Column::text("holds", 12, "size of a segment, or what a queue or a set contains", |leak| {
        holds(&leak.observed.object)
    }),
    Column::number("pid", 8, "process that created it or, if unknown, used it last", |leak| {
        leak.by.as_ref().map_or(Value::Missing, |by| Value::pid(by.pid))
    }),
    Column::prose("command", 20, "its command line, if known", |leak| {
        let command = leak.by.as_ref().and_then(|by| by.command.as_ref());
        command.map_or(Value::Missing, Value::Foreign)
    }),
];

/// The findings of `doctor`.
pub static FINDING: [Column<Finding>; 10] = [
    Column::text("check", 19, "what was checked", |finding: &Finding| {
        Value::Text(Cow::Borrowed(finding.check))
    }),
    Column::text("severity", 8, "error, warning or note", |finding| {
        Value::Text(Cow::Borrowed(finding.severity.name()))
    }),
    Column::text("ref", 10, "the object, or the first of several", |finding| {
        finding.reference.clone().map_or(Value::Missing, Value::Reference)
    }),
    Column::prose("why", 60, "what is wrong", |finding| Value::Text(Cow::Borrowed(&finding.why))),
    Column::prose("fix", 20, "command that fixes it", |finding| {
        let fix = finding.fix.as_deref();
        fix.map_or(Value::Missing, |fix| Value::Text(Cow::Borrowed(fix)))
    }),
    Column::text("refs", 20, "all affected objects", |finding: &Finding| {
        let all = finding.references.iter().map(|one| Cow::Owned(one.to_string()));
        Value::List(all.collect())
    })
    .shaped(Shape::Words),
    Column::text("pids", 20, "affected processes that are running", |finding: &Finding| {
        Value::Pids(finding.pids.clone())
    })
    .shaped(Shape::Pids),
    Column::number("count", 5, "number of affected objects", |finding| {
        Value::Count(finding.references.len() as u64)
    }),
    home::ns(),
    home::container(),
];

/// The objects of each kind, in the overview.
pub static SUMMARY: [Column<Summary>; 5] = [
    Column::text("kind", 5, "kind of object", |summary| {
        Value::Text(Cow::Borrowed(summary.kind.name()))
    }),
    Column::number("count", 6, "how many there are", |summary| Value::count(summary.count)),
    Column::number("memory", 8, "memory that their content takes", |summary| {
        Value::bytes(summary.memory)
    }),
    Column::number("size", 8, "how much they may take", |summary| Value::bytes(summary.size)),
    Column::prose(
        "fullest",
        20,
        "the fullest queue, or the largest object",
        |summary: &Summary| {
            let Some(fullest) = &summary.fullest else { return Value::Missing };
            let reference = match &fullest.home {
                Some(home) => format!("{} in {}", fullest.reference, home.name()),
                None => fullest.reference.to_string(),
            };
            Value::Text(Cow::Owned(match fullest.measure {
                Measure::Fill { used, limit, is_bytes } => {
                    let share = percent(used, limit);
                    match is_bytes {
                        true => format!(
                            "{reference} {share:.0}% ({}/{})",
                            human_size(used),
                            human_size(limit)
                        ),
                        false => format!("{reference} {share:.0}% ({used}/{limit} messages)"),
                    }
                }
                Measure::Bytes(bytes) => format!("{reference} {}", human_size(bytes)),
                Measure::Semaphores(number) => {
                    format!("{reference} {}", count(number, "semaphore"))
                }
            }))
        },
    )
    .alarmed(|summary| match summary.fullest {
        Some(Fullest { measure: Measure::Fill { used, limit, .. }, .. }) => is_at(used, limit, 80),
        _ => false,
    }),
];

/// The limits.
pub static LIMIT: [Column<Allowance>; 11] = [
    Column::text("name", 25, "name of the limit", |row| Value::Text(Cow::Borrowed(&row.name))),
    Column::number("limit", 20, "its value; none for unlimited", |row| match row.limit {
        Amount::Of(number) => quantity(row, number),
        Amount::Unlimited => Value::Unlimited,
        Amount::Unknown => Value::Missing,
    }),
    Column::number("used", 10, "how much of it is used", |row| {
        row.used.map_or(Value::Missing, |used| quantity(row, used))
    }),
    Column::number("percent", 7, "percentage used", |row: &Allowance| {
        row.percent().map_or(Value::Missing, Value::Percent)
    })
    .shaped(Shape::Decimal)
    .alarmed(|row| row.is_at(80)),
    Column::text("unit", 11, "what it counts", |row: &Allowance| {
        Value::Text(Cow::Borrowed(row.unit.name()))
    })
    .ranked(2),
    home::ns().ranked(1),
    home::container(),
    Column::text(
        "ref",
        10,
        "object that it applies to, if it is a single one",
        |row: &Allowance| row.object.clone().map_or(Value::Missing, Value::Reference),
    ),
    Column::text("user", 10, "user that it applies to, if it is per user", |row: &Allowance| {
        row.user.map_or(Value::Missing, Value::User)
    })
    .ranked(3),
    Column::text("source", 27, "where the value comes from", |row: &Allowance| {
        Value::Text(Cow::Borrowed(&row.source))
    })
    .ranked(4),
    Column::prose("description", 24, "what it limits", |row: &Allowance| {
        Value::Text(Cow::Borrowed(row.help))
    })
    .ranked(1),
];

fn quantity(row: &Allowance, number: u64) -> Value<'static> {
    match row.unit {
        Unit::Bytes => Value::Bytes(number),
        Unit::Count(_) | Unit::Switch => Value::Count(number),
    }
}

/// The semaphores of a set.
pub static SEMAPHORE: [Column<Semaphore>; 5] = [
    Column::number("index", 5, "its number in the set", |semaphore| {
        Value::Count(semaphore.index.into())
    }),
    Column::number("value", 6, "its value", |semaphore| Value::Count(semaphore.value.into())),
    Column::number("ncount", 6, "how many wait for it to increase", |semaphore| {
        Value::Count(semaphore.ncount.into())
    }),
    Column::number("zcount", 6, "how many wait for it to be zero", |semaphore| {
        Value::Count(semaphore.zcount.into())
    }),
    Column::number("last_pid", 8, "process that last operated on it", |semaphore| {
        Value::pid(semaphore.last_pid)
    }),
];
