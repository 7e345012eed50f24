//! System V message queues.

use crate::ipc::{Permissions, Time};

/// A System V message queue, `struct msqid_ds` in `msgctl(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its identifier.
    pub id: i32,
    /// Key, owners and mode.
    pub permissions: Permissions,
    /// When it was made or last changed by `IPC_SET`.
    pub changed: Option<Time>,
    /// `msg_cbytes`: bytes of payload now on it.
    pub bytes: u64,
    /// `msg_qnum`: messages now on it.
    pub messages: u64,
    /// `msg_qbytes`: the most bytes it may hold. `/proc/sysvipc/msg` does not tell it.
    pub max_bytes: Option<u64>,
    /// Who last sent, and when; pid 0 for nobody.
    pub last_send_pid: i32,
    /// See `last_send_pid`.
    pub last_send: Option<Time>,
    /// Who last received, and when; pid 0 for nobody.
    pub last_recv_pid: i32,
    /// See `last_recv_pid`.
    pub last_recv: Option<Time>,
}

impl Queue {
    /// How much of its room is used and how much there is, where `max_bytes` is known: the kernel holds
    /// the bytes and the number of messages against it, each by itself.
    pub fn fill(&self) -> Option<(u64, u64)> {
        Some((self.bytes.max(self.messages), self.max_bytes?))
    }

    /// Whether it certainly takes no further message that has a payload.
    pub fn is_full(&self) -> bool {
        self.fill().is_some_and(|(used, most)| used >= most)
    }

    /// Whether a message with so many bytes fits now. An unknown `max_bytes` has room for all.
    pub fn has_room_for(&self, bytes: u64) -> bool {
        self.max_bytes
            .is_none_or(|most| self.bytes.saturating_add(bytes) <= most && self.messages < most)
    }
}
