//! `ipctool chown`: changes owner and group.

use super::change;
use crate::cli::Chown;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::Change;
use crate::kernel::process::accounts;

const VERB: &str = "chown";

pub(super) fn run(args: Chown) -> anyhow::Result<Status> {
    let change = owner(&args.owner).map_err(|error| Failure::usage(VERB, error))?;
    Ok(change::to_all(VERB, &args.changing, &change)?)
}

/// `OWNER`, `OWNER:GROUP`, `:GROUP`, or `OWNER:` for the owner's login group, as for `chown(1)`.
fn owner(text: &str) -> anyhow::Result<Change> {
    let (user, group) = match text.split_once(':') {
        None => (text, None),
        Some((user, group)) => (user, Some(group)),
    };
    let uid = (!user.is_empty()).then(|| accounts::user_id(user)).transpose()?;
    let gid = match (group, uid) {
        (None, _) => None,
        (Some(""), Some(uid)) => Some(accounts::login_group(uid)?),
        (Some(""), None) => None,
        (Some(group), _) => Some(accounts::group_id(group)?),
    };
    if uid.is_none() && gid.is_none() {
        anyhow::bail!(
            "'{text}' names neither an owner nor a group: write OWNER, OWNER:GROUP or :GROUP"
        );
    }
    Ok(Change { uid, gid, mode: None })
}
