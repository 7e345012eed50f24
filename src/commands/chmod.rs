//! `ipctool chmod`: changes permission bits.

use super::change;
use crate::cli::Chmod;
use crate::commands::Result;
use crate::exit::Status;
use crate::ipc::Change;
use crate::kernel::Namespace;
use crate::output::Style;

pub(super) fn run(args: Chmod, namespace: &Namespace, style: &Style) -> Result<Status> {
    let change = Change { mode: Some(args.mode), ..Change::default() };
    Ok(change::to_all("chmod", namespace, &args.changing, &change, style)?)
}
