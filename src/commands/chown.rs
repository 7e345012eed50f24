//! `ipctool chown`: changes owner and group.

use super::change;
use super::request::Usage;
use crate::cli::Chown;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::Change;
use crate::kernel::Namespace;
use crate::kernel::process::accounts::{self, NoAccount};
use crate::output::Style;

const VERB: &str = "chown";

const USAGE: Usage = Usage {
    verb: VERB,
    nothing: "nothing to change: give a REF or a filter",
    both: "references cannot be combined with a filter",
};

pub(super) fn run(args: Chown, namespace: &Namespace, style: Style) -> Result<Status> {
    let change = owner(&args.new_owner)?;
    change::to_all(USAGE, namespace, args.changing, &change, style)
}

/// `OWNER`, `OWNER:GROUP`, `:GROUP`, or `OWNER:` for the owner's login group, as for `chown(1)`.
fn owner(text: &str) -> Result<Change, Failure> {
    let missing = |error: NoAccount| Failure::usage(VERB, error);
    let (user, group) = match text.split_once(':') {
        None => (text, None),
        Some((user, group)) => (user, Some(group)),
    };
    let uid = (!user.is_empty()).then(|| accounts::user_id(user)).transpose().map_err(missing)?;
    let gid = match (group, uid) {
        (None, _) => None,
        (Some(""), Some(uid)) => Some(accounts::login_group(uid).map_err(missing)?),
        (Some(""), None) => None,
        (Some(group), _) => Some(accounts::group_id(group).map_err(missing)?),
    };
    if uid.is_none() && gid.is_none() {
        return Err(Failure::usage(
            VERB,
            format!(
                "'{text}' names neither an owner nor a group: write OWNER, OWNER:GROUP or :GROUP"
            ),
        ));
    }
    Ok(Change { uid, gid, mode: None })
}
