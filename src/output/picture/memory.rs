//! Shared memory: a bar of its size, in which what is resident and what is swapped out is filled.

use super::canvas::{Canvas, Line};
use super::cells_of;
use super::processes::{INDENT, below};
use crate::ipc::text::count;
use crate::ipc::{Observed, PosixMemory, Segment, Use};
use crate::output::style::{ALARM, human_size};

/// The most lines of processes below memory; with its title and its bar that is seven.
const PROCESSES: usize = 5;

/// The width of the bar where there is room for it.
const BAR: usize = 32;

/// Title, bar and processes of a segment.
pub(super) fn segment(segment: &Segment, observed: &Observed, canvas: &Canvas) -> Vec<Line> {
    let attached = count(segment.attached, "time");
    let mut title = Line::of(&format!("{}, attached {attached}", count(segment.size, "byte")));
    for status in segment.status_names() {
        title = title.plain(", ");
        title = match status {
            "dest" => title.painted("dest: marked for destruction", ALARM),
            other => title.plain(other),
        };
    }
    let mut lines = vec![title, bar(segment.size, segment.rss, segment.swap, canvas)];
    let unseen = observed.counted_unseen().unwrap_or(0);
    lines.extend(below(observed.users(), unseen, PROCESSES, canvas));
    lines
}

/// Title, bar and processes of POSIX shared memory.
pub(super) fn posix(memory: &PosixMemory, users: &[Use], canvas: &Canvas) -> Vec<Line> {
    let mut title = Line::of(&count(memory.size, "byte"));
    if let Some(status) = memory.status.name() {
        title = title.plain(", ").painted(status, ALARM);
    }
    let mut lines = vec![title, bar(memory.size, Some(memory.rss), None, canvas)];
    lines.extend(below(users, 0, PROCESSES, canvas));
    lines
}

fn bar(size: u64, rss: Option<u64>, swap: Option<u64>, canvas: &Canvas) -> Line {
    let legend = match rss {
        Some(rss) => format!("rss {}", human_size(rss)),
        None => "rss ?".to_owned(),
    };
    let swap = swap.unwrap_or(0);
    let swapped = if swap > 0 { format!(", swap {}", human_size(swap)) } else { String::new() };
    let legend = format!("  {legend}{swapped} of {}", human_size(size));
    let room = canvas.columns.saturating_sub(INDENT.len() + legend.len());
    let cells = BAR.min(room).max(1);
    // Pages are whole, so the last one may reach beyond the end.
    let filled = cells_of(rss.unwrap_or(0), size, cells);
    let swapped = cells_of(swap, size, cells).min(cells - filled);
    let [resident, out, free] = canvas.glyphs.bar;
    let bar = match (size, rss) {
        (0, _) => String::new(),
        (_, None) => "?".repeat(cells),
        (_, Some(_)) => {
            resident.repeat(filled) + &out.repeat(swapped) + &free.repeat(cells - filled - swapped)
        }
    };
    Line::of(&format!("{INDENT}{bar}{legend}"))
}
