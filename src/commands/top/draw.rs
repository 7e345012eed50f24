//! Draws the screen. Pure: everything that is drawn is in the [`App`].

mod foot;
mod header;
mod table;
mod theme;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub(super) use theme::Theme;

use super::app::{App, Mode, Text};
use crate::ipc::changes::Identity;
use crate::ipc::finding::{Finding, Severity};
use crate::output::{Format, Section, Style, columns, escape, width, write_rows};

/// From how many rows on the header has all of its lines, and the users of the selected object are shown.
const ROOMY: u16 = 16;

/// The least rows of the table, with its heading.
const TABLE: u16 = 4;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, theme: &Theme) {
    let area = frame.area();
    (app.columns, app.rows) = (area.width.into(), area.height.into());
    let buffer = frame.buffer_mut();
    // What was there before is drawn over.
    buffer.reset();
    let header = match area.height {
        ROOMY.. => 3,
        7..ROOMY => 1,
        _ => 0,
    };
    let foot = foot::lines(app, theme);
    let rows = (foot.len() as u16).min(area.height.saturating_sub(1));
    let (top, rest) = split(area, header.min(area.height - rows));
    let (middle, bottom) = split(rest, rest.height.saturating_sub(rows));
    header::draw(buffer, top, app, theme);
    // A list of choices, a text or findings take the place of the table.
    app.page = usize::from(middle.height.saturating_sub(1)).max(1);
    app.page = draw_middle(buffer, middle, &app.mode, app, theme);
    for (row, line) in foot.iter().enumerate() {
        put(buffer, bottom, row as u16, line);
    }
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

/// Draws what a mode shows, and returns how many rows a page of it has.
fn draw_middle(buffer: &mut Buffer, area: Rect, mode: &Mode, app: &App, theme: &Theme) -> usize {
    match mode {
        Mode::Ask(question) => return draw_middle(buffer, area, &question.behind, app, theme),
        Mode::Table | Mode::Search(_) | Mode::Chmod(..) => {
            let below = match area.height >= TABLE + 8 {
                true => (area.height / 3).min(12),
                false => 0,
            };
            let (upper, lower) = split(area, area.height - below);
            table::draw(buffer, upper, app, theme);
            draw_users(buffer, lower, app, theme);
            return usize::from(upper.height.saturating_sub(1)).max(1);
        }
        Mode::Sort(keys, marked) => {
            let item = |key: &super::board::Key| match *key == app.board.key {
                true if app.board.descends => format!("{} (descending now)", key.name()),
                true => format!("{} (ascending now)", key.name()),
                false => key.name().to_owned(),
            };
            let items: Vec<_> = keys.iter().map(item).collect();
            draw_choices(buffer, area, "Sort by", &items, *marked, theme);
        }
        Mode::Kinds(marked) => {
            let item = |(number, kind): (usize, &crate::ipc::Kind)| {
                let mark = if app.board.kinds.contains(kind) { 'x' } else { ' ' };
                format!("[{mark}] {} {:<5} {}s", number + 1, kind.name(), kind.noun())
            };
            let items: Vec<_> = app.all_kinds.iter().enumerate().map(item).collect();
            draw_choices(buffer, area, "Kinds of objects", &items, *marked, theme);
        }
        Mode::Text(text) => draw_text(buffer, area, text, theme),
        Mode::Findings(findings, marked) => draw_findings(buffer, area, findings, *marked, theme),
    }
    usize::from(area.height.saturating_sub(1)).max(1)
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
    theme: &Theme,
) {
    put(buffer, area, 0, &Line::styled(title.to_owned(), theme.title()));
    let rows = usize::from(area.height.saturating_sub(1));
    let first = first_shown(marked, rows);
    for (row, (place, item)) in items.iter().enumerate().skip(first).take(rows).enumerate() {
        let style = if place == marked { theme.selected() } else { theme.plain() };
        put(buffer, area, row as u16 + 1, &Line::styled(format!("  {item} "), style));
    }
}

fn draw_text(buffer: &mut Buffer, area: Rect, text: &Text, theme: &Theme) {
    let rows = usize::from(area.height.saturating_sub(1));
    let left = text.lines.len().saturating_sub(text.top + rows);
    let more = match (text.top, left) {
        (0, 0) => String::new(),
        (_, 0) => "  (end)".to_owned(),
        (_, left) => format!("  ({left} more below)"),
    };
    let note = text.note.as_ref().map(|note| format!("  {}", escape::line(note)));
    let room = usize::from(area.width).saturating_sub(width::of(&more));
    let (title, _) = width::cut(&text.title, room, theme.end_of_cut());
    let title = Span::styled(escape::line(&title), theme.title());
    let note = Span::styled(note.unwrap_or_default(), theme.warning());
    put(buffer, area, 0, &Line::from(vec![title, Span::styled(more, theme.aside()), note]));
    for (row, line) in text.lines.iter().skip(text.top).take(rows).enumerate() {
        put(buffer, area, row as u16 + 1, &Line::raw(escape::line(line)));
    }
}

fn draw_findings(
    buffer: &mut Buffer,
    area: Rect,
    findings: &[Finding],
    marked: usize,
    theme: &Theme,
) {
    let number = findings.len();
    let title = format!("What doctor finds ({} of {number})", marked + 1);
    put(buffer, area, 0, &Line::styled(title, theme.title()));
    let rows = usize::from(area.height.saturating_sub(1));
    let of = |place: usize| {
        of_finding(&findings[place], place == marked, usize::from(area.width), theme)
    };
    // The marked one is shown whole, below as many as fit.
    let mut first = marked;
    let mut used = findings.get(marked).map_or(0, |_| of(marked).len());
    while first > 0 && used + of(first - 1).len() <= rows {
        first -= 1;
        used += of(first).len();
    }
    let lines = (first..findings.len()).flat_map(of).take(rows);
    for (row, line) in lines.enumerate() {
        put(buffer, area, row as u16 + 1, &line);
    }
}

fn of_finding(
    finding: &Finding,
    is_marked: bool,
    columns: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let severity = match finding.severity {
        Severity::Error => theme.alarm(),
        Severity::Warning => theme.warning(),
        Severity::Note => theme.note(),
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
    let style = if is_marked { theme.selected() } else { theme.plain() };
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
        lines.extend(fix.into_iter().map(|line| Line::styled(line, theme.note())));
    }
    lines.push(Line::default());
    lines
}

/// The processes that use the selected object.
fn draw_users(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme) {
    if area.height == 0 {
        return;
    }
    let Some(selected) = app.board.selected() else { return };
    let reference = selected.reference();
    let title = format!("{} processes of {reference} ", theme.rule(2));
    let rest = theme.rule(usize::from(area.width).saturating_sub(width::of(&title)));
    put(buffer, area, 0, &Line::styled(escape::line(&title) + &rest, theme.aside()));
    let observed = match &app.observed {
        Some(Ok(observed)) if Identity::of(observed) == Identity::of(selected) => observed,
        Some(Err(why)) => {
            put(buffer, area, 1, &Line::styled(escape::line(why), theme.warning()));
            return;
        }
        Some(Ok(_)) | None => return,
    };
    let users = observed.users();
    if users.is_empty() {
        let unseen = observed.may_miss_users();
        let none = if unseen { "none that can be seen" } else { "none" };
        put(buffer, area, 1, &Line::styled(none, theme.aside()));
        return;
    }
    let mut style = Style::new(app.style.now);
    style.time_format = app.style.time_format;
    style.screen.columns = Some(usize::from(area.width));
    // Below the title and the headings.
    let room = usize::from(area.height).saturating_sub(2);
    let shown = if users.len() > room { room.saturating_sub(1) } else { users.len() };
    let section = Section::new(&columns::USER);
    let mut text = Vec::new();
    if write_rows(Format::Table, section, true, &users[..shown], &style, &mut text).is_err() {
        return;
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    // Without the rule under the heading.
    let lines = text.lines().enumerate().filter(|(number, _)| *number != 1).map(|(_, line)| line);
    let mut row = 1;
    for line in lines {
        let style = if row == 1 { theme.title() } else { theme.plain() };
        put(buffer, area, row, &Line::styled(line.to_owned(), style));
        row += 1;
    }
    if shown < users.len() {
        let more = format!("and {} more: Enter shows all", users.len() - shown);
        put(buffer, area, row, &Line::styled(more, theme.aside()));
    }
}

#[cfg(test)]
mod tests;
