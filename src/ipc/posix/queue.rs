//! POSIX message queues.

use super::file::NamedFile;

/// A POSIX message queue, `mq_getattr(3)` and `mq_overview(7)`. Fields that need permission to open it
/// are `None` if that is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosixQueue {
    /// Name, owner and mode.
    pub file: NamedFile,
    /// `mq_curmsgs`: messages now on it.
    pub messages: Option<u64>,
    /// `QSIZE`: bytes of payload now on it. Needs read permission.
    pub bytes: Option<u64>,
    /// `mq_maxmsg`: the maximum number of messages.
    pub max_messages: Option<u64>,
    /// `mq_msgsize`: the maximum size of a message in bytes.
    pub message_size: Option<u64>,
    /// `NOTIFY_PID`: the process registered with `mq_notify(3)` for the next message. 0 if there is
    /// none or read permission is lacking.
    pub notified_pid: i32,
}

impl PosixQueue {
    /// The bytes that are charged to its owner, [`reserved_bytes`].
    pub fn reserved_bytes(&self) -> Option<u64> {
        Some(reserved_bytes(self.max_messages?, self.message_size?))
    }

    /// The number of messages and its maximum; `None` if unknown.
    pub fn fill(&self) -> Option<(u64, u64)> {
        self.messages.zip(self.max_messages)
    }

    /// Whether it is certainly full.
    pub fn is_full(&self) -> bool {
        self.fill().is_some_and(|(used, most)| used >= most)
    }
}

/// The bytes that a POSIX queue of this shape is charged against `RLIMIT_MSGQUEUE`: since Linux 3.5 for
/// its capacity, not its content, `getrlimit(2)`.
pub fn reserved_bytes(max_messages: u64, message_size: u64) -> u64 {
    /// The size of `struct msg_msg`, and of `struct posix_msg_tree_node`.
    const STRUCT: u64 = if cfg!(target_pointer_width = "64") { 48 } else { 24 };
    const MQ_PRIO_MAX: u64 = 32_768;
    let tree = max_messages.saturating_add(max_messages.min(MQ_PRIO_MAX)).saturating_mul(STRUCT);
    tree.saturating_add(max_messages.saturating_mul(message_size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_queue_is_charged() {
        if cfg!(target_pointer_width = "64") {
            assert_eq!(reserved_bytes(10, 8192), 82_880);
            assert_eq!(reserved_bytes(65_536, 1), 65_536 * 48 + 32_768 * 48 + 65_536);
        }
    }

    proptest! {
        #[test]
        fn nothing_overflows(most: u64, size: u64) {
            let _ = reserved_bytes(most, size);
        }
    }
}
