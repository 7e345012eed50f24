//! `ipctool metrics`: what Prometheus reads of IPC objects.

mod look;
mod serve;

use look::Looker;

use super::Result;
use super::destination::Destination;
use crate::cli::Metrics;
use crate::exit::Status;
use crate::ipc::Filter;
use crate::kernel::Namespace;
use crate::output::stdout;

const VERB: &str = "metrics";

pub(super) fn run(mut args: Metrics, namespace: &Namespace) -> Result<Status> {
    let kinds = std::mem::take(&mut args.selecting.kinds);
    let filter = Filter::new(kinds, args.selecting.filter.conditions());
    let looker =
        Looker { namespace, is_everywhere: args.all_namespaces, filter, most: args.max_objects };
    if let Some(address) = args.listen {
        return serve::run(&address, &looker);
    }
    let destination = match &args.textfile {
        Some(path) => Some(Destination::open(VERB, "--textfile", path)?),
        None => None,
    };
    let text = looker.text()?;
    match destination {
        Some(destination) => destination.write(text.as_bytes())?,
        None => stdout::print(&text)?,
    }
    Ok(Status::Done)
}
