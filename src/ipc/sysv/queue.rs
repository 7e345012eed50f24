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
