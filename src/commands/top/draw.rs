//! Draws the screen. Pure: everything that is drawn is in the [`App`].

mod header;
mod look;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub(super) use look::Look;

use super::app::{App, Mode, Text};
use crate::ipc::finding::{Finding, Severity};
use crate::output::{Format, Section, columns, escape, width, write_rows};

/// From how many rows on the header has all of its lines, and the users of the selected object are shown.
const ROOMY: u16 = 16;

/// The least rows of the table, with its heading.
const TABLE: u16 = 4;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, look: &Look) {
    let area = frame.area();
    app.columns = usize::from(area.width);
    let buffer = frame.buffer_mut();
    // What was there before is drawn over.
    buffer.reset();
    let header = match area.height {
        ROOMY.. => 3,
        7..ROOMY => 1,
        _ => 0,
    };
    let foot = u16::from(area.height > 2);
    let (top, rest) = split(area, header);
    let (middle, bottom) = split(rest, rest.height.saturating_sub(foot));
    header::draw(buffer, top, app, look);
    draw_middle(buffer, middle, app, look);
    draw_foot(buffer, bottom, app, look);
}

/// The upper rows of an area, and the others.
fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect { height: rows, ..area };
    (upper, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// Writes a line; what is too long for the screen is cut.
fn put(buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

fn draw_middle(buffer: &mut Buffer, area: Rect, app: &mut App, look: &Look) {
    // A list of choices, a text or findings take the place of the table.
    app.page = usize::from(area.height.saturating_sub(1)).max(1);
    match &app.mode {
        Mode::Table | Mode::Search(_) | Mode::Chmod(..) | Mode::Ask(..) => {
            let below = match area.height >= TABLE + 8 {
                true => (area.height / 3).min(12),
                false => 0,
            };
            let (upper, lower) = split(area, area.height - below);
            app.page = usize::from(upper.height.saturating_sub(1)).max(1);
            table::draw(buffer, upper, app, look);
            draw_users(buffer, lower, app, look);
        }
        Mode::Sort(keys, marked) => {
            let item = |key: &super::board::Key| match *key == app.board.key {
                true if app.board.descends => format!("{} (descending now)", key.name()),
                true => format!("{} (ascending now)", key.name()),
                false => key.name().to_owned(),
            };
            let items: Vec<_> = keys.iter().map(item).collect();
            draw_choices(buffer, area, "Sort by", &items, *marked, look);
        }
        Mode::Kinds(marked) => {
            let item = |(number, kind): (usize, &crate::ipc::Kind)| {
                let mark = if app.board.kinds.contains(kind) { 'x' } else { ' ' };
                format!("[{mark}] {} {:<5} {}s", number + 1, kind.name(), kind.noun())
            };
            let items: Vec<_> = app.all_kinds.iter().enumerate().map(item).collect();
            draw_choices(buffer, area, "Kinds of objects", &items, *marked, look);
        }
        Mode::Text(text) => draw_text(buffer, area, text, look),
        Mode::Findings(findings, marked) => draw_findings(buffer, area, findings, *marked, look),
    }
}

/// The first item of a list that is shown so that the marked one can be seen.
fn first_shown(marked: usize, rows: usize) -> usize {
    (marked + 1).saturating_sub(rows.max(1))
}

fn draw_choices(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    items: &[String],
    marked: usize,
    look: &Look,
) {
    put(buffer, area, 0, &Line::styled(title.to_owned(), look.title()));
    let rows = usize::from(area.height.saturating_sub(1));
    let first = first_shown(marked, rows);
    for (row, (place, item)) in items.iter().enumerate().skip(first).take(rows).enumerate() {
        let style = if place == marked { look.selected() } else { look.plain() };
        put(buffer, area, row as u16 + 1, &Line::styled(format!("  {item} "), style));
    }
}

fn draw_text(buffer: &mut Buffer, area: Rect, text: &Text, look: &Look) {
    let rows = usize::from(area.height.saturating_sub(1));
    let left = text.lines.len().saturating_sub(text.top + rows);
    let more = match (text.top, left) {
        (0, 0) => String::new(),
        (_, 0) => "  (end)".to_owned(),
        (_, left) => format!("  ({left} more below)"),
    };
    let title = Span::styled(escape::line(&text.title), look.title());
    put(buffer, area, 0, &Line::from(vec![title, Span::styled(more, look.aside())]));
    for (row, line) in text.lines.iter().skip(text.top).take(rows).enumerate() {
        put(buffer, area, row as u16 + 1, &Line::raw(escape::line(line)));
    }
}

fn draw_findings(
    buffer: &mut Buffer,
    area: Rect,
    findings: &[Finding],
    marked: usize,
    look: &Look,
) {
    let number = findings.len();
    let title = format!("What doctor finds ({} of {number})", marked + 1);
    put(buffer, area, 0, &Line::styled(title, look.title()));
    let mut lines: Vec<Line<'static>> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for (place, finding) in findings.iter().enumerate() {
        if place == marked {
            start = lines.len();
        }
        lines.extend(of_finding(finding, place == marked, usize::from(area.width), look));
        if place == marked {
            end = lines.len();
        }
    }
    // The marked one is shown whole, if it fits.
    let rows = usize::from(area.height.saturating_sub(1));
    let first = end.saturating_sub(rows).min(start);
    for (row, line) in lines.iter().skip(first).take(rows).enumerate() {
        put(buffer, area, row as u16 + 1, line);
    }
}

fn of_finding(
    finding: &Finding,
    is_marked: bool,
    columns: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let severity = match finding.severity {
        Severity::Error => look.alarm(),
        Severity::Warning => look.warning(),
        Severity::Note => look.note(),
    };
    let mut what = String::new();
    if let Some(first) = &finding.reference {
        what += &format!("  {first}");
        match finding.references.len().saturating_sub(1) {
            0 => {}
            more => what += &format!(" and {more} more"),
        }
    }
    if let Some(home) = &finding.home {
        what += &format!("  in {}", home.name());
    }
    what += &format!("  {}", finding.check);
    let style = if is_marked { look.selected() } else { look.plain() };
    let mut lines = vec![Line::from(vec![
        Span::styled(finding.severity.name(), severity),
        Span::styled(escape::line(&what), style),
    ])];
    let options = width::between_words(columns.max(10));
    let why = width::wrapped(&escape::line(&finding.why), options);
    lines.extend(why.into_iter().map(Line::raw));
    if let Some(fix) = &finding.fix {
        // It is copied and run as it is, so it is shown whole.
        let fix = width::wrapped(
            &escape::line(&format!("fix: {fix}")),
            width::between_words(columns.max(10)),
        );
        lines.extend(fix.into_iter().map(|line| Line::styled(line, look.note())));
    }
    lines.push(Line::default());
    lines
}

/// The processes that use the selected object.
fn draw_users(buffer: &mut Buffer, area: Rect, app: &App, look: &Look) {
    if area.height == 0 {
        return;
    }
    let Some(selected) = app.board.selected() else { return };
    let reference = selected.reference();
    let title = format!("{} processes of {reference} ", look.rule(2));
    let rest = look.rule(usize::from(area.width).saturating_sub(width::of(&title)));
    put(buffer, area, 0, &Line::styled(escape::line(&title) + &rest, look.aside()));
    let known = app.observed.as_ref().filter(|observed| observed.reference() == reference);
    let Some(observed) = known else { return };
    let users = observed.users();
    if users.is_empty() {
        let unseen = observed.may_miss_users();
        let none = if unseen { "none that can be seen" } else { "none" };
        put(buffer, area, 1, &Line::styled(none, look.aside()));
        return;
    }
    let mut style = crate::output::Style::new(app.style.now);
    style.time_format = app.style.time_format;
    style.screen.columns = Some(usize::from(area.width));
    let shown = usize::from(area.height).saturating_sub(2);
    let section = Section::new(&columns::USER);
    let mut text = Vec::new();
    let rows = &users[..users.len().min(shown.max(1))];
    if write_rows(Format::Table, section, true, rows, &style, &mut text).is_err() {
        return;
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    // Without the rule under the heading.
    let lines = text.lines().enumerate().filter(|(number, _)| *number != 1).map(|(_, line)| line);
    for (row, line) in lines.enumerate() {
        let style = if row == 0 { look.title() } else { look.plain() };
        put(buffer, area, row as u16 + 1, &Line::styled(line.to_owned(), style));
    }
}

/// What can be pressed, or what there is to say or to answer.
fn draw_foot(buffer: &mut Buffer, area: Rect, app: &App, look: &Look) {
    let line = match (&app.mode, &app.message) {
        (Mode::Ask(question, _), _) => {
            let question = Span::styled(escape::line(question), look.warning());
            Line::from(vec![
                question,
                Span::raw("  y yes"),
                Span::styled("  any other key: no", look.aside()),
            ])
        }
        (_, Some(message)) => Line::styled(escape::line(message), look.warning()),
        (Mode::Table, None) if let Some(trouble) = &app.trouble => {
            Line::styled(escape::line(trouble), look.alarm())
        }
        (Mode::Search(_), None) => Line::from(vec![
            Span::styled("filter: ", look.title()),
            Span::raw(escape::line(&app.board.search)),
            Span::styled("_", look.selected()),
            Span::styled("  Enter keep  Esc back", look.aside()),
        ]),
        (Mode::Chmod(observed, input), None) => {
            let mode = observed.permissions().mode;
            Line::from(vec![
                Span::styled(format!("mode of {} ({mode}): ", observed.reference()), look.title()),
                Span::raw(escape::line(input)),
                Span::styled("_", look.selected()),
                Span::styled("  Enter change  Esc back", look.aside()),
            ])
        }
        (Mode::Table, None) => keys(&TABLE_KEYS, area.width, look),
        (Mode::Sort(..), None) => keys(&[("Enter", "sort"), ("Esc", "back")], area.width, look),
        (Mode::Kinds(_), None) => {
            keys(&[("space", "on and off"), ("Esc", "back")], area.width, look)
        }
        (Mode::Text(_), None) => keys(&[("up down", "scroll"), ("q", "back")], area.width, look),
        (Mode::Findings(..), None) => keys(
            &[("up down", "choose"), ("Enter", "run the fix"), ("q", "back")],
            area.width,
            look,
        ),
    };
    put(buffer, area, 0, &line);
}

/// The keys of the table, the most telling first: those that do not fit are left out.
const TABLE_KEYS: [(&str, &str); 11] = [
    ("q", "quit"),
    ("?", "help"),
    ("Enter", "stat"),
    ("p", "peek"),
    ("x", "rm"),
    ("c", "chmod"),
    ("/", "filter"),
    ("s", "sort"),
    ("K", "kinds"),
    ("d", "doctor"),
    ("A", "all"),
];

fn keys(all: &[(&'static str, &'static str)], columns: u16, look: &Look) -> Line<'static> {
    let room = usize::from(columns);
    let all_widths = || all.iter().map(|(key, means)| key.len() + 1 + means.len());
    let needed = all_widths().sum::<usize>();
    let gap = if needed + 2 * all.len() <= room { 2 } else { 1 };
    let mut spans = Vec::new();
    let mut used = 0;
    for ((key, means), width) in all.iter().zip(all_widths()) {
        let gap = if used == 0 { 0 } else { gap };
        if used + gap + width > room {
            break;
        }
        used += gap + width;
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(*key, look.title()));
        spans.push(Span::styled(format!(" {means}"), look.aside()));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests;
