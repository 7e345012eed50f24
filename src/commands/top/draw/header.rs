//! The lines above the table: totals, limits, and what doctor finds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::put;
use crate::commands::overview::{Facts, Findings};
use crate::commands::top::app::App;
use crate::commands::top::board::Key;
use crate::doctor::NEAR;
use crate::ipc::limit::{Allowance, Unit};
use crate::ipc::{count, duration};
use crate::output::escape;
use crate::output::style::human_size;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App, look: &Look) {
    put(buffer, area, 0, &state(app, look));
    let Some(facts) = &app.facts else { return };
    put(buffer, area, 1, &totals(facts));
    put(buffer, area, 2, &troubles(facts, usize::from(area.width), look));
}

/// What is shown, of what, and how.
fn state(app: &App, look: &Look) -> Line<'static> {
    let (all, shown) = app.board.count();
    let objects = match shown == all {
        true => count(all as u64, "object"),
        false => format!("{shown} of {}", count(all as u64, "object")),
    };
    let mut spans =
        vec![Span::styled("ipctool top", look.title()), Span::raw(format!("  {objects}"))];
    if let Some(place) = &app.place {
        spans.push(Span::raw(format!("  in {}", escape::line(place))));
    }
    if app.is_everywhere {
        spans.push(Span::raw("  all namespaces"));
    }
    match app.is_frozen {
        true => spans.push(Span::styled("  frozen", look.warning())),
        false => {
            let interval = duration::show(app.interval);
            spans.push(Span::styled(format!("  every {interval}"), look.aside()));
        }
    }
    if app.board.key != Key::Kernel || app.board.descends {
        let order = if app.board.descends { ", descending" } else { "" };
        let by = format!("  by {}{order}", app.board.key.name());
        spans.push(Span::styled(by, look.aside()));
    }
    if !app.board.search.is_empty() {
        let search = escape::line(&app.board.search);
        spans.push(Span::styled(format!("  with '{search}'"), look.note()));
    }
    Line::from(spans)
}

/// How many objects there are of each kind, and what they take.
fn totals(facts: &Facts) -> Line<'static> {
    let mut words = Vec::new();
    for summary in &facts.kinds {
        let number = summary.count.map_or_else(|| "?".to_owned(), |number| number.to_string());
        words.push(format!("{number} {}", summary.kind.name()));
    }
    let memory: u64 = facts.kinds.iter().filter_map(|summary| summary.memory).sum();
    words.push(format!("memory {}", human_size(memory)));
    if let Some(space) = &facts.dev_shm {
        let used = human_size(space.used_bytes);
        let of = space.bytes.map(|bytes| format!(" of {}", human_size(bytes))).unwrap_or_default();
        words.push(format!("/dev/shm {used}{of}"));
    }
    Line::raw(words.join("  "))
}

/// How much doctor finds, and the fullest limit, as far as there is room.
fn troubles(facts: &Facts, columns: usize, look: &Look) -> Line<'static> {
    let Findings { errors, warnings, notes, .. } = &facts.findings;
    let found = [
        (*errors, "error", look.alarm()),
        (*warnings, "warning", look.warning()),
        (*notes, "note", look.note()),
    ];
    let found: Vec<_> = found.into_iter().filter(|(number, ..)| *number > 0).collect();
    let mut spans = Vec::new();
    match found.is_empty() {
        true => spans.push(Span::styled("doctor finds nothing at a glance", look.aside())),
        false => spans.push(Span::raw("doctor finds ")),
    }
    for (place, (number, word, style)) in found.iter().enumerate() {
        spans.push(Span::raw(if place == 0 { "" } else { ", " }));
        spans.push(Span::styled(count(*number as u64, word), *style));
    }
    if !found.is_empty() {
        spans.push(Span::styled(" (d)", look.aside()));
    }
    let mut limits: Vec<&Allowance> = facts.limits.iter().collect();
    limits
        .sort_by(|a, b| b.percent().partial_cmp(&a.percent()).unwrap_or(std::cmp::Ordering::Equal));
    if limits.is_empty() {
        spans.push(Span::styled("  limits all below 50 %", look.aside()));
    }
    for limit in limits {
        let text = format!("  {}", of_limit(limit));
        let line = Line::from(spans.clone());
        if line.width() + text.len() > columns {
            break;
        }
        let style = if limit.is_at(NEAR) { look.alarm() } else { look.plain() };
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}

fn of_limit(limit: &Allowance) -> String {
    let number = |number: u64| match limit.unit {
        Unit::Bytes => human_size(number),
        Unit::Count(_) | Unit::Switch => number.to_string(),
    };
    let used = number(limit.used.unwrap_or(0));
    let most = limit.limit.number().map_or_else(|| "unlimited".to_owned(), number);
    format!("{} {:.0} %: {used} of {most}", limit.name, limit.percent().unwrap_or(0.0))
}
