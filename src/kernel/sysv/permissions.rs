//! `struct ipc_perm`, which all System V objects share, `sysvipc(7)`.

use crate::ipc::{Change, Key, Mode, Permissions};
use crate::kernel::call::key;

/// The permissions of an object before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What they were.
    pub before: Permissions,
    /// What they are.
    pub after: Permissions,
}

/// The permissions in what `IPC_STAT` has filled.
pub(in crate::kernel) fn of(raw: &libc::ipc_perm) -> Permissions {
    Permissions {
        key: Key(key(raw)),
        uid: raw.uid,
        gid: raw.gid,
        cuid: raw.cuid,
        cgid: raw.cgid,
        mode: Mode::from_bits(raw.mode.into()),
    }
}

/// Works a change into what `IPC_SET` is about to set.
pub(in crate::kernel) fn apply(change: &Change, raw: &mut libc::ipc_perm) -> Changed {
    let before = of(raw);
    let after = change.apply(&before);
    raw.uid = after.uid;
    raw.gid = after.gid;
    // The kernel takes the nine permission bits and leaves the others, such as SHM_DEST, alone.
    raw.mode = after.mode.bits() as _;
    Changed { before, after }
}
