//! Users and groups by number and by name, `getpwuid(3)`, `getgrgid(3)`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

use nix::unistd::{Gid, Group, Uid, User};

use crate::ipc::Foreign;

/// Names of users and groups; each is looked up once.
#[derive(Debug, Default)]
pub struct Names {
    users: RefCell<HashMap<u32, Foreign>>,
    groups: RefCell<HashMap<u32, Foreign>>,
}

impl Names {
    /// Passes the name of a user to `write`, or the number if there is no name.
    pub fn with_user<R>(&self, uid: u32, write: impl FnOnce(&Foreign) -> R) -> R {
        write(self.users.borrow_mut().entry(uid).or_insert_with(|| user(uid)))
    }

    /// Passes the name of a group to `write`, or the number if there is no name.
    pub fn with_group<R>(&self, gid: u32, write: impl FnOnce(&Foreign) -> R) -> R {
        write(self.groups.borrow_mut().entry(gid).or_insert_with(|| group(gid)))
    }
}

/// The name of a user, or the number if there is no name.
pub fn user(uid: u32) -> Foreign {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name.into(),
        _ => uid.to_string().into(),
    }
}

/// The name of a group, or the number if there is no name.
pub fn group(gid: u32) -> Foreign {
    match Group::from_gid(Gid::from_raw(gid)) {
        Ok(Some(group)) => group.name.into(),
        _ => gid.to_string().into(),
    }
}

/// The home directory of a user.
pub(in crate::kernel) fn home(uid: u32) -> Option<PathBuf> {
    let user = User::from_uid(Uid::from_raw(uid)).ok()??;
    Some(user.dir).filter(|home| home.is_absolute())
}

/// Why a user or group was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    /// No user has this name.
    #[error("there is no user '{0}'")]
    User(String),
    /// No group of this name.
    #[error("there is no group '{0}'")]
    Group(String),
    /// This user has no entry in the user database.
    #[error("user {0} is not in the user database, so has no login group")]
    LoginGroup(u32),
}

/// The id of a user given by name or number. Text that looks like a number is tried as a name first, as
/// in `chown(1)`.
pub fn user_id(text: &str) -> Result<u32, NoAccount> {
    if let Ok(Some(user)) = User::from_name(text) {
        return Ok(user.uid.as_raw());
    }
    number(text).ok_or_else(|| NoAccount::User(text.to_owned()))
}

/// The id of a group given by name or number.
pub fn group_id(text: &str) -> Result<u32, NoAccount> {
    if let Ok(Some(group)) = Group::from_name(text) {
        return Ok(group.gid.as_raw());
    }
    number(text).ok_or_else(|| NoAccount::Group(text.to_owned()))
}

/// The login group of a user.
pub fn login_group(uid: u32) -> Result<u32, NoAccount> {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => Ok(user.gid.as_raw()),
        _ => Err(NoAccount::LoginGroup(uid)),
    }
}

fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    // The highest number means "no change" in every call.
    text.parse().ok().filter(|&id| is_number && id != u32::MAX)
}
