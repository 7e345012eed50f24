//! One object as text: a line for each of its columns, then its semaphores and its processes.

use std::io;

use crate::ipc::Observed;
use crate::output::page::{Page, Surroundings};
use crate::output::{Column, Format, Section, Style, columns, write_rows};

/// The page about an object.
pub(super) fn sheet(observed: &Observed, around: &Surroundings<'_>) -> io::Result<String> {
    let mut page = Page::new(format_args!("{}  {}", observed.reference(), observed.kind().noun()));
    columns::on_page(observed.kind())
        .for_each(|column| column.write_to_page(observed, around, &mut page));
    if let Some(semaphores) = &observed.semaphores {
        page.block("semaphores", &rows(semaphores, &columns::SEMAPHORE, around.style)?);
    }
    if !observed.users().is_empty() {
        page.block("processes", &rows(observed.users(), &columns::USER, around.style)?);
    }
    Ok(page.into_text())
}

fn rows<T>(rows: &[T], columns: &'static [Column<T>], style: &Style) -> io::Result<String> {
    let mut text = Vec::new();
    write_rows(
        Format::fitting(),
        Section::new(columns).indented(Page::INDENT),
        true,
        rows,
        style,
        &mut text,
    )?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
