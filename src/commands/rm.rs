//! `ipctool rm`: removes objects.

mod removal;

use removal::{Form, Removal};

use super::request::{Request, Usage};
use super::select::{self, Selection};
use super::{change, consent, print_error, remark};
use crate::cli::Rm;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Notice, Reason};
use crate::ipc::process::observed::Selected;
use crate::ipc::{Filter, Kind, Object, Observed, Reference, count};
use crate::kernel::Namespace;
use crate::kernel::namespace::Identity;
use crate::kernel::process::Process;
use crate::kernel::process::scan::{Scan, ScanScope};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Style};

const VERB: &str = "rm";

const USAGE: Usage = Usage {
    verb: VERB,
    nothing: "nothing to remove: give a REF, a filter or --all",
    both: "references cannot be combined with a filter or --all",
};

pub(super) fn run(args: Rm, namespace: &Namespace, style: Style) -> Result<Status> {
    let mut selecting = args.selecting;
    selecting.kinds.extend(args.all.iter().flatten());
    let is_all = args.all.is_some();
    let operands = args.references.all();
    let request = Request::read(USAGE, namespace, &operands, selecting, is_all)?;
    let mut removal = Removal::new(namespace, args.force, args.verbose);
    request.failures.into_iter().for_each(|failure| removal.fail(failure));
    // The question is asked on standard error.
    let style = if args.dry_run { style } else { style.on_stderr() };
    let mut selected = Vec::new();
    if let Some(filter) = &request.filter {
        let manner = Manner {
            is_dry: args.dry_run,
            asks: !args.yes,
            even_if_changed: args.even_if_changed,
            is_verbose: args.verbose,
            is_all,
            is_json: args.json,
        };
        match choose(namespace, filter, manner, &style, &mut removal)? {
            Some(chosen) => selected = chosen,
            None => return Ok(removal.finish(None)?.and(Status::Failed)),
        }
    }
    if args.dry_run {
        return show(&request.named, selected, args.json, &style, removal);
    }
    removal.named(&request.named).into_iter().for_each(|named| removal.remove(named));
    if let Some(filter) = request.filter {
        match args.even_if_changed {
            true => selected.iter().for_each(|one| removal.remove(one.observed.reference())),
            false => removal.remove_selected(&selected, &filter),
        }
        if !args.json {
            removal.summarize();
        }
    }
    removal.finish(args.json.then_some(Form { selected: None, style: &style }))
}

/// Shows what would be removed.
fn show(
    named: &[Reference],
    selected: Vec<Selected>,
    is_json: bool,
    style: &Style,
    mut removal: Removal,
) -> Result<Status> {
    let mut found = removal.found(named);
    if is_json {
        found.extend(selected);
        return removal.finish(Some(Form { selected: Some(&found), style }));
    }
    found.iter().for_each(|one| removal.print(&format!("{}\n", one.observed.reference())));
    let out = stdout::buffered()?;
    consent::show(&selected, Format::fitting(), style, out).map_err(OutputError)?;
    removal.finish(None)
}

/// How to remove what a filter selects.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// Only show the objects.
    is_dry: bool,
    /// Ask first.
    asks: bool,
    /// Remove also what was used after it was selected.
    even_if_changed: bool,
    /// Print what is skipped, and why.
    is_verbose: bool,
    /// `--all` was given.
    is_all: bool,
    /// The result is printed as JSON.
    is_json: bool,
}

/// The objects to remove of those that the filter selects, or `None` if the answer to the question is no.
/// A dry run takes them all.
fn choose(
    namespace: &Namespace,
    filter: &Filter,
    manner: Manner,
    style: &Style,
    removal: &mut Removal,
) -> Result<Option<Vec<Selected>>> {
    if manner.asks && !manner.is_dry && !consent::can_ask() {
        let what = "a filter or --all needs --yes if there is no terminal to ask on";
        return Err(Failure::usage(VERB, what).into());
    }
    let Selection { mut selected, unlisted } =
        select::select(VERB, namespace, filter, manner.is_verbose)?;
    if manner.is_all {
        // --all includes the kinds that could not be listed, and their objects still exist.
        unlisted.into_iter().for_each(|kind| removal.fail_unlisted(kind));
    }
    if selected.is_empty() && !manner.is_json {
        remark(style, "no object matches");
    }
    if manner.asks && !manner.is_dry && !selected.is_empty() {
        if !consent::confirm("remove", &selected, style)? {
            return Ok(None);
        }
        if !manner.even_if_changed {
            for changed in select::spare_changed(VERB, namespace, filter, &mut selected)? {
                removal.fail(removal::used_meanwhile(changed));
            }
        }
    }
    Ok(Some(selected))
}

/// The state of an object after its removal.
pub(super) enum Removed {
    /// It is gone.
    Gone,
    /// This segment is marked for destruction: it goes when the last process detaches it.
    Marked(Object),
}

/// Removes an object.
pub(super) fn remove(
    verb: &'static str,
    namespace: &Namespace,
    reference: &Reference,
) -> Result<Removed, Failure> {
    namespace.remove(reference).map_err(|error| Failure::of_call(verb, reference, error))?;
    Ok(what_is_left(namespace, reference))
}

/// Removes an object that a person has seen, even if it is in use. Returns what has become of it.
pub(super) fn remove_observed(
    verb: &'static str,
    namespace: &Namespace,
    observed: &Observed,
) -> Result<String, Failure> {
    let reference = observed.reference();
    let failed = |error| Failure::of_call(verb, &reference, error);
    if change::is_another(namespace, observed).map_err(failed)? {
        let what = "not removed: its name belongs to another object now";
        return Err(Failure::new(verb, &reference, what, Reason::Failed));
    }
    let removed = match observed.object.file() {
        // Its name may belong to another one by now.
        Some(file) => namespace.unlink_file(&reference, file.identity),
        None => namespace.remove(&reference),
    };
    removed.map_err(failed)?;
    match what_is_left(namespace, &reference) {
        Removed::Gone => Ok(format!("removed {reference}")),
        Removed::Marked(object) => {
            explain_marked(verb, namespace, &[object]).into_iter().for_each(print_error);
            Ok(format!("marked {reference} for destruction"))
        }
    }
}

/// What is left of an object that was removed.
pub(super) fn what_is_left(namespace: &Namespace, reference: &Reference) -> Removed {
    let left = match reference.kind {
        Kind::Shm => namespace.read(reference).ok(),
        Kind::Msg | Kind::Sem | Kind::Pmsg | Kind::Pshm | Kind::Psem => None,
    };
    match left {
        Some(Object::Segment(segment)) if segment.status.is_marked() => {
            Removed::Marked(Object::Segment(segment))
        }
        _ => Removed::Gone,
    }
}

/// Explains why segments still exist after their removal, and which processes hold them. Looks at all
/// processes once, however many segments there are.
pub(super) fn explain_marked(
    verb: &'static str,
    namespace: &Namespace,
    marked: &[Object],
) -> Vec<Notice> {
    if marked.is_empty() {
        return Vec::new();
    }
    let scan = namespace
        .handle()
        .identity()
        .and_then(|here| Ok((here, Scan::new([here], &ScanScope::around(marked))?)));
    let explain = |object: &Object| {
        let times = match object {
            Object::Segment(segment) => count(segment.attached, "time"),
            _ => String::new(),
        };
        let notice = Notice::new(format_args!(
            "{verb} {}: still attached {times}, so it was only marked for destruction; the kernel removes it when the last process detaches it",
            object.reference(),
        ));
        let holders = scan.as_ref().ok().and_then(|(here, scan)| holders(*here, scan, object));
        holders.into_iter().fold(notice, Notice::with_hint)
    };
    marked.iter().map(explain).collect()
}

/// The processes that have this segment attached, as a hint.
fn holders(here: Identity, scan: &Scan, segment: &Object) -> Option<String> {
    let name = |&(pid, _): &(i32, _)| Process::name(pid).to_string();
    let holders: Vec<_> = scan.present(here, segment).iter().map(name).collect();
    match (holders.as_slice(), scan.uninspected.len()) {
        ([], 0) => None,
        ([], unseen) => {
            Some(format!("its holder is one of {unseen} processes that could not be inspected"))
        }
        (holders, _) => Some(format!("held by {}", holders.join(", "))),
    }
}
