//! Message queues: messages move from right to left, and the left one is the next to be received.

use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, Line};
use super::processes::{INDENT, below};
use super::{cells_of, or_unknown};
use crate::ipc::message::{Label, Message, type_of};
use crate::ipc::text::count;
use crate::ipc::{PosixQueue, Queue, Use};
use crate::output::escape;
use crate::output::style::{ALARM, NOTE};
use crate::output::width::cut;

/// The most lines of processes below a queue; with the queue that is seven.
const PROCESSES: usize = 3;

/// The most places that a text in a box takes: the first of these with which all messages fit.
const TEXT: [usize; 5] = [48, 32, 24, 16, 12];

/// The same where not all messages fit with any of them.
const TEXT_OF_MANY: usize = 12;

/// How much of a payload is looked at, in bytes: enough to fill the most places.
const TEXT_BYTES: usize = 256;

/// The most slots of a POSIX queue that are drawn. In a larger queue each stands for several.
const MOST_SLOTS: u64 = 40;

/// A message in a box: its type in the upper edge, its size in the lower one.
struct Boxed {
    label: String,
    text: String,
    size: String,
}

/// Title, messages and processes of a System V queue.
pub(super) fn system_v(
    queue: &Queue,
    messages: Option<&[Message]>,
    users: &[Use],
    canvas: &Canvas,
) -> Vec<Line> {
    let bytes = match queue.max_bytes {
        Some(most) => format!("{} of {most} bytes", queue.bytes),
        None => count(queue.bytes, "byte"),
    };
    let title = Line::of(&format!("{}, {bytes}", count(queue.messages, "message")));
    let mut lines = vec![if queue.is_full() { full(title) } else { title }];
    let boxes: Vec<_> = match messages {
        _ if queue.messages == 0 => vec![Boxed::of_text("empty")],
        Some(messages) => messages.iter().map(Boxed::of).collect(),
        // The kernel counts them for everybody.
        None => {
            (0..queue.messages).take(super::MOST_MESSAGES).map(|_| Boxed::of_text("?")).collect()
        }
    };
    lines.extend(row(&boxes, queue.messages.max(1), canvas));
    lines.extend(below(users, 0, PROCESSES, canvas));
    lines
}

fn full(title: Line) -> Line {
    title.plain(", ").painted("full", ALARM)
}

impl Boxed {
    fn of(message: &Message) -> Boxed {
        let payload = message.payload();
        let mut text = Vec::new();
        escape::append_bytes(&payload[..payload.len().min(TEXT_BYTES)], &mut text);
        Boxed {
            label: Label::Type(type_of(message.as_bytes())).to_string(),
            text: String::from_utf8_lossy(&text).into_owned(),
            size: format!("{} B", payload.len()),
        }
    }

    fn of_text(text: &str) -> Boxed {
        Boxed { label: String::new(), text: text.to_owned(), size: String::new() }
    }

    /// The width between its edges, if its text takes at most this many places.
    fn inner(&self, places: usize) -> usize {
        let widest = self.text.width().min(places).max(self.label.width()).max(self.size.width());
        widest + 2
    }

    /// Its upper edge, its middle and its lower edge.
    fn parts(&self, places: usize, canvas: &Canvas) -> [Line; 3] {
        let glyphs = &canvas.glyphs;
        let inner = self.inner(places);
        let edge = |[left, right]: [&str; 2], label: &str, colour| {
            let label = if label.is_empty() { String::new() } else { format!(" {label} ") };
            let rest = glyphs.horizontal.repeat(inner - label.width());
            Line::of(left).painted(&label, colour).plain(&rest).plain(right)
        };
        let (text, width) = cut(&self.text, inner - 2, glyphs.cut);
        let padding = " ".repeat(inner - 2 - width);
        [
            edge(glyphs.top, &self.label, NOTE),
            Line::of(&format!("{0} {text}{padding} {0}", glyphs.vertical)),
            edge(glyphs.bottom, &self.size, anstyle::Style::new()),
        ]
    }
}

/// Three lines: where messages are taken, the boxes, where new ones join. `total` is the number of messages, of
/// which the boxes are the first.
fn row(boxes: &[Boxed], total: u64, canvas: &Canvas) -> [Line; 3] {
    let arrow = canvas.glyphs.arrow;
    let (taken, joined) = (format!("{INDENT}recv {arrow} "), format!(" {arrow} send"));
    let room = canvas.columns.saturating_sub(taken.width() + joined.width());
    let width = |boxes: &[Boxed], places: usize| -> usize {
        let all: usize = boxes.iter().map(|one| one.inner(places) + 2).sum();
        all + boxes.len().saturating_sub(1)
    };
    let is_all = boxes.len() as u64 == total;
    let places = TEXT.into_iter().find(|&places| is_all && width(boxes, places) <= room);
    let (shown, places, more) = match places {
        Some(places) => (boxes.len(), places, String::new()),
        None => {
            let more = |shown: usize| match total.saturating_sub(shown as u64) {
                0 => String::new(),
                more => format!(" +{more} more"),
            };
            let fits = |shown: &usize| {
                width(&boxes[..*shown], TEXT_OF_MANY) + more(*shown).width() <= room
            };
            let shown = (1..=boxes.len()).rev().find(fits).unwrap_or(boxes.len().min(1));
            (shown, TEXT_OF_MANY, more(shown))
        }
    };
    let blank = " ".repeat(taken.width());
    let mut lines = [Line::of(&blank), Line::of(&taken), Line::of(&blank)];
    for (number, one) in boxes[..shown].iter().enumerate() {
        let gap = if number > 0 { " " } else { "" };
        for (line, part) in lines.iter_mut().zip(one.parts(places, canvas)) {
            *line = std::mem::take(line).plain(gap).joined(part);
        }
    }
    lines[1] = std::mem::take(&mut lines[1]).plain(&more).plain(&joined);
    lines
}

/// Title, slots and processes of a POSIX queue.
pub(super) fn posix(queue: &PosixQueue, users: &[Use], canvas: &Canvas) -> Vec<Line> {
    let (used, most) = (or_unknown(queue.messages), or_unknown(queue.max_messages));
    let mut title = format!("{used} of {most} messages");
    if let Some(bytes) = queue.bytes {
        title += &format!(", {}", count(bytes, "byte"));
    }
    if let Some(size) = queue.message_size {
        title += &format!(", each at most {}", count(size, "byte"));
    }
    let title = Line::of(&title);
    let mut lines = vec![if queue.is_full() { full(title) } else { title }];
    let slots = match queue.fill() {
        Some((used, most)) => {
            let cells = most.min(MOST_SLOTS) as usize;
            let filled = cells_of(used, most, cells);
            let [full, free] = canvas.glyphs.slot;
            full.repeat(filled) + &free.repeat(cells - filled)
        }
        None => "?".to_owned(),
    };
    let arrow = canvas.glyphs.arrow;
    lines.push(Line::of(&format!("{INDENT}recv {arrow} {slots} {arrow} send")));
    lines.extend(below(users, 0, PROCESSES, canvas));
    lines
}
