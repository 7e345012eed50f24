//! `struct ipc_perm`, common to all System V objects, `sysvipc(7)`.

use crate::ipc::{Change, Key, Mode, Permissions};
use crate::kernel::call::key;
use crate::kernel::namespace::ids;

/// The permissions of an object before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The permissions before the change.
    pub before: Permissions,
    /// The permissions after the change.
    pub after: Permissions,
}

/// The permissions that `IPC_STAT` returned.
pub(in crate::kernel) fn of(raw: &libc::ipc_perm) -> Permissions {
    Permissions {
        key: Key(key(raw)),
        uid: ids::user_outside(raw.uid),
        gid: ids::group_outside(raw.gid),
        cuid: ids::user_outside(raw.cuid),
        cgid: ids::group_outside(raw.cgid),
        mode: Mode::from_bits(raw.mode.into()),
    }
}

/// Applies a change to the structure for `IPC_SET`.
pub(in crate::kernel) fn apply(change: &Change, raw: &mut libc::ipc_perm) -> Changed {
    let before = of(raw);
    let after = change.apply(&before);
    raw.uid = ids::user_inside(after.uid);
    raw.gid = ids::group_inside(after.gid);
    // The kernel uses only the nine permission bits and keeps the others, such as SHM_DEST.
    raw.mode = after.mode.bits() as _;
    Changed { before, after }
}
