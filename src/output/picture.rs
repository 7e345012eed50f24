//! Pictures of objects, for `stat --picture` and for lessons: the messages of a queue as boxes, the value of a
//! semaphore as dots, shared memory as a bar, each with the processes that use it.
//!
//! Drawing is pure: the caller has read everything that a picture shows.

mod canvas;
mod memory;
mod processes;
mod queue;
mod semaphores;

pub use canvas::{Canvas, Glyphs};

use canvas::Line;

use crate::ipc::message::Message;
use crate::ipc::{Object, Observed};
use crate::output::style;

/// The most messages that a picture of a queue shows. More do not fit into the widest one.
pub const MOST_MESSAGES: usize = 16;

/// Draws an object, a line each; a line has no newline at its end, and no more characters than the canvas has
/// columns.
///
/// `messages` are the first messages of a System V queue, at most [`MOST_MESSAGES`]; `None` if they cannot be
/// read. Other kinds have none.
pub fn draw(observed: &Observed, messages: Option<&[Message]>, canvas: &Canvas) -> Vec<String> {
    let lines = match &observed.object {
        Object::Queue(queue) => queue::system_v(queue, messages, observed.users(), canvas),
        Object::PosixQueue(queue) => queue::posix(queue, observed.users(), canvas),
        Object::SemaphoreSet(set) => semaphores::of_set(set, observed, canvas),
        Object::PosixSemaphore(semaphore) => semaphores::posix(semaphore, observed.users(), canvas),
        Object::Segment(segment) => memory::segment(segment, observed, canvas),
        Object::PosixMemory(memory) => memory::posix(memory, observed.users(), canvas),
    };
    let reference = Line::default().painted(&observed.reference().to_string(), style::TITLE);
    let mut lines = lines.into_iter();
    let title = reference.plain("  ").joined(lines.next().unwrap_or_default());
    std::iter::once(title).chain(lines).map(|line| line.render(canvas)).collect()
}

/// How many of these cells a part of the whole fills: any part at least one, and only the whole all of them.
fn cells_of(part: u64, whole: u64, cells: usize) -> usize {
    if part == 0 {
        return 0;
    }
    if part >= whole {
        return cells;
    }
    let filled = u128::from(part) * cells as u128 / u128::from(whole);
    (filled as usize).clamp(1, cells.saturating_sub(1).max(1))
}

/// A number if it is known, otherwise a question mark.
fn or_unknown(number: Option<u64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests;
