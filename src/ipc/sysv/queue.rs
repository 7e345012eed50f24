//! System V message queues.

use crate::ipc::{Permissions, Time};

/// A System V message queue, `struct msqid_ds` in `msgctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was created or last changed by `IPC_SET`.
    pub changed: Option<Time>,
    /// `msg_cbytes`: bytes of payload now on it.
    pub bytes: u64,
    /// `msg_qnum`: messages now on it.
    pub messages: u64,
    /// `msg_qbytes`: the maximum number of bytes on it. `/proc/sysvipc/msg` does not show it.
    pub max_bytes: Option<u64>,
    /// The process that last sent a message; 0 for none.
    pub last_send_pid: i32,
    /// When a message was last sent.
    pub last_send: Option<Time>,
    /// The process that last received a message; 0 for none.
    pub last_recv_pid: i32,
    /// When a message was last received.
    pub last_recv: Option<Time>,
}

impl Queue {
    /// How much of its capacity is used, and the capacity; `None` if `max_bytes` is unknown. The kernel
    /// checks both the bytes and the number of messages against it, so this is the larger of the two.
    pub fn fill(&self) -> Option<(u64, u64)> {
        Some((self.bytes.max(self.messages), self.max_bytes?))
    }

    /// Whether it certainly accepts no further message with a payload.
    pub fn is_full(&self) -> bool {
        self.fill().is_some_and(|(used, most)| used >= most)
    }

    /// Whether a message of this many bytes fits now. If `max_bytes` is unknown, any message does.
    pub fn has_room_for(&self, bytes: u64) -> bool {
        self.max_bytes
            .is_none_or(|most| self.bytes.saturating_add(bytes) <= most && self.messages < most)
    }
}
