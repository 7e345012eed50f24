//! `ipctool limits`: shows limits and how much of each is used, or sets them.

use crate::commands::report_all;
use crate::kernel::Namespace;
use std::io;

use super::{report, resolve};
use crate::cli::{Limits, Setting};
use crate::commands::Result;
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::limit::Allowance;
use crate::ipc::{Kind, Reference};
use crate::kernel::error::ReadError;
use crate::kernel::io::os_error;
use crate::kernel::limits::{self, Limit, Source, Unit};
use crate::kernel::process;
use crate::output::columns;
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, write_rows};

const VERB: &str = "limits";

pub(super) fn run(args: Limits, namespace: &Namespace, mut style: Style) -> Result<Status> {
    if !args.set.is_empty() {
        return set(namespace, &args.set, args.persist);
    }
    if let (Some(bytes), Some(queue)) = (args.queue_bytes, args.queue) {
        return queue_bytes(namespace, &queue, bytes);
    }
    let format = args.format.chosen();
    style.human_sizes = format == Format::Table && !args.bytes;
    let (mut allowances, unseen) = survey(namespace)?;
    if let Some(error) = unseen {
        let what = format!("its use is unknown: {error}");
        let failure = Failure::of_reading(VERB, "RLIMIT_MSGQUEUE", &error).with_message(what);
        report(namespace, failure);
    }
    if let Some(mark) = args.check {
        allowances.retain(|allowance| allowance.is_at(mark));
        // For a program an empty result is still a valid document.
        if allowances.is_empty() && !format.is_for_machines() {
            return Ok(Status::Done);
        }
    }
    let has_findings = args.check.is_some() && !allowances.is_empty();
    // The explanation of each limit is too wide for a table.
    let is_shown = |name| format.is_for_machines() || name != "about";
    let columns = columns::LIMIT.iter().filter(|column| is_shown(column.name));
    let section = Section::new(columns);
    write_rows(format, section, !args.no_headings, &allowances, &style, stdout::buffered()?)
        .map_err(OutputError)?;
    Ok(if has_findings { Status::Findings } else { Status::Done })
}

/// Every limit with its use in an IPC namespace, and why the use of the limits of POSIX queues is unknown, if
/// it is.
fn survey(namespace: &Namespace) -> Result<(Vec<Allowance>, Option<ReadError>)> {
    let mut snapshot = namespace.snapshot(Kind::SYSTEM_V)?;
    let unseen = match namespace.snapshot([Kind::Pmsg]) {
        Ok(queues) => {
            snapshot.objects.extend(queues.objects);
            None
        }
        Err(error) => {
            snapshot.unlisted.push(Kind::Pmsg);
            Some(error)
        }
    };
    Ok((limits::survey(&snapshot, process::uid()), unseen))
}

/// Sets limits, one after the other. All are checked before the first is set.
fn set(namespace: &Namespace, settings: &[Setting], persist: bool) -> Result<Status> {
    let checked = settings.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    let mut failures = Vec::new();
    let printed = set_each(checked, persist, &mut failures);
    // Before the end, whatever has become of the output.
    let status = report_all(namespace, &failures);
    printed?;
    Ok(status)
}

/// Sets one limit after the other and prints what was set. Stops where that cannot be written.
fn set_each(
    settings: Vec<(Limit, u64)>,
    persist: bool,
    failures: &mut Vec<Failure>,
) -> Result<(), OutputError> {
    for (limit, value) in settings {
        match set_one(limit, value) {
            Ok((before, after, line)) => {
                let mut text = format!("{}: {before} → {after}\n", limit.name());
                if persist {
                    // A line for a file in /etc/sysctl.d, which the user writes.
                    text += &format!("{line}\n");
                }
                stdout::print(&text)?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    Ok(())
}

/// The limit and the value of a setting, if the limit can be set to that value.
fn check(setting: &Setting) -> Result<(Limit, u64), Failure> {
    let Setting { name, value } = setting;
    let wrong = |what: String| Failure::usage(VERB, what);
    let limit = Limit::find(name).ok_or_else(|| {
        let settable = Limit::ALL.into_iter().filter(|limit| limit.range().is_some());
        let names: Vec<_> = settable.map(Limit::name).collect();
        wrong(format!("there is no limit '{name}'"))
            .with_hint(format!("limits: {}", names.join(" ")))
    })?;
    let range = limit.range().ok_or_else(|| {
        wrong(match limit.source() {
            Source::Constant(value) => {
                format!("{name} is {value} in every kernel and cannot be set")
            }
            _ => format!("{name} is a limit of each process: use ulimit or limits.conf(5)"),
        })
    })?;
    let number = match limit.unit() {
        Unit::Bytes => crate::ipc::size::parse(value).ok(),
        // `parse` would accept a sign.
        _ if value.starts_with('+') => None,
        _ => value.parse().ok(),
    };
    match number {
        Some(number) if range.contains(&number) => Ok((limit, number)),
        _ => Err(wrong(format!(
            "{name} takes a number from {} to {}, not '{value}'",
            range.start(),
            range.end()
        ))),
    }
}

/// Sets one limit. Returns the old value, the new value, and the line that makes it permanent.
fn set_one(limit: Limit, value: u64) -> Result<(u64, u64, String), Failure> {
    let failed = |what: String| Failure::new(VERB, limit.name(), what, Reason::Failed);
    let Some(setting) = limit.sysctl_with(value) else {
        return Err(failed("it cannot be set".to_owned()));
    };
    let unreadable = |error: &io::Error| {
        failed(format!("cannot read {}: {}", limit.name(), os_error::describe(error)))
    };
    let (sysctl, text) = setting.map_err(|error| unreadable(&error))?;
    let before = limit.value().unwrap_or_default();
    limits::write(sysctl, &text)
        .map_err(|error| Failure::of_setting(VERB, limit.name(), value, (sysctl, &text), &error))?;
    match limit.value() {
        Some(after) if after == value => Ok((before, after, format!("{sysctl} = {text}"))),
        after => Err(failed(format!(
            "it was set to {value}, but the kernel changed it to {}",
            after.map_or("unreadable".to_owned(), |after| after.to_string())
        ))),
    }
}

/// Sets `msg_qbytes` of one queue.
fn queue_bytes(namespace: &Namespace, reference: &Reference, bytes: u64) -> Result<Status> {
    let resolved = resolve(VERB, namespace, reference)?;
    let before = namespace
        .set_max_bytes(&resolved, bytes)
        .map_err(|error| Failure::of_queue_bytes(VERB, reference, bytes, error))?;
    stdout::print(&format!("{resolved}: {before} → {bytes}\n"))?;
    Ok(Status::Done)
}
