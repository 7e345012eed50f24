//! One change to several objects, for `ipctool chmod` and `ipctool chown`.

use super::{print_error, report_each, resolve};
use crate::cli::Changing;
use crate::exit::Status;
use crate::explain::{Failure, Notice};
use crate::ipc::outcome::{Access, Outcome};
use crate::ipc::{Caller, Change, CommandLine, Kind, Mode, Permissions, Reference};
use crate::kernel::error::MOUNT_HINT;
use crate::kernel::process::accounts::{group, user};
use crate::kernel::sysv::permissions::Changed;
use crate::kernel::{Namespace, ReadError, process};
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, columns, write_rows};

/// Changes as many objects as possible and reports each failure.
pub(super) fn to_all(
    verb: &'static str,
    namespace: &Namespace,
    args: &Changing,
    change: &Change,
    style: &Style,
) -> Result<Status, OutputError> {
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    let printed = change_each(verb, namespace, args, change, (&mut done, &mut failures));
    // Before the end, whatever has become of the output.
    let (status, failed) = report_each(namespace, &failures);
    printed?;
    if args.json {
        done.extend(failed.into_iter().map(Outcome::Failed));
        let section = Section::new(&columns::ACCESS);
        write_rows(Format::Json, section, false, &done, style, stdout::buffered()?)
            .map_err(OutputError)?;
    }
    Ok(status)
}

/// Changes one object after the other and prints what was changed. Stops where that cannot be written.
fn change_each(
    verb: &'static str,
    namespace: &Namespace,
    args: &Changing,
    change: &Change,
    (done, failures): (&mut Vec<Access>, &mut Vec<Failure>),
) -> Result<(), OutputError> {
    for reference in &args.references {
        match to_one(verb, namespace, reference, change) {
            Ok((reference, changed)) => {
                if args.verbose && !args.json {
                    stdout::print(&format!("{reference}: {}\n", difference(&changed)))?;
                }
                if !args.force {
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
