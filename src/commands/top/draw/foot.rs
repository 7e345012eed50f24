//! The last lines of the screen: what can be pressed, or what there is to say or to answer.

use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::commands::top::app::{App, Mode};
use crate::output::{escape, width};

/// The lines, at most as many as the screen has.
pub(super) fn lines(app: &App, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let message = match (&app.mode, &app.message, &app.trouble) {
        (Mode::Ask(question), ..) => Some((&question.text, theme.warning())),
        (_, Some(message), _) => Some((message, theme.warning())),
        (Mode::Table, None, Some(trouble)) => Some((trouble, theme.alarm())),
        _ => None,
    };
    if let Some((message, style)) = message {
        let wrapped = app.wrapped(&[escape::line(message)]);
        // The last line is for the keys.
        let most = app.rows.saturating_sub(2).max(1);
        lines.extend(wrapped.into_iter().take(most).map(|line| Line::styled(line, style)));
    }
    lines.push(match &app.mode {
        Mode::Ask(_) => Line::from(vec![
            Span::styled("y", theme.title()),
            Span::raw(" yes"),
            Span::styled("  any other key: no", theme.aside()),
        ]),
        Mode::Search(_) => prompt("filter", &app.board.search, "keep", app, theme),
        Mode::Chmod(observed, input) => {
            let mode = observed.permissions().mode;
            let label = format!("mode ({mode}) of {}", observed.reference());
            prompt(&label, input, "change", app, theme)
        }
        Mode::Table => keys(&TABLE, app.columns, theme),
        Mode::Sort(..) => keys(&[("Enter", "sort"), ("Esc", "back")], app.columns, theme),
        Mode::Kinds(_) => keys(&[("space", "on and off"), ("Esc", "back")], app.columns, theme),
        Mode::Text(_) => keys(&[("up down", "scroll"), ("q", "back")], app.columns, theme),
        Mode::Findings(..) => {
            let all = [("up down", "choose"), ("Enter", "run the fix"), ("q", "back")];
            keys(&all, app.columns, theme)
        }
    });
    lines
}

/// What is typed, behind what it is. Of a long input the end is shown.
fn prompt(label: &str, input: &str, does: &str, app: &App, theme: &Theme) -> Line<'static> {
    let help = format!("  Enter {does}  Esc back");
    let (label, used) = width::cut(label, app.columns / 2, theme.end_of_cut());
    let input = escape::line(input);
    let room = app.columns.saturating_sub(used + 3);
    let mut shown = input.as_str();
    while width::of(shown) > room
        && let Some(first) = shown.chars().next()
    {
        shown = &shown[first.len_utf8()..];
    }
    let help =
        if used + 3 + width::of(shown) + help.len() > app.columns { String::new() } else { help };
    Line::from(vec![
        Span::styled(escape::line(&label), theme.title()),
        Span::raw(format!(": {shown}")),
        Span::styled("_", theme.selected()),
        Span::styled(help, theme.aside()),
    ])
}

/// The keys of the table, the most telling first: those that do not fit are left out.
pub(super) const TABLE: [(&str, &str); 11] = [
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

fn keys(all: &[(&'static str, &'static str)], room: usize, theme: &Theme) -> Line<'static> {
    let widths = || all.iter().map(|(key, means)| key.len() + 1 + means.len());
    let gap = if widths().sum::<usize>() + 2 * all.len() <= room { 2 } else { 1 };
    let mut spans = Vec::new();
    let mut used = 0;
    for ((key, means), width) in all.iter().zip(widths()) {
        let gap = if used == 0 { 0 } else { gap };
        if used + gap + width > room {
            break;
        }
        used += gap + width;
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(*key, theme.title()));
        spans.push(Span::styled(format!(" {means}"), theme.aside()));
    }
    Line::from(spans)
}
