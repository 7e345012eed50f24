//! The call in which a process waits, with its arguments as fields.

use std::borrow::Cow;

use crate::ipc::Use;
use crate::ipc::message::Wanted;
use crate::ipc::process::role::Role;
use crate::ipc::sysv::Operation;
use crate::output::Value;
use crate::output::value::Part;

/// The call in which a process waits; no value if it does not wait.
pub(super) fn waits(user: &Use) -> Value<'static> {
    let is_posix = user.kind.is_posix();
    match &user.role {
        Role::WaitsToSend(size) => {
            let call = if is_posix { "mq_send" } else { "msgsnd" };
            // The kernel shows the size of the message and not its type.
            part(call, vec![("type", Value::Missing), ("size", Value::Bytes(*size))])
        }
        Role::WaitsToReceive(_) if is_posix => part("mq_receive", vec![("type", Value::Missing)]),
        Role::WaitsToReceive(wanted) => {
            let mut fields = vec![("type", Value::Number(wanted.number()))];
            if let Wanted::Except(_) = wanted {
                fields.push(("except", Value::Flag(true)));
            }
            part("msgrcv", fields)
        }
        Role::WaitsOnSemaphores(operations) => part("semop", semop(operations)),
        Role::WaitsForIncrease => {
            part("sem_wait", vec![("semaphore", Value::Missing), ("operation", Value::Number(-1))])
        }
        Role::Attached
        | Role::Mapped
        | Role::Open
        | Role::Notified
        | Role::LastSender
        | Role::LastReceiver
        | Role::Creator
        | Role::LastAttachDetach
        | Role::LastOperation(_) => Value::Missing,
    }
}

/// The first operation; if there are more, then also all of them, because any of them may be what the
/// call waits for. No values if they could not be read.
fn semop(operations: &[Operation]) -> Vec<(&'static str, Value<'static>)> {
    let Some(&first) = operations.first() else {
        return vec![("semaphore", Value::Missing), ("operation", Value::Missing)];
    };
    let fields = |operation: Operation| {
        vec![
            ("semaphore", Value::Count(operation.semaphore.into())),
            ("operation", Value::Number(operation.change.into())),
        ]
    };
    let mut all = fields(first);
    if operations.len() > 1 {
        let part = |&operation: &Operation| Part { words: None, fields: fields(operation) };
        all.push(("operations", Value::Parts(operations.iter().map(part).collect())));
    }
    all
}

fn part(call: &'static str, fields: Vec<(&'static str, Value<'static>)>) -> Value<'static> {
    let call_field = ("call", Value::Text(Cow::Borrowed(call)));
    let fields = [vec![call_field], fields].concat();
    Value::Part(Part { words: Some(Cow::Borrowed(call)), fields })
}
