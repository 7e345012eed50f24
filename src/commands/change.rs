//! One change to several objects, for `ipctool chmod` and `ipctool chown`.

use super::request::{Request, Usage};
use super::{Result, consent, print_error, remark, report_all, report_each, resolve, select};
use crate::cli::Changing;
use crate::exit::Status;
use crate::explain::{Failure, Notice, Reason};
use crate::ipc::outcome::{Access, Outcome};
use crate::ipc::process::observed::Selected;
use crate::ipc::{
    Caller, Change, CommandLine, Filter, Kind, Mode, Observed, Permissions, Reference,
};
use crate::kernel::error::MOUNT_HINT;
use crate::kernel::process::accounts::{group, user};
use crate::kernel::sysv::permissions::Changed;
use crate::kernel::{CallError, Namespace, ReadError, process};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, columns, write_rows};

/// Changes as many objects as possible and reports each failure. What a filter selects is changed only
/// after a yes.
pub(super) fn to_all(
    usage: Usage,
    namespace: &Namespace,
    args: Changing,
    change: &Change,
    style: Style,
) -> Result<Status> {
    let manner = Manner::of(usage.verb, &args);
    // The question is asked on standard error.
    let style = if manner.is_dry { style } else { style.on_stderr() };
    let request = Request::read(usage, namespace, &args.references, args.selecting, false)?;
    let (mut done, mut failures) = (Vec::new(), request.failures);
    let mut selected = Vec::new();
    if let Some(filter) = &request.filter {
        match choose(namespace, filter, manner, &style, &mut failures)? {
            Some(chosen) => selected = chosen,
            None => return Ok(report_all(namespace, &failures).and(Status::Failed)),
        }
    }
    if manner.is_dry {
        let printed = show(namespace, manner, &request.named, selected, &style, &mut failures);
        let status = report_all(namespace, &failures);
        return printed.map(|()| status);
    }
    let targets = request.named.into_iter().map(Target::Named);
    let targets = targets.chain(selected.into_iter().map(Box::new).map(Target::Selected));
    let printed = change_each(namespace, manner, targets, change, (&mut done, &mut failures));
    // Before the end, whatever has become of the output.
    let (status, failed) = report_each(namespace, &failures);
    printed?;
    if manner.is_json {
        done.extend(failed.into_iter().map(Outcome::Failed));
        let section = Section::new(&columns::ACCESS);
        write_rows(Format::Json, section, false, &done, &style, stdout::buffered()?)
            .map_err(OutputError)?;
    }
    Ok(status)
}

/// How to change objects.
#[derive(Clone, Copy, Debug)]
struct Manner {
    verb: &'static str,
    /// Only show the objects.
    is_dry: bool,
    /// Ask before changing what a filter selected.
    asks: bool,
    /// Print what was changed, and what was skipped.
    is_verbose: bool,
    /// Do not warn about access that is lost.
    is_quiet: bool,
    /// Print JSON.
    is_json: bool,
}

impl Manner {
    fn of(verb: &'static str, args: &Changing) -> Manner {
        let &Changing { dry_run, yes, verbose, force, json, .. } = args;
        Manner {
            verb,
            is_dry: dry_run,
            asks: !yes,
            is_verbose: verbose,
            is_quiet: force,
            is_json: json,
        }
    }
}

/// An object to change.
enum Target {
    Named(Reference),
    Selected(Box<Selected>),
}

/// The objects to change of those that the filter selects, or `None` if the answer to the question is no.
/// A dry run takes them all.
fn choose(
    namespace: &Namespace,
    filter: &Filter,
    manner: Manner,
    style: &Style,
    failures: &mut Vec<Failure>,
) -> Result<Option<Vec<Selected>>> {
    let Manner { verb, .. } = manner;
    if manner.asks && !manner.is_dry && !consent::can_ask() {
        let what = "a filter needs --yes if there is no terminal to ask on";
        return Err(Failure::usage(verb, what).into());
    }
    let mut selected = select::select(verb, namespace, filter, manner.is_verbose)?.selected;
    if selected.is_empty() && !manner.is_json {
        remark(style, "no object matches");
    }
    if manner.asks && !manner.is_dry && !selected.is_empty() {
        if !consent::confirm(verb, &selected, style)? {
            return Ok(None);
        }
        let changed = select::spare_changed(verb, namespace, filter, &mut selected)?;
        failures.extend(changed.into_iter().map(|reference| not_changed(verb, reference)));
    }
    Ok(Some(selected))
}

fn not_changed(verb: &'static str, reference: Reference) -> Failure {
    let what = "not changed: it no longer passes the filter";
    Failure::new(verb, reference, what, Reason::Failed)
}

/// Shows what would be changed.
fn show(
    namespace: &Namespace,
    manner: Manner,
    named: &[Reference],
    selected: Vec<Selected>,
    style: &Style,
    failures: &mut Vec<Failure>,
) -> Result<()> {
    let mut found = Vec::new();
    for reference in named {
        match namespace.read(reference) {
            Ok(object) => found.push(consent::named(object)),
            Err(error) => failures.push(Failure::of_call(manner.verb, reference, error)),
        }
    }
    if manner.is_json {
        found.extend(selected);
        let section = Section::new(&columns::SELECTED);
        return Ok(write_rows(Format::Json, section, false, &found, style, stdout::buffered()?)
            .map_err(OutputError)?);
    }
    for one in &found {
        stdout::print(&format!("{}\n", one.observed.reference()))?;
    }
    let out = stdout::buffered()?;
    Ok(consent::show(&selected, Format::fitting(), style, out).map_err(OutputError)?)
}

/// Changes one object after the other and prints what was changed. Stops where that cannot be written.
fn change_each(
    namespace: &Namespace,
    manner: Manner,
    targets: impl Iterator<Item = Target>,
    change: &Change,
    (done, failures): (&mut Vec<Access>, &mut Vec<Failure>),
) -> Result<(), OutputError> {
    let verb = manner.verb;
    for target in targets {
        let changed = match &target {
            Target::Named(reference) => to_one(verb, namespace, reference, change).map(Some),
            Target::Selected(selected) => to_selected(verb, namespace, selected, change),
        };
        match changed {
            Ok(None) => {}
            Ok(Some((reference, changed))) => {
                if manner.is_verbose && !manner.is_json {
                    stdout::print(&format!("{reference}: {}\n", difference(&changed)))?;
                }
                if !manner.is_quiet {
                    let caller = process::caller(namespace.handle(), reference.kind);
                    warn(verb, namespace, &reference, &changed, &caller);
                }
                let Changed { before, after } = changed;
                done.push(Outcome::Done { subject: reference.to_string(), before, after });
            }
            Err(failure) => failures.push(failure),
        }
    }
    Ok(())
}

fn to_one(
    verb: &'static str,
    namespace: &Namespace,
    reference: &Reference,
    change: &Change,
) -> Result<(Reference, Changed), Failure> {
    let resolved = resolve(verb, namespace, reference)?;
    let changed = namespace
        .change(&resolved, change)
        .map_err(|error| Failure::of_change(verb, reference, error))?;
    Ok((resolved, changed))
}

/// Changes an object that a person has seen. Returns how.
pub(super) fn to_observed(
    verb: &'static str,
    namespace: &Namespace,
    observed: &Observed,
    change: &Change,
) -> Result<String, Failure> {
    let reference = observed.reference();
    let failed = |error| Failure::of_change(verb, &reference, error);
    if is_another(namespace, observed).map_err(failed)? {
        let what = "not changed: its name belongs to another object now";
        return Err(Failure::new(verb, &reference, what, Reason::Failed));
    }
    let changed = namespace.change(&reference, change).map_err(failed)?;
    let caller = process::caller(namespace.handle(), reference.kind);
    warn(verb, namespace, &reference, &changed, &caller);
    Ok(format!("{reference}: {}", difference(&changed)))
}

/// Changes a selected object. It may be gone by now, which is no failure; a name may belong to another
/// object by now, which is left alone.
fn to_selected(
    verb: &'static str,
    namespace: &Namespace,
    selected: &Selected,
    change: &Change,
) -> Result<Option<(Reference, Changed)>, Failure> {
    let reference = selected.observed.reference();
    let changed = match is_another(namespace, &selected.observed) {
        Ok(true) => return Err(not_changed(verb, reference)),
        Ok(false) => namespace.change(&reference, change),
        Err(error) => Err(error),
    };
    match changed {
        Ok(changed) => Ok(Some((reference, changed))),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(Failure::of_change(verb, &reference, error)),
    }
}

/// Whether the name of a POSIX object belongs to another one by now. An id never does.
pub(super) fn is_another(namespace: &Namespace, seen: &Observed) -> Result<bool, CallError> {
    if seen.object.file().is_none() {
        return Ok(false);
    }
    let now = namespace.read(&seen.reference())?;
    Ok(select::identity(&now) != select::identity(&seen.object))
}

/// Warns callers who have lost access to an object, and shows how to undo the change.
fn warn(
    verb: &str,
    namespace: &Namespace,
    reference: &Reference,
    changed: &Changed,
    caller: &Caller,
) {
    let (before, after) = (changed.before.access(caller), changed.after.access(caller));
    let lost: Vec<_> = [
        (before.read && !after.read, "read"),
        (before.write && !after.write, "write"),
        (before.control && !after.control, "change"),
        (before.control && !after.control, "remove"),
    ]
    .into_iter()
    .filter_map(|(is_lost, word)| is_lost.then_some(word))
    .collect();
    let lost = match lost.as_slice() {
        [] => return,
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    };
    let is_out_of_reach = || {
        reference.kind == Kind::Pmsg
            && matches!(namespace.snapshot([Kind::Pmsg]), Err(ReadError::Queues(_)))
    };
    let undo = if !(after.read || after.write) && is_out_of_reach() {
        format!("undoing this needs the file of the queue; {MOUNT_HINT}")
    } else if !after.control {
        let Permissions { uid, cuid, .. } = changed.after;
        let owner = user(uid).to_string();
        let who = if uid == cuid { owner } else { format!("{owner}, the creator {}", user(cuid)) };
        format!("only {who} or a privileged process can undo this")
    } else if changed.before.mode != changed.after.mode {
        // Execute bits mean nothing, and chmod rejects them.
        let before = Mode::from_bits(changed.before.mode.bits() & 0o666);
        let command = CommandLine::new("ipctool chmod").word(before).word(reference);
        format!("to undo this: {command}")
    } else {
        let Permissions { uid, gid, .. } = changed.before;
        let owner = [user(uid).as_ref(), b":", group(gid).as_ref()].concat();
        let command = CommandLine::new("ipctool chown").operand(owner).word(reference);
        format!("to undo this: {command}")
    };
    let warning = format_args!("{verb} {reference}: warning: you can no longer {lost} it");
    print_error(Notice::new(warning).with_hint(undo));
}

/// The old and new values that differ.
fn difference(changed: &Changed) -> String {
    let Changed { before, after } = changed;
    let owner =
        |permissions: &Permissions| format!("{}:{}", user(permissions.uid), group(permissions.gid));
    let mode = |permissions: &Permissions| {
        format!("{} ({})", permissions.mode, permissions.mode.symbolic())
    };
    let mut differences = Vec::new();
    if before.mode != after.mode {
        differences.push(format!("{} → {}", mode(before), mode(after)));
    }
    if (before.uid, before.gid) != (after.uid, after.gid) {
        differences.push(format!("{} → {}", owner(before), owner(after)));
    }
    match differences.as_slice() {
        [] => format!("unchanged, {}, {}", mode(after), owner(after)),
        differences => differences.join(", "),
    }
}
