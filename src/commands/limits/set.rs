//! Sets limits: one number of a sysctl, or all of them at once.

use std::io;

use super::VERB;
use crate::cli::Setting;
use crate::commands::{Result, report_each};
use crate::exit::Status;
use crate::explain::{Failure, Reason};
use crate::ipc::limit::Unit;
use crate::ipc::outcome::{Adjustment, Outcome};
use crate::ipc::{CommandLine, size};
use crate::kernel::Namespace;
use crate::kernel::io::os_error;
use crate::kernel::limits::{self, Limit, Source};
use crate::kernel::process;
use crate::output::stdout::{self, OutputError};
use crate::output::{Format, Section, Style, columns, write_rows};

/// New values of a sysctl.
struct Change {
    /// The name of the limit, or that of the sysctl if all of its numbers are set.
    name: &'static str,
    sysctl: &'static str,
    /// The number at each of these positions.
    numbers: Vec<(usize, u64)>,
}

/// Sets limits, one after the other. All are checked before the first is set.
///
/// `style` is that of the JSON, if that is asked for.
pub(super) fn run(
    namespace: &Namespace,
    settings: &[Setting],
    persist: bool,
    style: Option<&Style>,
) -> Result<Status> {
    let checked = settings.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    let printed = match style {
        Some(_) => {
            set_silently(checked, &mut done, &mut failures);
            Ok(())
        }
        None => set_each(checked, persist, &mut failures),
    };
    // Before the end, whatever has become of the output.
    let (status, failed) = report_each(namespace, &failures);
    printed?;
    if let Some(style) = style {
        done.extend(failed.into_iter().map(Outcome::Failed));
        write_json(&done, style)?;
    }
    Ok(status)
}

/// Prints what was set, and what failed.
pub(super) fn write_json(outcomes: &[Adjustment], style: &Style) -> Result<()> {
    let section = Section::new(&columns::ADJUSTMENT);
    write_rows(Format::Json, section, false, outcomes, style, stdout::buffered()?)
        .map_err(OutputError)?;
    Ok(())
}

/// Sets one limit after the other.
fn set_silently(changes: Vec<Change>, done: &mut Vec<Adjustment>, failures: &mut Vec<Failure>) {
    for change in changes {
        match change.apply() {
            Ok((before, after, _)) => {
                done.push(Outcome::Done { subject: change.name.to_owned(), before, after });
            }
            Err(failure) => failures.push(failure),
        }
    }
}

/// Sets one limit after the other and prints what was set. Stops where that cannot be written.
fn set_each(
    changes: Vec<Change>,
    persist: bool,
    failures: &mut Vec<Failure>,
) -> Result<(), OutputError> {
    for change in changes {
        match change.apply() {
            Ok((before, after, line)) => {
                let mut text = format!("{}: {before} → {after}\n", change.name);
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

fn wrong(what: String) -> Failure {
    Failure::usage(VERB, what)
}

/// What a setting changes, if the limits can be set to these values.
fn check(setting: &Setting) -> Result<Change, Failure> {
    let Setting { name, value } = setting;
    let limits = Limit::find_all(name);
    let mut numbers = Vec::new();
    let (limit, sysctl) = match limits.as_slice() {
        [] => {
            let settable = Limit::ALL.into_iter().filter(|limit| limit.range().is_some());
            let names: Vec<_> = settable.map(Limit::name).collect();
            return Err(wrong(format!("there is no limit '{name}'"))
                .with_hint(format!("limits: {}", names.join(" "))));
        }
        [limit, ..] => (*limit, settable(*limit)?),
    };
    let words: Vec<&str> = match limits.len() {
        1 => vec![value],
        _ => value.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect(),
    };
    if words.len() != limits.len() {
        let names: Vec<_> = limits.iter().map(|limit| limit.name()).collect();
        return Err(wrong(format!(
            "{sysctl} takes {} numbers ({}), not '{value}'",
            limits.len(),
            names.join(" ")
        )));
    }
    for (limit, word) in limits.iter().zip(&words) {
        let Source::Sysctl(_, place) = limit.source() else { continue };
        numbers.push((place, number(*limit, word)?));
    }
    let name = if limits.len() > 1 { sysctl } else { limit.name() };
    Ok(Change { name, sysctl, numbers })
}

/// The sysctl of a limit that can be set.
fn settable(limit: Limit) -> Result<&'static str, Failure> {
    let name = limit.name();
    Err(wrong(match limit.source() {
        Source::Sysctl(sysctl, _) => return Ok(sysctl),
        Source::Constant(value) => format!("{name} is {value} in every kernel and cannot be set"),
        Source::Soft(_) | Source::Hard(_) => {
            format!("{name} is a limit of each process: use ulimit or limits.conf(5)")
        }
        Source::DevShm { inodes } => {
            let option = if inodes { "nr_inodes" } else { "size" };
            return Err(wrong(format!("{name} is an option of the mount of /dev/shm"))
                .with_hint(format!("as root: mount -o remount,{option}=N /dev/shm")));
        }
    }))
}

/// The value for a limit.
fn number(limit: Limit, text: &str) -> Result<u64, Failure> {
    let name = limit.name();
    // Only a limit that can be set gets here.
    let range = limit.range().unwrap_or(0..=0);
    let number = match limit.unit() {
        Unit::Bytes => size::parse(text).ok(),
        // `parse` would accept a sign.
        _ if text.starts_with('+') => None,
        _ => text.parse().ok(),
    };
    match number {
        Some(number) if range.contains(&number) => Ok(number),
        _ => {
            let (least, most) = (range.start(), range.end());
            let failure =
                wrong(format!("{name} takes a number from {least} to {most}, not '{text}'"));
            Err(match (limit, size::parse(text)) {
                (Limit::Shmall, Ok(bytes)) if number.is_none() => {
                    let page = process::page_size();
                    let pages = bytes.div_ceil(page);
                    let set = CommandLine::new("ipctool limits --set").setting(name, pages);
                    failure.with_hint(format!(
                        "it counts pages of {page} bytes; for {bytes} bytes: {set}"
                    ))
                }
                _ => failure,
            })
        }
    }
}

impl Change {
    /// Sets the numbers. Returns the old ones, the new ones, and the line that makes them permanent.
    fn apply(&self) -> Result<(String, String, String), Failure> {
        let Change { name, sysctl, numbers } = self;
        let failed = |what: String| Failure::new(VERB, name, what, Reason::Failed);
        let read = || -> io::Result<Vec<String>> {
            let text = limits::read(sysctl)?;
            Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
        };
        let unreadable =
            |error| failed(format!("cannot read {name}: {}", os_error::describe(&error)));
        let mine = |all: &[String]| {
            let some = numbers.iter().map(|&(place, _)| all.get(place).map_or("?", String::as_str));
            some.collect::<Vec<_>>().join(" ")
        };
        let mut all = read().map_err(unreadable)?;
        let before = mine(&all);
        for &(place, number) in numbers {
            if let Some(old) = all.get_mut(place) {
                *old = number.to_string();
            }
        }
        let (text, wanted) = (all.join(" "), mine(&all));
        limits::write(sysctl, &text)
            .map_err(|error| Failure::of_setting(VERB, name, &wanted, (sysctl, &text), &error))?;
        let after = mine(&read().map_err(unreadable)?);
        if after != wanted {
            return Err(failed(format!(
                "it was set to {wanted}, but the kernel changed it to {after}"
            )));
        }
        Ok((before, after, format!("{sysctl} = {text}")))
    }
}
