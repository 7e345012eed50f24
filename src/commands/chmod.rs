//! `ipctool chmod`: changes permission bits.

use super::change;
use super::request::Usage;
use crate::cli::Chmod;
use crate::commands::Result;
use crate::exit::Status;
use crate::ipc::Change;
use crate::kernel::Namespace;
use crate::output::Style;

const USAGE: Usage = Usage {
    verb: "chmod",
    nothing: "nothing to change: give a REF or a filter",
    both: "references cannot be combined with a filter",
};

pub(super) fn run(args: Chmod, namespace: &Namespace, style: Style) -> Result<Status> {
    let change = Change { mode: Some(args.mode), ..Change::default() };
    change::to_all(USAGE, namespace, args.changing, &change, style)
}
