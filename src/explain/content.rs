//! What an object holds: why a queue has no room or no message of the wanted type, or a semaphore is waited for.

use super::facts::Facts;
use crate::ipc::{CommandLine, Kind, Object, Reference, count};

/// What it holds.
pub(super) fn of(reference: &Reference, facts: &Facts) -> Option<String> {
    match facts.find(reference)? {
        Object::Queue(queue) if queue.max_bytes.is_some_and(|most| queue.messages >= most) => {
            Some(format!(
                "it holds {}, and max_bytes limits the number of messages as well",
                count(queue.messages, "message"),
            ))
        }
        Object::Queue(queue) if queue.messages > 0 => {
            let most = queue.max_bytes.map(|most| format!(" of {most}")).unwrap_or_default();
            // An id needs no quotes.
            Some(format!(
                "it holds {}, {}{most} bytes; to see them: {} --peek --all --json",
                count(queue.messages, "message"),
                queue.bytes,
                CommandLine::new("ipctool recv").word(Reference::id(Kind::Msg, queue.id)),
            ))
        }
        Object::PosixQueue(queue) if queue.messages > Some(0) => Some(format!(
            "it holds {} of at most {} (mq_maxmsg), a limit that was set when the queue was created",
            count(queue.messages?, "message"),
            queue.max_messages?,
        )),
        Object::PosixSemaphore(semaphore) if semaphore.state?.value == 0 => Some(format!(
            "its value is 0; to see who has it open: {}",
            CommandLine::new("ipctool stat").word(reference),
        )),
        _ => None,
    }
}
