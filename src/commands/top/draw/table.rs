//! The table of objects: only the rows that are seen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{first_shown, put};
use crate::commands::top::app::App;
use crate::commands::top::board::{Board, HISTORY, Key, fill};
use crate::ipc::{Kind, Observed};
use crate::output::columns::{self, Preset};
use crate::output::fit::{GAP, Need, fit};
use crate::output::value::percent;
use crate::output::{Column, Value, width};

/// The columns of a bar.
const BAR: usize = 10;

/// The columns of a history at least. What is left of the line is given to it.
const LEAST_HISTORY: usize = 8;

/// To how many columns a name is cut before another column is left out.
const LEAST_NAME: usize = 16;

/// A column of the table.
#[derive(Clone, Copy)]
enum Field {
    /// One that `list` has, too.
    Listed(&'static Column<Observed>),
    /// What it holds, whatever its kind.
    Holds,
    Bar,
    Messages,
    Bytes,
    History,
}

impl Field {
    fn heading(self) -> String {
        match self {
            Field::Listed(column) => column.heading(),
            Field::Holds => "HOLDS".to_owned(),
            Field::Bar => "FILL".to_owned(),
            Field::Messages => "MSG/S".to_owned(),
            Field::Bytes => "B/S".to_owned(),
            Field::History => "HISTORY".to_owned(),
        }
    }

    fn is_number(self) -> bool {
        match self {
            Field::Listed(column) => column.numeric,
            Field::Messages | Field::Bytes => true,
            Field::Holds | Field::Bar | Field::History => false,
        }
    }

    /// When it is left out if there is too little room: 0 never, otherwise the highest first.
    fn rank(self) -> u8 {
        match self {
            Field::Listed(column) if column.name == "ref" => 0,
            // Whose it is tells more.
            Field::Listed(column) if column.name == "key" => 6,
            Field::Listed(column) => column.rank + 1,
            Field::Holds | Field::Bar => 1,
            Field::Messages => 2,
            Field::Bytes => 4,
            Field::History => 3,
        }
    }
}

/// The columns for these kinds: those of `list` if it is one kind, otherwise what all have in common.
fn fields(kinds: &[Kind], key: Key, is_everywhere: bool) -> Vec<Field> {
    let find = |kind: Kind, name: &str| {
        columns::with_requests(kind).find(|column| column.name == name).map(Field::Listed)
    };
    let mut fields: Vec<Field> = match kinds {
        [] => Vec::new(),
        [kind] => {
            let names = columns::preset(Preset::Usual, *kind, true).iter();
            names.filter(|name| **name != "fill").filter_map(|name| find(*kind, name)).collect()
        }
        [first, ..] => {
            let names = ["ref", "key", "owner", "mode"];
            let listed = names.iter().filter_map(|name| find(*first, name));
            listed.chain([Field::Holds]).collect()
        }
    };
    if is_everywhere && let Some(first) = kinds.first() {
        // The reference stays first.
        fields.splice(1..1, ["ns", "container"].iter().filter_map(|name| find(*first, name)));
    }
    if kinds.iter().any(|kind| kind.is_queue()) {
        fields.extend([Field::Bar, Field::Messages, Field::Bytes, Field::History]);
    } else if kinds.iter().any(|kind| matches!(kind, Kind::Shm | Kind::Pshm)) {
        fields.push(Field::Bytes);
    }
    let is_shown = |fields: &[Field], name: &str| {
        fields.iter().any(|field| matches!(field, Field::Listed(column) if column.name == name))
    };
    // By what they are sorted can be seen.
    if let Key::Column(name) = key
        && !is_shown(&fields, name)
        && let Some(field) = kinds.iter().find_map(|kind| find(*kind, name))
    {
        fields.insert(1, field);
    }
    fields
}

/// A cell, before it is fitted.
struct Cell {
    text: String,
    style: Style,
}

pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme) {
    let fields = fields(&app.board.kinds, app.board.key, app.is_everywhere);
    let rows = usize::from(area.height.saturating_sub(1));
    let first = first_shown(app.board.row(), rows);
    let shown: Vec<&Observed> =
        (first..first + rows).map_while(|row| app.board.object(row)).collect();
    let cells: Vec<Vec<Cell>> = shown
        .iter()
        .map(|observed| fields.iter().map(|field| cell(*field, observed, app, theme)).collect())
        .collect();
    let headings: Vec<String> = fields.iter().map(|field| field.heading()).collect();
    let widths = widths(&fields, &headings, &cells, usize::from(area.width));
    let line = |texts: &[(&str, Style)]| {
        let mut spans = Vec::new();
        let mut owed = 0;
        for ((&(text, style), width), field) in texts.iter().zip(&widths).zip(&fields) {
            let Some(width) = *width else { continue };
            let (text, used) = match field {
                // The latest is at the right.
                Field::History => last(text, width),
                _ => {
                    let (text, used) = width::cut(text, width, theme.end_of_cut());
                    (text.into_owned(), used)
                }
            };
            let padding = width - used;
            // The latest look is at the right, too.
            let is_right = field.is_number() || matches!(field, Field::History);
            let (before, after) = if is_right { (padding, 0) } else { (0, padding) };
            spans.push(Span::raw(" ".repeat(owed + before)));
            spans.push(Span::styled(text, style));
            owed = after + GAP;
        }
        Line::from(spans)
    };
    let heading: Vec<(&str, Style)> =
        headings.iter().map(|heading| (heading.as_str(), theme.title())).collect();
    put(buffer, area, 0, &line(&heading));
    for (row, cells) in cells.iter().enumerate() {
        let texts: Vec<(&str, Style)> =
            cells.iter().map(|cell| (cell.text.as_str(), cell.style)).collect();
        let line = line(&texts);
        let place = row as u16 + 1;
        if first + row == app.board.row() {
            // The whole row stands out.
            let row = Rect { y: area.y + place, height: 1, ..area };
            put(buffer, area, place, &line.patch_style(theme.selected()));
            buffer.set_style(row.intersection(area), theme.selected());
        } else {
            put(buffer, area, place, &line);
        }
    }
    if cells.is_empty() {
        put(buffer, area, 1, &Line::styled(why_empty(app), theme.aside()));
    }
}

fn why_empty(app: &App) -> &'static str {
    match app.board.count() {
        _ if app.board.kinds.is_empty() => "no kind is chosen (K)",
        (0, _) if app.facts.is_none() || app.trouble.is_some() => "",
        (0, _) => "no objects",
        _ if !app.board.search.is_empty() => "no object has this in its name, key or owner (/)",
        _ => "no objects of these kinds (K)",
    }
}

/// The last characters of a text.
fn last(text: &str, columns: usize) -> (String, usize) {
    let count = text.chars().count();
    let text: String = text.chars().skip(count.saturating_sub(columns)).collect();
    (text, count.min(columns))
}

fn widths(
    fields: &[Field],
    headings: &[String],
    cells: &[Vec<Cell>],
    room: usize,
) -> Vec<Option<usize>> {
    let needs: Vec<Need> = fields
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let texts = cells.iter().map(|row| width::of(&row[place].text));
            let natural = texts.chain([width::of(&headings[place])]).max().unwrap_or(0);
            let least = match field {
                Field::History => LEAST_HISTORY.min(natural),
                // A long name takes no column from the other objects.
                Field::Listed(column) if column.name == "ref" => LEAST_NAME.min(natural),
                _ => natural,
            };
            Need { natural, least, rank: field.rank(), is_number: field.is_number() }
        })
        .collect();
    fit(&needs, room.max(1))
}

fn cell(field: Field, observed: &Observed, app: &App, theme: &Theme) -> Cell {
    let App { board, style, .. } = app;
    let plain = |text: String| Cell { text, style: theme.plain() };
    match field {
        Field::Listed(column) => {
            let is_alarming = (column.alarm)(observed);
            let style = if is_alarming { theme.alarm() } else { theme.plain() };
            Cell { text: written(of_kind(column, observed), &app.style), style }
        }
        Field::Holds => {
            let is_alarming = observed.object.is_full() || observed.object.is_marked();
            let style = if is_alarming { theme.alarm() } else { theme.plain() };
            let mut text = written(Some(columns::holds(&observed.object)), &app.style);
            if observed.object.is_marked() {
                text += ", dest";
            }
            Cell { text, style }
        }
        Field::Bar => match fill(observed) {
            None => plain(String::new()),
            Some((used, limit)) => {
                let percent = percent(used, limit) as u64;
                let text = format!("{} {percent:>3}%", theme.bar(used, limit, BAR));
                let style = if used >= limit { theme.alarm() } else { theme.plain() };
                Cell { text, style }
            }
        },
        Field::Messages => plain(match observed.kind().is_queue() {
            true => rate(board.rate(observed).messages),
            false => String::new(),
        }),
        Field::Bytes => plain(rate_of_bytes(board, observed, style.human_sizes)),
        Field::History => plain(match board.depths(observed, HISTORY) {
            Some(depths) => theme.heights(&depths),
            None => String::new(),
        }),
    }
}

/// The value of a column. In a table of several kinds, the column may be that of another kind.
fn of_kind<'a>(column: &Column<Observed>, observed: &'a Observed) -> Option<Value<'a>> {
    let mut columns = columns::with_requests(observed.kind());
    columns.find(|other| other.name == column.name).map(|own| (own.value)(observed))
}

fn written(value: Option<Value<'_>>, style: &crate::output::Style) -> String {
    let mut text = Vec::new();
    value.unwrap_or(Value::Missing).write_quoted(style, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A change a second, with its sign: `+3`, `-0.5`; nothing for none.
fn rate(rate: f64) -> String {
    match rate {
        0.0 => String::new(),
        rate if rate.abs() < 10.0 => format!("{rate:+.1}"),
        rate => format!("{rate:+.0}"),
    }
}

fn rate_of_bytes(board: &Board, observed: &Observed, is_human: bool) -> String {
    let bytes = board.rate(observed).bytes;
    if bytes == 0.0 || !is_human {
        return rate(bytes);
    }
    let sign = if bytes < 0.0 { '-' } else { '+' };
    format!("{sign}{}", crate::output::style::human_size(bytes.abs().round() as u64))
}
