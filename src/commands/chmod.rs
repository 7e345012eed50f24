//! `ipctool chmod`: changes permission bits.

use super::change::Manner;
use crate::cli::Chmod;
use crate::exit::Status;
use crate::ipc::Change;

pub(super) fn run(args: Chmod) -> anyhow::Result<Status> {
    let manner = Manner { verb: "chmod", verbose: args.verbose, force: args.force };
    let change = Change { mode: Some(args.mode), ..Change::default() };
    Ok(manner.change(&args.references, &change)?)
}
