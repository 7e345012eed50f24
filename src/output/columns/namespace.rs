//! Columns of `list --namespaces`.

use super::home;
use crate::ipc::Kind;
use crate::ipc::home::Residence;
use crate::output::{Column, Value};

/// The IPC namespaces.
pub static NAMESPACE: [Column<Residence>; 13] = [
    home::ns(),
    home::container(),
    Column::number("processes", 9, "number of processes that live in it", |row| {
        Value::Count(row.processes)
    }),
    Column::number("msg", 5, "number of message queues", |row: &Residence| count(row, Kind::Msg))
        .ranked(1),
    Column::number("shm", 5, "number of shared memory segments", |row: &Residence| {
        count(row, Kind::Shm)
    })
    .ranked(1),
    Column::number("sem", 5, "number of semaphore sets", |row: &Residence| count(row, Kind::Sem))
        .ranked(1),
    Column::number("pmsg", 5, "number of POSIX queues", |row: &Residence| count(row, Kind::Pmsg))
        .ranked(1),
    Column::number("pshm", 5, "number of POSIX shared memory objects", |row: &Residence| {
        count(row, Kind::Pshm)
    })
    .ranked(1),
    Column::number("psem", 5, "number of POSIX semaphores", |row: &Residence| {
        count(row, Kind::Psem)
    })
    .ranked(1),
    Column::number("memory", 8, "memory that the content of the objects takes", |row| {
        Value::bytes(row.memory)
    }),
    Column::number("userns", 10, "number of the user namespace that owns it", |row: &Residence| {
        row.user_namespace.map_or(Value::Missing, Value::Count)
    })
    .ranked(3),
    Column::number("pid", 8, "the process that has lived there longest", |row: &Residence| {
        row.oldest.as_ref().map_or(Value::Missing, |oldest| Value::Pid(oldest.pid))
    })
    .ranked(2),
    Column::prose("command", 12, "its command line", |row: &Residence| {
        let command = row.oldest.as_ref().and_then(|oldest| oldest.command.as_ref());
        command.map_or(Value::Missing, Value::Foreign)
    })
    .ranked(2),
];

fn count(row: &Residence, kind: Kind) -> Value<'static> {
    Value::count(row.objects[kind as usize])
}
