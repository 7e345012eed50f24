//! What lies on a queue: why there is no room on it, or no message of the wanted type.

use super::facts::Facts;
use crate::ipc::{CommandLine, Kind, Object, Reference, count};

/// What lies on a queue that has no room, or no message of the wanted type.
pub(super) fn of(reference: &Reference, facts: &Facts) -> Option<String> {
    match facts.find(reference)? {
        Object::Queue(queue) if queue.max_bytes.is_some_and(|most| queue.messages >= most) => {
            Some(format!(
                "it holds {}, and as many messages at most as bytes (max_bytes)",
                count(queue.messages, "message"),
            ))
        }
        Object::Queue(queue) if queue.messages > 0 => {
            let most = queue.max_bytes.map(|most| format!(" of {most}")).unwrap_or_default();
            // An id needs no quotes.
            Some(format!(
                "it holds {}, {}{most} bytes: '{} --peek --all --json' shows them",
                count(queue.messages, "message"),
                queue.bytes,
                CommandLine::new("ipctool recv").word(Reference::id(Kind::Msg, queue.id)),
            ))
        }
        Object::PosixQueue(queue) if queue.messages > Some(0) => Some(format!(
            "it holds {} of {} (mq_maxmsg), which was set when it was made",
            count(queue.messages?, "message"),
            queue.max_messages?,
        )),
        _ => None,
    }
}
