//! `ipctool chmod`: changes permission bits.

use super::change;
use crate::cli::Chmod;
use crate::exit::Status;
use crate::ipc::Change;

pub(super) fn run(args: Chmod) -> anyhow::Result<Status> {
    let change = Change { mode: Some(args.mode), ..Change::default() };
    Ok(change::to_all("chmod", &args.changing, &change)?)
}
