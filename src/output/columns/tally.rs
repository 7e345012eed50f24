//! Columns of `list --by`.

use std::borrow::Cow;

use crate::ipc::Kind;
use crate::ipc::tally::{By, Party, Tally};
use crate::output::{Column, Value};

/// The parties, each shown if objects are summed up by it, and the sums.
pub static TALLY: [Column<Tally>; 15] = [
    Column::text("owner", 10, "the owner, with --by owner", party),
    Column::text("creator", 10, "the creator, with --by creator; none for POSIX objects", party),
    Column::text("kind", 5, "the kind, with --by kind", party),
    Column::number("process", 8, "the process id, with --by process", party),
    Column::text("container", 12, "the container, with --by container; host for none", party),
    Column::number("objects", 7, "number of objects", |tally| Value::Count(tally.objects())),
    Column::number("bytes", 12, "bytes of messages on queues, and sizes of memory", |tally| {
        Value::Bytes(tally.bytes)
    }),
    Column::number("msg", 5, "number of message queues", |tally: &Tally| count(tally, Kind::Msg))
        .ranked(1),
    Column::number("shm", 5, "number of shared memory segments", |tally: &Tally| {
        count(tally, Kind::Shm)
    })
    .ranked(1),
    Column::number("sem", 5, "number of semaphore sets", |tally: &Tally| count(tally, Kind::Sem))
        .ranked(1),
    Column::number("pmsg", 5, "number of POSIX queues", |tally: &Tally| count(tally, Kind::Pmsg))
        .ranked(2),
    Column::number("pshm", 5, "number of POSIX shared memory objects", |tally: &Tally| {
        count(tally, Kind::Pshm)
    })
    .ranked(2),
    Column::number("psem", 5, "number of POSIX semaphores", |tally: &Tally| {
        count(tally, Kind::Psem)
    })
    .ranked(2),
    Column::text("state", 5, "with --by process: alive, or gone", |tally: &Tally| {
        match tally.party {
            Party::Process(_, true) => Value::Text(Cow::Borrowed("alive")),
            Party::Process(_, false) => Value::Text(Cow::Borrowed("gone")),
            Party::User(_) | Party::Kind(_) | Party::Container(_) | Party::Nobody => Value::Missing,
        }
    })
    .ranked(3),
    Column::prose("command", 20, "with --by process: its command line", |tally| {
        tally.command.as_ref().map_or(Value::Missing, Value::Foreign)
    }),
];

/// The columns if objects are summed up by this.
pub fn tally(by: By) -> impl Iterator<Item = &'static Column<Tally>> {
    TALLY.iter().filter(move |column| match column.name {
        "state" | "command" => by == By::Process,
        name if Kind::ALL.iter().any(|kind| kind.name() == name) => by != By::Kind,
        name => name == by.name() || !By::ALL.iter().any(|other| other.name() == name),
    })
}

fn party(tally: &Tally) -> Value<'_> {
    match &tally.party {
        Party::User(uid) => Value::User(*uid),
        Party::Kind(kind) => Value::Text(Cow::Borrowed(kind.name())),
        Party::Process(pid, _) => Value::Pid(*pid),
        Party::Container(name) => Value::Text(Cow::Borrowed(name)),
        Party::Nobody => Value::Missing,
    }
}

fn count(tally: &Tally, kind: Kind) -> Value<'static> {
    Value::Count(tally.of_kind(kind))
}
