//! `ipctool stat`: shows everything known about objects.

mod picture;
mod record;
mod sheet;

use std::collections::HashSet;
use std::io::{self, Write};

use record::StatRecord;
use sheet::sheet;

use super::request::{Request, Usage};
use super::{find_all, remark, report_all, select};
use crate::cli::Stat;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::posix::SemaphoreState;
use crate::ipc::process::role::State;
use crate::ipc::{Object, Observed, Reference};
use crate::kernel::Namespace;
use crate::kernel::limits::Limit;
use crate::kernel::namespace::complete;
use crate::kernel::process;
use crate::kernel::process::Length;
use crate::kernel::process::scan::ScanScope;
use crate::kernel::process::uses::{Inspection, Observer};
use crate::kernel::sysv::sem;
use crate::output::Style;
use crate::output::formats::json;
use crate::output::page::Surroundings;
use crate::output::picture::Canvas;
use crate::output::stdout::{self, OutputError};

const VERB: &str = "stat";

const USAGE: Usage = Usage {
    verb: VERB,
    nothing: "nothing to show: give a REF or a filter",
    both: "references cannot be combined with a filter",
};

pub(super) fn run(args: Stat, namespace: &Namespace, mut style: Style) -> Result<Status> {
    let operands = args.references.all();
    let request = Request::read(USAGE, namespace, &operands, args.selecting, false)?;
    let (mut objects, missing) = find_all(VERB, namespace, &request.named);
    let mut status = report_all(namespace, &[request.failures, missing].concat());
    if let Some(filter) = &request.filter {
        let selected = select::select(VERB, namespace, filter, false)?.selected;
        if selected.is_empty() && !args.json {
            remark(&style, "no object matches");
        }
        let named: HashSet<_> = objects.iter().map(Object::reference).collect();
        let mut selected: Vec<_> = selected.into_iter().map(|one| one.observed.object).collect();
        selected.retain(|object| !named.contains(&object.reference()));
        selected.iter_mut().for_each(complete);
        objects.extend(selected);
    }
    let commands = if args.json { Length::Whole } else { Length::Shown };
    let scope = ScanScope::around(&objects).with_commands(commands);
    let inspection = Inspection::of(namespace, &scope)?;
    let observer = inspection.observer(namespace)?;
    let seen = |object| Seen::by(&observer, namespace, object);
    let seen: Vec<_> = objects.into_iter().map(seen).collect();
    let mut gaps: Vec<_> = seen.iter().filter_map(|seen| gap(&seen.observed)).collect();
    let pictures = args.picture.then(|| {
        let all = seen.iter().map(|seen| &seen.observed);
        let (pictures, unread) = picture::pictures(all, namespace, &Canvas::of(style.screen));
        gaps.extend(unread);
        pictures.join("\n")
    });
    status = status.and(report_all(namespace, &gaps));
    let users = seen.iter().flat_map(|seen| seen.observed.users());
    let gone = users.filter(|user| user.state == State::Gone);
    style.gone = gone.map(|user| user.pid).collect();
    let mut out = stdout::buffered()?;
    match pictures {
        Some(pictures) => {
            out.write_all(pictures.as_bytes()).and_then(|()| out.flush()).map_err(OutputError)?;
        }
        None if args.json => write_json(&seen, &style, out)?,
        None => write_sheets(&seen, namespace, &style, out)?,
    }
    select::warn_uninspected(VERB, &inspection.missed());
    Ok(status)
}

/// The page about one object.
pub(super) fn page(namespace: &Namespace, reference: &Reference, style: &Style) -> Result<String> {
    let (objects, failures) = find_all(VERB, namespace, std::slice::from_ref(reference));
    let Some(object) = objects.into_iter().next() else {
        let missing = || Failure::new(VERB, reference, "it is gone", Reason::NothingThere);
        return Err(failures.into_iter().next().unwrap_or_else(missing).into());
    };
    let scope = ScanScope::around([&object]);
    let inspection = Inspection::of(namespace, &scope)?;
    let seen = Seen::by(&inspection.observer(namespace)?, namespace, object);
    Ok(seen.sheet(namespace, style).map_err(OutputError)?)
}

/// Everything known about an object.
struct Seen {
    observed: Observed,
    /// The state of a file of shared memory if it is the semaphore of a program that uses musl; `None` if it
    /// cannot be one.
    musl_semaphore: Option<SemaphoreState>,
}

impl Seen {
    fn by(observer: &Observer, namespace: &Namespace, object: Object) -> Seen {
        let memory = object.memory();
        let musl_semaphore =
            memory.and_then(|memory| namespace.shm().musl_semaphore(&memory.file.name));
        Seen { observed: observer.observe(object), musl_semaphore }
    }

    /// As text.
    fn sheet(&self, namespace: &Namespace, style: &Style) -> io::Result<String> {
        let Seen { observed, musl_semaphore } = self;
        let around = Surroundings {
            style,
            caller: process::caller(namespace.handle(), observed.kind()),
            limit: Limit::value,
            musl_semaphore: *musl_semaphore,
        };
        sheet(observed, &around)
    }
}

/// What about an object could not be read.
fn gap(observed: &Observed) -> Option<Failure> {
    let Object::SemaphoreSet(set) = &observed.object else { return None };
    if observed.semaphores.is_some() {
        return None;
    }
    // Called again to get the error.
    let error = sem::semaphores(set.id, set.nsems).err()?;
    let failure = Failure::of_call(VERB, &observed.reference(), error);
    Some(failure.with_prefix("cannot read the semaphores: "))
}

fn write_json(seen: &[Seen], style: &Style, mut out: impl Write) -> Result<(), OutputError> {
    let records: Vec<_> = seen.iter().map(|seen| StatRecord::new(seen, style)).collect();
    json::write(&mut out, &records).map_err(|error| OutputError(error.into()))?;
    out.write_all(b"\n").and_then(|()| out.flush()).map_err(OutputError)
}

fn write_sheets(
    seen: &[Seen],
    namespace: &Namespace,
    style: &Style,
    mut out: impl Write,
) -> Result<(), OutputError> {
    for (number, seen) in seen.iter().enumerate() {
        let gap = if number > 0 { "\n" } else { "" };
        let sheet = seen.sheet(namespace, style).map_err(OutputError)?;
        write!(out, "{gap}{sheet}").map_err(OutputError)?;
    }
    out.flush().map_err(OutputError)
}
