//! Semaphores: a line each, with its value as dots and who waits for it.

use super::canvas::{Canvas, Line};
use super::or_unknown;
use super::processes::{INDENT, Processes, below};
use crate::ipc::process::role::{Role, State};
use crate::ipc::sysv::{Operation, Semaphore};
use crate::ipc::text::count;
use crate::ipc::{Observed, PosixSemaphore, SemaphoreSet, Use};
use crate::output::style::{GONE, WARNING};

/// A value up to this one has a dot for each.
const MOST_DOTS: u32 = 10;

/// In a larger set, neighbours with the same value and nobody waiting share a line.
const SMALL_SET: usize = 16;

/// The most lines of a set.
const MOST_LINES: usize = 40;

/// The most lines of processes below a POSIX semaphore.
const PROCESSES: usize = 4;

/// A line: a semaphore, or several that are alike.
struct Row {
    first: u32,
    last: u32,
    /// `None` if it cannot be read.
    semaphore: Option<Semaphore>,
}

/// Title and semaphores of a set.
pub(super) fn of_set(set: &SemaphoreSet, observed: &Observed, canvas: &Canvas) -> Vec<Line> {
    let title = Line::of(&count(set.nsems, "semaphore"));
    let rows = match &observed.semaphores {
        Some(semaphores) => rows(semaphores),
        None => {
            let last = u32::try_from(set.nsems.saturating_sub(1)).unwrap_or(u32::MAX);
            let unknown = |first, last| Row { first, last, semaphore: None };
            match set.nsems as usize <= SMALL_SET {
                true => (0..=last).map(|number| unknown(number, number)).collect(),
                false => vec![unknown(0, last)],
            }
        }
    };
    let shown = if rows.len() > MOST_LINES { MOST_LINES - 1 } else { rows.len() };
    let left_out: u64 = rows[shown..].iter().map(|row| u64::from(row.last - row.first) + 1).sum();
    let cells = |row: &Row| [row.index(), dots(row.value(), canvas), row.number()];
    let cells: Vec<_> = rows[..shown].iter().map(cells).collect();
    let widths: [usize; 3] = std::array::from_fn(|column| {
        cells.iter().map(|cells| cells[column].width()).max().unwrap_or(0)
    });
    let mut lines = vec![title];
    for (row, [index, dots, value]) in rows.iter().zip(cells) {
        let line = Line::of(INDENT).joined(index.padded_left(widths[0])).plain("  ");
        let line = line.joined(dots.padded(widths[1])).plain("  ");
        let line = line.joined(value.padded_left(widths[2]));
        let last = row.last_operation(observed);
        let waiters = row.waiters(observed.users());
        let room = canvas.columns.saturating_sub(last.width());
        let whole = with_waiters(line.clone(), &waiters, room, canvas).joined(last);
        // Who waits tells more than who operated last.
        lines.push(match whole.width() <= canvas.columns {
            true => whole,
            false => with_waiters(line, &waiters, canvas.columns, canvas),
        });
    }
    if left_out > 0 {
        lines.push(Line::of(&format!("{INDENT}+{left_out} more")));
    }
    lines
}

/// A line for each, or for each run of equal ones.
fn rows(semaphores: &[Semaphore]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let is_quiet = |one: &Semaphore| one.ncount + one.zcount == 0;
    for one in semaphores {
        let joins = rows.last_mut().filter(|row| {
            semaphores.len() > SMALL_SET
                && is_quiet(one)
                && row.semaphore.is_some_and(|other| is_quiet(&other) && other.value == one.value)
        });
        match joins {
            Some(row) => row.last = one.index,
            None => rows.push(Row { first: one.index, last: one.index, semaphore: Some(*one) }),
        }
    }
    rows
}

impl Row {
    fn index(&self) -> Line {
        match self.first == self.last {
            true => Line::of(&self.first.to_string()),
            false => Line::of(&format!("{}-{}", self.first, self.last)),
        }
    }

    fn value(&self) -> Option<u32> {
        self.semaphore.map(|one| one.value)
    }

    fn number(&self) -> Line {
        Line::of(&or_unknown(self.value().map(u64::from)))
    }

    /// The process that last operated on it. If that is gone, nobody may be left to increase the value.
    fn last_operation(&self, observed: &Observed) -> Line {
        let pid = self.semaphore.map_or(0, |one| one.last_pid);
        if pid == 0 || self.first != self.last {
            return Line::default();
        }
        let is_it = |user: &&Use| user.pid == pid && matches!(user.role, Role::LastOperation(_));
        let line = Line::of(&format!("  last: {pid}"));
        match observed.users().iter().find(is_it).map(|user| user.state) {
            Some(State::Gone | State::Reused) => line.painted(" (gone)", GONE),
            Some(State::Alive) | None => line,
        }
    }

    /// Who waits on it; where the kernel counts more than were found, the number alone.
    fn waiters<'a>(&self, users: &'a [Use]) -> Vec<Waiters<'a>> {
        if self.first != self.last {
            return Vec::new();
        }
        let mut groups: Vec<(i16, Processes)> = Vec::new();
        for user in users {
            let Some(Operation { change, .. }) = self.blocking(&user.role) else { continue };
            match groups.iter_mut().find(|(other, _)| *other == change) {
                None => groups.push((change, Processes::default().and(user))),
                Some((_, all)) => all.add(user),
            }
        }
        let found = |is_it: fn(i16) -> bool| -> u64 {
            groups.iter().filter(|(change, _)| is_it(*change)).map(|(_, all)| all.threads()).sum()
        };
        let (more, zero) = self.semaphore.map_or((0, 0), |one| (one.ncount, one.zcount));
        let unseen = [
            (u64::from(more).saturating_sub(found(|change| change < 0)), "for an increase"),
            (u64::from(zero).saturating_sub(found(|change| change == 0)), "for 0"),
        ];
        let seen = groups.into_iter().map(|(change, all)| Waiters {
            number: all.threads(),
            wanted: match change {
                0 => "for 0".to_owned(),
                change => format!("for +{}", change.unsigned_abs()),
            },
            all,
        });
        let unseen = unseen.into_iter().filter(|(number, _)| *number > 0);
        let unseen = unseen.map(|(number, wanted)| Waiters {
            number,
            wanted: wanted.to_owned(),
            all: Processes::default(),
        });
        seen.chain(unseen).collect()
    }

    /// The operation on this semaphore for which a process waits. One that waits for several at once is counted
    /// by the kernel only where it is stuck.
    fn blocking(&self, role: &Role) -> Option<Operation> {
        let Role::WaitsOnSemaphores(operations) = role else { return None };
        let counts = self.semaphore.map(|one| (one.ncount, one.zcount));
        operations.iter().copied().find(|operation| {
            let is_here = u32::from(operation.semaphore) == self.first;
            let is_counted = counts.is_none_or(|(more, zero)| match operation.change {
                0 => zero > 0,
                _ => more > 0,
            });
            is_here && operation.change <= 0 && (is_counted || operations.len() == 1)
        })
    }
}

/// Threads that wait for the same: `1 waits for +1: 749 (ipctool)`.
struct Waiters<'a> {
    number: u64,
    /// What follows "waits".
    wanted: String,
    /// Their processes; none if these were not found.
    all: Processes<'a>,
}

/// Adds who waits to the line of a semaphore, which then has this width at most if that is possible.
fn with_waiters(mut line: Line, waiters: &[Waiters<'_>], width: usize, canvas: &Canvas) -> Line {
    for (number, Waiters { number: threads, wanted, all }) in waiters.iter().enumerate() {
        line = match number {
            0 => line.plain(&format!("  {} ", canvas.glyphs.arrow)),
            _ => line.plain("; "),
        };
        let verb = if *threads == 1 { "waits" } else { "wait" };
        line = line.painted(&format!("{threads} {verb} {wanted}"), WARNING);
        if all.len() > 0 {
            line = line.plain(": ");
            let room = width.saturating_sub(line.width());
            line = line.plain(&all.names(room));
        }
    }
    line
}

/// A dot for each of a value.
fn dots(value: Option<u32>, canvas: &Canvas) -> Line {
    let [dot, none] = canvas.glyphs.dot;
    Line::of(&match value {
        None => "?".to_owned(),
        Some(0) => none.to_owned(),
        Some(value @ 1..=MOST_DOTS) => dot.repeat(value as usize),
        Some(_) => dot.repeat(MOST_DOTS as usize) + "+",
    })
}

/// Title, value and processes of a POSIX semaphore.
pub(super) fn posix(semaphore: &PosixSemaphore, users: &[Use], canvas: &Canvas) -> Vec<Line> {
    let value = semaphore.state.map(|state| state.value);
    let title = Line::of(&format!("value {}", or_unknown(value.map(u64::from))));
    let waits = |user: &&Use| user.role == Role::WaitsForIncrease;
    let all = users.iter().filter(waits).fold(Processes::default(), Processes::and);
    let rest: Vec<_> = users.iter().filter(|user| !all.has(user.pid)).cloned().collect();
    let counted = semaphore.state.map_or(0, |state| u64::from(state.waiters));
    let found = Waiters { number: all.threads(), wanted: "for +1".to_owned(), all };
    // The C library counts them in the semaphore, and never takes off one that was killed while it waited.
    let number = if counted > found.number { counted } else { 0 };
    let wanted = "by its own count".to_owned();
    let mut waiters = vec![found, Waiters { number, wanted, all: Processes::default() }];
    waiters.retain(|waiters| waiters.number > 0);
    let line = Line::of(INDENT).joined(dots(value, canvas));
    let mut lines = vec![title, with_waiters(line, &waiters, canvas.columns, canvas)];
    lines.extend(below(&rest, 0, PROCESSES, canvas));
    lines
}
