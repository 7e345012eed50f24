//! Asks before a command acts on what a filter selected.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::commands::Result;
use crate::ipc::process::observed::Selected;
use crate::ipc::{Kind, Object, Observed, count};
use crate::kernel::io::stdio::StandardError;
use crate::output::{Format, Section, Style, columns, write_rows};

/// The most objects that are listed before the question.
const SHOWN: usize = 20;

/// Writes the selected objects and the reasons.
pub(super) fn show(
    selected: &[Selected],
    format: Format,
    style: &Style,
    out: impl Write,
) -> io::Result<()> {
    if selected.is_empty() {
        return Ok(());
    }
    let section = Section::new(&columns::SELECTED);
    write_rows(format, section, true, selected, style, out)
}

/// An object that was named, for a dry run.
pub(super) fn named(object: Object) -> Selected {
    Selected { observed: Observed::from(object), reason: "it was named".to_owned() }
}

/// Whether there is a terminal to ask on.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to do this to these objects. Anything but yes is no.
pub(super) fn confirm(question: &str, selected: &[Selected], style: &Style) -> Result<bool> {
    if selected.len() <= SHOWN {
        show(selected, Format::for_screen(&style.screen), style, StandardError)?;
    }
    let kinds = selected.iter().map(|selected| selected.observed.kind());
    write!(StandardError, "{question} {}? [y/N] ", counted(kinds))?;
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
