//! The columns that `list` shows if the user names none.

use crate::ipc::Kind;

/// A set of columns for people who name none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// What most people look for.
    #[default]
    Usual,
    /// `-t`: times.
    Times,
    /// `-p`: process ids.
    Pids,
    /// `-c`: creator and owner.
    Creators,
}

/// The names of the columns of a preset for a kind. A table shows how full a queue is instead of its bytes
/// alone; plain text has a number in each field.
pub fn preset(preset: Preset, kind: Kind, in_table: bool) -> &'static [&'static str] {
    match (preset, kind) {
        (Preset::Usual, Kind::Msg) if in_table => {
            &["ref", "key", "owner", "mode", "messages", "fill"]
        }
        (Preset::Usual, Kind::Pmsg) if in_table => {
            &["ref", "owner", "mode", "messages", "fill", "bytes", "message_size"]
        }
        (Preset::Usual, Kind::Msg) => &["ref", "key", "owner", "mode", "messages", "bytes"],
        (Preset::Usual, Kind::Shm) => {
            &["ref", "key", "owner", "mode", "size", "attached", "status"]
        }
        (Preset::Usual, Kind::Sem) => &["ref", "key", "owner", "mode", "nsems"],
        (Preset::Usual, Kind::Pmsg) => {
            &["ref", "owner", "mode", "messages", "bytes", "max_messages", "message_size"]
        }
        (Preset::Usual, Kind::Pshm) => &["ref", "owner", "mode", "size", "rss"],
        (Preset::Usual, Kind::Psem) => &["ref", "owner", "mode", "value", "waiters"],
        (Preset::Times, Kind::Pmsg | Kind::Pshm | Kind::Psem) => &["ref", "owner", "modified"],
        (Preset::Times, Kind::Msg) => &["ref", "owner", "last_send", "last_recv", "changed"],
        (Preset::Times, Kind::Shm) => &["ref", "owner", "last_attach", "last_detach", "changed"],
        (Preset::Times, Kind::Sem) => &["ref", "owner", "last_op", "changed"],
        (Preset::Pids, Kind::Msg) => &["ref", "owner", "last_send_pid", "last_recv_pid"],
        (Preset::Pids, Kind::Shm) => &["ref", "owner", "creator_pid", "last_pid"],
        (Preset::Pids, Kind::Pmsg) => &["ref", "owner", "notified_pid"],
        (Preset::Pids, Kind::Sem | Kind::Pshm | Kind::Psem) => &["ref", "owner"],
        (Preset::Creators, Kind::Pmsg | Kind::Pshm | Kind::Psem) => {
            &["ref", "mode", "owner", "group"]
        }
        (Preset::Creators, Kind::Msg | Kind::Shm | Kind::Sem) => {
            &["ref", "mode", "creator", "cgroup", "owner", "group"]
        }
    }
}
