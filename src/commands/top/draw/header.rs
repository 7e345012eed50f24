//! The lines above the table: totals, limits, and what doctor finds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::put;
use super::theme::Theme;
use crate::commands::overview::{Facts, Findings};
use crate::commands::top::app::App;
use crate::commands::top::board::Key;
use crate::doctor::NEAR;
use crate::ipc::limit::{Allowance, Unit};
use crate::ipc::{count, duration};
use crate::output::escape;
use crate::output::style::human_size;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme) {
    put(buffer, area, 0, &state(app, theme));
    let Some(facts) = &app.facts else { return };
    put(buffer, area, 1, &totals(facts, usize::from(area.width)));
    put(buffer, area, 2, &troubles(facts, usize::from(area.width), theme));
}

/// What is shown, of what, and how.
fn state(app: &App, theme: &Theme) -> Line<'static> {
    let (all, shown) = app.board.count();
    let objects = match shown == all {
        true => count(all as u64, "object"),
        false => format!("{shown} of {}", count(all as u64, "object")),
    };
    let mut spans =
        vec![Span::styled("ipctool top", theme.title()), Span::raw(format!("  {objects}"))];
    if let Some(place) = &app.place {
        spans.push(Span::raw(format!("  in {}", escape::line(place))));
    }
    if app.is_everywhere {
        spans.push(Span::raw("  all namespaces"));
    }
    match app.is_frozen {
        true => spans.push(Span::styled("  frozen", theme.warning())),
        false => {
            let interval = duration::show(app.interval);
            spans.push(Span::styled(format!("  every {interval}"), theme.aside()));
        }
    }
    let mut more = Vec::new();
    if !app.board.search.is_empty() {
        let search = escape::line(&app.board.search);
        more.push(Span::styled(format!("  with '{search}'"), theme.note()));
    }
    if app.board.key != Key::Kernel || app.board.descends {
        let order = if app.board.descends { ", descending" } else { "" };
        let by = format!("  sorted by {}{order}", app.board.key.name());
        more.push(Span::styled(by, theme.aside()));
    }
    // What does not fit whole would mislead.
    for span in more {
        if spans.iter().map(Span::width).sum::<usize>() + span.width() <= app.columns {
            spans.push(span);
        }
    }
    Line::from(spans)
}

/// How many objects there are of each kind, and what they take.
fn totals(facts: &Facts, columns: usize) -> Line<'static> {
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
        let more = format!("/dev/shm {used}{of}");
        if words.join("  ").len() + 2 + more.len() <= columns {
            words.push(more);
        }
    }
    Line::raw(words.join("  "))
}

/// How much doctor finds, and the fullest limit, as far as there is room.
fn troubles(facts: &Facts, columns: usize, theme: &Theme) -> Line<'static> {
    let Findings { errors, warnings, notes, .. } = &facts.findings;
    let found = [
        (*errors, "error", theme.alarm()),
        (*warnings, "warning", theme.warning()),
        (*notes, "note", theme.note()),
    ];
    let found: Vec<_> = found.into_iter().filter(|(number, ..)| *number > 0).collect();
    let mut spans = Vec::new();
    match found.is_empty() {
        true => spans.push(Span::styled("doctor's quick checks find nothing", theme.aside())),
        false => spans.push(Span::raw("doctor finds ")),
    }
    for (place, (number, word, style)) in found.iter().enumerate() {
        spans.push(Span::raw(if place == 0 { "" } else { ", " }));
        spans.push(Span::styled(count(*number as u64, word), *style));
    }
    if !found.is_empty() {
        spans.push(Span::styled(" (d)", theme.aside()));
    }
    let mut limits: Vec<&Allowance> = facts.limits.iter().collect();
    limits
        .sort_by(|a, b| b.percent().partial_cmp(&a.percent()).unwrap_or(std::cmp::Ordering::Equal));
    if limits.is_empty() {
        spans.push(Span::styled("  limits all below 50 %", theme.aside()));
    }
    for limit in limits {
        let text = format!("  {}", of_limit(limit));
        let line = Line::from(spans.clone());
        if line.width() + text.len() > columns {
            break;
        }
        let style = if limit.is_at(NEAR) { theme.alarm() } else { theme.plain() };
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
    format!("{} {} %: {used} of {most}", limit.name, limit.percent().unwrap_or(0.0).floor())
}
