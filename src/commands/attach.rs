//! `ipctool attach`: keeps a segment attached.

use std::time::{Duration, Instant};

use super::{Result, command, print_error, remark, report, resolve};
use crate::cli::Attach;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::{Target, count};
use crate::kernel::shared_memory::{Access, SharedMemory};
use crate::kernel::signals::wait;
use crate::kernel::{Namespace, signals};
use crate::output::Style;

const VERB: &str = "attach";

/// How long to sleep where only a signal ends it.
const LONG: Duration = Duration::from_secs(3600);

pub(super) fn run(args: Attach, namespace: &Namespace, style: &Style) -> Result<Status> {
    let named = &args.memory;
    signals::catch_signals().map_err(|error| Failure::of_preparation(VERB, named, &error))?;
    let reference = resolve(VERB, namespace, named)?;
    let access = if args.read_only { Access::Read } else { Access::Write };
    let memory = SharedMemory::attach(namespace, &reference, access)
        .map_err(|error| Failure::of_access(VERB, named, access.bits(), error))?;
    if args.verbose {
        let size = count(memory.size(), "byte");
        let place = memory.address().map(|start| format!(" at {start:#x}")).unwrap_or_default();
        print_error(format_args!("{VERB} {named}: {size}{place}"));
    }
    if !args.command.is_empty() {
        let mut environment = vec![("IPCTOOL_REF", reference.to_string())];
        if let Target::Id(id) = reference.target {
            environment.push(("IPCTOOL_ID", id.to_string()));
        }
        return Ok(command::run(&args.command, &environment).unwrap_or_else(|error| {
            let (failure, status) = command::not_started(VERB, &args.command, &error);
            report(namespace, failure);
            status
        }));
    }
    if args.time.is_none() {
        remark(style, &format!("{named} is attached; Ctrl-C detaches it"));
    }
    let deadline = wait::deadline(args.time);
    loop {
        if let Some(signal) = signals::pending() {
            return Ok(Status::Signal(signal));
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => return Ok(Status::Done),
            Some(left) => wait::sleep(left),
            None => wait::sleep(LONG),
        }
    }
}
