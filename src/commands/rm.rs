//! `ipctool rm`: removes objects.

mod removal;

use std::collections::HashSet;
use std::io::{self, BufRead, IsTerminal, Write};

use removal::{Form, Removal};

use super::{now, remark, select};
use crate::cli::Rm;
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Notice};
use crate::ipc::process::observed::Selected;
use crate::ipc::{Filter, Kind, Object, Observed, Reference, Snapshot, count};
use crate::kernel::Namespace;
use crate::kernel::io::stdio::StandardError;
use crate::kernel::process::scan::{Scan, ScanScope};
use crate::kernel::process::{Length, Process};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, columns, write_rows};

const VERB: &str = "rm";

/// The most objects that are listed before asking whether to remove them.
const SHOWN: usize = 20;

pub(super) fn run(args: Rm, namespace: &Namespace, style: Style) -> Result<Status> {
    let references = args.references.all();
    let kinds = [args.all.clone().unwrap_or_default(), args.kinds.clone()].concat();
    let filter = Filter::new(kinds, args.filter.conditions());
    let by_filter = args.all.is_some() || !args.kinds.is_empty() || filter.is_narrow();
    // A named object is removed whatever its state, so filters make no sense with references.
    let has_filter = by_filter || filter.has_conditions();
    select::warn_cautions(VERB, &filter);
    let mut removal = Removal::new(namespace, args.force, args.verbose);
    // The question is asked on standard error.
    let style = if args.dry_run { style } else { style.on_stderr() };
    match (by_filter, references.is_empty()) {
        _ if has_filter && !references.is_empty() => {
            let what = "references cannot be combined with a filter or --all";
            return Err(Failure::usage(VERB, what).into());
        }
        (false, true) => {
            let what = "nothing to remove: give a REF, a filter or --all";
            return Err(Failure::usage(VERB, what).into());
        }
        (_, false) if args.dry_run => {
            let found = removal.found(&references);
            if args.json {
                let form = Form { selected: Some(&found), style: &style };
                return removal.finish(Some(form));
            }
            found.iter().for_each(|one| removal.print(&format!("{}\n", one.observed.reference())));
        }
        (_, false) => {
            removal.named(&references).into_iter().for_each(|named| removal.remove(named));
        }
        (true, true) => {
            let manner = Manner {
                is_dry: args.dry_run,
                asks: !args.yes,
                even_if_changed: args.even_if_changed,
                is_verbose: args.verbose,
                is_all: args.all.is_some(),
                is_json: args.json,
            };
            match remove_by_filter(namespace, &filter, manner, &style, &mut removal)? {
                Ended::Done => {}
                Ended::Early(status) => return Ok(status),
                Ended::Dry(selected) if args.json => {
                    let form = Form { selected: Some(&selected), style: &style };
                    return removal.finish(Some(form));
                }
                Ended::Dry(selected) => {
                    show(&selected, Format::fitting(), &style, stdout::buffered()?)
                        .map_err(OutputError)?;
                    return Ok(Status::Done);
                }
            }
            if !args.json {
                removal.summarize();
            }
        }
    }
    removal.finish(args.json.then_some(Form { selected: None, style: &style }))
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

/// How far a removal by a filter went.
enum Ended {
    /// Objects were removed, as far as possible.
    Done,
    /// Nothing was removed, because these are only to be shown.
    Dry(Vec<Selected>),
    /// Nothing was removed, because the answer was no. The command ends with this status.
    Early(Status),
}

fn remove_by_filter(
    namespace: &Namespace,
    filter: &Filter,
    manner: Manner,
    style: &Style,
    removal: &mut Removal,
) -> Result<Ended> {
    if manner.asks && !manner.is_dry && !can_ask() {
        let what = "a filter or --all needs --yes if there is no terminal to ask on";
        return Err(Failure::usage(VERB, what).into());
    }
    let (mut selected, unlisted) = select(namespace, filter, manner.is_verbose, true)?;
    if manner.is_all {
        // --all includes the kinds that could not be listed, and their objects still exist.
        unlisted.into_iter().for_each(|kind| removal.fail_unlisted(kind));
    }
    if selected.is_empty() && !manner.is_json {
        remark(style, "no object matches");
    }
    if manner.is_dry {
        return Ok(Ended::Dry(selected));
    }
    if manner.asks && !selected.is_empty() {
        if !confirm(&selected, style)? {
            return Ok(Ended::Early(Status::Failed));
        }
        if !manner.even_if_changed {
            spare_changed(namespace, &mut selected, filter, removal)?;
        }
    }
    match manner.even_if_changed {
        true => selected.iter().for_each(|one| removal.remove(one.observed.reference())),
        false => removal.remove_selected(&selected, filter),
    }
    Ok(Ended::Done)
}

/// Spares what no longer passes the filter: while the user answered, a process may have begun to use an
/// object.
fn spare_changed(
    namespace: &Namespace,
    selected: &mut Vec<Selected>,
    filter: &Filter,
    removal: &mut Removal,
) -> Result<()> {
    let (still, _) = select(namespace, filter, false, false)?;
    let still: HashSet<_> = still.iter().map(|still| still.observed.reference()).collect();
    let passes = |old: &Selected| still.contains(&old.observed.reference());
    for Selected { observed, .. } in selected.iter().filter(|old| !passes(old)) {
        removal.fail(removal::used_meanwhile(observed.reference()));
    }
    selected.retain(passes);
    Ok(())
}

/// The objects that pass a filter, with the reason, and the kinds that could not be listed. The first time,
/// warns about uninspected processes.
fn select(
    namespace: &Namespace,
    filter: &Filter,
    is_verbose: bool,
    is_first: bool,
) -> Result<(Vec<Selected>, Vec<Kind>)> {
    let now = now();
    let (observed, unlisted) = if filter.needs_users() {
        let observation = select::observe(VERB, namespace, filter, now, is_verbose, Length::Shown)?;
        if is_first {
            observation.warn_uninspected(VERB);
        }
        (observation.objects, observation.unlisted)
    } else {
        let Snapshot { mut objects, unlisted } = select::snapshot(VERB, namespace, filter)?;
        objects.retain(|object| filter.may_match(object, now));
        (objects.into_iter().map(Observed::from).collect(), unlisted)
    };
    let explained = observed.into_iter().map(|observed| {
        let reason = filter.reason(&observed, now);
        Selected { observed, reason }
    });
    Ok((explained.collect(), unlisted))
}

/// The selected objects and the reasons.
fn show(selected: &[Selected], format: Format, style: &Style, out: impl Write) -> io::Result<()> {
    if selected.is_empty() {
        return Ok(());
    }
    let section = Section::new(&columns::SELECTED);
    write_rows(format, section, true, selected, style, out)
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to remove these objects.
fn confirm(selected: &[Selected], style: &Style) -> Result<bool> {
    if selected.len() <= SHOWN {
        show(selected, Format::for_screen(&style.screen), style, StandardError)?;
    }
    let kinds = selected.iter().map(|selected| selected.observed.kind());
    write!(StandardError, "remove {}? [y/N] ", counted(kinds))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// `2 message queues, 1 semaphore set`.
pub(super) fn counted(kinds: impl Iterator<Item = Kind> + Clone) -> String {
    let number = |kind| kinds.clone().filter(|other| *other == kind).count() as u64;
    let present = Kind::ALL.into_iter().filter(|&kind| number(kind) > 0);
    let words: Vec<_> = present.map(|kind| count(number(kind), kind.noun())).collect();
    words.join(", ")
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
    let scan = Scan::new(namespace.handle(), &ScanScope::around(marked));
    let explain = |object: &Object| {
        let times = match object {
            Object::Segment(segment) => count(segment.attached, "time"),
            _ => String::new(),
        };
        let notice = Notice::new(format_args!(
            "{verb} {}: still attached {times}, so it was only marked for destruction; the kernel removes it when the last process detaches it",
            object.reference(),
        ));
        let holders = scan.as_ref().ok().and_then(|scan| holders(scan, object));
        holders.into_iter().fold(notice, Notice::with_hint)
    };
    marked.iter().map(explain).collect()
}

/// The processes that have this segment attached, as a hint.
fn holders(scan: &Scan, segment: &Object) -> Option<String> {
    let name = |&(pid, _): &(i32, _)| Process::name(pid).to_string();
    let holders: Vec<_> = scan.present(segment).iter().map(name).collect();
    match (holders.as_slice(), scan.uninspected.len()) {
        ([], 0) => None,
        ([], unseen) => {
            Some(format!("its holder is one of {unseen} processes that could not be inspected"))
        }
        (holders, _) => Some(format!("held by {}", holders.join(", "))),
    }
}
