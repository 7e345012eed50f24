//! `stat --picture`: what a picture shows beyond the object itself, and what of it cannot be read.

use super::VERB;
use crate::explain::{Failure, Reason};
use crate::ipc::message::{Message, TYPE_SIZE};
use crate::ipc::{Object, Observed, Queue};
use crate::kernel::channel::{Channel, is_empty};
use crate::kernel::process;
use crate::kernel::sysv::msg;
use crate::kernel::{CallError, CallName, Errno, Namespace};
use crate::output::picture::{self, Canvas, MOST_MESSAGES};

/// Read permission, as bits of a mode.
const READ: u32 = 4;

/// Others may use the queue meanwhile. It is read at most this often to get a picture of one moment.
const ATTEMPTS: usize = 5;

/// The pictures of objects, and why something in them cannot be read.
pub(super) fn pictures<'a>(
    all: impl Iterator<Item = &'a Observed>,
    namespace: &Namespace,
    canvas: &Canvas,
) -> (Vec<String>, Vec<Failure>) {
    let (mut pictures, mut failures) = (Vec::new(), Vec::new());
    for observed in all {
        let lines = match &observed.object {
            Object::Queue(queue) if queue.messages > 0 => match first_messages(queue) {
                Ok((now, messages)) => {
                    let observed = Observed { object: Object::Queue(now), ..observed.clone() };
                    picture::draw(&observed, Some(&messages), canvas)
                }
                Err(error) => {
                    let failure = Failure::of_peek(VERB, &observed.reference(), error);
                    failures.push(failure.with_prefix("cannot read the messages: "));
                    picture::draw(observed, None, canvas)
                }
            },
            Object::Queue(_)
            | Object::PosixQueue(_)
            | Object::PosixSemaphore(_)
            | Object::SemaphoreSet(_)
            | Object::Segment(_)
            | Object::PosixMemory(_) => {
                failures.extend(unread(observed, namespace));
                picture::draw(observed, None, canvas)
            }
        };
        pictures.push(lines.join("\n") + "\n");
    }
    (pictures, failures)
}

/// Why the content of a POSIX object is not known. `stat` reports an unreadable set with and without a picture.
fn unread(observed: &Observed, namespace: &Namespace) -> Option<Failure> {
    match &observed.object {
        Object::PosixQueue(queue) if queue.fill().is_none() => {
            let reference = observed.reference();
            // Opened again to get the error.
            let error = Channel::for_receiving(namespace, &reference).err()?;
            let failure = Failure::of_access(VERB, &reference, READ, error);
            Some(failure.with_prefix("cannot count the messages: "))
        }
        Object::PosixSemaphore(semaphore) if semaphore.state.is_none() => {
            Some(unread_value(observed, namespace))
        }
        Object::Queue(_)
        | Object::PosixQueue(_)
        | Object::PosixSemaphore(_)
        | Object::SemaphoreSet(_)
        | Object::Segment(_)
        | Object::PosixMemory(_) => None,
    }
}

/// Why the value of a POSIX semaphore is not known.
fn unread_value(observed: &Observed, namespace: &Namespace) -> Failure {
    let reference = observed.reference();
    let caller = process::caller(namespace.handle(), observed.kind());
    let failure = match observed.permissions().access(&caller).read {
        true => {
            let what = "its file is not a semaphore of a C library that ipctool supports";
            Failure::new(VERB, &reference, what, Reason::Failed)
        }
        false => {
            let error = CallError { name: CallName::SemOpen, errno: Errno::EACCES };
            Failure::of_access(VERB, &reference, READ, error)
        }
    };
    failure.with_prefix("cannot read the value: ")
}

/// The first messages of a queue, and the queue as it was at that moment.
fn first_messages(queue: &Queue) -> Result<(Queue, Vec<Message>), CallError> {
    let mut before = queue.clone();
    for _ in 1..ATTEMPTS {
        let messages = peek(queue.id)?;
        let after = msg::read(queue.id)?;
        if after == before {
            return Ok((after, messages));
        }
        before = after;
    }
    Ok((before, peek(queue.id)?))
}

fn peek(id: i32) -> Result<Vec<Message>, CallError> {
    let mut buffer = vec![0; TYPE_SIZE + 512];
    let mut messages = Vec::new();
    while messages.len() < MOST_MESSAGES {
        match msg::peek_whole(id, messages.len() as i64, &mut buffer) {
            Ok(size) => messages.push(Message::from_bytes(&buffer[..TYPE_SIZE + size])),
            Err(error) if is_empty(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(messages)
}
