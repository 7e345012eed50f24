//! `ipctool stat`: all there is to know about an object.

mod record;
mod sheet;

use std::io::Write;

use record::StatRecord;
use sheet::sheet;

use super::{find, report, select};
use crate::cli::Stat;
use crate::exit::Status;
use crate::explain::Failure;
use crate::ipc::posix::SemaphoreState;
use crate::ipc::process::role::State;
use crate::ipc::{Object, Observed};
use crate::kernel::limits::Limit;
use crate::kernel::posix::dev_shm;
use crate::kernel::process;
use crate::kernel::process::Length;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::Observer;
use crate::kernel::sysv::sem;
use crate::output::Style;
use crate::output::formats::json;
use crate::output::page::Surroundings;
use crate::output::stdout::{self, OutputError};

const VERB: &str = "stat";

pub(super) fn run(args: Stat, mut style: Style) -> anyhow::Result<Status> {
    let references = args.references.all();
    if references.is_empty() {
        return Err(Failure::usage(VERB, "nothing was named: give a REF").into());
    }
    let mut status = Status::Done;
    let mut objects = Vec::new();
    for reference in references {
        match find(VERB, &reference) {
            Ok(object) => objects.push(object),
            Err(failure) => status = status.and(report(&failure)),
        }
    }
    let commands = if args.json { Length::Whole } else { Length::Shown };
    let observer = Observer::new(&ScanScope::around(&objects).with_commands(commands))?;
    let seen: Vec<_> = objects.into_iter().map(|object| Seen::by(&observer, object)).collect();
    for failure in seen.iter().filter_map(|seen| gap(&seen.observed)) {
        status = status.and(report(&failure));
    }
    let users = seen.iter().flat_map(|seen| seen.observed.users());
    let gone = users.filter(|user| user.state == State::Gone);
    style.gone = gone.map(|user| user.pid).collect();
    let out = stdout::buffered()?;
    match args.json {
        true => write_json(&seen, &style, out)?,
        false => write_sheets(&seen, &style, out)?,
    }
    select::warn_uninspected(VERB, &observer.missed());
    Ok(status)
}

/// All that is known of an object.
struct Seen {
    observed: Observed,
    /// What a file of shared memory is if a program with musl made it as a semaphore; nothing where none
    /// has made it.
    musl_semaphore: Option<SemaphoreState>,
}

impl Seen {
    fn by(observer: &Observer, object: Object) -> Seen {
        let memory = object.memory();
        let musl_semaphore = memory.and_then(|one| dev_shm::musl_semaphore(&one.file.name));
        Seen { observed: observer.observe(object), musl_semaphore }
    }
}

/// What is in the way of knowing all about an object.
fn gap(observed: &Observed) -> Option<Failure> {
    let Object::SemaphoreSet(set) = &observed.object else { return None };
    if observed.semaphores.is_some() {
        return None;
    }
    // Asked once more, for the reason.
    let error = sem::semaphores(set.id, set.nsems).err()?;
    let failure = Failure::of_call(VERB, &observed.reference(), error);
    let what = format!("cannot read the semaphores: {}", failure.what);
    Some(Failure { what, ..failure })
}

fn write_json(seen: &[Seen], style: &Style, mut out: impl Write) -> Result<(), OutputError> {
    let records: Vec<_> = seen.iter().map(|seen| StatRecord::new(seen, style)).collect();
    json::write(&mut out, &records).map_err(|error| OutputError(error.into()))?;
    out.write_all(b"\n").and_then(|()| out.flush()).map_err(OutputError)
}

fn write_sheets(seen: &[Seen], style: &Style, mut out: impl Write) -> Result<(), OutputError> {
    for (number, Seen { observed, musl_semaphore }) in seen.iter().enumerate() {
        let around = Surroundings {
            style,
            caller: process::caller(observed.kind()),
            limit: Limit::value,
            musl_semaphore: *musl_semaphore,
        };
        let gap = if number > 0 { "\n" } else { "" };
        let sheet = sheet(observed, &around).map_err(OutputError)?;
        write!(out, "{gap}{sheet}").map_err(OutputError)?;
    }
    out.flush().map_err(OutputError)
}
