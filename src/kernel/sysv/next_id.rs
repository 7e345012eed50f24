//! The id of the next object: `kernel.msg_next_id` and the like, `proc_sys_kernel(5)`. The kernel uses it once.

use std::io;

use nix::errno::Errno;

use super::{msg, sem, shm};
use crate::ipc::{Key, Kind, Mode};
use crate::kernel::limits::sysctl;

/// The next object of a kind gets this id, if it is free, or another one.
#[derive(Debug)]
#[must_use]
pub struct NextId {
    kind: Kind,
    name: &'static str,
    before: String,
}

impl NextId {
    /// Sets it. `ENOENT` if the kernel was built without `CONFIG_CHECKPOINT_RESTORE`, `EACCES` without the right to
    /// restore checkpoints in this IPC namespace.
    pub fn set(kind: Kind, id: i32) -> io::Result<NextId> {
        let name = name(kind)?;
        let before = sysctl::read(name)?;
        sysctl::write(name, &id.to_string())?;
        Ok(NextId { kind, name, before })
    }

    /// Whether it can be set.
    pub fn check(kind: Kind) -> io::Result<()> {
        let name = name(kind)?;
        sysctl::read(name)?;
        match sysctl::is_writable(name) {
            true => Ok(()),
            false => Err(Errno::EACCES.into()),
        }
    }
}

impl NextId {
    /// Sets what was set before, if no object has used the id. Returns the id if that was not possible.
    pub fn put_back(self) -> Option<String> {
        let before = self.before.trim();
        match sysctl::read(self.name) {
            Ok(now) if now.trim() != before => {}
            _ => return None,
        }
        // The kernel takes no -1, which stands for any id. Who has used an id leaves it.
        if sysctl::write(self.name, before).is_err() {
            use_up(self.kind);
        }
        let now = sysctl::read(self.name).ok()?;
        (now.trim() != before).then(|| now.trim().to_owned())
    }
}

/// Lets a new object have the id, and removes it.
fn use_up(kind: Kind) {
    let mode = Mode::from_bits(0);
    let _ = match kind {
        Kind::Msg => msg::create(Key::PRIVATE, mode, true).and_then(msg::remove),
        Kind::Shm => shm::create(Key::PRIVATE, 1, mode, true).and_then(shm::remove),
        Kind::Sem => sem::create(Key::PRIVATE, 1, mode, true).and_then(sem::remove),
        Kind::Pmsg | Kind::Pshm | Kind::Psem => Ok(()),
    };
}

fn name(kind: Kind) -> io::Result<&'static str> {
    match kind {
        Kind::Msg => Ok("kernel.msg_next_id"),
        Kind::Shm => Ok("kernel.shm_next_id"),
        Kind::Sem => Ok("kernel.sem_next_id"),
        Kind::Pmsg | Kind::Pshm | Kind::Psem => Err(io::ErrorKind::Unsupported.into()),
    }
}
